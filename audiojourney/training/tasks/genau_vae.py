"""Trains the one-dimensional autoencoder of GenAu (arXiv 2406.19388, section 4.2).

B batch, C channels, F mel frames, M mel bins, L latent frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from audiojourney.data.bank import WaveBank, open_bank
from audiojourney.data.folds import split
from audiojourney.data.mel import GENAU, log_mel
from audiojourney.model_folder import write_model
from audiojourney.models.genau.vae1d import VAE1d, VAE1dConfig
from audiojourney.training.adversarial import adaptive_weight, hinge_discriminator, hinge_generator
from audiojourney.training.base import Batch
from audiojourney.training.discriminators import PatchDiscriminator
from audiojourney.training.latents import normalised
from audiojourney.training.perceptual import Lpips, SpectralPerceptual
from audiojourney.training.tasks.plain import PlainTask

SCALE_CLIPS = 64  # from which the scale of the latents is measured
VALIDATION_CLIPS = 32


@dataclass(frozen=True, kw_only=True)
class GenauVaeConfig:
    """Data and loss of the autoencoder; the defaults are the official ones but for the perceptual loss.

    Attributes:
        model: sizes of the network.
        crop_frames: mel frames of a training example.
        kl_weight: weight of the divergence, which is a mean over channels and frames.
        perceptual_weight: weight of the perceptual loss.
        lpips: weights of LPIPS; null takes the spectral perceptual loss instead.
        log_variance: constant in the likelihood; the official code never trains it.
        adversary_start: first step of the adversarial loss.
        adversary_weight: its weight, on top of the adaptive one.
        adversary_width: channels of the first layer of the discriminator.
        adversary_layers: its layers that halve the resolution.
        hold_out: fold of recordings kept for validation; null trains on all.
    """

    model: VAE1dConfig = field(default_factory=VAE1dConfig)
    crop_frames: int = 1024
    kl_weight: float = 1000.0
    perceptual_weight: float = 1.0
    lpips: Path | None = None
    log_variance: float = 0.0
    adversary_start: int = 20_001
    adversary_weight: float = 0.5
    adversary_width: int = 64
    adversary_layers: int = 3
    hold_out: int | None = None


class GenauVaeTask(PlainTask):
    """See `GenauVaeConfig`."""

    def __init__(self, config: GenauVaeConfig, bank: WaveBank) -> None:
        self.config, self.bank = config, bank
        self.train, self.held_out = split(bank, config.hold_out)
        self.module: VAE1d = VAE1d(config.model)
        self.adversary: nn.Module | None = PatchDiscriminator(config.adversary_width, config.adversary_layers)
        self.perceptual: nn.Module = Lpips.load(config.lpips) if config.lpips else SpectralPerceptual()

    @classmethod
    def build(cls, config: GenauVaeConfig, data: Sequence[Path]) -> GenauVaeTask:
        """Open the data folders."""
        return cls(config, open_bank(data, GENAU.rate_hz))

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        """Draw log-mel crops (B, F, M)."""
        return {"mel": self._mel(rng, self.train, size)}

    def loss(self, batch: Batch, rng: torch.Generator, step: int) -> tuple[Tensor, dict[str, float]]:
        """Reconstruction, perceptual, divergence and, from `adversary_start` on, adversarial loss."""
        c, mel = self.config, batch["mel"]
        rebuilt, kl = self._rebuild(mel, rng)
        error = (rebuilt - mel).abs()
        perceptual = self.perceptual.to(mel.device)(rebuilt, mel)
        likelihood = self._likelihood(error, perceptual)
        loss = likelihood + c.kl_weight * kl
        figures = {"l1": error.mean(), "perceptual": perceptual.mean(), "kl": kl}
        if step >= c.adversary_start and self.adversary is not None:
            fooling = hinge_generator(self.adversary(rebuilt))
            weight = adaptive_weight(likelihood, fooling, self.module.decoder.conv_out.weight)
            loss = loss + c.adversary_weight * weight * fooling
            figures |= {"adversarial": fooling, "adaptive_weight": weight}
        return loss, {name: float(value.detach()) for name, value in figures.items()}

    def adversary_loss(self, batch: Batch, rng: torch.Generator, step: int) -> Tensor | None:
        """Hinge loss of the patch discriminator, None before `adversary_start`."""
        if step < self.config.adversary_start or self.adversary is None:
            return None
        with torch.no_grad():
            rebuilt, _ = self._rebuild(batch["mel"], rng)
        return hinge_discriminator(self.adversary(batch["mel"]), self.adversary(rebuilt))

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Absolute and perceptual error and divergence on held-out clips, through the mean of the latents."""
        mel = self._mel(np.random.default_rng(1), self.held_out or self.train, VALIDATION_CLIPS).to(self._device)
        posterior = self.module.posterior(mel)
        rebuilt = self.module.decode(self.module.scale_factor * posterior.mean)
        perceptual = self.perceptual.to(mel.device)(rebuilt, mel)
        return {
            "l1": float((rebuilt - mel).abs().mean()),
            "perceptual": float(perceptual.mean()),
            "kl": float(posterior.kl().mean()),
        }

    @torch.no_grad()
    def export(self, folder: Path) -> None:
        """Set the scale of the latents to 1 / standard deviation, and write the model folder."""
        mel = self._mel(np.random.default_rng(2), self.train, SCALE_CLIPS).to(self._device)
        spread = torch.cat([self.module.posterior(part).mean.flatten() for part in mel.split(4)]).std()
        state = {**self.module.state_dict(), "scale_factor": 1 / spread.clamp(min=1e-8)}
        write_model(folder, {"kind": "genau-vae", "model": self.config.model}, state)

    @property
    def _device(self) -> torch.device:
        return self.module.scale_factor.device

    def _rebuild(self, mel: Tensor, rng: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return log-mel (B, F, M) rebuilt through a sample of the latents, and the mean divergence."""
        latent = self.config.model.latent_channels, mel.shape[1] // self.config.model.frames_per_latent
        noise = torch.randn(len(mel), *latent, generator=rng).to(mel.device)
        posterior = self.module.posterior(mel)
        rebuilt = self.module.decode(self.module.scale_factor * posterior.sample(noise))
        return rebuilt, posterior.kl().mean()

    def _likelihood(self, error: Tensor, perceptual: Tensor) -> Tensor:
        """Return the negative log-likelihood, summed over an example, averaged over the batch.

        The perceptual distance (B,) counts at each element of the error (B, F, M), as in the official code.
        """
        c = self.config
        element = error + c.perceptual_weight * perceptual[:, None, None]
        return (element / np.exp(c.log_variance) + c.log_variance).sum() / len(error)

    def _mel(self, rng: np.random.Generator, clips: Sequence[int], size: int) -> Tensor:
        """Draw crops of random clips as log-mel (B, F, M)."""
        samples = self.config.crop_frames * GENAU.hop_length
        picks = rng.integers(len(clips), size=size)
        waves = np.stack([self.bank.crop(clips[int(pick)], samples, rng) for pick in picks])
        return log_mel(normalised(torch.from_numpy(waves)))
