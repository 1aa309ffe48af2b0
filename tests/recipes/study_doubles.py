"""Folders of tones for listening tests, and listeners that answer as the page of a study does."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from audiojourney.data.write import save_audio
from audiojourney.recipes.study.config import CRITERIA

RATE_HZ = 8000


def tones(
    folder: Path, prompts: Sequence[str], *, gain: float = 0.1, duration_s: float = 0.3, suffix: str = ".wav"
) -> None:
    """Write a tone for each prompt, whose tag says the prompt and the folder."""
    for number, prompt in enumerate(prompts):
        wave = gain * np.sin(np.arange(round(duration_s * RATE_HZ)) * (0.1 + 0.02 * number))
        save_audio(folder / f"{number:03d}{suffix}", wave, RATE_HZ, {"prompt": prompt, "model": folder.name})


def data_of(page: Path) -> dict[str, Any]:
    """Return what the script of a study's page reads."""
    text = page.read_text(encoding="utf-8")
    return json.loads(re.search(r'<script type="application/json" id="study">(.*?)</script>', text, re.S)[1])


def sound_of(page: Path, number: int) -> bytes:
    """Return a sound of a study's page by its number."""
    text = page.read_text(encoding="utf-8")
    return base64.b64decode(re.search(rf'<script type="text/plain" id="data-{number}">(.*?)</script>', text)[1])


def answered(page: Path, listener: str, choose: Callable[[int, str], str], **changes: Any) -> dict[str, Any]:
    """Return a file of answers: `choose` says left, right or tie for the number of a trial and a question."""
    study = data_of(page)
    answers = [
        {
            "trial": number,
            "item": trial["item"],
            "left": trial["sealed"][0],
            "right": trial["sealed"][1],
            "votes": {criterion: choose(number, criterion) for criterion in CRITERIA},
            "plays": {"left": 1, "right": 1},
            "seconds": 9.5,
        }
        for number, trial in enumerate(study["trials"])
    ]
    table = {"aj_study": 1, "study": study["study"], "title": study["title"], "listener": listener}
    table |= {"session": listener * 2, "saved": "2026-01-01T00:00:00Z", "complete": True, "answers": answers}
    return table | changes


def save(folder: Path, name: str, table: object) -> Path:
    """Write a file of answers."""
    path = folder / name
    path.write_text(json.dumps(table), encoding="utf-8")
    return path
