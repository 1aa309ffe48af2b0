"""One-dimensional ConvNeXt blocks, shared by the pocket autoencoder and vocoder.

B batch, D width, L frames.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConvNeXtBlock(nn.Module):
    """Depthwise convolution over time, then a pointwise network, added to the input (Liu et al. 2022, figure 4).

    Args:
        width: D.
        expansion: widening inside the pointwise network.
        kernel: odd length of the convolution in frames.
    """

    def __init__(self, width: int, expansion: int = 3, kernel: int = 7) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, expansion * width)
        self.narrow = nn.Linear(expansion * width, width)
        self.gain = nn.Parameter(torch.full((width,), 0.2))

    def forward(self, x: Tensor) -> Tensor:
        """Map features (B, D, L) to (B, D, L)."""
        h = self.norm(self.depthwise(x).transpose(1, 2))
        h = self.gain * self.narrow(nn.functional.gelu(self.widen(h)))
        return x + h.transpose(1, 2)


class ConvNeXtTrunk(nn.Module):
    """A convolution to the trunk's width, blocks, and a normalised linear read-out.

    Args:
        inputs: channels in.
        width: D.
        outputs: channels out.
        depth: number of blocks.
        patch: frames that the first convolution takes at a time; 1 keeps the frame rate.
    """

    def __init__(self, inputs: int, width: int, outputs: int, depth: int, *, patch: int = 1) -> None:
        super().__init__()
        kernel, padding = (7, 3) if patch == 1 else (patch, 0)
        self.enter = nn.Conv1d(inputs, width, kernel, stride=patch, padding=padding)
        self.blocks = nn.Sequential(*(ConvNeXtBlock(width) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, L * patch) to (B, outputs, L)."""
        h = self.blocks(self.enter(x)).transpose(1, 2)
        return self.leave(self.norm(h)).transpose(1, 2)
