"""What all samplers share: the signature, the walk along the path, and the reading of a prediction.

A sampler is a plain function of a denoiser `denoise(x, t) -> prediction`; it knows no network and no text. It treats
every row alike and never looks across rows, clamps nothing and lets gradients through (wrap it in
`torch.inference_mode()` when none are wanted).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from audiojourney.diffusion.objective import check_prediction, predicted_epsilon, predicted_x0
from audiojourney.diffusion.path import Point, Schedule
from audiojourney.diffusion.timesteps import Spacing
from audiojourney.errors import UsageError

Denoise = Callable[[Tensor, Tensor], Tensor]
OnStep = Callable[[int, int], None]
DrawNoise = Callable[[], Tensor]


class Sampler(Protocol):
    """The signature of every sampler.

    Args:
        denoise: maps latents (B, ...) and times (B,) to a prediction (B, ...). Times are int64 on discrete schedules
            and float32 (float64 for latents of that type) on flow schedules.
        x_T: noise to start from, shape (B, ...).
        schedule: the path that the network was trained on.
        steps: number of steps; most samplers ask the network once a step.
        prediction: what the network predicts, one of `objective.PREDICTIONS`.
        eta: amount of fresh noise where the sampler has such a choice; None means the sampler's own default.
        noise: draws fresh noise of the shape of x_T; asked only where noise is added.
        on_step: told (steps done, steps in all) after each step.
        spacing: which time steps are visited, a name in `timesteps.SPACINGS` or a rule.

    Returns:
        The clean latents x_0, shape (B, ...).

    Raises:
        UsageError: an option has no meaning for this sampler or schedule.
    """

    def __call__(
        self,
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
        """Turn noise (B, ...) into latents (B, ...)."""


class Step(NamedTuple):
    """One step of a sampler.

    Attributes:
        here: where the latents are.
        there: where the step ends.
        last: True when nothing is asked of the network at `there`.
    """

    here: Point
    there: Point
    last: bool


def walk(
    schedule: Schedule, steps: int, spacing: str | Spacing, prediction: str, on_step: OnStep | None
) -> Iterator[Step]:
    """Yield every step from noise to sound, and report each step once it is done.

    Raises:
        UsageError: the spacing does not fit the schedule, or epsilon is asked for at pure noise, where it says nothing
            about the sound.
    """
    path = schedule.path(steps, spacing)
    if check_prediction(prediction) == "epsilon" and path[0].alpha == 0:
        raise UsageError(
            f"A prediction of epsilon says nothing about the sound at time {path[0].t}, which is pure noise.",
            "Use prediction v, x0 or flow with a zero terminal SNR, or another spacing.",
        )
    total = len(path) - 1
    for done, (here, there) in enumerate(pairwise(path), start=1):
        yield Step(here, there, last=done == total)
        if on_step is not None:
            on_step(done, total)


def evaluate(denoise: Denoise, x: Tensor, here: Point, prediction: str) -> tuple[Tensor, Tensor]:
    """Ask the network at one place and return its (x0, epsilon), each of the shape and type of x.

    Args:
        denoise: the network, see `Sampler`.
        x: latents at `here`, shape (B, ...).
        here: the place on the path.
        prediction: what the network predicts.
    """
    dtype = torch.int64 if isinstance(here.t, int) else torch.promote_types(x.dtype, torch.float32)
    times = torch.full((x.shape[0],), here.t, dtype=dtype, device=x.device)
    output = denoise(x, times).to(x.dtype)
    x0 = predicted_x0(prediction, output, x, here.alpha, here.sigma)
    return x0, predicted_epsilon(prediction, output, x, here.alpha, here.sigma)


def fresh_noise(noise: DrawNoise | None, sampler: str) -> Tensor:
    """Draw noise for a stochastic step.

    Raises:
        UsageError: the caller gave nothing to draw from.
    """
    if noise is None:
        raise UsageError(f"The sampler {sampler!r} adds noise.", "Give it a noise callable, such as noise.RowNoise.")
    return noise()


def check_deterministic(eta: float | None, sampler: str) -> None:
    """Make sure that nobody expects fresh noise of a deterministic sampler.

    Raises:
        UsageError: eta is above 0.
    """
    if eta:
        raise UsageError(
            f"The sampler {sampler!r} adds no noise, but eta is {eta}.", "Use ddim for eta, or leave it out."
        )
