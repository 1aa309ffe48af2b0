"""Checkpoints that are complete or absent, whatever kills the process.

A checkpoint is written into a hidden folder, every file is flushed to the disk, the marker comes last, then the folder
gets its name. A reader takes the newest folder whose marker lists exactly the files that are there.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from audiojourney.errors import AudioJourneyError

MARKER = "complete.json"
STATE = "state.json"


@dataclass(frozen=True)
class Checkpoint:
    """What a checkpoint holds.

    Attributes:
        step: updates that were made.
        tensors: named tensors a file, such as tensors["model"].
        state: everything that is not a tensor.
    """

    step: int
    tensors: dict[str, dict[str, Tensor]]
    state: dict[str, Any]


def module_tensors(module: nn.Module) -> dict[str, Tensor]:
    """Return a copy of all tensors of `module` on the CPU; tied weights become copies of their own."""
    return {name: value.detach().cpu().clone().contiguous() for name, value in module.state_dict().items()}


def write_checkpoint(
    folder: Path, step: int, tensors: Mapping[str, Mapping[str, Tensor]], state: Mapping[str, Any], keep_last: int
) -> Path:
    """Write one checkpoint below `folder`, then remove all but the newest `keep_last`.

    Raises:
        AudioJourneyError: it cannot be written; earlier checkpoints are untouched.
    """
    final = folder / f"step-{step:08d}"
    hidden = folder / f".step-{step:08d}.tmp"
    try:
        _remove(hidden)
        hidden.mkdir(parents=True)
        _fill(hidden, tensors, {"step": step, **state})
        _remove(final)
        hidden.rename(final)
        sync(folder)
    except OSError as error:
        shutil.rmtree(hidden, ignore_errors=True)
        raise AudioJourneyError(
            f"The checkpoint of step {step} cannot be written to {folder} ({error.strerror or error}).",
            "Earlier checkpoints are kept: make room or mend the folder, then run the same command again.",
        ) from error
    for old in complete_checkpoints(folder)[:-keep_last]:
        _remove(old)
    return final


def newest_checkpoint(folder: Path) -> Path | None:
    """Return the newest complete checkpoint below `folder`, or None."""
    found = complete_checkpoints(folder)
    return found[-1] if found else None


def complete_checkpoints(folder: Path) -> list[Path]:
    """Return all complete checkpoints below `folder`, oldest first."""
    return [path for path in sorted(folder.glob("step-*")) if _is_complete(path)]


def read_checkpoint(path: Path) -> Checkpoint:
    """Read one checkpoint; its tensors lie on the CPU."""
    state = json.loads((path / STATE).read_text(encoding="utf-8"))
    tensors = {file.stem: load_file(file) for file in sorted(path.glob("*.safetensors"))}
    return Checkpoint(state["step"], tensors, state)


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed process left behind."""
    for path in folder.glob(".step-*.tmp"):
        shutil.rmtree(path)
    for path in folder.glob("step-*"):
        if not _is_complete(path):
            shutil.rmtree(path)


def sync(path: Path) -> None:
    """Flush a file or a folder to the disk; systems that cannot flush a folder are left to themselves."""
    if os.name == "nt" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _fill(folder: Path, tensors: Mapping[str, Mapping[str, Tensor]], state: Mapping[str, Any]) -> None:
    """Write all files of a checkpoint, the marker last."""
    for name, group in tensors.items():
        plain = {key: value.detach().cpu().contiguous() for key, value in group.items()}
        save_file(plain, folder / f"{name}.safetensors")
    (folder / STATE).write_text(json.dumps(state, indent=1) + "\n", encoding="utf-8")
    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    for name in sizes:
        sync(folder / name)
    (folder / MARKER).write_text(json.dumps(sizes, indent=1) + "\n", encoding="utf-8")
    sync(folder / MARKER)
    sync(folder)


def _is_complete(path: Path) -> bool:
    """Tell whether the marker is there and every file has the length that it states."""
    try:
        sizes = json.loads((path / MARKER).read_text(encoding="utf-8"))
        return all((path / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


def _remove(path: Path) -> None:
    """Remove a checkpoint; without its marker it counts as absent from the first moment on."""
    (path / MARKER).unlink(missing_ok=True)
    if path.exists():
        shutil.rmtree(path)
