"""What objectives and samplers know of a schedule: a Gaussian path x_t = alpha_t * x_0 + sigma_t * noise.

Larger times are noisier. `schedule.py` has the variance-preserving paths, `flow.py` the straight one.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from audiojourney.diffusion.timesteps import Spacing


class Point(NamedTuple):
    """One place on a path, in float64.

    Attributes:
        t: the time that the network is told; an int for discrete schedules.
        alpha: weight of the clean signal.
        sigma: weight of the noise.
    """

    t: float
    alpha: float
    sigma: float

    @property
    def log_snr(self) -> float:
        """Logarithm of alpha^2 / sigma^2; minus infinity for pure noise, plus infinity for the clean signal."""
        if self.alpha == 0:
            return -math.inf
        return math.inf if self.sigma == 0 else 2 * (math.log(self.alpha) - math.log(self.sigma))


class Schedule(Protocol):
    """What objectives and samplers ask of a schedule."""

    def alpha(self, t: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return the weight of the signal at times (B,), shape (B,), on the device of t."""

    def sigma(self, t: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return the weight of the noise at times (B,), shape (B,), on the device of t."""

    def log_snr(self, t: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
        """Return log(alpha^2 / sigma^2) at times (B,), shape (B,), on the device of t."""

    def draw_times(self, batch: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw training times (B,) on the device of the generator."""

    def point(self, t: float) -> Point:
        """Return one place on the path in float64."""

    def path(self, steps: int, spacing: str | Spacing = "trailing") -> tuple[Point, ...]:
        """Return the S + 1 places that a sampler visits, from noise to sound."""
