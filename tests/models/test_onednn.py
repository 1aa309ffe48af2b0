"""Linear layers through oneDNN give what ordinary ones give."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from audiojourney.models import onednn
from audiojourney.models.onednn import OneDNNLinear, pack, use_onednn

pytestmark = pytest.mark.skipif(not onednn.available(), reason="this processor gains nothing by oneDNN")


def both(width: int, out: int, bias: bool) -> tuple[nn.Linear, OneDNNLinear]:
    torch.manual_seed(0)
    plain, fast = nn.Linear(width, out, bias), OneDNNLinear(width, out, bias)
    fast.load_state_dict(plain.state_dict())
    return plain, fast


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(7, 12), (2, 5, 12), (3, 2, 4, 12), (1, 12), (1, 1, 12)])
def test_values_and_gradients(shape: tuple[int, ...], bias: bool):
    plain, fast = both(12, 20, bias)
    x = torch.randn(shape)
    towards = torch.randn(*shape[:-1], 20)
    found = []
    for layer in (plain, fast):
        source = x.clone().requires_grad_()
        out = layer(source)
        out.backward(towards)
        found.append([out, source.grad, layer.weight.grad, *([layer.bias.grad] if bias else [])])
        with torch.no_grad():
            torch.testing.assert_close(layer(x), out)
    for one, other in zip(*found, strict=True):
        assert one.shape == other.shape
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_strided_inputs():
    plain, fast = both(12, 20, True)
    x = torch.randn(12, 6, 4).permute(2, 1, 0)
    assert not x.is_contiguous()
    torch.testing.assert_close(fast(x), plain(x), atol=1e-5, rtol=1e-5)
    expanded = torch.randn(1, 6, 12).expand(3, -1, -1)
    torch.testing.assert_close(fast(expanded), plain(expanded), atol=1e-5, rtol=1e-5)


def test_gradients_reach_only_what_asks_for_them():
    _, fast = both(4, 3, True)
    fast.weight.requires_grad_(False)
    fast(torch.randn(2, 4)).sum().backward()
    assert fast.weight.grad is None
    assert fast.bias.grad is not None


def test_precision_is_that_of_float32():
    plain, fast = both(1024, 64, True)
    x = torch.randn(64, 1024)
    exact = nn.functional.linear(x.double(), plain.weight.double(), plain.bias.double())
    assert (fast(x) - exact).abs().max() < 1e-5


def test_other_cases_take_the_ordinary_way():
    plain, fast = both(12, 20, True)
    x = torch.randn(12)
    assert torch.equal(fast(x), plain(x))
    assert fast(torch.zeros(0, 12)).shape == (0, 20)
    with torch.autocast("cpu", torch.bfloat16):
        assert fast(torch.randn(3, 12)).dtype == torch.bfloat16
    assert fast.double()(x.double()).dtype == torch.float64


def test_a_module_is_changed_in_place_and_keeps_its_state():
    module = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 2)))
    state, x = {k: v.clone() for k, v in module.state_dict().items()}, torch.randn(3, 4)
    before = module(x)
    assert use_onednn(module) == 2
    assert use_onednn(module) == 0
    assert module.state_dict().keys() == state.keys()
    torch.testing.assert_close(module(x), before)


def test_packed_weights():
    module, x = nn.Sequential(nn.Linear(12, 20), nn.Linear(20, 12), Block(nn.GELU())), torch.randn(5, 12)
    before, state = module(x), module.state_dict().keys()
    use_onednn(module)
    pack(module)
    assert module[0].packed is not None
    assert module.state_dict().keys() == state
    torch.testing.assert_close(module(x), before)
    with torch.inference_mode():
        for rows in (5, 1, 700):
            plain = nn.functional.linear(x[:1].expand(rows, -1), module[0].weight, module[0].bias)
            torch.testing.assert_close(module[0](x[:1].expand(rows, -1)), plain)
        torch.testing.assert_close(module(x), before)


class Block(nn.Module):
    """A layer and what is behind it, named as in transformers."""

    def __init__(self, activation: nn.Module) -> None:
        super().__init__()
        self.dense, self.intermediate_act_fn = nn.Linear(12, 20), activation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.intermediate_act_fn(self.dense(x))


def test_a_gelu_goes_along():
    block, x = Block(nn.GELU()), torch.randn(3, 5, 12)
    state, before = block.state_dict().keys(), block(x)
    assert use_onednn(block) == 1
    assert isinstance(block.intermediate_act_fn, nn.Identity)
    assert block.state_dict().keys() == state
    torch.testing.assert_close(block(x), before)
    block(x).sum().backward()
    assert block.dense.weight.grad is not None
    with torch.no_grad():
        torch.testing.assert_close(block(x), before)
        assert block.double()(x.double()).dtype == torch.float64


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.GELU(approximate="tanh")])
def test_other_activations_stay(activation: nn.Module):
    block, x = Block(activation), torch.randn(3, 12)
    before = block(x)
    use_onednn(block)
    assert block.intermediate_act_fn is activation
    torch.testing.assert_close(block(x), before)


def test_nothing_changes_where_it_would_not_help(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(onednn, "available", lambda: False)
    module = nn.Sequential(nn.Linear(4, 4))
    assert use_onednn(module) == 0
    assert type(module[0]) is nn.Linear
