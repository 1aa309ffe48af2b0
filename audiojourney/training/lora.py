"""Low-rank adaptation (Hu et al., 2021): W' = W + (alpha / r) B A with A (r, in), B (out, r), W frozen.

W' is a parametrisation of the weight, so code that reads `layer.weight` instead of calling the layer sees it too.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from audiojourney.errors import UsageError


class LowRank(nn.Module):
    """The change of one weight; zero at the start, since B is.

    Args:
        weight: W, shape (out, in).
        rank: r.
        alpha: numerator of the scale.
    """

    def __init__(self, weight: Tensor, rank: int, alpha: float) -> None:
        super().__init__()
        self.scale = alpha / rank
        self.down = nn.Parameter(torch.randn(rank, weight.shape[1], device=weight.device) / weight.shape[1] ** 0.5)
        self.up = nn.Parameter(torch.zeros(weight.shape[0], rank, device=weight.device))

    def forward(self, weight: Tensor) -> Tensor:
        """Return W' for W, both of shape (O, I)."""
        return weight + self.scale * (self.up @ self.down)


def add_lora(module: nn.Module, rank: int, alpha: float | None = None) -> int:
    """Freeze `module` and give every linear layer a change of rank `rank`; return how many layers got one.

    Layers whose smaller side is not larger than the rank stay frozen: for them a full change would be smaller.

    Args:
        module: the network, changed in place.
        rank: r.
        alpha: numerator of the scale; None means r, a scale of 1.

    Raises:
        UsageError: no layer is large enough.
    """
    module.requires_grad_(False)
    layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear) and min(layer.weight.shape) > rank]
    if not layers:
        raise UsageError(f"No linear layer of {type(module).__name__} is larger than --lora-rank {rank}.")
    for layer in layers:
        parametrize.register_parametrization(layer, "weight", LowRank(layer.weight, rank, alpha or rank))
    return len(layers)


@contextmanager
def merged(module: nn.Module) -> Iterator[None]:
    """Turn the changed weights into plain ones for a while, under the names that they had before `add_lora`."""
    layers = [layer for layer in module.modules() if parametrize.is_parametrized(layer, "weight")]
    changed = [_parts(layer) for layer in layers]
    for layer, _, _ in changed:
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
    try:
        yield
    finally:
        for layer, change, frozen in changed:
            layer.weight.data.copy_(frozen)
            layer.weight.requires_grad_(False)
            parametrize.register_parametrization(layer, "weight", change)


def _parts(layer: Any) -> tuple[nn.Linear, LowRank, Tensor]:
    """Return a layer, its change, and a copy of the frozen weight: removal writes the changed one over it."""
    kept = layer.parametrizations.weight
    return layer, kept[0], kept.original.detach().clone()
