"""Features of every clip of a bank, such as log-mel, computed once and mapped into memory.

L frames, D numbers a frame.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audiojourney import files, hub
from audiojourney.data.bank import WaveBank

Encode = Callable[[np.ndarray], np.ndarray]  # waveform (T,) to features (L, D)


@dataclass(frozen=True)
class FeatureCache:
    """Features of the clips of a bank, in the same order.

    Attributes:
        values: float16, all clips one after another, shape (frames of all, D).
        starts: first frame of each clip and the end of the last.
        wave_bytes: size of the waveforms as float32.
    """

    values: np.ndarray
    starts: np.ndarray
    wave_bytes: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, index: int) -> np.ndarray:
        """Return the features of clip `index`, float32, shape (L, D)."""
        return self.values[self.starts[index] : self.starts[index + 1]].astype(np.float32)

    @property
    def saved(self) -> float:
        """Share of the waveforms' size that the cache does not need."""
        return 1 - self.values.nbytes / self.wave_bytes


def open_features(bank: WaveBank, encode: Encode, name: str) -> FeatureCache:
    """Compute the features of all clips, or map those of an earlier call.

    Args:
        bank: the clips.
        encode: maps a waveform (T,) float32 to features (L, D).
        name: says what `encode` computes, down to the weights it uses; another name is another cache.
    """
    key = hashlib.sha256(f"{bank.key}\0{name}".encode()).hexdigest()[:24]
    path = hub.cache("features") / f"{key}.f16"
    index = path.with_suffix(".json")
    if not index.is_file():
        _compute(bank, encode, path)
    table = json.loads(index.read_text(encoding="utf-8"))
    values = np.memmap(path, np.float16, mode="r").reshape(-1, table["width"])
    return FeatureCache(values, np.array(table["starts"]), 4 * int(bank.starts[-1]))


def _compute(bank: WaveBank, encode: Encode, path: Path) -> None:
    """Write the features, then the table that says they are complete."""
    starts, width = [0], 0
    with files.replacing(path) as part, part.open("wb") as file:
        for i in range(len(bank)):
            features = encode(bank.wave(i))
            width = features.shape[1]
            file.write(np.ascontiguousarray(features, np.float16).tobytes())
            starts.append(starts[-1] + len(features))
    files.write_json(path.with_suffix(".json"), {"starts": starts, "width": width})
