"""Samplers draw from the right distribution where it is known: sounds that are normally distributed.

The best denoiser of normal data is affine, so x_0 is an affine function of x_T and of every fresh noise. One row for
each of them, with a one there and zeros elsewhere, gives its weight: mean and variance follow exactly, without
a random draw.
"""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from audiojourney.diffusion.flow import FlowSchedule
from audiojourney.diffusion.samplers import SAMPLERS
from audiojourney.diffusion.schedule import NoiseSchedule

MEAN, STD = 1.5, 0.4
SCHEDULES = {"zero_snr": NoiseSchedule.cosine(zero_terminal_snr=True), "flow": FlowSchedule()}
# How far the standard deviation may be off, in percent, at 20 and at 200 steps.
BOUNDS = {
    "ddim": (9, 1),
    "ddpm": (16, 2.5),
    "dpm++2m": (1.3, 0.1),
    "euler": (9, 1),
    "heun": (2.4, 0.1),
    "plms": (0.3, 0.05),
    "pndm": (0.3, 0.05),
}


def moments(sampler, schedule, denoise, steps, **options):
    """Return mean and standard deviation of the output for x_T and noise from N(0, 1)."""
    rows = torch.eye(steps + 2, dtype=torch.float64)[1:]
    rows = torch.cat([torch.zeros(1, steps + 2, dtype=torch.float64), rows])[:, 1:, None]
    columns = iter(range(steps + 1))

    def unit() -> torch.Tensor:
        return rows[:, next(columns)]

    out = SAMPLERS[sampler](denoise, unit(), schedule, steps=steps, noise=unit, **options)
    return out[0].item(), (out - out[0]).square().sum().sqrt().item()


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("sampler", SAMPLERS)
def test_mean_and_variance_are_those_of_the_data(sampler, name, oracle):
    schedule = SCHEDULES[name]
    for steps, bound in zip((20, 200), BOUNDS[sampler], strict=True):
        mean, std = moments(sampler, schedule, oracle(schedule, "v", MEAN, STD), steps)
        assert mean == pytest.approx(MEAN, abs=1e-9)
        assert std == pytest.approx(STD, rel=bound / 100)


@pytest.mark.parametrize("prediction", ["v", "x0", "flow"])
@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_ddim_is_right_for_every_amount_of_noise_and_target(eta, prediction, oracle):
    schedule = SCHEDULES["zero_snr"]
    denoise = oracle(schedule, prediction, MEAN, STD)
    mean, std = moments("ddim", schedule, denoise, 400, eta=eta, prediction=prediction)
    assert mean == pytest.approx(MEAN, abs=1e-9)
    assert std == pytest.approx(STD, rel=0.013)


def test_genau_output_keeps_the_noise_of_the_first_step(oracle):
    schedule = NoiseSchedule.scaled_linear()
    options = {"eta": 1.0, "spacing": "genau", "prediction": "epsilon"}
    _, kept = moments("ddim", schedule, oracle(schedule, "epsilon", 0.0, 0.0), 200, **options)
    assert kept == pytest.approx(schedule.point(0).sigma, rel=1e-9)
    _, std = moments("ddim", schedule, oracle(schedule, "epsilon", 0.0, 1.0), 200, **options)
    assert std == pytest.approx(1.0, abs=0.03)


@pytest.mark.parametrize(
    ("sampler", "least", "most"),
    [("ddim", 1.9, 2.1), ("euler", 1.9, 2.1), ("heun", 3.8, 4.2), ("dpm++2m", 2.8, 4.2), ("plms", 3.8, 4.2)],
)
def test_error_falls_with_the_order_of_the_sampler(sampler, least, most, oracle):
    """Twice the steps halve the error of a first-order sampler and quarter that of a second-order one.

    The last step of DPM-Solver++ is of first order, so it comes between the two. PLMS is of second order here because
    its first step is.
    """
    schedule = FlowSchedule()
    denoise = oracle(schedule, "flow", MEAN, STD)
    errors = [abs(moments(sampler, schedule, denoise, steps, prediction="flow")[1] - STD) for steps in (50, 100, 200)]
    for coarse, fine in pairwise(errors):
        assert least < coarse / fine < most
