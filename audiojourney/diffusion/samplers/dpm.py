"""DPM-Solver++(2M): Lu et al., "DPM-Solver++: Fast Solver for Guided Sampling" (2022), algorithm 2."""

from __future__ import annotations

from torch import Tensor

from audiojourney.diffusion.path import Point, Schedule
from audiojourney.diffusion.samplers.base import Denoise, DrawNoise, OnStep, check_deterministic, evaluate, walk
from audiojourney.diffusion.timesteps import Spacing

# Few steps make long ones, where extrapolating into the last one does harm.
_FEW_STEPS = 15


def exponential_step(x: Tensor, x0: Tensor, here: Point, there: Point) -> Tensor:
    """Return (sigma' / sigma) * x - alpha' * (exp(-h) - 1) * x0, shapes (B, ...), with h half the gain in log-SNR.

    Lu et al. 2022, equation 9 with k = 1. exp(-h) is written as alpha sigma' / (alpha' sigma), so pure noise and the
    clean signal need no care.
    """
    ratio = there.sigma / here.sigma
    return ratio * x + (there.alpha - here.alpha * ratio) * x0


def dpm_solver_2m(
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
    """Sample with DPM-Solver++(2M), one call a step; arguments as `base.Sampler`.

    Each step extrapolates x0 in log-SNR from the last two predictions. The first step has only one; the last one takes
    only one when it ends at the clean signal, where log-SNR is infinite, or when there are few steps.

    Raises:
        UsageError: eta is above 0.
    """
    check_deterministic(eta, "dpm++2m")
    x = x_T
    before: Tensor | None = None
    gained = 0.0
    for here, there, last in walk(schedule, steps, spacing, prediction, on_step):
        x0, _ = evaluate(denoise, x, here, prediction)
        gain = there.log_snr - here.log_snr
        guess = x0
        if before is not None and there.sigma > 0 and not (last and steps < _FEW_STEPS):
            # A step from pure noise gained infinitely much, so the next one leans on it with weight 0.
            guess = x0 + gain / (2 * gained) * (x0 - before)
        x = exponential_step(x, guess, here, there)
        before, gained = x0, gain
    return x
