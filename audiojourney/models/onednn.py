"""Linear layers through oneDNN on processors where the default matrix library is slow.

torch multiplies float32 matrices on x86 processors with MKL, which does not use AVX-512 on processors of AMD: oneDNN,
which torch also brings and uses for convolutions, is twice as fast there (`benchmarks/fit.py`). Results agree to
rounding in float32; nothing is computed in a smaller type.

The choice depends on the processor alone, never on a measurement, so that the same command gives the same bytes.
Shapes: B batch, N tokens, D width.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


@lru_cache(maxsize=1)
def available() -> bool:
    """Say whether this build of torch has the operation and this processor gains by it."""
    return (
        torch.backends.mkldnn.is_available()
        and torch.backends.cpu.get_cpu_capability() == "AVX512"
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )


def product(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Return x @ weight.T + bias for x (..., D) and weight (E, D), both float32 and in any memory layout."""
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "none")


class _Linear(torch.autograd.Function):
    """The product with its gradients, which are two further products."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        """Map (B, N, D) to (B, N, E); any leading axes will do."""
        ctx.save_for_backward(x, weight)
        ctx.has_bias = bias is not None
        return product(x, weight, bias)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, Tensor | None]:
        """Map the gradient of the result (..., E) to those of input, weight and bias."""
        x, weight = ctx.saved_tensors
        rows = gradient.reshape(-1, gradient.shape[-1])
        wanted = ctx.needs_input_grad
        of_x = product(rows, weight.t()).view(x.shape) if wanted[0] else None
        of_weight = product(rows.t(), x.reshape(-1, x.shape[-1]).t()) if wanted[1] else None
        return of_x, of_weight, rows.sum(0) if ctx.has_bias and wanted[2] else None


class OneDNNLinear(nn.Linear):
    """A linear layer that goes through oneDNN for float32 on the processor, and is an ordinary one otherwise."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, N, D) to (B, N, E); any leading axes will do."""
        if not _fits(x, self.weight):
            return F.linear(x, self.weight, self.bias)
        if torch.is_grad_enabled():
            return _Linear.apply(x, self.weight, self.bias)
        return product(x, self.weight, self.bias)


def use_onednn(module: nn.Module) -> int:
    """Let every linear layer of a module go through oneDNN, where that helps; its state dict stays as it is.

    Returns:
        Number of layers that were changed; 0 on processors that gain nothing.
    """
    layers = [layer for layer in module.modules() if type(layer) is nn.Linear] if available() else []
    for layer in layers:
        layer.__class__ = OneDNNLinear
    return len(layers)


def _fits(x: Tensor, weight: Tensor) -> bool:
    plain = x.device.type == "cpu" and x.dtype == weight.dtype == torch.float32 and x.ndim > 1 and x.numel() > 0
    return plain and not torch.is_autocast_enabled("cpu") and not torch.compiler.is_compiling()
