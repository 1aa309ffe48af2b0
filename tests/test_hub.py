"""Names of models to folders, and what happens without a network."""

from __future__ import annotations

import socket
import threading
import time

import huggingface_hub
import pytest
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

from audiojourney import hub
from audiojourney.errors import MissingError


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    for name in ("generator", "text"):
        (tmp_path / "pocket" / name).mkdir(parents=True)
        (tmp_path / "pocket" / name / "config.yaml").write_text("kind: x\n", encoding="utf-8")
    monkeypatch.setattr(hub, "POCKET", tmp_path / "pocket")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "pocket"


@pytest.fixture
def online(monkeypatch):
    """Allow the network, and count what is asked of it; the downloads themselves are the test's."""
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setattr(hub, "reachable", lambda: True)
    calls = []

    def answer(with_what):
        def download(repo, local_files_only=False, **options):
            calls.append((repo, local_files_only, options))
            if local_files_only:
                raise LocalEntryNotFoundError("not here")
            if isinstance(with_what, Exception):
                raise with_what
            return str(with_what)

        monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
        return calls

    return answer


def test_shipped_models_by_name(shipped):
    assert hub.resolve_model("pocket/text") == shipped / "text"
    assert hub.resolve_model("pocket") == hub.resolve_model("pocket/generator") == shipped / "generator"
    assert list(hub.pocket_models()) == ["pocket/generator", "pocket/text"]


def test_folders_and_the_final_model_of_a_run(shipped, tmp_path):
    run = tmp_path / "runs" / "a"
    (run / "final").mkdir(parents=True)
    (run / "config.yaml").write_text("task: x\n", encoding="utf-8")
    assert hub.resolve_model("runs/a") == run.relative_to(tmp_path)
    (run / "final" / "config.yaml").write_text("kind: x\n", encoding="utf-8")
    assert hub.resolve_model("runs/a").resolve() == run / "final"
    assert hub.resolve_model(str(run)) == run / "final"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("./none", "There is no model folder 'none'"),
        ("a/b/c", "There is no model folder 'a/b/c'"),
        ("~/none", "There is no model folder"),
        ("empty", "holds no model"),
        ("pocket/genrator", "Did you mean 'pocket/generator'?"),
        ("genau-full-m", "Did you mean 'genau-full-"),
        ("pocket/../x", "There is no model"),
        ("", "There is no model"),
    ],
)
def test_what_cannot_be_had(shipped, tmp_path, name, told):
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingError) as caught:
        hub.resolve_model(name)
    assert told in str(caught.value)


def test_offline_asks_the_cache_alone(monkeypatch):
    asked = []

    def download(repo, local_files_only=False, **options):
        asked.append(local_files_only)
        raise LocalEntryNotFoundError("not here")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    with pytest.raises(MissingError, match="'a/b' are not on this machine and the network is switched off"):
        hub.fetch("a/b")
    assert asked == [True]


@pytest.mark.parametrize("value", ["1", "true", "YES", "on"])
def test_both_switches_mean_offline(monkeypatch, value):
    monkeypatch.delenv("HF_HUB_OFFLINE")
    assert not hub.offline()
    monkeypatch.setenv("AJ_OFFLINE", value)
    assert hub.offline()
    monkeypatch.setenv("AJ_OFFLINE", "0")
    assert not hub.offline()
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    assert hub.offline()


def test_online_asks_the_cache_then_downloads_once(online, tmp_path):
    calls = online(tmp_path)
    assert hub.resolve_model("genau-full-l") == tmp_path
    assert [(repo, local) for repo, local, _ in calls] == [("mali6/autocap", True), ("mali6/autocap", False)]
    assert "genau-full-l.ckpt" in calls[1][2]["allow_patterns"]


def test_a_cached_folder_is_used_only_when_it_has_all_files(monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda repo, **options: str(tmp_path))
    with pytest.raises(MissingError):
        hub.fetch("a/b", ("x.ckpt",))
    (tmp_path / "x.ckpt").touch()
    assert hub.fetch("a/b", ("x.ckpt",)) == tmp_path


class RepositoryNotFoundError(OSError):
    """Named as the library names it."""


class GatedRepoError(RepositoryNotFoundError):
    """Named as the library names it."""


class ConnectTimeout(Exception):
    """Named as the HTTP libraries name it."""


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (RepositoryNotFoundError("404"), "no such repository"),
        (GatedRepoError("403"), "accept their terms"),
        (HFValidationError("bad"), "no valid Hub id"),
        (caused(OSError("x"), ConnectTimeout()), "the network cannot be reached"),
        (OSError("disk\nodd"), "disk odd"),
    ],
)
def test_each_failure_of_a_download_has_its_sentence(online, error, told):
    online(error)
    with pytest.raises(MissingError) as caught:
        hub.fetch("a/b")
    assert told in str(caught.value)


def test_a_network_that_swallows_everything_is_given_up_in_time(monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE")
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(hub, "PROBE_S", 0.05)
    released = threading.Event()

    def swallow(*arguments, **options):
        released.wait(60)
        raise TimeoutError

    monkeypatch.setattr(hub.socket, "create_connection", swallow)
    start = time.monotonic()
    assert hub.reachable() is False
    assert time.monotonic() - start < 30
    released.set()


def test_a_network_that_answers_is_seen(monkeypatch):
    server = socket.create_server(("127.0.0.1", 0))
    monkeypatch.setattr(hub, "PROBE_S", 30.0)
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.getsockname()[1]}")
    assert hub.reachable()
    server.close()
    assert not hub.reachable()


def test_home_follows_its_variables(monkeypatch, tmp_path):
    monkeypatch.setenv("AJ_HOME", str(tmp_path / "a"))
    assert hub.home() == tmp_path / "a"
    monkeypatch.delenv("AJ_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "b"))
    assert hub.home() == tmp_path / "b" / "audiojourney"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert hub.home() == tmp_path / ".cache" / "audiojourney"
