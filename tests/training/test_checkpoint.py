"""A checkpoint is whole or absent."""

import errno
import json
from pathlib import Path

import pytest
import torch

from audiojourney.errors import AudioJourneyError
from audiojourney.training import checkpoint
from audiojourney.training.checkpoint import newest_checkpoint, read_checkpoint, remove_leftovers, write_checkpoint


class Killed(BaseException):
    """Stands for the end of the process at this very instruction."""


def write(folder: Path, step: int, keep_last: int = 2) -> Path:
    tensors = {"model": {"w": torch.full((3,), float(step))}, "ema": {"w": torch.zeros(())}}
    return write_checkpoint(folder, step, tensors, {"note": f"after {step}"}, keep_last)


def test_what_was_written_is_read(tmp_path: Path):
    found = read_checkpoint(write(tmp_path, 7))
    assert found.step == 7 and found.state["note"] == "after 7"
    assert torch.equal(found.tensors["model"]["w"], torch.full((3,), 7.0))
    assert found.tensors["ema"]["w"].shape == ()


def test_only_the_newest_stay(tmp_path: Path):
    for step in (1, 2, 10):
        write(tmp_path, step)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["step-00000002", "step-00000010"]
    assert newest_checkpoint(tmp_path) == tmp_path / "step-00000010"


def test_no_checkpoint_yet(tmp_path: Path):
    assert newest_checkpoint(tmp_path / "absent") is None


@pytest.mark.parametrize("fault", ["no marker", "broken marker", "short file", "missing file"])
def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path, fault: str):
    good, bad = write(tmp_path, 1), write(tmp_path, 2)
    if fault == "no marker":
        (bad / checkpoint.MARKER).unlink()
    elif fault == "broken marker":
        (bad / checkpoint.MARKER).write_text("{", encoding="utf-8")
    elif fault == "short file":
        (bad / "model.safetensors").write_bytes(b"x")
    else:
        (bad / "ema.safetensors").unlink()
    assert newest_checkpoint(tmp_path) == good
    remove_leftovers(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [good.name]


def test_death_at_any_instruction_leaves_a_whole_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Die at the first, second, ... call that touches the disk, until one write survives."""
    calls = {"left": 0}

    def deadly(function):
        def call(*args, **kwargs):
            calls["left"] -= 1
            if calls["left"] < 0:
                raise Killed
            return function(*args, **kwargs)

        return call

    # The unpatched first one is what must survive.
    write(tmp_path, 1, keep_last=1)
    monkeypatch.setattr(checkpoint, "sync", deadly(checkpoint.sync))
    monkeypatch.setattr(checkpoint, "save_file", deadly(checkpoint.save_file))
    for name in ("mkdir", "rename", "unlink", "write_text"):
        monkeypatch.setattr(Path, name, deadly(getattr(Path, name)))
    monkeypatch.setattr(checkpoint.shutil, "rmtree", deadly(checkpoint.shutil.rmtree))
    for deaths in range(60):
        calls["left"] = deaths
        try:
            write(tmp_path, 2, keep_last=1)
            break
        except Killed:
            found = newest_checkpoint(tmp_path)
            assert found is not None, f"nothing left after death {deaths}"
            step = read_checkpoint(found).step
            assert read_checkpoint(found).state["note"] == f"after {step}"
    assert deaths > 10, "the test reached the inside of the write"
    assert newest_checkpoint(tmp_path).name == "step-00000002"


def test_a_full_disk_keeps_the_earlier_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    first = write(tmp_path, 1)

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint, "save_file", full)
    with pytest.raises(AudioJourneyError, match=r"step 2 cannot be written .*No space left"):
        write(tmp_path, 2)
    assert [path.name for path in tmp_path.iterdir()] == [first.name]


def test_the_marker_lists_every_file(tmp_path: Path):
    path = write(tmp_path, 1)
    listed = json.loads((path / checkpoint.MARKER).read_text(encoding="utf-8"))
    assert listed.keys() == {p.name for p in path.iterdir()} - {checkpoint.MARKER}
