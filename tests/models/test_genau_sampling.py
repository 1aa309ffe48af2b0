"""GenAu sampling: the published runs, the carried latent tokens and where noise comes from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from audiojourney.diffusion.guidance import guided
from audiojourney.diffusion.samplers import find_sampler
from audiojourney.diffusion.schedule import NoiseSchedule
from audiojourney.models.base import Condition
from audiojourney.models.fit import FIT
from audiojourney.models.genau.conditioner import joined
from audiojourney.models.genau.noise import GenAuNoise, official_start, prompt_seed
from audiojourney.models.genau.pipeline import CarryingDenoiser
from audiojourney.models.genau.sizes import fit_sizes
from tests.models.official_layout import FIT_TINY, tiny_fit


@pytest.mark.parametrize(
    ("run", "steps", "eta", "scale"),
    [("S10.eta1.w4", 10, 1.0, 4.0), ("S10.eta0.w4", 10, 0.0, 4.0), ("S5.eta1.w1", 5, 1.0, 1.0)],
)
def test_published_runs(shared_fixtures: Path, run: str, steps: int, eta: float, scale: float):
    path = shared_fixtures / "genau" / "sampler_tiny"
    numbers, notes = (
        load_file(path.with_suffix(".safetensors")),
        json.loads(path.with_suffix(".json").read_text("utf-8")),
    )
    state = {name[3:]: tensor for name, tensor in numbers.items() if name.startswith("sd.")}
    fit = FIT(fit_sizes(state, group=notes["compact_config"]["group_size"], dim_head=8, channels=8)).eval()
    fit.load_state_dict(state)
    conditions = [
        Condition(
            torch.cat([numbers[f"in.{branch}clap"], numbers[f"in.{branch}t5"]], dim=1),
            dataset_ids=numbers[f"in.{branch}dataset_id"],
        )
        for branch in ("", "uncond.")
    ]
    noise: Iterator[Tensor] = iter(numbers[f"in.{run}.noise"][..., 0])
    with torch.no_grad():
        found = find_sampler("ddim")(
            guided(CarryingDenoiser(fit, 2), *conditions, scale, concat=joined),
            numbers["in.x_T"][..., 0],
            NoiseSchedule.scaled_linear(),
            steps=steps,
            prediction="epsilon",
            eta=eta,
            spacing="genau",
            noise=lambda: next(noise),
        )
    tolerance = {"atol": notes["tolerance"]["atol"], "rtol": notes["tolerance"]["rtol"]}
    torch.testing.assert_close(found, numbers[f"out.{run}.x_0"][..., 0], **tolerance)


class Recorder:
    """Stands for `FIT.predict`: notes what it is given, returns latent tokens that tell rows and calls apart."""

    def __init__(self) -> None:
        self.previous: list[Tensor | None] = []

    def __call__(self, x: Tensor, t: Tensor, condition: Condition, previous: Tensor | None) -> tuple[Tensor, Tensor]:
        self.previous.append(previous)
        tokens = torch.arange(len(x)).view(-1, 1, 1) + 100.0 * len(self.previous)
        return x, tokens.expand(-1, 2, 3)


def test_both_branches_start_from_the_conditional_tokens():
    recorder = Recorder()
    denoise = CarryingDenoiser(tiny_fit(), 2, recorder)
    x, t = torch.zeros(4, 8, 8), torch.zeros(4)
    condition = Condition(torch.zeros(4, 40))
    denoise(x, t, condition)
    denoise(x, t, condition)
    denoise(x[:2], t[:2], condition)
    assert recorder.previous[0] is None
    assert recorder.previous[1][:, 0, 0].tolist() == [100, 101, 100, 101]  # rows 0 and 1 are the conditional branch
    assert recorder.previous[2][:, 0, 0].tolist() == [200, 201]


def test_nothing_is_carried_when_the_gain_is_zero():
    fit, recorder = tiny_fit(), Recorder()
    with torch.no_grad():
        fit.get_parameter("self_conditioning_latents_projection.1.gamma").zero_()
    denoise = CarryingDenoiser(fit, 1, recorder)
    for _ in range(2):
        denoise(torch.zeros(2, 8, 8), torch.zeros(2), Condition(torch.zeros(2, 40)))
    assert recorder.previous == [None, None]


def test_a_guided_step_is_one_forward():
    fit, calls = tiny_fit(), []
    handle = fit.to_patches.register_forward_hook(lambda module, args, out: calls.append(len(args[0])))
    condition, away = (Condition(torch.randn(3, 40)) for _ in range(2))
    with torch.no_grad():
        denoise = guided(CarryingDenoiser(fit, 3), condition, away, 4.0, concat=joined)
        denoise(torch.randn(3, 8, FIT_TINY.length), torch.full((3,), 500))
    handle.remove()
    assert calls == [6]


def test_prompt_seed_is_the_md5_of_the_file_name():
    digest = hashlib.md5(b"a_dog_s__bark_").hexdigest()
    assert prompt_seed('a dog\'s "bark"') == int(digest, 16) % 2**32 != prompt_seed("a dogs bark")


def test_official_noise_ignores_the_seed_and_follows_the_prompt():
    shape = (8, 16)
    start = official_start(["rain", "dog", "rain"], shape)
    generator = torch.Generator().manual_seed(prompt_seed("rain"))
    both = torch.randn(2, *shape, generator=generator)
    assert torch.equal(start[0], both[0])
    assert torch.equal(start[2], both[1])  # candidates are successive draws
    assert not torch.equal(start[1], start[0])

    def draws(seed: int, official: bool) -> list[Tensor]:
        noise = GenAuNoise(["rain"], [seed], shape, official=official, device=torch.device("cpu"))
        return [noise(), noise()]

    assert torch.equal(draws(1, True)[0], draws(2, True)[0])
    assert not torch.equal(draws(1, True)[1], draws(2, True)[1])  # the seed drives later noise
    assert not torch.equal(draws(1, False)[0], draws(2, False)[0])
    assert torch.equal(draws(1, False)[0], draws(1, False)[0])
    assert not torch.equal(draws(1, False)[0], draws(1, False)[1])


def test_joined_keeps_order_and_drops_what_one_lacks():
    first = Condition(torch.zeros(2, 4), dataset_ids=torch.tensor([1, 2]))
    second = Condition(torch.ones(1, 4), tokens=torch.ones(1, 2, 3), dataset_ids=torch.tensor([3]))
    both = joined(first, second)
    assert both.pooled[:, 0].tolist() == [0, 0, 1]
    assert both.dataset_ids.tolist() == [1, 2, 3]
    assert both.tokens is None
