"""Averaged weights follow their formula and are lent, not given."""

import pytest
import torch
from torch import nn

from audiojourney.training.ema import Ema


def run(decay: float, weights: list[float]) -> tuple[Ema, nn.Module]:
    module = nn.Linear(1, 1, bias=False)
    module.weight.data.fill_(weights[0])
    ema = Ema(module, decay)
    for weight in weights[1:]:
        module.weight.data.fill_(weight)
        ema.update()
    return ema, module


def test_average_follows_its_formula():
    weights = [1.0, 3.0, -2.0, 0.5, 4.0]
    ema, _ = run(0.3, weights)
    expected = weights[0]
    for number, weight in enumerate(weights[1:], start=1):
        decay = min(0.3, (1 + number) / (10 + number))
        expected = decay * expected + (1 - decay) * weight
    assert float(ema.average["weight"]) == pytest.approx(expected, rel=1e-6)


def test_weights_are_lent_and_come_back():
    ema, module = run(0.9, [1.0, 3.0])
    with ema.swapped():
        assert float(module.weight) == pytest.approx(2 / 11 * 1.0 + 9 / 11 * 3.0)
    assert float(module.weight) == 3.0
    with pytest.raises(RuntimeError, match="inside"), ema.swapped():
        raise RuntimeError("inside")
    assert float(module.weight) == 3.0, "an error inside gives them back as well"


def test_frozen_tensors_are_not_averaged():
    module = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1).requires_grad_(False))
    assert set(Ema(module, 0.5).average) == {"0.weight", "0.bias"}


def test_restored_average_goes_on():
    ema, module = run(0.9, [1.0, 3.0, 5.0])
    again = Ema(module, 0.9)
    again.restore({"weight": ema.average["weight"].clone()}, ema.updates)
    for each in (ema, again):
        each.update()
    assert torch.equal(ema.average["weight"], again.average["weight"])
