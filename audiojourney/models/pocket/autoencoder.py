"""The pocket autoencoder: principal components of mel patches, refined by a small residual network on each side.

A convolutional autoencoder of this size blurs narrow spectral lines for a long time before it learns them. Principal
components of four-frame patches keep them from the first step, so the networks only learn what a linear map cannot do.

B batch, F mel frames, M mel bins, C channels, L latent frames (F / patch).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from audiojourney.models.pocket.convnext import ConvNeXtTrunk


@dataclass(frozen=True, kw_only=True)
class MelAutoencoderConfig:
    """Sizes of the autoencoder.

    Attributes:
        mels: M.
        channels: C, numbers in a latent frame.
        patch: mel frames in a latent frame.
        width: channels inside the residual networks.
        depth: blocks in each of them.
    """

    mels: int = 64
    channels: int = 48
    patch: int = 4
    width: int = 192
    depth: int = 3


class MelAutoencoder(nn.Module):
    """Log-mel (B, F, M) to latents (B, C, L) and back."""

    scale: Tensor

    def __init__(self, config: MelAutoencoderConfig) -> None:
        super().__init__()
        self.config = config
        c = config
        self.mean = nn.Parameter(torch.zeros(c.mels), requires_grad=False)
        self.analysis = nn.Conv1d(c.mels, c.channels, c.patch, stride=c.patch, bias=False)
        self.synthesis = nn.ConvTranspose1d(c.channels, c.mels, c.patch, stride=c.patch, bias=False)
        self.encoder = ConvNeXtTrunk(c.mels, c.width, 2 * c.channels, c.depth, patch=c.patch)
        self.decoder = ConvNeXtTrunk(c.channels, c.width, c.mels * c.patch, c.depth)
        self.register_buffer("scale", torch.ones(()))
        for trunk in (self.encoder, self.decoder):
            nn.init.zeros_(trunk.leave.weight)
            nn.init.zeros_(trunk.leave.bias)
        nn.init.constant_(self.encoder.leave.bias[c.channels :], -7.0)

    @torch.no_grad()
    def fit_components(self, mel: Tensor) -> None:
        """Set the linear pair to the principal components of the patches of log-mel (B, F, M), half whitened.

        Half whitening divides component i by the fourth root of its variance: large components stay the largest, small
        ones are not blown up to the size of noise.
        """
        c = self.config
        self.mean.copy_(mel.mean(dim=(0, 1)))
        patches = (mel - self.mean)[:, : mel.shape[1] // c.patch * c.patch].reshape(-1, c.patch * c.mels)
        variance, vectors = torch.linalg.eigh((patches.T @ patches).double() / len(patches))
        variance, vectors = variance.flip(0)[: c.channels].float(), vectors.flip(1)[:, : c.channels].float()
        components = vectors.T.reshape(c.channels, c.patch, c.mels).transpose(1, 2)
        weight = variance.clamp(min=1e-6) ** 0.25
        self.analysis.weight.copy_(components / weight[:, None, None])
        self.synthesis.weight.copy_(components * weight[:, None, None])

    def posterior(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and log-variance, each (B, C, L), of log-mel (B, F, M); before the global scale."""
        x = (mel - self.mean).transpose(1, 2)
        shift, log_variance = self.encoder(x).float().chunk(2, dim=1)
        return self.analysis(x).float() + shift, log_variance.clamp(-14, 4)

    def reconstruct(self, latent: Tensor) -> Tensor:
        """Log-mel (B, F, M) of unscaled latents (B, C, L)."""
        detail = self.decoder(latent).float().unflatten(1, (self.config.mels, self.config.patch))
        mel = self.synthesis(latent).float() + detail.permute(0, 1, 3, 2).flatten(2)
        return mel.transpose(1, 2) + self.mean

    def encode(self, mel: Tensor) -> Tensor:
        """Most likely latents (B, C, L) of log-mel (B, F, M), scaled to about unit variance."""
        return self.posterior(mel)[0] * self.scale

    def decode(self, latent: Tensor) -> Tensor:
        """Log-mel (B, F, M) of scaled latents (B, C, L)."""
        return self.reconstruct(latent / self.scale)

    def forward(self, mel: Tensor, noise: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Reconstruct log-mel (B, F, M) from a posterior sample drawn with noise (B, C, L).

        Returns:
            Reconstruction (B, F, M), posterior mean and log-variance (B, C, L).
        """
        mean, log_variance = self.posterior(mel)
        return self.reconstruct(mean + torch.exp(log_variance / 2) * noise), mean, log_variance
