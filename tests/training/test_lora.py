"""Low-rank changes: nothing at the start, merged exactly, the frozen weights kept."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from audiojourney.errors import UsageError
from audiojourney.training.lora import add_lora, merged


class Net(nn.Module):
    """Reads one weight without calling its layer, as attention code does."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(6, 8)
        self.second = nn.Linear(8, 5, bias=False)
        self.small = nn.Linear(5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.small(F.linear(F.gelu(self.first(x)), self.second.weight))


def changed(rank: int = 3, alpha: float | None = None) -> tuple[Net, torch.Tensor]:
    torch.manual_seed(0)
    net, x = Net(), torch.randn(4, 6)
    assert add_lora(net, rank, alpha) == 2
    for param in net.parameters():
        if param.requires_grad:
            nn.init.normal_(param)
    return net, x


def test_it_starts_as_no_change_and_trains_only_itself():
    torch.manual_seed(0)
    net, x = Net(), torch.randn(4, 6)
    before = net(x)
    add_lora(net, 3)
    assert torch.equal(net(x), before)
    trained = {name for name, param in net.named_parameters() if param.requires_grad}
    parts = ("down", "up")
    assert trained == {f"{layer}.parametrizations.weight.0.{part}" for layer in ("first", "second") for part in parts}


def test_merged_weights_give_the_same_answers_under_their_own_names():
    net, x = changed()
    plain, unmerged = Net(), net(x)
    with merged(net):
        assert net.state_dict().keys() == plain.state_dict().keys()
        plain.load_state_dict(net.state_dict())
        torch.testing.assert_close(net(x), unmerged)
    torch.testing.assert_close(plain(x), unmerged)


def test_afterwards_everything_is_as_before():
    net, x = changed()
    state, unmerged = {name: value.clone() for name, value in net.state_dict().items()}, net(x)
    params = {name for name, param in net.named_parameters() if param.requires_grad}
    with pytest.raises(RuntimeError, match="inside"), merged(net):
        raise RuntimeError("inside")
    assert all(torch.equal(value, net.state_dict()[name]) for name, value in state.items())
    assert {name for name, param in net.named_parameters() if param.requires_grad} == params
    assert torch.equal(net(x), unmerged)


def test_alpha_scales_the_change():
    net, _ = changed(alpha=6.0)
    part = net.first.parametrizations.weight
    torch.testing.assert_close(net.first.weight, part.original + 2.0 * part[0].up @ part[0].down)


def test_a_rank_above_every_layer_is_refused():
    with pytest.raises(UsageError, match="No linear layer of Net is larger than --lora-rank 9"):
        add_lora(Net(), 9)
