"""How a model was made, written beside it: `provenance.json` and a card."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from audiojourney import __version__, files
from audiojourney.model_folder import CARD, PROVENANCE
from audiojourney.recipes.train_config import TrainConfig
from audiojourney.recipes.train_data import describe_data


def add_record(folder: Path, config: TrainConfig) -> None:
    """Write provenance and card into a model folder, beside what the task put there."""
    record = provenance(config)
    files.write_json(folder / PROVENANCE, record)
    if not (folder / CARD).exists():
        files.write_text(folder / CARD, card(record))


def provenance(config: TrainConfig) -> dict[str, Any]:
    """Return data, recipe, steps, seed, versions and licence of a model."""
    recipe = {key: value for key, value in config.table().items() if key not in ("data", "nproc")}
    return {
        "made_with": f"audiojourney {__version__}",
        "torch": torch.__version__,
        "task": config.task,
        "preset": config.preset,
        "steps": config.loop.steps,
        "seed": config.loop.seed,
        "processes": config.nproc,
        "licence": config.licence,
        "data": describe_data(config.data),
        "recipe": recipe,
    }


def card(record: dict[str, Any]) -> str:
    """Return a short README of a model."""
    data = record["data"]
    licences = ", ".join(f"{name or 'unknown'} ({count})" for name, count in data["licences"].items()) or "none"
    length = "" if data["hours"] is None else f", {data['hours']:.2f} hours"
    lines = [
        f"# {record['task']}",
        "",
        f"Made with {record['made_with']} by `aj`, {record['steps']} steps, seed {record['seed']}"
        + (f", preset `{record['preset']}`." if record["preset"] else "."),
        "",
        f"- Data: {data['clips']} clips{length}; licences of the clips: {licences}.",
        f"- Licence of the weights: {record['licence'] or 'not stated'}.",
        "- Settings, versions and the hash of the data: `provenance.json`.",
    ]
    return "\n".join(lines) + "\n"
