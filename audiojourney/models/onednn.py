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

_GELU_BEHIND = (("fc1", "activation_fn"), ("dense", "intermediate_act_fn"))  # as transformers calls them
_ROWS = 512  # an order that suits many rows


@lru_cache(maxsize=1)
def available() -> bool:
    """Say whether this build of torch has the operation and this processor gains by it."""
    return (
        torch.backends.mkldnn.is_available()
        and torch.backends.cpu.get_cpu_capability() == "AVX512"
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )


def product(x: Tensor, weight: Tensor, bias: Tensor | None = None, then: str = "none") -> Tensor:
    """Return x @ weight.T + bias for x (..., D) and weight (E, D), both float32 and in any memory layout.

    Args:
        x: input.
        weight: one row for each output.
        bias: shape (E,).
        then: what happens to each value while it is at hand: "none", or "gelu" in its exact form.
    """
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, then, [], "none")


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
    """A linear layer that goes through oneDNN for float32 on the processor, and is an ordinary one otherwise.

    Attributes:
        packed: the weight in the order in which products take it, where `pack` was called.
    """

    packed: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, N, D) to (B, N, E); any leading axes will do."""
        if not _fits(x, self.weight):
            return F.linear(x, self.weight, self.bias)
        if torch.is_grad_enabled():
            return _Linear.apply(x, self.weight, self.bias)
        return self.fast(x)

    def fast(self, x: Tensor, then: str = "none") -> Tensor:
        """Map (B, N, D) to (B, N, E) by oneDNN, without gradients; see `product`."""
        return product(x, self.weight if self.packed is None else self.packed, self.bias, then)


class OneDNNGelu(OneDNNLinear):
    """A linear layer and the GELU behind it: the values are not written and read once more."""

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, N, D) to (B, N, E); any leading axes will do."""
        if torch.is_grad_enabled() or not _fits(x, self.weight):
            return F.gelu(super().forward(x))
        return self.fast(x, then="gelu")


def use_onednn(module: nn.Module) -> int:
    """Let every linear layer of a module go through oneDNN, where that helps; its state dict stays as it is.

    In blocks of transformers the GELU behind a layer goes along.

    Returns:
        Number of layers that were changed; 0 on processors that gain nothing.
    """
    layers = [layer for layer in module.modules() if type(layer) is nn.Linear] if available() else []
    for layer in layers:
        layer.__class__ = OneDNNLinear
    for block in module.modules():
        for name, behind in _GELU_BEHIND:
            if type(getattr(block, name, None)) is OneDNNLinear and _is_gelu(getattr(block, behind, None)):
                getattr(block, name).__class__ = OneDNNGelu
                setattr(block, behind, nn.Identity())
    return len(layers)


def pack(module: nn.Module) -> None:
    """Keep the weights of all oneDNN layers of a module a second time, in the order in which products take them.

    Products of many rows, with weights that stay as they are, gain some 6 %; otherwise every call brings the weights
    into that order.
    """
    for layer in module.modules():
        if isinstance(layer, OneDNNLinear) and layer.weight.dtype == torch.float32:
            layer.packed = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach(), _ROWS)


def _is_gelu(activation: object) -> bool:
    """Say whether this is the exact GELU, of torch or of transformers."""
    return type(activation).__name__ == "GELUActivation" or getattr(activation, "approximate", "") == "none"


def _fits(x: Tensor, weight: Tensor) -> bool:
    plain = x.device.type == "cpu" and x.dtype == weight.dtype == torch.float32 and x.ndim > 1 and x.numel() > 0
    return plain and not torch.is_autocast_enabled("cpu") and not torch.compiler.is_compiling()
