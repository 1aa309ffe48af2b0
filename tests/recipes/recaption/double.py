"""A captioner and a scorer that cost nothing and depend on the sound, its seed and its record.

Run as a script it is `aj` with these in place of the shipped models.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from audiojourney.captions.base import Answer, Captioner, Subject
from audiojourney.captions.names import CAPTIONERS, CaptionerOptions
from audiojourney.data.clip import Caption
from audiojourney.recipes.recaption import models

RATE_HZ = 8_000
HERE = "tests.recipes.recaption.double"


class Stub:
    """Kills its process on a clip named "deadly", fails on "mute", raises on "raise", sleeps on "slow"."""

    name = "stub@1"
    kind = "model"
    sample_rate_hz = RATE_HZ

    def __init__(self, options: CaptionerOptions) -> None:
        self.options = options
        self.batches: list[int] = []
        self.largest = options.settings.get("largest", 10**9)

    def caption(self, subjects: Sequence[Subject], count: int) -> list[Answer]:
        self.batches.append(len(subjects))
        if len(subjects) > self.largest:
            raise MemoryError(f"{len(subjects)} at once")
        time.sleep(self.options.settings.get("pause_s", 0.0) * len(subjects))
        return [self._one(subject, count) for subject in subjects]

    def _one(self, subject: Subject, count: int) -> Answer:
        if "deadly" in subject.clip.id:
            ctypes.string_at(0)
        if "raise" in subject.clip.id:
            raise ValueError(f"no idea of {subject.clip.id}")
        if "mute" in subject.clip.id:
            return Answer(failure="nothing to say")
        draw = np.random.default_rng(subject.seed).integers(1000, size=count)
        level = float(np.abs(subject.wave).mean())
        texts = [f"a sound of level {level:.3f}, drawn {number}" for number in draw]
        return Answer(tuple(Caption(text, self.name, "model") for text in texts), raw="said")


class Scorer:
    """A score between 0 and 1 that depends on the text and the sound."""

    name = "clap_stub"
    model = "stub@1"
    sample_rate_hz = RATE_HZ // 2

    def score(self, waves: Sequence[np.ndarray], texts: Sequence[Sequence[str]]) -> list[list[float]]:
        def fit(wave: np.ndarray, text: str) -> float:
            return (sum(map(ord, text)) * 7 + len(wave)) % 100 / 100

        return [[fit(wave, text) for text in group] for wave, group in zip(waves, texts, strict=True)]


def build(options: CaptionerOptions) -> Captioner:
    return Stub(options)


def scorer(device: str, dtype: str) -> Scorer:
    return Scorer()


def install() -> None:
    """Put both in place of the shipped models, in this process and those that it starts."""
    CAPTIONERS.register("pocket", f"{HERE}:build")
    models.SCORERS.register("pocket", f"{HERE}:scorer")


def write_clips(folder: Path, count: int, seconds: float = 0.1, names: str = "clip-{:05d}.wav") -> None:
    """Write noises of growing level."""
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).uniform(-1, 1, int(RATE_HZ * seconds)).astype(np.float32)
    for number in range(count):
        soundfile.write(folder / names.format(number), noise * (0.1 + 0.8 * number / max(count, 1)), RATE_HZ)


if __name__ == "__main__":
    install()
    from audiojourney.cli.app import main

    main()
