"""The hearing part of the pocket scorer and captioner: log-mel to features over time.

B batch, C channels, F mel frames, M mel bins, L feature frames, W features of a frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from audiojourney.data.mel import GENAU

RANGE = 8.0  # natural-log units below the loudest bin that are still heard: about 70 dB
LEVEL_SCALE, CONTRAST_SCALE = 3.0, 2.0  # bring both views to about unit size


@dataclass(frozen=True, kw_only=True)
class TrunkConfig:
    """Sizes of the trunk.

    Attributes:
        widths: channels of the strided layers; each halves time and frequency.
    """

    widths: tuple[int, ...] = (48, 96, 160, 256)

    @property
    def features(self) -> int:
        """W: mean and maximum over frequency of the last layer."""
        return 2 * self.widths[-1]

    @property
    def bands(self) -> int:
        """Frequency bands of the last layer."""
        return GENAU.n_mels // 2 ** len(self.widths)

    @property
    def stride(self) -> int:
        """Mel frames of one feature frame."""
        return 2 ** (len(self.widths) + 1)


class SoundTrunk(nn.Module):
    """Convolutions over two views of a log-mel spectrogram, both free of loudness.

    The first view is the spectrogram less its mean. The second has the mean of every bin taken off, so that it does not
    change with the colour that a microphone or a room gives to everything. What lies more than `RANGE` below the
    loudest bin is raised to that floor, so that digital silence looks like a quiet room.
    """

    def __init__(self, config: TrunkConfig) -> None:
        super().__init__()
        self.config = config
        inputs = (2, *config.widths[:-1])
        self.layers = nn.Sequential(*(_layer(i, o) for i, o in zip(inputs, config.widths, strict=True)))

    def forward(self, mel: Tensor) -> Tensor:
        """Features (B, L, W), float32, of log-mel (B, F, M); F is `stride` or more, L about F / stride."""
        return over_bands(self.maps(mel))

    def maps(self, mel: Tensor) -> Tensor:
        """Features of frequency bands apart, (B, C, L, bands), float32, of log-mel (B, F, M)."""
        return self.layers(views(mel).contiguous(memory_format=torch.channels_last)).float()


def over_bands(maps: Tensor) -> Tensor:
    """Mean and maximum over frequency, (B, L, 2 C), of features (B, C, L, bands)."""
    return torch.cat([maps.mean(dim=3), maps.amax(dim=3)], dim=1).transpose(1, 2)


def views(mel: Tensor) -> Tensor:
    """Both views, (B, 2, F // 2, M), of log-mel (B, F, M); pairs of frames are averaged."""
    pairs = mel[:, : mel.shape[1] // 2 * 2].unflatten(1, (-1, 2)).mean(dim=2)
    heard = torch.maximum(pairs, pairs.amax(dim=(1, 2), keepdim=True) - RANGE)
    level = (heard - heard.mean(dim=(1, 2), keepdim=True)) / LEVEL_SCALE
    contrast = (heard - heard.mean(dim=1, keepdim=True)) / CONTRAST_SCALE
    return torch.stack([level, contrast], dim=1)


def pool(frames: Tensor) -> Tensor:
    """Mean and maximum over time, (B, 2 W), of features (B, L, W)."""
    return torch.cat([frames.mean(dim=1), frames.amax(dim=1)], dim=1)


def _layer(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride=2, padding=1),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, padding=1),
        nn.BatchNorm2d(outputs),
        nn.ReLU(),
    )
