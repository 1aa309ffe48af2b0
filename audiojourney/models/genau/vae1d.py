"""The one-dimensional autoencoder of GenAu: log-mel spectrograms to latents, with mel bins as channels.

Module names equal those of the published checkpoints (`first_stage_model.`). Index 0 of `down` and `up` is the
finest level. Shapes: B batch, F mel frames, M mel bins, C latent channels, L latent frames, W width.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audiojourney.errors import UsageError

NORM_GROUPS = 32


@dataclass(frozen=True, kw_only=True)
class VAE1dConfig:
    """Sizes of the autoencoder; the defaults are those of the published 64-channel one.

    Attributes:
        mel_bins: channels of the spectrogram.
        width: width of the finest level, a multiple of 32.
        multipliers: width of each level as a multiple of `width`; each level but the last halves the frames.
        blocks: residual blocks in each encoder level; a decoder level has one more.
        inner_channels: channels between the networks and the 1x1 convolutions around the latents.
        latent_channels: channels of the latents.
    """

    mel_bins: int = 64
    width: int = 512
    multipliers: tuple[int, ...] = (1, 2, 4)
    blocks: int = 3
    inner_channels: int = 256
    latent_channels: int = 64

    def __post_init__(self) -> None:
        if self.width % NORM_GROUPS:
            raise UsageError(f"width {self.width} is not a multiple of the {NORM_GROUPS} normalisation groups.")

    @property
    def widths(self) -> tuple[int, ...]:
        """Width of each level, finest first."""
        return tuple(self.width * multiplier for multiplier in self.multipliers)

    @property
    def frames_per_latent(self) -> int:
        """Mel frames that one latent frame stands for."""
        return 2 ** (len(self.multipliers) - 1)


@dataclass(frozen=True)
class Posterior:
    """A diagonal normal distribution over latents.

    Attributes:
        mean: shape (B, C, L).
        log_variance: clamped to [-30, 20], shape (B, C, L).
    """

    mean: Tensor
    log_variance: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """Return the latents that standard normal `noise` (B, C, L) selects."""
        return self.mean + (0.5 * self.log_variance).exp() * noise

    def kl(self) -> Tensor:
        """Return the divergence from the standard normal, averaged over channels and frames, shape (B,)."""
        terms = self.mean.square() + self.log_variance.exp() - 1 - self.log_variance
        return 0.5 * terms.mean(dim=(1, 2))


def norm(width: int) -> nn.GroupNorm:
    """Return the group normalisation that every layer uses."""
    return nn.GroupNorm(NORM_GROUPS, width, eps=1e-6)


class ResidualBlock(nn.Module):
    """Two normalised convolutions beside a skip connection.

    Args:
        inputs: channels that come in.
        outputs: channels that go out; where they differ the skip is a 1x1 convolution.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.norm1 = norm(inputs)
        self.conv1 = nn.Conv1d(inputs, outputs, 3, padding=1)
        self.norm2 = norm(outputs)
        self.conv2 = nn.Conv1d(outputs, outputs, 3, padding=1)
        self.nin_shortcut = nn.Conv1d(inputs, outputs, 1) if inputs != outputs else None

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, W, F) to (B, W', F)."""
        h = self.conv1(F.silu(self.norm1(x)))
        h = self.conv2(F.silu(self.norm2(h)))
        return h + (x if self.nin_shortcut is None else self.nin_shortcut(x))


class FrameAttention(nn.Module):
    """Self-attention over frames with one head as wide as the features.

    Args:
        width: channels.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = norm(width)
        self.q, self.k, self.v, self.proj_out = (nn.Conv1d(width, width, 1) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, W, F) to the same shape, residual included."""
        h = self.norm(x)
        q, k, v = (layer(h).transpose(1, 2)[:, None] for layer in (self.q, self.k, self.v))
        attended = F.scaled_dot_product_attention(q, k, v)[:, 0].transpose(1, 2)
        return x + self.proj_out(attended)


class Middle(nn.Module):
    """Residual block, attention, residual block at the coarsest level.

    Args:
        width: channels.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block_1 = ResidualBlock(width, width)
        self.attn_1 = FrameAttention(width)
        self.block_2 = ResidualBlock(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, W, L) to the same shape."""
        return self.block_2(self.attn_1(self.block_1(x)))


class Resample(nn.Module):
    """A convolution that halves the frames, or doubles them by repetition first.

    Args:
        width: channels.
        up: True to double.
    """

    def __init__(self, width: int, up: bool) -> None:
        super().__init__()
        self.up = up
        self.conv = nn.Conv1d(width, width, 3, stride=1 if up else 2, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, W, F) to (B, W, 2F) or (B, W, F/2)."""
        return self.conv(F.interpolate(x, scale_factor=2.0, mode="nearest") if self.up else x)


class Level(nn.Module):
    """Residual blocks of one resolution and the step to the next one.

    Args:
        inputs: channels that come in.
        outputs: channels that go out.
        blocks: number of residual blocks.
        step: "downsample", "upsample" or None for the last level.
    """

    def __init__(self, inputs: int, outputs: int, blocks: int, step: str | None) -> None:
        super().__init__()
        self.block = nn.ModuleList(ResidualBlock(inputs if i == 0 else outputs, outputs) for i in range(blocks))
        self.downsample = Resample(outputs, up=False) if step == "downsample" else None
        self.upsample = Resample(outputs, up=True) if step == "upsample" else None

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, W, F) to (B, W', F') with half, double or the same number of frames."""
        for block in self.block:
            x = block(x)
        for step in (self.downsample, self.upsample):
            x = x if step is None else step(x)
        return x


class Encoder(nn.Module):
    """Log-mel to the features that the posterior is read from.

    Args:
        config: sizes of the autoencoder.
    """

    def __init__(self, config: VAE1dConfig) -> None:
        super().__init__()
        widths = config.widths
        self.conv_in = nn.Conv1d(config.mel_bins, config.width, 3, padding=1)
        steps = ["downsample"] * (len(widths) - 1) + [None]
        inputs = (config.width, *widths[:-1])
        sizes = zip(inputs, widths, steps, strict=True)
        self.down = nn.ModuleList(Level(before, after, config.blocks, step) for before, after, step in sizes)
        self.mid = Middle(widths[-1])
        self.norm_out = norm(widths[-1])
        self.conv_out = nn.Conv1d(widths[-1], 2 * config.inner_channels, 3, padding=1)

    def forward(self, mel: Tensor) -> Tensor:
        """Map (B, M, F) to (B, 2 * inner_channels, L)."""
        x = self.conv_in(mel)
        for level in self.down:
            x = level(x)
        return self.conv_out(F.silu(self.norm_out(self.mid(x))))


class Decoder(nn.Module):
    """Latent features to log-mel.

    Args:
        config: sizes of the autoencoder.
    """

    def __init__(self, config: VAE1dConfig) -> None:
        super().__init__()
        widths = config.widths
        self.conv_in = nn.Conv1d(config.inner_channels, widths[-1], 3, padding=1)
        self.mid = Middle(widths[-1])
        steps = [None] + ["upsample"] * (len(widths) - 1)
        inputs = (*widths[1:], widths[-1])
        sizes = zip(inputs, widths, steps, strict=True)
        self.up = nn.ModuleList(Level(before, after, config.blocks + 1, step) for before, after, step in sizes)
        self.norm_out = norm(widths[0])
        self.conv_out = nn.Conv1d(widths[0], config.mel_bins, 3, padding=1)

    def forward(self, z: Tensor) -> Tensor:
        """Map (B, inner_channels, L) to (B, M, F)."""
        x = self.mid(self.conv_in(z))
        for level in reversed(self.up):
            x = level(x)
        return self.conv_out(F.silu(self.norm_out(x)))


class VAE1d(nn.Module):
    """The autoencoder; latents that leave it are scaled to about unit variance.

    Args:
        config: sizes of the autoencoder.
    """

    scale_factor: Tensor

    def __init__(self, config: VAE1dConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder = Encoder(config)
        self.decoder = Decoder(config)
        self.quant_conv = nn.Conv1d(2 * config.inner_channels, 2 * config.latent_channels, 1)
        self.post_quant_conv = nn.Conv1d(config.latent_channels, config.inner_channels, 1)
        # 1 / standard deviation of the latents of the first training batch; generators are trained on scaled latents.
        self.register_buffer("scale_factor", torch.ones(()))

    def posterior(self, mel: Tensor) -> Posterior:
        """Return the unscaled latents' distribution for log-mel (B, F, M); F is a multiple of `frames_per_latent`."""
        moments = self.quant_conv(self.encoder(mel.transpose(1, 2)))
        mean, log_variance = moments.chunk(2, dim=1)
        return Posterior(mean, log_variance.clamp(-30.0, 20.0))

    def encode(self, mel: Tensor, noise: Tensor | None = None) -> Tensor:
        """Map log-mel (B, F, M) to scaled latents (B, C, L).

        Args:
            mel: log-mel spectrograms.
            noise: standard normal values (B, C, L) to draw a sample with, as generators are trained on; None
                gives the mean.
        """
        posterior = self.posterior(mel)
        return self.scale_factor * (posterior.mean if noise is None else posterior.sample(noise))

    def decode(self, latent: Tensor) -> Tensor:
        """Map scaled latents (B, C, L) to log-mel (B, F, M)."""
        return self.decoder(self.post_quant_conv(latent / self.scale_factor)).transpose(1, 2)

    def forward(self, mel: Tensor) -> Tensor:
        """Reconstruct log-mel (B, F, M) through the mean of its latents."""
        return self.decode(self.encode(mel))
