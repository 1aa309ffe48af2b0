"""Trains the pocket autoencoder: absolute error of log-mel, a weak pull of the latents to a standard normal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from audiojourney.data.bank import WaveBank, open_bank
from audiojourney.data.folds import draw_crops, split
from audiojourney.data.mel import GENAU, log_mel
from audiojourney.model_folder import write_model
from audiojourney.models.pocket.autoencoder import MelAutoencoder, MelAutoencoderConfig
from audiojourney.training.base import Batch
from audiojourney.training.tasks.plain import PlainTask


@dataclass(frozen=True, kw_only=True)
class AutoencoderConfig:
    """Data and loss of the autoencoder.

    Attributes:
        model: sizes of the network.
        crop_frames: mel frames of a training example.
        kl_weight: weight of the KL divergence, summed over channels and averaged over latent frames.
        gain_db: range of the random gain of an example, in dB.
        hold_out: fold of recordings kept for validation.
        component_crops: crops from which the principal components and the scale are taken.
    """

    model: MelAutoencoderConfig = field(default_factory=MelAutoencoderConfig)
    crop_frames: int = 256
    kl_weight: float = 3e-5
    gain_db: tuple[float, float] = (-18.0, 6.0)
    hold_out: int = 4
    component_crops: int = 1500


class AutoencoderTask(PlainTask):
    """See `AutoencoderConfig`."""

    def __init__(self, config: AutoencoderConfig, bank: WaveBank) -> None:
        self.config, self.bank = config, bank
        self.train, self.held_out = split(bank, config.hold_out)
        self.module: MelAutoencoder = MelAutoencoder(config.model)
        self.module.fit_components(self._mel(np.random.default_rng(0), self.train, config.component_crops))

    @classmethod
    def build(cls, config: AutoencoderConfig, data: Sequence[Path]) -> AutoencoderTask:
        """Open the data folders and start from their principal components."""
        return cls(config, open_bank(data, GENAU.rate_hz))

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        """Draw log-mel crops (B, F, M)."""
        return {"mel": self._mel(rng, self.train, size)}

    def loss(self, batch: Batch, rng: torch.Generator, step: int) -> tuple[Tensor, dict[str, float]]:
        """Absolute error plus weighted KL divergence."""
        c = self.config.model
        mel = batch["mel"]
        noise = torch.randn(len(mel), c.channels, mel.shape[1] // c.patch, generator=rng)
        rebuilt, mean, log_variance = self.module(mel, noise)
        error = (rebuilt - mel).abs().mean()
        divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(dim=1).mean()
        return error + self.config.kl_weight * divergence, {
            "l1": float(error.detach()),
            "kl": float(divergence.detach()),
        }

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Absolute error on held-out clips, in natural-log units."""
        mel = self._mel(np.random.default_rng(1), self.held_out, 128)
        mean, _ = self.module.posterior(mel)
        return {"l1": float((self.module.reconstruct(mean) - mel).abs().mean())}

    @torch.inference_mode()
    def export(self, folder: Path) -> None:
        """Set the global scale to 1 / standard deviation of the latents, and write the model folder."""
        mel = self._mel(np.random.default_rng(2), self.train, self.config.component_crops)
        self.module.scale.fill_(1 / float(self.module.posterior(mel)[0].std()))
        write_model(folder, {"kind": "pocket-autoencoder", "model": self.config.model}, self.module.state_dict())

    def _mel(self, rng: np.random.Generator, clips: Sequence[int], size: int) -> Tensor:
        samples = self.config.crop_frames * GENAU.hop_length
        return log_mel(torch.from_numpy(draw_crops(self.bank, clips, size, samples, rng, self.config.gain_db)))
