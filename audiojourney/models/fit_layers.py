"""Attention, feed-forward and normalisation of the FIT denoiser.

Parameter names equal those of the published checkpoints, so that their state dicts load without renaming.
Shapes: B batch, N queries, S keys, D width, H inner width (heads times head width).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class GainNorm(nn.Module):
    """Layer normalisation with a learned gain and a fixed zero offset.

    The offset `beta` is a buffer: it is in the state dict but is never trained.

    Args:
        width: size of the normalised axis.
    """

    beta: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))
        self.register_buffer("beta", torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise tokens (B, N, D) over their features; any leading axes will do."""
        return F.layer_norm(x, self.gamma.shape, self.gamma, self.beta, 1e-5)


class Attention(nn.Module):
    """Pre-norm multi-head attention without biases, positions or dropout (FIT, arXiv 2305.12689).

    Args:
        width: width of the queries and of the output.
        inner: heads times head width.
        dim_head: width of one head.
        context_width: width of the attended sequence; None means self-attention.
    """

    def __init__(self, width: int, inner: int, dim_head: int, context_width: int | None = None) -> None:
        super().__init__()
        self.dim_head = dim_head
        self.norm = GainNorm(width)
        self.norm_context = None if context_width is None else GainNorm(context_width)
        self.to_q = nn.Linear(width, inner, bias=False)
        self.to_kv = nn.Linear(context_width or width, 2 * inner, bias=False)
        self.to_out = nn.Linear(inner, width, bias=False)

    def forward(self, x: Tensor, context: Tensor | None = None, mask: Tensor | None = None) -> Tensor:
        """Attend from `x` (B, N, D) to itself or to `context` (B, S, C).

        Args:
            x: queries before normalisation, shape (B, N, D).
            context: keys and values before normalisation, shape (B, S, C).
            mask: True where a key may be attended to, shape (B, S).

        Returns:
            The update of shape (B, N, D), to be added to `x`.
        """
        x = self.norm(x)
        source = x if self.norm_context is None else self.norm_context(context)
        queries = self._heads(self.to_q(x))
        # The first half of the features are keys, the second half values; both stay views of one product.
        keys, values = (self._heads(half) for half in self.to_kv(source).chunk(2, dim=-1))
        allowed = None if mask is None else mask[:, None, None, :]
        out = F.scaled_dot_product_attention(queries, keys, values, attn_mask=allowed)
        return self.to_out(out.transpose(1, 2).flatten(2))

    def _heads(self, x: Tensor) -> Tensor:
        """View (B, N, H) as (B, heads, N, dim_head)."""
        return x.unflatten(-1, (-1, self.dim_head)).transpose(1, 2)


class FeedForward(nn.Module):
    """Pre-norm two-layer perceptron, four times as wide inside, with exact GELU.

    Args:
        width: width of input and output.
        dropout: share of inner units dropped in training. When it is above zero the second linear layer is
            `net.3`, otherwise `net.2`, as in the published checkpoints.
    """

    def __init__(self, width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm = GainNorm(width)
        drop = [nn.Dropout(dropout)] if dropout > 0 else []
        self.net = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), *drop, nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, N, D) to an update of the same shape, to be added to `x`."""
        return self.net(self.norm(x))


class TimeFeatures(nn.Module):
    """A time step as itself and as sines and cosines of learned frequencies.

    Args:
        count: number of frequencies; the output has 1 + 2 * count features.
    """

    def __init__(self, count: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.randn(count))

    def forward(self, t: Tensor) -> Tensor:
        """Map time steps (B,) to features (B, 1 + 2 * count).

        Steps are neither scaled nor shifted. The product is taken in the published order, because near t = 1000
        another order already changes the phase in float32.
        """
        t = t.to(self.weights.dtype)[:, None]
        phase = t * self.weights * 2 * math.pi
        return torch.cat([t, phase.sin(), phase.cos()], dim=-1)
