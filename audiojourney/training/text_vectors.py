"""Vectors of captions from a frozen text encoder, computed once and memory-mapped.

N captions, D width.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from safetensors.numpy import save
from torch import Tensor

from audiojourney import files, hub
from audiojourney.data.mapped import map_tensors

CHUNK = 64


@dataclass(frozen=True)
class TextVectors:
    """Vectors of captions.

    Attributes:
        rows: row of each caption.
        values: float16, shape (N, D).
    """

    rows: dict[str, int]
    values: np.ndarray

    @property
    def width(self) -> int:
        """D."""
        return self.values.shape[1]

    def __call__(self, captions: Sequence[str]) -> Tensor:
        """Return the vectors of B known captions, float32, shape (B, D)."""
        rows = [self.rows[caption] for caption in captions]
        return torch.from_numpy(self.values[rows].astype(np.float32))


def open_vectors(captions: Sequence[str], encode: Callable[[Sequence[str]], Tensor], name: str) -> TextVectors:
    """Encode every different caption once, the empty one included.

    Args:
        captions: what will be asked for.
        encode: maps texts to vectors (B, D).
        name: says what `encode` computes, down to the weights it uses; another name is another cache.
    """
    different = sorted({"", *captions})
    key = hashlib.sha256("\0".join([name, *different]).encode("utf-8", "surrogatepass")).hexdigest()[:24]
    path = hub.cache("text") / f"{key}.safetensors"
    if not path.is_file():
        with torch.no_grad():
            parts = [encode(different[i : i + CHUNK]).float().cpu() for i in range(0, len(different), CHUNK)]
        files.write_bytes(path, save({"values": torch.cat(parts).numpy().astype(np.float16)}))
    return TextVectors({text: row for row, text in enumerate(different)}, map_tensors(path)["values"])
