"""Euler and Heun for the ODE of rectified flow, and of every other Gaussian path.

Divided by alpha + sigma, any path x_t = alpha * x0 + sigma * noise becomes the straight line
z = (1 - s) * x0 + s * noise with s = sigma / (alpha + sigma), and on it dz / ds = noise - x0, which is what a flow
model predicts (Liu et al., "Flow Straight and Fast", 2022, equation 1). Karras et al., "Elucidating the Design Space of
Diffusion-Based Generative Models" (2022), appendix B, shows that scale and clock of the ODE may be chosen freely. On a
flow schedule nothing is rescaled; on any schedule Euler equals deterministic DDIM.
"""

from __future__ import annotations

from torch import Tensor

from audiojourney.diffusion.path import Point, Schedule
from audiojourney.diffusion.samplers.base import Denoise, DrawNoise, OnStep, check_deterministic, evaluate, walk
from audiojourney.diffusion.timesteps import Spacing


def straight_step(x: Tensor, velocity: Tensor, here: Point, there: Point) -> Tensor:
    """Move x (B, ...) along the straight line with the velocity noise - x0 (B, ...)."""
    scale_here, scale_there = here.alpha + here.sigma, there.alpha + there.sigma
    span = there.sigma / scale_there - here.sigma / scale_here
    return (x / scale_here + span * velocity) * scale_there


def euler(
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
    """Sample with Euler steps, one call a step; arguments as `base.Sampler`.

    Raises:
        UsageError: eta is above 0.
    """
    check_deterministic(eta, "euler")
    x = x_T
    for here, there, _ in walk(schedule, steps, spacing, prediction, on_step):
        x = straight_step(x, _velocity(denoise, x, here, prediction), here, there)
    return x


def heun(
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
    """Sample with Heun steps, 2 S - 1 calls (Karras et al. 2022, algorithm 1); arguments as `base.Sampler`.

    Each step is repeated with the mean of the velocities at its two ends, save the last one.

    Raises:
        UsageError: eta is above 0.
    """
    check_deterministic(eta, "heun")
    x = x_T
    for here, there, last in walk(schedule, steps, spacing, prediction, on_step):
        velocity = _velocity(denoise, x, here, prediction)
        if not last:
            ahead = straight_step(x, velocity, here, there)
            velocity = (velocity + _velocity(denoise, ahead, there, prediction)) / 2
        x = straight_step(x, velocity, here, there)
    return x


def _velocity(denoise: Denoise, x: Tensor, here: Point, prediction: str) -> Tensor:
    x0, epsilon = evaluate(denoise, x, here, prediction)
    return epsilon - x0
