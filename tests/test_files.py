"""Files are whole or absent, whatever goes wrong; every failure is one sentence."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from pathlib import Path

import pytest

from audiojourney.errors import AudioJourneyError
from audiojourney.files import append_bytes, replacing, write_bytes, write_json, write_text


def test_folders_are_made_and_files_replaced(tmp_path: Path):
    path = tmp_path / "a" / "b" / "c.txt"
    write_text(path, "ünë\n")
    write_text(path, "zwei\r\n雨")
    assert path.read_bytes() == "zwei\r\n雨".encode()
    assert [file.name for file in path.parent.iterdir()] == ["c.txt"]


def test_json_is_readable_text(tmp_path: Path):
    write_json(tmp_path / "a.json", {"prompt": "雨", "seed": 1})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert "雨" in text and text.endswith("}\n")
    assert json.loads(text) == {"prompt": "雨", "seed": 1}


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt()])
def test_a_failed_block_leaves_the_earlier_file(tmp_path: Path, error: BaseException):
    path = tmp_path / "a.txt"
    write_text(path, "before")
    with pytest.raises(type(error)), replacing(path) as part:
        part.write_text("half", encoding="utf-8")
        raise error
    assert path.read_text(encoding="utf-8") == "before"
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_nothing_is_seen_before_it_is_whole(tmp_path: Path):
    path = tmp_path / "a.bin"
    with replacing(path) as part:
        part.write_bytes(b"half")
        assert not path.exists()
        assert part.parent == path.parent and part.name.startswith(".")
    assert path.read_bytes() == b"half"


def test_the_longest_name_can_be_written(tmp_path: Path):
    path = tmp_path / ("🌧" * 63)
    write_bytes(path, b"x")
    assert path.read_bytes() == b"x"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (errno.ENOSPC, "no space is left"),
        (errno.EDQUOT, "no space is left"),
        (errno.EROFS, "may not be written to"),
        (errno.EACCES, "may not be written to"),
        (errno.EIO, "Input/output error"),
    ],
)
@pytest.mark.parametrize("write", [write_bytes, append_bytes])
def test_the_system_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write, code: int, told: str):
    """Tests may run as a user to whom everything is allowed, so the refusal is simulated."""

    def refuse(*_: object) -> None:
        raise OSError(code, "Input/output error")

    (tmp_path / "list.txt").write_bytes(b"first\n")
    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(AudioJourneyError, match=told) as found:
        write(tmp_path / "list.txt", b"second\n")
    assert str(tmp_path / "list.txt") in found.value.message and found.value.hint
    assert (tmp_path / "list.txt").read_bytes() == b"first\n"
    assert [file.name for file in tmp_path.iterdir()] == ["list.txt"]


@pytest.mark.parametrize("write", [write_bytes, append_bytes])
def test_a_file_in_place_of_a_folder(tmp_path: Path, write):
    (tmp_path / "out").write_text("I am a file", encoding="utf-8")
    with pytest.raises(AudioJourneyError, match="is a file, not a folder"):
        write(tmp_path / "out" / "a.wav", b"x")
    with pytest.raises(AudioJourneyError, match="is a file, not a folder"):
        write(tmp_path / "out" / "deeper" / "a.wav", b"x")


@pytest.mark.parametrize("write", [write_bytes, append_bytes])
def test_a_folder_in_place_of_a_file(tmp_path: Path, write):
    (tmp_path / "a.wav").mkdir()
    with pytest.raises(AudioJourneyError, match="it is a folder"):
        write(tmp_path / "a.wav", b"x")
    assert [file.name for file in tmp_path.iterdir()] == ["a.wav"]


DISK_FULL = """
import resource, sys
from audiojourney.errors import AudioJourneyError
from audiojourney import files
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    getattr(files, sys.argv[1])(sys.argv[2], bytes(150_000))
except AudioJourneyError as error:
    print(error)
"""


@pytest.mark.parametrize("write", ["write_bytes", "append_bytes"])
def test_a_full_disk_loses_nothing(tmp_path: Path, write: str):
    """A limit on the size of files stops the write after 100 kB, as a full disk would."""
    pytest.importorskip("resource")
    path = tmp_path / "a.bin"
    path.write_bytes(b"before")
    command = [sys.executable, "-c", DISK_FULL, write, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("\n") == 1
    assert "a.bin was not written: no space is left on the disk." in done.stdout
    assert path.read_bytes() == b"before"
    assert [file.name for file in tmp_path.iterdir()] == ["a.bin"]


def test_appending(tmp_path: Path):
    path = tmp_path / "deep" / "list.txt"
    append_bytes(path, b"one\n")
    append_bytes(path, b"two\ncut")
    append_bytes(path, b"three\n", keep=8)
    assert path.read_bytes() == b"one\ntwo\nthree\n"
