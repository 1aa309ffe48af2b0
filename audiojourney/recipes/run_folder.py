"""A run folder belongs to one set of settings; the same settings continue it, others are refused."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from audiojourney import config as configuration
from audiojourney.errors import UsageError
from audiojourney.recipes.train_config import TrainConfig
from audiojourney.training.settings import LoopConfig
from audiojourney.training.snapshot import newest

CONFIG = "config.yaml"
FINAL = "final"


def prepare(config: TrainConfig) -> None:
    """Make the run folder of `config`, or check that an earlier one may go on, and write its settings.

    A run that ended before its first checkpoint has nothing to lose and makes room for any settings.

    Raises:
        UsageError: the folder holds something else, or a run with other settings.
    """
    folder, saved = config.output, config.output / CONFIG
    disposable = config.exists == "overwrite" or newest(folder) is None
    if saved.exists() and disposable and _difference(saved, config):
        shutil.rmtree(folder)
    if saved.exists():
        different = _difference(saved, config)
        if different:
            name, old, new = different
            raise UsageError(
                f"The run {folder} has {name}={old}, this one {new}.",
                "Give the earlier settings to continue it, another --output, or --exists overwrite.",
            )
    elif folder.exists() and any(folder.iterdir()):
        raise UsageError(f"{folder} holds files and is no run folder.", "Give another --output.")
    folder.mkdir(parents=True, exist_ok=True)
    configuration.save(config.table(), saved)


def _difference(saved: Path, config: TrainConfig) -> tuple[str, Any, Any] | None:
    """Return name, old and new value of the first setting under which the weights would be others."""
    old, new = _flat(_identity(configuration.load_yaml(saved))), _flat(_identity(config.table()))
    for name in [*new, *(name for name in old if name not in new)]:
        if old.get(name) != new.get(name):
            return name, old.get(name), new.get(name)
    return None


def _identity(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that decide the weights."""
    loop = configuration.build(LoopConfig, table.get("loop", {}), "loop")
    return {**table, "loop": loop.identity()}


def _flat(table: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """Return dotted names and plain values."""
    return dict(_leaves(table, where))


def _leaves(value: Any, where: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from _leaves(item, f"{where}.{key}" if where else str(key))
    else:
        yield where, value
