"""What the training loop needs from a task.

A batch is a pure function of a seeded generator, and the generator of (seed, step, micro-batch, rank). So a run that
was killed continues bit for bit from its last checkpoint: no state of loaders, workers or random numbers is kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

Batch = dict[str, Any]


class Trainable(Protocol):
    """A model, its data and its loss.

    The loop moves `module` and `adversary` to its device and the tensors of a batch too. Generators of random numbers
    stay on the CPU, so noise is the same everywhere: draw it there and move it.

    Attributes:
        adversary: a discriminator with its own optimiser, or None.
    """

    adversary: nn.Module | None

    @property
    def module(self) -> nn.Module:
        """What is optimised, averaged and saved."""

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        """Draw `size` training examples; the same generator state gives the same batch."""

    def loss(self, batch: Batch, rng: torch.Generator, step: int) -> tuple[Tensor, dict[str, float]]:
        """Return the scalar loss of `module` and further figures for the log."""

    def adversary_loss(self, batch: Batch, rng: torch.Generator, step: int) -> Tensor | None:
        """Return the loss of `adversary`, or None while it rests; called before `loss`."""

    def validate(self) -> dict[str, float]:
        """Measure on held-out data with fixed seeds."""

    def sample(self, folder: Path, step: int) -> None:
        """Write example sounds of the present state into `folder`."""

    def export(self, folder: Path) -> None:
        """Write the model folder: config.yaml, model.safetensors."""
