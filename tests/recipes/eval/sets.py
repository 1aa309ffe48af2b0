"""Small folders of sounds to be measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from audiojourney.data.clip import Caption, Clip
from audiojourney.data.manifest import write_clips
from audiojourney.data.write import save_audio

RATE_HZ = 16_000


def wave(number: int, loud: float = 0.2, seconds: float = 3.0, rate_hz: int = RATE_HZ) -> np.ndarray:
    """A tone whose pitch is the number's, with noise of its own, float32 (T,)."""
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    noise = np.random.default_rng(number).standard_normal(len(time))
    return (loud * np.sin(2 * np.pi * (200 + 90 * number) * time) + 0.05 * noise).astype(np.float32)


def write_sounds(folder: Path, count: int = 12, first: int = 0, names: str = "c{:02d}", **options) -> Path:
    """Write numbered sounds into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        sound = wave(first + number, **options)
        save_audio(folder / f"{names.format(number)}.wav", sound, options.get("rate_hz", RATE_HZ))
    return folder


def write_manifest(folder: Path, captions: bool = True, ids: str = "{}") -> Path:
    """Describe the sounds of a folder in a `metadata.jsonl`."""
    clips = [
        Clip(
            path=path,
            id=ids.format(path.stem),
            labels=("even" if number % 2 == 0 else "odd",),
            captions=(Caption(f"tone number {number}"),) if captions else (),
        )
        for number, path in enumerate(sorted(folder.glob("*.wav")))
    ]
    write_clips(folder / "metadata.jsonl", clips)
    return folder
