"""PNDM and PLMS: Liu et al., "Pseudo Numerical Methods for Diffusion Models on Manifolds" (2022).

Both extrapolate the noise from the last four predictions and move along the manifold with it. They differ in how they
get the first predictions: PNDM by three Runge-Kutta steps of four calls each, PLMS by one repeated step.
"""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from audiojourney.diffusion.path import Point, Schedule
from audiojourney.diffusion.samplers.base import (
    Denoise,
    DrawNoise,
    OnStep,
    check_deterministic,
    evaluate,
    walk,
)
from audiojourney.diffusion.samplers.ddim import step as ddim_step
from audiojourney.diffusion.timesteps import Spacing

# Adams-Bashforth weights of the predictions, newest first (Liu et al. 2022, equation 12 for four of them).
_MULTISTEP = (
    (1.0,),
    (3 / 2, -1 / 2),
    (23 / 12, -16 / 12, 5 / 12),
    (55 / 24, -59 / 24, 37 / 24, -9 / 24),
)

# Below this weight of the signal, moving it by averaged noise would amplify every error more than a thousandfold.
_NO_SIGNAL = 1e-3


def transfer(x: Tensor, epsilon: Tensor, here: Point, there: Point) -> Tensor:
    """Move x (B, ...) along the manifold with a noise prediction (B, ...) (Liu et al. 2022, equation 11).

    This is a DDIM step that takes x0 from x and epsilon; it needs some signal at `here`.
    """
    ratio = there.alpha / here.alpha
    return ratio * x + (there.sigma - ratio * here.sigma) * epsilon


def multistep(history: Sequence[Tensor]) -> Tensor:
    """Extrapolate the noise from up to four predictions (B, ...), oldest first; the result is (B, ...)."""
    weights = _MULTISTEP[min(len(history), 4) - 1]
    newest = history[-1] * weights[0]
    for weight, epsilon in zip(weights[1:], reversed(history[:-1]), strict=False):
        newest = newest + weight * epsilon
    return newest


def plms(
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
    """Sample with PLMS, S + 1 calls for S steps; arguments as `base.Sampler`.

    The first step is taken twice: the second time with the mean of the noise at both of its ends. At (almost) pure
    noise it is a plain DDIM step, because noise alone does not say where to go.

    Raises:
        UsageError: eta is above 0.
    """
    check_deterministic(eta, "plms")
    x, history = x_T, list[Tensor]()
    for here, there, last in walk(schedule, steps, spacing, prediction, on_step):
        x0, epsilon = evaluate(denoise, x, here, prediction)
        history = [*history[-3:], epsilon]
        if len(history) > 1:
            x = transfer(x, multistep(history), here, there)
            continue
        start, x = x, ddim_step(x0, epsilon, there)
        if here.alpha > _NO_SIGNAL and not last:
            _, ahead = evaluate(denoise, x, there, prediction)
            x = transfer(start, (epsilon + ahead) / 2, here, there)
    return x


def pndm(
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
    """Sample with PNDM, S + 9 calls for S > 3 steps; arguments as `base.Sampler`.

    A step that starts at (almost) pure noise is a plain DDIM step, as in `plms`.

    Raises:
        UsageError: eta is above 0.
    """
    check_deterministic(eta, "pndm")
    x, history = x_T, list[Tensor]()
    for here, there, last in walk(schedule, steps, spacing, prediction, on_step):
        x0, epsilon = evaluate(denoise, x, here, prediction)
        history = [*history[-3:], epsilon]
        if here.alpha <= _NO_SIGNAL:
            x = ddim_step(x0, epsilon, there)
            continue
        if len(history) < 4 and not last:
            mean = _runge_kutta(denoise, x, epsilon, schedule, here, there, prediction)
        else:
            mean = multistep(history)
        x = transfer(x, mean, here, there)
    return x


def _runge_kutta(
    denoise: Denoise, x: Tensor, first: Tensor, schedule: Schedule, here: Point, there: Point, prediction: str
) -> Tensor:
    """Return the mean noise of a step from its start, twice its middle, and its end (Liu et al. 2022, equation 13)."""
    middle = _midway(schedule, here, there)
    _, second = evaluate(denoise, transfer(x, first, here, middle), middle, prediction)
    _, third = evaluate(denoise, transfer(x, second, here, middle), middle, prediction)
    _, fourth = evaluate(denoise, transfer(x, third, here, there), there, prediction)
    return (first + 2 * second + 2 * third + fourth) / 6


def _midway(schedule: Schedule, here: Point, there: Point) -> Point:
    """Return the place between two others, rounded towards noise on discrete schedules."""
    whole = isinstance(here.t, int)
    return schedule.point(here.t - (here.t - there.t) // 2 if whole else (here.t + there.t) / 2)
