"""LAMB against reference steps, and optimiser state that survives a save."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from audiojourney.errors import AudioJourneyError
from audiojourney.training.optim import Lamb, build_optimizer, optimizer_tensors, restore_optimizer, trust_ratios
from audiojourney.training.settings import LoopConfig


@pytest.mark.parametrize("name", ["lamb_5steps", "lamb_5steps_wd01"])
def test_lamb_makes_the_reference_steps(shared_fixtures: Path, name: str):
    facts = json.loads((shared_fixtures / "genau" / f"{name}.json").read_text(encoding="utf-8"))
    tensors = load_file(shared_fixtures / "genau" / f"{name}.safetensors")
    params = {k.removeprefix("in.param."): nn.Parameter(v) for k, v in tensors.items() if k.startswith("in.param.")}
    lamb = Lamb(params.values(), facts["lr"], tuple(facts["betas"]), facts["eps"], facts["weight_decay"])
    for step in range(5):
        for key, param in params.items():
            param.grad = tensors.get(f"in.grad.{step}.{key}")
        lamb.step()
        for key, param in params.items():
            torch.testing.assert_close(param.data, tensors[f"out.param.{step}.{key}"], **facts["tolerance"])
    for key in ("exp_avg", "exp_avg_sq"):
        for name, param in params.items():
            if param.grad is not None:
                torch.testing.assert_close(lamb.state[param][key], tensors[f"out.{key}.{name}"], **facts["tolerance"])


def test_trust_ratio_is_clamped_and_one_without_a_norm():
    params = [torch.tensor([30.0, 40.0]), torch.tensor([3.0, 4.0]), torch.zeros(2), torch.ones(2)]
    updates = [torch.tensor([0.0, 2.0]), torch.tensor([0.0, 2.0]), torch.ones(2), torch.zeros(2)]
    assert [float(ratio) for ratio in trust_ratios(params, updates)] == [5.0, 2.5, 1.0, 1.0]


def test_lamb_leaves_a_tensor_without_gradient_alone():
    used, idle = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    used.grad = torch.ones(2)
    Lamb([used, idle], weight_decay=0.5).step()
    assert torch.equal(idle.data, torch.ones(2)) and not torch.equal(used.data, torch.ones(2))


def test_adamw_decays_matrices_only():
    module = nn.Linear(2, 2)
    before = {name: param.detach().clone() for name, param in module.named_parameters()}
    optimizer = build_optimizer(LoopConfig(lr=0.1, weight_decay=0.5), module, 0.1)
    for param in module.parameters():
        param.grad = torch.zeros_like(param)
    optimizer.step()
    torch.testing.assert_close(module.weight.data, before["weight"] * (1 - 0.1 * 0.5))
    assert torch.equal(module.bias.data, before["bias"])


@pytest.mark.parametrize("kind", ["adamw", "lamb"])
def test_restored_optimizer_goes_on_with_the_same_bits(kind: str):
    def steps(module: nn.Module, optimizer: torch.optim.Optimizer, numbers: range) -> None:
        for number in numbers:
            torch.manual_seed(number)
            for param in module.parameters():
                param.grad = torch.randn_like(param)
            optimizer.step()

    config = LoopConfig(optimizer=kind)
    first = nn.Linear(3, 3)
    optimizer = build_optimizer(config, first, 0.01)
    steps(first, optimizer, range(3))
    second = nn.Linear(3, 3)
    second.load_state_dict(first.state_dict())
    other = build_optimizer(config, second, 0.01)
    saved = {key: value.clone() for key, value in optimizer_tensors(optimizer, first).items()}
    assert {"exp_avg/weight", "exp_avg_sq/bias"} <= saved.keys()
    restore_optimizer(other, second, saved)
    steps(first, optimizer, range(3, 6))
    steps(second, other, range(3, 6))
    assert torch.equal(first.weight, second.weight) and torch.equal(first.bias, second.bias)


def test_a_frozen_network_cannot_be_trained():
    with pytest.raises(AudioJourneyError, match="Linear has no trainable tensor"):
        build_optimizer(LoopConfig(), nn.Linear(2, 2).requires_grad_(False), 0.1)
