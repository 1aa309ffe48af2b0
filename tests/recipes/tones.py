"""Data folders that are made in a moment: tones with some noise, each with a caption."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import soundfile

RATE_HZ = 16_000


def write_tones(folder: Path, count: int = 8, seconds: float = 1.0) -> Path:
    """Write `count` labelled tones and their manifest; the same arguments give the same bytes."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    rows = []
    for i in range(count):
        wave = 0.3 * np.sin(2 * np.pi * (150 + 90 * i) * time) + 0.02 * rng.normal(size=len(time))
        soundfile.write(folder / f"{i}.wav", wave.astype(np.float32), RATE_HZ)
        row = {"file_name": f"{i}.wav", "text": f"a tone, number {i}", "labels": ["dog" if i % 2 else "rain"]}
        facts = {"duration": seconds, "license": "CC0-1.0" if i % 2 else "CC-BY-4.0", "attribution": f"maker {i % 3}"}
        rows.append(json.dumps(row | facts))
    (folder / "metadata.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder
