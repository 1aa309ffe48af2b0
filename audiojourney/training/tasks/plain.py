"""What tasks have in common: no adversary, no sample sounds, sounds at one level."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from audiojourney.training.base import Batch


class PlainTask:
    """Defaults of a `Trainable` without an adversary."""

    module: nn.Module
    adversary: nn.Module | None = None

    def adversary_loss(self, batch: Batch, rng: torch.Generator, step: int) -> Tensor | None:
        """Return None: there is no adversary."""
        return None

    def sample(self, folder: Path, step: int) -> None:
        """Write nothing."""


def normalised(waves: np.ndarray) -> Tensor:
    """Waves (..., T) as float32 with their peak at 0.5."""
    peak = np.abs(waves).max(axis=-1, keepdims=True) + 1e-8
    return torch.from_numpy((waves * 0.5 / peak).astype(np.float32))
