"""DDIM: Song et al., "Denoising Diffusion Implicit Models" (2021), equation 12."""

from __future__ import annotations

import math

from torch import Tensor

from audiojourney.diffusion.path import Point, Schedule
from audiojourney.diffusion.samplers.base import Denoise, DrawNoise, OnStep, evaluate, fresh_noise, walk
from audiojourney.diffusion.timesteps import Spacing
from audiojourney.errors import UsageError


def noise_scale(here: Point, there: Point, eta: float) -> float:
    """Return how much fresh noise a step adds (Song et al. 2021, equation 16).

    It is eta * sqrt((1 - abar') / (1 - abar) * (1 - abar / abar')) on a variance-preserving path, written so that it
    also holds on any other path and at pure noise.
    """
    kept = here.alpha * there.sigma / (there.alpha * here.sigma)
    return eta * there.sigma * math.sqrt(max(1 - kept**2, 0.0))


def step(x0: Tensor, epsilon: Tensor, there: Point, scale: float = 0.0, noise: Tensor | None = None) -> Tensor:
    """Return alpha' * x0 + sqrt(sigma'^2 - scale^2) * epsilon + scale * noise.

    Args:
        x0: predicted clean signal, shape (B, ...).
        epsilon: predicted noise, shape (B, ...).
        there: where the step ends.
        scale: amount of fresh noise, see `noise_scale`.
        noise: fresh noise, shape (B, ...); needed when scale is above 0.
    """
    direction = math.sqrt(max(there.sigma**2 - scale**2, 0.0))
    moved = there.alpha * x0 + direction * epsilon
    return moved if noise is None else moved + scale * noise


def ddim(
    denoise: Denoise,
    x_T: Tensor,
    schedule: Schedule,
    *,
    steps: int,
    prediction: str = "v",
    eta: float | None = None,
    noise: DrawNoise | None = None,
    on_step: OnStep | None = None,
    spacing: str | Spacing = "trailing",
) -> Tensor:
    """Sample with DDIM; arguments as `base.Sampler`.

    eta 0 (the default) is deterministic, eta 1 is DDPM. Official GenAu sampling is `eta=1.0, spacing="genau"`: that
    path ends at abar_0 instead of 1, so fresh noise is added at the last step too.

    Raises:
        UsageError: eta is outside [0, 1], or noise is needed and missing.
    """
    eta = 0.0 if eta is None else eta
    if not 0 <= eta <= 1:
        raise UsageError(f"eta must lie in [0, 1], got {eta}.")
    x = x_T
    for here, there, _ in walk(schedule, steps, spacing, prediction, on_step):
        x0, epsilon = evaluate(denoise, x, here, prediction)
        scale = noise_scale(here, there, eta)
        x = step(x0, epsilon, there, scale, fresh_noise(noise, "ddim") if scale > 0 else None)
    return x
