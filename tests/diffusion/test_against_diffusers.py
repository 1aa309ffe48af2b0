"""The samplers give the numbers of the diffusers library for one toy network.

The tables of the library are float32; the samplers that keep them in reach are handed ours in float64, so that the
comparison is one of formulas and not of rounding.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from audiojourney.diffusion.flow import FlowSchedule
from audiojourney.diffusion.noise import RowNoise
from audiojourney.diffusion.objective import Objective
from audiojourney.diffusion.samplers import SAMPLERS
from audiojourney.diffusion.schedule import NoiseSchedule
from audiojourney.diffusion.timesteps import Spacing

diffusers = pytest.importorskip("diffusers")

NAMES = {"epsilon": "epsilon", "v": "v_prediction", "x0": "sample"}
TIMES = 1000
every_prediction = pytest.mark.parametrize("prediction", NAMES)
every_steps = pytest.mark.parametrize("steps", [4, 10, 20])


def toy(x: Tensor, t: Tensor) -> Tensor:
    """A bounded network that depends on time; neither right nor linear."""
    time = t.to(x.dtype).view(-1, 1, 1)
    return 0.8 * torch.tanh(0.7 * x + torch.sin(time / 200))


def start() -> Tensor:
    return RowNoise([1, 2], (3, 4), dtype=torch.float64)()


def theirs(scheduler, schedule: NoiseSchedule, steps: int, noise: RowNoise | None = None) -> Tensor:
    """Run the sampling loop of the library on the tables of `schedule`."""
    scheduler.betas, scheduler.alphas_cumprod = schedule.betas, schedule.alphas_cumprod
    scheduler.alphas = 1 - schedule.betas
    if hasattr(scheduler, "final_alpha_cumprod"):
        one = torch.ones((), dtype=torch.float64)
        scheduler.final_alpha_cumprod = one if scheduler.config.set_alpha_to_one else schedule.alphas_cumprod[0]
    scheduler.set_timesteps(steps)
    x = start()
    for t in scheduler.timesteps:
        options = {} if noise is None else {"variance_noise": noise()}
        x = scheduler.step(toy(x, t.expand(2)), t, x, **options).prev_sample
    return x


def config(prediction: str, **options) -> dict:
    return {
        "num_train_timesteps": TIMES,
        "beta_schedule": "scaled_linear",
        "beta_start": 0.0015,
        "beta_end": 0.0195,
        "prediction_type": NAMES[prediction],
        **options,
    }


SCALED = NoiseSchedule.scaled_linear()


@pytest.mark.parametrize(
    ("options", "ours"),
    [
        ({"beta_schedule": "scaled_linear", "beta_start": 0.0015, "beta_end": 0.0195}, NoiseSchedule.scaled_linear()),
        ({"beta_schedule": "linear"}, NoiseSchedule.linear()),
        ({"beta_schedule": "squaredcos_cap_v2"}, NoiseSchedule.cosine()),
        (
            {"beta_schedule": "squaredcos_cap_v2", "rescale_betas_zero_snr": True},
            NoiseSchedule.cosine(zero_terminal_snr=True),
        ),
    ],
    ids=["scaled_linear", "linear", "cosine", "zero_snr"],
)
def test_schedules(options, ours):
    scheduler = diffusers.DDIMScheduler(num_train_timesteps=TIMES, **options)
    torch.testing.assert_close(ours.alphas_cumprod.float(), scheduler.alphas_cumprod, rtol=3e-5, atol=1e-6)


@every_prediction
@every_steps
@pytest.mark.parametrize("ends_clean", [True, False])
@pytest.mark.parametrize("eta", [0.0, 0.6, 1.0])
def test_ddim(prediction, steps, ends_clean, eta):
    scheduler = diffusers.DDIMScheduler(
        **config(prediction, clip_sample=False, set_alpha_to_one=ends_clean, steps_offset=1)
    )
    one, other = RowNoise([5, 6], (3, 4), dtype=torch.float64), RowNoise([5, 6], (3, 4), dtype=torch.float64)
    scheduler_step = scheduler.step
    scheduler.step = lambda *args, **kw: scheduler_step(*args, eta=eta, **(kw if eta else {}))
    expected = theirs(scheduler, SCALED, steps, other)
    spacing = Spacing(kind="leading", offset=1, ends_clean=ends_clean)
    said = SAMPLERS["ddim"](
        toy, start(), SCALED, steps=steps, prediction=prediction, eta=eta, noise=one, spacing=spacing
    )
    torch.testing.assert_close(said, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("spacing", ["trailing", "leading", "linspace"])
def test_ddim_of_a_zero_snr_cosine_schedule(spacing):
    schedule = NoiseSchedule.cosine(zero_terminal_snr=True)
    scheduler = diffusers.DDIMScheduler(
        prediction_type="v_prediction", clip_sample=False, timestep_spacing=spacing, steps_offset=0
    )
    # The library always steps by T // S, which on its "linspace" grid is another step than to the next visited time.
    steps = 1000 if spacing == "linspace" else 20
    expected = theirs(scheduler, schedule, steps)
    said = SAMPLERS["ddim"](toy, start(), schedule, steps=steps, spacing=spacing)
    torch.testing.assert_close(said, expected, rtol=1e-9, atol=1e-9)


@every_prediction
@every_steps
@pytest.mark.parametrize("spacing", ["leading", "trailing"])
def test_ddpm(prediction, steps, spacing, monkeypatch):
    scheduler = diffusers.DDPMScheduler(
        **config(prediction, clip_sample=False, variance_type="fixed_small", timestep_spacing=spacing)
    )
    scheduler.one = torch.ones((), dtype=torch.float64)
    one, other = RowNoise([5, 6], (3, 4), dtype=torch.float64), RowNoise([5, 6], (3, 4), dtype=torch.float64)
    monkeypatch.setattr(f"{type(scheduler).__module__}.randn_tensor", lambda *args, **kw: other())
    expected = theirs(scheduler, SCALED, steps)
    said = SAMPLERS["ddpm"](toy, start(), SCALED, steps=steps, prediction=prediction, noise=one, spacing=spacing)
    torch.testing.assert_close(said, expected, rtol=1e-7, atol=1e-7)


@every_steps
@pytest.mark.parametrize("ends_clean", [True, False])
@pytest.mark.parametrize(("sampler", "skip"), [("pndm", False), ("plms", True)])
def test_pndm(sampler, skip, steps, ends_clean):
    """Only for epsilon: the library averages v instead of the noise that it stands for."""
    scheduler = diffusers.PNDMScheduler(
        **config("epsilon", skip_prk_steps=skip, set_alpha_to_one=ends_clean, steps_offset=1)
    )
    expected = theirs(scheduler, SCALED, steps)
    spacing = Spacing(kind="leading", offset=1, ends_clean=ends_clean)
    said = SAMPLERS[sampler](toy, start(), SCALED, steps=steps, prediction="epsilon", spacing=spacing)
    torch.testing.assert_close(said, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.filterwarnings("ignore:__array__:DeprecationWarning")
@every_prediction
@every_steps
@pytest.mark.parametrize("ends_clean", [True, False])
def test_dpm_solver_2m(prediction, steps, ends_clean):
    scheduler = diffusers.DPMSolverMultistepScheduler(
        **config(
            prediction,
            solver_order=2,
            algorithm_type="dpmsolver++",
            timestep_spacing="trailing",
            final_sigmas_type="zero" if ends_clean else "sigma_min",
        )
    )
    expected = theirs(scheduler, SCALED, steps)
    spacing = Spacing(kind="trailing", ends_clean=ends_clean)
    said = SAMPLERS["dpm++2m"](toy, start(), SCALED, steps=steps, prediction=prediction, spacing=spacing)
    # The library computes with float32 sigmas whatever the type of the latents.
    torch.testing.assert_close(said, expected.double(), rtol=1e-5, atol=1e-5)


@every_steps
@pytest.mark.parametrize("shift", [1.0, 3.0])
@pytest.mark.parametrize("sampler", ["euler", "heun"])
def test_flow(sampler, steps, shift):
    known = {"euler": "FlowMatchEulerDiscreteScheduler", "heun": "FlowMatchHeunDiscreteScheduler"}
    scheduler = getattr(diffusers, known[sampler])(num_train_timesteps=TIMES, shift=shift)
    # Undo the shift of the smallest level, which the library shifts twice.
    scheduler.sigma_min = 1 / TIMES
    scheduler.set_timesteps(steps)
    x = start().float()
    for t in scheduler.timesteps:
        x = scheduler.step(toy(x, t.expand(2)), t, x).prev_sample
    schedule = FlowSchedule(shift=shift)
    said = SAMPLERS[sampler](toy, start(), schedule, steps=steps, prediction="flow", spacing="linspace")
    torch.testing.assert_close(said, x.double(), rtol=1e-5, atol=1e-5)


def test_v_target_and_mixing():
    scheduler = diffusers.DDPMScheduler(**config("v"))
    scheduler.alphas_cumprod = SCALED.alphas_cumprod
    x0, noise = start(), start().flip(1)
    t, objective = torch.tensor([3, 700]), Objective("v", SCALED)
    torch.testing.assert_close(objective.noisy(x0, noise, t), scheduler.add_noise(x0, noise, t))
    torch.testing.assert_close(objective.target(x0, noise, t), scheduler.get_velocity(x0, noise, t))
