"""Properties that every sampler has, whatever the network."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from audiojourney.diffusion.flow import FlowSchedule
from audiojourney.diffusion.noise import RowNoise
from audiojourney.diffusion.objective import PREDICTIONS
from audiojourney.diffusion.samplers import SAMPLERS, find_sampler
from audiojourney.diffusion.samplers.ddim import noise_scale
from audiojourney.diffusion.samplers.ddpm import posterior
from audiojourney.diffusion.schedule import NoiseSchedule
from audiojourney.errors import UsageError

SCHEDULES = {
    "scaled_linear": NoiseSchedule.scaled_linear(),
    "cosine": NoiseSchedule.cosine(),
    "zero_snr": NoiseSchedule.cosine(zero_terminal_snr=True),
    "flow": FlowSchedule(shift=2.0),
}
DETERMINISTIC = ["ddim", "dpm++2m", "euler", "heun", "plms", "pndm"]
every_sampler = pytest.mark.parametrize("sampler", SAMPLERS)


def toy(x: Tensor, t: Tensor) -> Tensor:
    """A network that is neither right nor linear; rows do not see each other."""
    time = t.to(x.dtype).view(-1, *[1] * (x.ndim - 1))
    return torch.tanh(0.7 * x + torch.sin(time / 200)) - 0.2 * x


@every_sampler
@pytest.mark.parametrize(
    ("name", "prediction"),
    # Noise says nothing about the signal where there is none, or hardly any.
    [(name, p) for name in SCHEDULES for p in PREDICTIONS if p != "epsilon" or name == "scaled_linear"],
)
def test_the_true_noise_leads_to_the_true_signal(sampler, name, prediction, oracle):
    schedule = SCHEDULES[name]
    x0 = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x_T = torch.randn(2, 3, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    noise = RowNoise([2, 3], (3, 5), dtype=torch.float64)
    for steps in (1, 2, 4, 17):
        said = SAMPLERS[sampler](
            oracle(schedule, prediction, x0), x_T, schedule, steps=steps, prediction=prediction, noise=noise
        )
        torch.testing.assert_close(said, x0, rtol=0, atol=1e-8)


@pytest.mark.parametrize("sampler", ["ddim", "ddpm"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_rows_of_a_batch_are_what_they_are_alone(sampler, name):
    schedule, eta = SCHEDULES[name], 1.0

    def run(seeds: list[int]) -> Tensor:
        noise = RowNoise(seeds, (3, 5))
        return SAMPLERS[sampler](toy, noise(), schedule, steps=7, eta=eta, noise=noise)

    assert torch.equal(run([1, 2, 3]), torch.cat([run([1]), run([2]), run([3])]))


@pytest.mark.parametrize("sampler", DETERMINISTIC)
def test_deterministic_samplers_are_row_wise_and_draw_nothing(sampler):
    schedule = SCHEDULES["cosine"]

    def run(seeds: list[int]) -> Tensor:
        return SAMPLERS[sampler](toy, RowNoise(seeds, (3, 5))(), schedule, steps=7)

    state = torch.random.get_rng_state()
    assert torch.equal(run([1, 2, 3]), torch.cat([run([1]), run([2]), run([3])]))
    assert torch.equal(state, torch.random.get_rng_state())


@every_sampler
def test_nothing_is_clamped(sampler, oracle):
    schedule, loud = SCHEDULES["zero_snr"], torch.full((1, 2, 3), 250.0, dtype=torch.float64)
    noise = RowNoise([1], (2, 3), dtype=torch.float64)
    said = SAMPLERS[sampler](oracle(schedule, "v", loud), noise(), schedule, steps=6, noise=noise)
    torch.testing.assert_close(said, loud)


@every_sampler
@pytest.mark.parametrize(("spacing", "steps", "expected"), [("trailing", 8, 8), ("genau", 150, 167)])
def test_each_step_is_reported_once_it_is_done(sampler, spacing, steps, expected):
    schedule, told = SCHEDULES["scaled_linear"], []
    noise = RowNoise([1], (2, 3))
    SAMPLERS[sampler](
        toy, noise(), schedule, steps=steps, noise=noise, spacing=spacing, on_step=lambda *step: told.append(step)
    )
    assert told == [(done, expected) for done in range(1, expected + 1)]


@pytest.mark.parametrize(
    ("sampler", "calls"),
    [("ddim", 9), ("ddpm", 9), ("dpm++2m", 9), ("euler", 9), ("heun", 17), ("plms", 10), ("pndm", 18)],
)
def test_number_of_calls_is_the_documented_one(sampler, calls):
    counted = []

    def model(x: Tensor, t: Tensor) -> Tensor:
        counted.append(t)
        return toy(x, t)

    noise = RowNoise([1, 2], (2, 3))
    SAMPLERS[sampler](model, noise(), SCHEDULES["scaled_linear"], steps=9, noise=noise)
    assert len(counted) == calls
    assert all(t.shape == (2,) and t.dtype == torch.int64 for t in counted)


@pytest.mark.parametrize(("dtype", "told"), [(torch.float32, torch.float32), (torch.bfloat16, torch.float32)])
def test_flow_models_are_told_fractional_times_and_latents_keep_their_type(dtype, told):
    def model(x: Tensor, t: Tensor) -> Tensor:
        assert t.dtype == told
        return toy(x.float(), t)

    said = SAMPLERS["euler"](model, RowNoise([1], (2, 3), dtype=dtype)(), FlowSchedule(), steps=7, prediction="flow")
    assert said.dtype == dtype


def test_ddpm_is_ddim_with_eta_one():
    for schedule in SCHEDULES.values():
        path = schedule.path(9)
        for here, there in pairwise(path):
            of_x0, of_x, spread = posterior(here, there)
            scale = noise_scale(here, there, 1.0)
            along = math.sqrt(max(there.sigma**2 - scale**2, 0.0))
            assert spread == pytest.approx(scale, abs=1e-12)
            assert of_x * here.sigma == pytest.approx(along, abs=1e-7)
            assert of_x0 + of_x * here.alpha == pytest.approx(there.alpha, abs=1e-12)


@pytest.mark.parametrize("name", SCHEDULES)
def test_euler_is_ddim_without_noise(name):
    x_T = RowNoise([1], (2, 3), dtype=torch.float64)()
    one, other = (SAMPLERS[s](toy, x_T, SCHEDULES[name], steps=7, prediction="flow") for s in ("euler", "ddim"))
    torch.testing.assert_close(one, other)


def test_genau_path_adds_noise_at_the_last_step_too():
    schedule, drawn = SCHEDULES["scaled_linear"], []
    noise = RowNoise([1], (2, 3))
    SAMPLERS["ddim"](
        toy, noise(), schedule, steps=10, eta=1.0, noise=lambda: drawn.append(1) or noise(), spacing="genau"
    )
    assert len(drawn) == 10
    last = schedule.path(10, "genau")[-2:]
    assert noise_scale(*last, 1.0) == pytest.approx(0.02743205, rel=2e-6)


@pytest.mark.parametrize(("sampler", "eta", "draws"), [("ddim", 1.0, 9), ("ddim", None, 0), ("ddpm", None, 9)])
def test_no_noise_is_drawn_into_a_clean_end_or_without_need(sampler, eta, draws):
    drawn = []
    noise = RowNoise([1], (2, 3))
    SAMPLERS[sampler](toy, noise(), SCHEDULES["cosine"], steps=10, eta=eta, noise=lambda: drawn.append(1) or noise())
    assert len(drawn) == draws


def test_epsilon_at_pure_noise_is_refused():
    with pytest.raises(UsageError, match="time 999, which is pure noise"):
        SAMPLERS["ddim"](toy, torch.zeros(1, 2), SCHEDULES["zero_snr"], steps=5, prediction="epsilon")


def test_options_without_meaning_are_refused():
    x, schedule = torch.zeros(1, 2), SCHEDULES["cosine"]
    with pytest.raises(UsageError, match=r"'ddim' adds noise.*RowNoise"):
        SAMPLERS["ddim"](toy, x, schedule, steps=5, eta=0.5)
    with pytest.raises(UsageError, match=r"\[0, 1\], got 2"):
        SAMPLERS["ddim"](toy, x, schedule, steps=5, eta=2)
    with pytest.raises(UsageError, match=r"'ddpm' has a fixed amount of noise, but eta is 0\.5"):
        SAMPLERS["ddpm"](toy, x, schedule, steps=5, eta=0.5)
    with pytest.raises(UsageError, match="'eps'"):
        SAMPLERS["ddim"](toy, x, schedule, steps=5, prediction="eps")
    for sampler in ("dpm++2m", "euler", "heun", "plms", "pndm"):
        with pytest.raises(UsageError, match=rf"{sampler}' adds no noise, but eta is 0\.3".replace("+", r"\+")):
            SAMPLERS[sampler](toy, x, schedule, steps=5, eta=0.3)


def test_unknown_sampler_names_all_and_the_nearest():
    assert find_sampler("ddim") is SAMPLERS["ddim"]
    with pytest.raises(UsageError, match=r"'DDIMM'.*mean 'ddim'.*ddim, ddpm, dpm\+\+2m, euler, heun, plms, pndm"):
        find_sampler("DDIMM")
    with pytest.raises(UsageError, match=r"'zzzzzz'\. Known samplers: ddim"):
        find_sampler("zzzzzz")
