"""The model folder at the end of a run, whole or absent."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from audiojourney.training.base import Trainable
from audiojourney.training.checkpoint import sync

STEP = "training.json"


def exported_step(folder: Path) -> int | None:
    """Return how many updates the weights of a model folder had, None where there is no such folder."""
    path = folder / STEP
    return int(json.loads(path.read_text(encoding="utf-8"))["step"]) if path.exists() else None


def export_model(task: Trainable, folder: Path, step: int, finish: Callable[[Path], None] | None = None) -> Path:
    """Write the model folder of `task`; `finish` may add files before it gets its name.

    A folder of that name is replaced, so a run that went on leaves its newest weights.
    """
    hidden = folder.with_name(f".{folder.name}.tmp")
    shutil.rmtree(hidden, ignore_errors=True)
    hidden.mkdir(parents=True)
    task.export(hidden)
    (hidden / STEP).write_text(json.dumps({"step": step}) + "\n", encoding="utf-8")
    if finish is not None:
        finish(hidden)
    for path in [*hidden.rglob("*"), hidden]:
        sync(path)
    if folder.exists():
        shutil.rmtree(folder)
    hidden.rename(folder)
    return folder
