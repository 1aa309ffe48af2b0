"""Checkpoints are found where other programs keep them, and fetched once where they are not."""

from __future__ import annotations

import hashlib
import io
import urllib.error
from dataclasses import replace

import pytest

from audiojourney import checkpoints, hub
from audiojourney.errors import MissingError, UsageError

DATA = b"weights"


def test_offline_says_which_file_is_wanted_and_where(monkeypatch):
    monkeypatch.setenv("AJ_OFFLINE", "1")
    with pytest.raises(MissingError, match=r"VGGish \(vggish-10086976.pth\).*switched off.*Put the file into") as told:
        checkpoints.fetch("vggish")
    assert str(checkpoints.folder()) in str(told.value)


def test_found_where_others_keep_it(isolated_home, monkeypatch):
    assert checkpoints.find("panns") is None
    theirs = isolated_home / "panns_data" / "Cnn14_16k_mAP=0.438.pth"
    theirs.parent.mkdir()
    theirs.write_bytes(DATA)
    assert checkpoints.fetch("panns") == theirs
    torch_home = isolated_home / "torch" / "hub" / "checkpoints"
    torch_home.mkdir(parents=True)
    (torch_home / "vggish-10086976.pth").write_bytes(DATA)
    monkeypatch.setenv("TORCH_HOME", str(isolated_home / "torch"))
    assert checkpoints.fetch("vggish").parent == torch_home


@pytest.fixture
def server(monkeypatch):
    """Answer every request with `DATA`, and note it."""
    asked = []

    def answer(url, timeout):
        asked.append(url)
        return io.BytesIO(DATA)

    for name in ("AJ_OFFLINE", "HF_HUB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(hub, "reachable", lambda url=None: True)
    monkeypatch.setattr(checkpoints.urllib.request, "urlopen", answer)
    return asked


def test_fetched_once(server):
    path = checkpoints.fetch("panns-32k")
    assert path.read_bytes() == DATA
    assert checkpoints.fetch("panns-32k") == path
    assert len(server) == 1 and "mAP%3D0.431" in server[0]


def test_another_file_is_refused_and_not_kept(server, monkeypatch):
    with pytest.raises(MissingError, match="gave another file"):
        checkpoints.fetch("vggish")
    assert list(checkpoints.folder().iterdir()) == []
    right = replace(checkpoints.CHECKPOINTS["vggish"], sha256=hashlib.sha256(DATA).hexdigest()[:8])
    monkeypatch.setitem(checkpoints.CHECKPOINTS, "vggish", right)
    assert checkpoints.fetch("vggish").is_file()


def test_a_dead_host_is_told(server, monkeypatch):
    def fail(url, timeout):
        raise urllib.error.URLError("gone")

    monkeypatch.setattr(checkpoints.urllib.request, "urlopen", fail)
    with pytest.raises(MissingError, match=r"cannot be fetched from https://zenodo.*gone"):
        checkpoints.fetch("panns")
    monkeypatch.setattr(hub, "reachable", lambda url=None: False)
    with pytest.raises(MissingError, match="cannot be reached"):
        checkpoints.fetch("panns")


def test_unknown_names():
    with pytest.raises(UsageError, match="Did you mean 'panns'"):
        checkpoints.find("pans")
