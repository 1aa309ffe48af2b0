"""A diffusion transformer for audio latents: the rival of FIT.

Adaptive layer norm from one shared projection of time and text (Peebles and Xie 2023; adaLN-single of Chen et al.
2023), cross-attention to text tokens, rotary positions (Su et al. 2021), so that one network serves any length.

B batch, C channels, L latent frames, P patch, S = L / P positions, N text tokens, D width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from audiojourney.errors import UsageError
from audiojourney.models.base import Condition

PLACE_FEATURES = 32


@dataclass(frozen=True, kw_only=True)
class DiTConfig:
    """Sizes of the transformer.

    Attributes:
        channels: C.
        patch: latent frames in a position.
        width: D.
        depth: blocks.
        heads: attention heads; D / heads must be even.
        pooled: width of `Condition.pooled`.
        tokens: width of `Condition.tokens`; 0 leaves cross-attention out.
        expansion: widening of the feed-forward part.
    """

    channels: int = 48
    patch: int = 2
    width: int = 320
    depth: int = 6
    heads: int = 5
    pooled: int = 256
    tokens: int = 192
    expansion: int = 4

    def __post_init__(self) -> None:
        if self.width % (2 * self.heads):
            raise UsageError(f"DiT width {self.width} must be a multiple of twice its heads, {self.heads}.")


class DiT(nn.Module):
    """Predicts from noisy latents, time and text."""

    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        self.config = config
        c = config
        self.enter = nn.Linear(c.channels * c.patch, c.width)
        self.place = nn.Linear(PLACE_FEATURES, c.width)
        self.time = nn.Sequential(nn.Linear(128, c.width), nn.SiLU(), nn.Linear(c.width, c.width))
        self.pooled = nn.Sequential(nn.Linear(c.pooled, c.width), nn.SiLU(), nn.Linear(c.width, c.width))
        self.context = nn.Linear(c.tokens, c.width) if c.tokens else None
        self.modulation = nn.Linear(c.width, 6 * c.width)
        self.blocks = nn.ModuleList(DiTBlock(c) for _ in range(c.depth))
        self.leave_shift = nn.Linear(c.width, 2 * c.width)
        self.norm = nn.LayerNorm(c.width, elementwise_affine=False)
        self.leave = nn.Linear(c.width, c.channels * c.patch)
        for layer in (self.modulation, self.leave_shift, self.leave):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, t: Tensor, condition: Condition) -> Tensor:
        """Map latents (B, C, L) at times (B,) to a prediction (B, C, L); L must be a multiple of the patch."""
        c = self.config
        h = self.enter(x.unflatten(2, (-1, c.patch)).permute(0, 2, 1, 3).flatten(2))
        h = h + self.place(place_features(h.shape[1], h.device))
        state = nn.functional.silu(self.time(time_features(t, 128)) + self.pooled(condition.pooled))
        shared = self.modulation(state).unflatten(1, (6, 1, c.width)).transpose(0, 1)
        tokens = self._tokens(condition)
        mask = None if condition.mask is None else condition.mask[:, None, None, :]
        rotation = rotary(h.shape[1], c.width // c.heads, h.device)
        for block in self.blocks:
            h = block(h, shared, tokens, mask, rotation)
        shift, scale = self.leave_shift(state)[:, None].chunk(2, dim=2)
        out = self.leave(self.norm(h) * (1 + scale) + shift)
        return out.unflatten(2, (c.channels, c.patch)).permute(0, 2, 1, 3).flatten(2)

    def _tokens(self, condition: Condition) -> Tensor | None:
        if self.context is None or condition.tokens is None:
            return None
        return self.context(condition.tokens)


class DiTBlock(nn.Module):
    """Self-attention, cross-attention and feed-forward, each added to the stream."""

    def __init__(self, config: DiTConfig) -> None:
        super().__init__()
        width, self.heads = config.width, config.heads
        self.offset = nn.Parameter(torch.randn(6, 1, 1, width) / width**0.5)
        self.norm = nn.LayerNorm(width, elementwise_affine=False)
        self.qkv = nn.Linear(width, 3 * width)
        self.merge = nn.Linear(width, width)
        self.cross_norm = nn.LayerNorm(width)
        self.cross_q = nn.Linear(width, width) if config.tokens else None
        self.cross_kv = nn.Linear(width, 2 * width) if config.tokens else None
        self.cross_merge = nn.Linear(width, width) if config.tokens else None
        self.widen = nn.Linear(width, config.expansion * width)
        self.narrow = nn.Linear(config.expansion * width, width)
        if self.cross_merge is not None:
            nn.init.zeros_(self.cross_merge.weight)

    def forward(
        self, x: Tensor, shared: Tensor, tokens: Tensor | None, mask: Tensor | None, rotation: tuple[Tensor, Tensor]
    ) -> Tensor:
        """Map the stream (B, S, D) to (B, S, D).

        Args:
            x: (B, S, D).
            shared: modulation of all blocks, (6, B, 1, D).
            tokens: text (B, N, D), or None.
            mask: True where a token is real, (B, 1, 1, N), or None.
            rotation: cosine and sine of the positions, each (S, D / heads / 2).
        """
        shift_a, scale_a, gate_a, shift_f, scale_f, gate_f = shared + self.offset
        q, k, v = (
            self.qkv(self.norm(x) * (1 + scale_a) + shift_a).unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        )
        attended = scaled_dot_product_attention(rotate(q, rotation), rotate(k, rotation), v)
        x = x + gate_a * self.merge(attended.transpose(1, 2).flatten(2))
        if tokens is not None:
            x = x + self._cross(x, tokens, mask)
        h = self.widen(self.norm(x) * (1 + scale_f) + shift_f)
        return x + gate_f * self.narrow(nn.functional.gelu(h, approximate="tanh"))

    def _cross(self, x: Tensor, tokens: Tensor, mask: Tensor | None) -> Tensor:
        assert self.cross_q is not None and self.cross_kv is not None and self.cross_merge is not None
        q = self.cross_q(self.cross_norm(x)).unflatten(2, (self.heads, -1)).transpose(1, 2)
        k, v = self.cross_kv(tokens).unflatten(2, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        attended = scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return self.cross_merge(attended.transpose(1, 2).flatten(2))


def time_features(t: Tensor, width: int) -> Tensor:
    """Sines and cosines (B, width) of times (B,) in 0..999, at geometric frequencies."""
    frequencies = torch.exp(-math.log(10_000) * torch.arange(width // 2, device=t.device) / (width // 2))
    angles = t.float()[:, None] * frequencies
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def place_features(positions: int, device: torch.device) -> Tensor:
    """Where each position lies in the clip and how long the clip is, (positions, 32).

    Rotary attention only knows distances; "first rain, then thunder" needs beginning and end as well.
    """
    index = torch.arange(positions, device=device)[:, None] + 0.5
    waves = torch.arange(1, PLACE_FEATURES // 4 + 1, device=device) * math.pi / 2
    angles = torch.cat([index / positions * waves, index / 128 * waves], dim=1)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


def rotary(positions: int, width: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Cosine and sine (positions, width / 2) of rotary positions."""
    frequencies = 1000.0 ** -(torch.arange(0, width, 2, device=device) / width)
    angles = torch.arange(positions, device=device)[:, None] * frequencies
    return angles.cos(), angles.sin()


def rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Turn pairs of features of (B, heads, S, D) by their positions."""
    cosine, sine = (r.to(x.dtype) for r in rotation)
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cosine - second * sine, second * cosine + first * sine], dim=-1)
