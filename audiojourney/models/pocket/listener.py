"""The pocket listener: a small convolutional network that names sounds, and whose features measure them.

It hears log-mel minus its own mean, so loudness does not matter. Used as judge of generated sounds and for ranking
candidates.

B batch, F mel frames, M mel bins, K classes, D features.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True, kw_only=True)
class ListenerConfig:
    """Sizes and class names.

    Attributes:
        classes: names of the K classes.
        widths: channels of the four strided layers.
        dropout: share of pooled features dropped in training.
    """

    classes: tuple[str, ...]
    widths: tuple[int, ...] = (32, 64, 128, 192)
    dropout: float = 0.2

    @property
    def features(self) -> int:
        """D: mean and maximum of the last layer."""
        return 2 * self.widths[-1]


class Listener(nn.Module):
    """Log-mel to class logits."""

    def __init__(self, config: ListenerConfig) -> None:
        super().__init__()
        self.config = config
        inputs = (1, *config.widths[:-1])
        self.layers = nn.Sequential(*(_layer(i, o) for i, o in zip(inputs, config.widths, strict=True)))
        self.dropout = nn.Dropout(config.dropout)
        self.head = nn.Linear(config.features, len(config.classes))

    def features(self, mel: Tensor) -> Tensor:
        """Features (B, D) of log-mel (B, F, M)."""
        return self.features_of_pairs(pairs_of(mel))

    def features_of_pairs(self, pairs: Tensor) -> Tensor:
        """Features (B, D) of what `pairs_of` makes of log-mel, (B, F // 2, M)."""
        x = (pairs - pairs.mean(dim=(1, 2), keepdim=True)) / 3
        h = self.layers(x[:, None]).float()
        return torch.cat([h.mean(dim=(2, 3)), h.mean(dim=3).amax(dim=2)], dim=1)

    def forward(self, mel: Tensor) -> Tensor:
        """Logits (B, K) of log-mel (B, F, M)."""
        return self.head(self.dropout(self.features(mel)))


def pairs_of(mel: Tensor) -> Tensor:
    """Means (B, F // 2, M) of each two frames of log-mel (B, F, M)."""
    even = mel.shape[1] // 2 * 2
    return (mel[:, 0:even:2] + mel[:, 1:even:2]) / 2


def _layer(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=2, padding=1),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1, groups=1 if outputs <= 64 else outputs // 32),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )
