"""DDPM: Ho et al., "Denoising Diffusion Probabilistic Models" (2020), algorithm 2."""

from __future__ import annotations

import math

from torch import Tensor

from audiojourney.diffusion.path import Point, Schedule
from audiojourney.diffusion.samplers.base import Denoise, DrawNoise, OnStep, evaluate, fresh_noise, walk
from audiojourney.diffusion.timesteps import Spacing
from audiojourney.errors import UsageError


def posterior(here: Point, there: Point) -> tuple[float, float, float]:
    """Return how the previous latents follow from x0 and x: weight of x0, weight of x, standard deviation.

    Ho et al. 2020, equations 6 and 7, for any Gaussian path: with r = alpha / alpha' and the variance
    s^2 = sigma^2 - r^2 sigma'^2 that the forward step adds, the mean is
    alpha' s^2 / sigma^2 * x0 + r sigma'^2 / sigma^2 * x and the variance is s^2 sigma'^2 / sigma^2.
    """
    ratio = here.alpha / there.alpha
    share = (ratio * there.sigma / here.sigma) ** 2
    added = max(1 - share, 0.0)
    return there.alpha * added, ratio * (there.sigma / here.sigma) ** 2, there.sigma * math.sqrt(added)


def ddpm(
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
    """Sample from the posterior of each step, with its exact ("small") variance; arguments as `base.Sampler`.

    Tango samples with `spacing="tango"` on a schedule of `scaled_linear(start=0.00085, end=0.012)`.

    Raises:
        UsageError: eta is neither absent nor 1, or noise is missing.
    """
    if eta not in (None, 1):
        raise UsageError(f"The sampler 'ddpm' has a fixed amount of noise, but eta is {eta}.", "Use ddim for eta.")
    x = x_T
    for here, there, _ in walk(schedule, steps, spacing, prediction, on_step):
        x0, _epsilon = evaluate(denoise, x, here, prediction)
        of_x0, of_x, spread = posterior(here, there)
        x = of_x0 * x0 + of_x * x
        if spread > 0:
            x = x + spread * fresh_noise(noise, "ddpm")
    return x
