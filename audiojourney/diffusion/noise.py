"""Noise whose every row has a random number generator of its own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class RowNoise:
    """Draws normal noise for a batch, each row from its own CPU generator.

    The same seed gives the same row whatever else is in the batch, and on every device. The first call is meant to
    make x_T; the following ones feed the stochastic samplers.

    Args:
        seeds: one seed a row; B of them.
        shape: shape of one row, such as (C, L).
        device: where the noise is wanted.
        dtype: type of the noise; it is drawn in float32.
    """

    def __init__(
        self,
        seeds: Sequence[int],
        shape: Sequence[int],
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> None:
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._shape = tuple(shape)
        self._device, self._dtype = torch.device(device), dtype

    def __call__(self) -> Tensor:
        """Return the next noise, shape (B, *shape)."""
        rows = [torch.randn(self._shape, generator=generator) for generator in self._generators]
        return torch.stack(rows).to(self._device, self._dtype)
