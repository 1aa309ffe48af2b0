"""Schedule, DDIM tables and guided DDIM steps of GenAu, against numbers made by the official modules."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from audiojourney.diffusion.guidance import guided
from audiojourney.diffusion.objective import Objective, predicted_x0
from audiojourney.diffusion.samplers.base import evaluate
from audiojourney.diffusion.samplers.ddim import ddim, noise_scale, step
from audiojourney.diffusion.schedule import NoiseSchedule

SCHEDULE = NoiseSchedule.scaled_linear()
STEPS = [5, 50, 100, 200, 250]


@pytest.fixture(scope="module")
def reference(shared_fixtures) -> dict[str, Tensor]:
    return load_file(shared_fixtures / "genau" / "diffusion_schedule_ddim.safetensors")


@pytest.fixture(scope="module")
def tolerance(shared_fixtures) -> dict[str, float]:
    return json.loads((shared_fixtures / "genau" / "diffusion_schedule_ddim.json").read_text("utf-8"))["tolerance"]


def close(ours: Tensor, theirs: Tensor, tolerance: dict[str, float]) -> None:
    torch.testing.assert_close(ours, theirs, check_dtype=False, **tolerance)


def test_tables(reference, tolerance):
    t = torch.arange(1000)
    abar = SCHEDULE.alphas_cumprod
    close(SCHEDULE.betas, reference["out.betas_float64"], {"rtol": 1e-12, "atol": 0})
    close(abar, reference["out.alphas_cumprod"], tolerance)
    close(torch.cat([torch.ones(1), abar[:-1]]), reference["out.alphas_cumprod_prev"], tolerance)
    close(SCHEDULE.alpha(t), reference["out.sqrt_alphas_cumprod"], tolerance)
    close(SCHEDULE.sigma(t), reference["out.sqrt_one_minus_alphas_cumprod"], tolerance)
    # The absolute tolerance would hide the noisy end, where abar is 1.4e-4.
    torch.testing.assert_close(abar.float(), reference["out.alphas_cumprod"], rtol=1e-5, atol=0)


def test_mixing_and_v_target(reference, tolerance):
    x0, noise, t = (reference[f"in.qs.{name}"] for name in ("x0", "noise", "t"))
    objective = Objective("v", SCHEDULE)
    close(objective.noisy(x0, noise, t), reference["out.qs.x_t"], tolerance)
    close(objective.target(x0, noise, t), reference["out.v_target"], tolerance)


@pytest.mark.parametrize("steps", STEPS)
@pytest.mark.parametrize("eta", [0, 1])
def test_ddim_tables(steps, eta, reference, tolerance):
    def table(name: str) -> Tensor:
        return reference[f"out.ddim.S{steps}.eta{eta}.{name}"].flip(0)

    path = SCHEDULE.path(steps, "genau")
    pairs = list(pairwise(path))
    assert [point.t for point in path[:-1]] == table("timesteps").tolist()
    close(torch.tensor([here.alpha**2 for here, _ in pairs]), table("ddim_alphas"), tolerance)
    close(torch.tensor([there.alpha**2 for _, there in pairs]), table("ddim_alphas_prev"), tolerance)
    close(torch.tensor([noise_scale(*pair, eta) for pair in pairs]), table("ddim_sigmas"), tolerance)
    close(torch.tensor([here.sigma for here, _ in pairs]), table("ddim_sqrt_one_minus_alphas"), tolerance)


@pytest.mark.parametrize(
    ("prediction", "steps", "index", "eta"),
    [
        *(
            ("epsilon", steps, index, eta)
            for steps, index in [(100, 99), (100, 40), (100, 0), (200, 150)]
            for eta in (0, 1)
        ),
        ("v", 100, 40, 1),
    ],
)
def test_guided_step(prediction, steps, index, eta, reference, tolerance):
    x, noise = reference["in.step.x"], reference["in.step.noise"]
    answers = torch.cat([reference["in.step.eps_cond"], reference["in.step.eps_uncond"]])
    denoise = guided(
        lambda x, t, rows: answers[rows],
        torch.tensor([0, 1]),
        torch.tensor([2, 3]),
        4.0,
        concat=lambda first, second: torch.cat([first, second]),
    )
    here, there = SCHEDULE.path(steps, "genau")[::-1][index + 1], SCHEDULE.path(steps, "genau")[::-1][index]
    x0, epsilon = evaluate(denoise, x, here, prediction)
    prefix = f"out.step{'_v' if prediction == 'v' else ''}.S{steps}.i{index}.eta{eta}."
    close(x0, reference[prefix + "pred_x0"], tolerance)
    close(step(x0, epsilon, there, noise_scale(here, there, eta), noise), reference[prefix + "x_prev"], tolerance)


def test_a_whole_run_is_its_steps(reference):
    """`ddim` is the loop over the steps checked above: noise at each of them, and a trace seen through the denoiser."""
    answer, noise, trace = reference["in.step.eps_cond"], reference["in.step.noise"], []

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        point = SCHEDULE.point(int(t[0]))
        trace.append(predicted_x0("epsilon", answer, x, point.alpha, point.sigma))
        return answer

    x = x_T = reference["in.step.x"]
    path = SCHEDULE.path(5, "genau")
    for here, there in pairwise(path):
        x0, epsilon = evaluate(lambda x, t: answer, x, here, "epsilon")
        x = step(x0, epsilon, there, noise_scale(here, there, 1.0), noise)
    options = {"steps": 5, "prediction": "epsilon", "eta": 1.0, "noise": lambda: noise, "spacing": "genau"}
    assert torch.equal(ddim(denoise, x_T, SCHEDULE, **options), x)
    assert len(trace) == 5 and torch.equal(trace[-1], x0)
