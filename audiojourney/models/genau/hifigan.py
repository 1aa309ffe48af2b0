"""HiFi-GAN generator: log-mel to a waveform (Kong et al., arXiv 2010.05646, section 2.2).

Module names equal those of the published checkpoints. Shapes: B batch, F mel frames, M mel bins, T samples, W width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audiojourney.errors import UsageError

SLOPE = 0.1
LAST_SLOPE = 0.01  # the published generator leaves the last activation at the default of the framework


@dataclass(frozen=True, kw_only=True)
class HiFiGANConfig:
    """Sizes of the vocoder; the defaults are those of the 16 kHz, 64-bin one.

    Attributes:
        mel_bins: channels of the spectrogram.
        width: channels after the first convolution, halved by each stage.
        rates: up-sampling factor of each stage; their product is the hop of the spectrogram in samples.
        kernels: kernel length of the transposed convolution of each stage.
        block_kernels: kernel lengths of the parallel residual blocks of a stage.
        dilations: dilations within each of these blocks.
    """

    mel_bins: int = 64
    width: int = 1024
    rates: tuple[int, ...] = (5, 4, 2, 2, 2)
    kernels: tuple[int, ...] = (16, 16, 8, 4, 4)
    block_kernels: tuple[int, ...] = (3, 7, 11)
    dilations: tuple[tuple[int, ...], ...] = ((1, 3, 5), (1, 3, 5), (1, 3, 5))

    def __post_init__(self) -> None:
        if len(self.rates) != len(self.kernels) or len(self.block_kernels) != len(self.dilations):
            raise UsageError(
                f"each of the rates {self.rates} needs one of the kernels {self.kernels}, "
                f"each of the block kernels {self.block_kernels} one of the dilations {self.dilations}."
            )

    @classmethod
    def from_json(cls, values: dict) -> HiFiGANConfig:
        """Build from the JSON file that is published beside the weights.

        Raises:
            UsageError: a value is missing, or the residual blocks are of the kind that is not supported.
        """
        if str(values.get("resblock", "1")) != "1":
            raise UsageError(f"HiFi-GAN with resblock {values['resblock']!r} is not supported, only '1'.")
        try:
            return cls(
                mel_bins=values["num_mels"],
                width=values["upsample_initial_channel"],
                rates=tuple(values["upsample_rates"]),
                kernels=tuple(values["upsample_kernel_sizes"]),
                block_kernels=tuple(values["resblock_kernel_sizes"]),
                dilations=tuple(tuple(row) for row in values["resblock_dilation_sizes"]),
            )
        except KeyError as error:
            raise UsageError(f"the HiFi-GAN configuration lacks {error}.") from error


def same_conv(width: int, kernel: int, dilation: int = 1) -> nn.Conv1d:
    """Return a convolution that keeps channels and samples."""
    return nn.Conv1d(width, width, kernel, dilation=dilation, padding=(kernel - 1) * dilation // 2)


class DilatedBlock(nn.Module):
    """Residual pairs of a dilated and a plain convolution.

    Args:
        width: channels.
        kernel: kernel length, odd.
        dilations: dilation of the first convolution of each pair.
    """

    def __init__(self, width: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(same_conv(width, kernel, dilation) for dilation in dilations)
        self.convs2 = nn.ModuleList(same_conv(width, kernel) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, W, T) to the same shape."""
        for dilated, plain in zip(self.convs1, self.convs2, strict=True):
            x = x + plain(F.leaky_relu(dilated(F.leaky_relu(x, SLOPE)), SLOPE))
        return x


class HiFiGAN(nn.Module):
    """The vocoder, with plain weights: weight normalisation is folded when a checkpoint is read.

    Args:
        config: sizes of the vocoder.
    """

    def __init__(self, config: HiFiGANConfig) -> None:
        super().__init__()
        self.config = config
        self.conv_pre = nn.Conv1d(config.mel_bins, config.width, 7, padding=3)
        widths = [config.width >> stage for stage in range(len(config.rates) + 1)]
        self.ups = nn.ModuleList(
            nn.ConvTranspose1d(widths[i], widths[i + 1], kernel, rate, padding=(kernel - rate) // 2)
            for i, (rate, kernel) in enumerate(zip(config.rates, config.kernels, strict=True))
        )
        self.resblocks = nn.ModuleList(
            DilatedBlock(width, kernel, dilations)
            for width in widths[1:]
            for kernel, dilations in zip(config.block_kernels, config.dilations, strict=True)
        )
        self.conv_post = nn.Conv1d(widths[-1], 1, 7, padding=3)

    def forward(self, mel: Tensor) -> Tensor:
        """Map natural-log mel (B, F, M) to waveforms (B, T) in [-1, 1].

        With the published sizes T is 160 F + 32: the first stage (kernel 16, rate 5) makes one sample too many,
        so callers cut to the length they want.
        """
        x = self.conv_pre(mel.transpose(1, 2))
        for stage, up in enumerate(self.ups):
            x = self._blend(stage, up(F.leaky_relu(x, SLOPE)))
        return torch.tanh(self.conv_post(F.leaky_relu(x, LAST_SLOPE)))[:, 0]

    def _blend(self, stage: int, x: Tensor) -> Tensor:
        """Average the parallel residual blocks of a stage over (B, W, T)."""
        count = len(self.config.block_kernels)
        blocks = self.resblocks[stage * count : (stage + 1) * count]
        return sum(block(x) for block in blocks) / count
