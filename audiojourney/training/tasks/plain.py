"""What most tasks have in common: no adversary, no sample sounds."""

from __future__ import annotations

from pathlib import Path

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
