"""Denoisers whose answers are known in closed form."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from audiojourney.diffusion.path import Schedule

Oracle = Callable[[Tensor, Tensor], Tensor]


@pytest.fixture
def oracle() -> Callable[..., Oracle]:
    """Make a denoiser that gives the true answer for clean signals drawn from N(mean, std^2); std 0 is one signal."""

    def make(schedule: Schedule, prediction: str, mean: Tensor | float, std: float = 0.0) -> Oracle:
        def denoise(x: Tensor, t: Tensor) -> Tensor:
            column = (-1, *[1] * (x.ndim - 1))
            alpha = schedule.alpha(t, torch.float64).view(column)
            sigma = schedule.sigma(t, torch.float64).view(column)
            power = (alpha * std) ** 2 + sigma**2
            epsilon = sigma * (x - alpha * mean) / power
            x0 = mean + alpha * std**2 * (x - alpha * mean) / power
            return {"epsilon": epsilon, "x0": x0, "v": alpha * epsilon - sigma * x0, "flow": epsilon - x0}[prediction]

        return denoise

    return make
