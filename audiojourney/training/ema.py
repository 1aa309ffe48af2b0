"""Exponential moving average of weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class Ema:
    """Averaged copy of the trainable tensors of a module.

    After update number n (from 1): average <- d * average + (1 - d) * weight with d = min(decay, (1 + n) / (10 + n)),
    so that a short run is not averaged over its random start. Buffers are not averaged.

    Args:
        module: the network that is being trained.
        decay: the largest d.
    """

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.params = {name: param for name, param in module.named_parameters() if param.requires_grad}
        self.average = {name: param.detach().clone() for name, param in self.params.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Take the present weights into the average."""
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        weights = [param.detach() for param in self.params.values()]
        torch._foreach_lerp_(list(self.average.values()), weights, 1 - decay)

    @contextmanager
    def swapped(self) -> Iterator[None]:
        """Lend the averaged weights to the module."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def restore(self, tensors: Mapping[str, Tensor], updates: int) -> None:
        """Continue from an average that was saved after `updates` updates."""
        self.updates = updates
        for name, value in tensors.items():
            self.average[name].copy_(value)

    @torch.no_grad()
    def _exchange(self) -> None:
        """Swap weight and average, tensor by tensor."""
        for name, param in self.params.items():
            param.data, self.average[name] = self.average[name], param.data
