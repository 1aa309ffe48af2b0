"""Trains the HiFi-GAN vocoder of GenAu (Kong et al., arXiv 2010.05646).

B batch, F mel frames, M mel bins, T samples.
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
from audiojourney.data.write import save_audio
from audiojourney.model_folder import write_model
from audiojourney.models.genau.hifigan import HiFiGAN, HiFiGANConfig
from audiojourney.training.adversarial import feature_distance, squares_discriminator, squares_generator
from audiojourney.training.base import Batch
from audiojourney.training.discriminators import WaveDiscriminators, plain_state, trainable_weight_norm
from audiojourney.training.latents import normalised
from audiojourney.training.tasks.plain import PlainTask

VALIDATION_CLIPS = 16
SAMPLES = 2


@dataclass(frozen=True, kw_only=True)
class GenauVocoderConfig:
    """Data and loss of the vocoder; the defaults are those of the HiFi-GAN paper.

    Attributes:
        model: sizes of the network.
        crop_frames: mel frames of a training example.
        mel_weight: weight of the absolute error of the log-mel spectrogram.
        feature_weight: weight of the distance between inner features of the discriminators.
        adversary_start: first step of the adversarial losses.
        adversary_shrink: divisor of the channels of the discriminators, for small models.
        hold_out: fold of recordings kept for validation; null trains on all.
    """

    model: HiFiGANConfig = field(default_factory=HiFiGANConfig)
    crop_frames: int = 64
    mel_weight: float = 45.0
    feature_weight: float = 2.0
    adversary_start: int = 0
    adversary_shrink: int = 1
    hold_out: int | None = None


class GenauVocoderTask(PlainTask):
    """See `GenauVocoderConfig`."""

    def __init__(self, config: GenauVocoderConfig, bank: WaveBank) -> None:
        self.config, self.bank = config, bank
        self.train, self.held_out = split(bank, config.hold_out)
        self.module: nn.Module = trainable_weight_norm(HiFiGAN(config.model))
        self.adversary: nn.Module | None = WaveDiscriminators(config.adversary_shrink)

    @classmethod
    def build(cls, config: GenauVocoderConfig, data: Sequence[Path]) -> GenauVocoderTask:
        """Open the data folders."""
        return cls(config, open_bank(data, GENAU.rate_hz))

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        """Draw waves (B, T) and their log-mel (B, F, M)."""
        return self._draw(rng, self.train, size)

    def loss(self, batch: Batch, rng: torch.Generator, step: int) -> tuple[Tensor, dict[str, float]]:
        """Error of the log-mel and, from `adversary_start` on, adversarial and feature loss (equation 5 there)."""
        made = self._make(batch)
        with torch.autocast(made.device.type, enabled=False):
            error = (log_mel(made.float()) - batch["mel"]).abs().mean()
        loss = self.config.mel_weight * error
        figures = {"mel": error}
        if step >= self.config.adversary_start and self.adversary is not None:
            with torch.no_grad():
                _, real_features = self.adversary(batch["wave"])
            answers, features = self.adversary(made)
            fooling, distance = squares_generator(answers), feature_distance(real_features, features)
            loss = loss + fooling + self.config.feature_weight * distance
            figures |= {"adversarial": fooling, "features": distance}
        return loss, {name: float(value.detach()) for name, value in figures.items()}

    def adversary_loss(self, batch: Batch, rng: torch.Generator, step: int) -> Tensor | None:
        """Least-squares loss of all discriminators, None before `adversary_start`."""
        if step < self.config.adversary_start or self.adversary is None:
            return None
        with torch.no_grad():
            made = self._make(batch)
        return squares_discriminator(self.adversary(batch["wave"])[0], self.adversary(made)[0])

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Absolute error of the log-mel on held-out clips."""
        batch = self._draw(np.random.default_rng(1), self.held_out or self.train, VALIDATION_CLIPS)
        made = self.module(batch["mel"].to(self._device)).cpu()[:, : batch["wave"].shape[1]]
        return {"mel": float((log_mel(made) - batch["mel"]).abs().mean())}

    @torch.no_grad()
    def sample(self, folder: Path, step: int) -> None:
        """Write a few held-out sounds as the vocoder makes them from their spectrograms."""
        for index in (self.held_out or self.train)[:SAMPLES]:
            mel = log_mel(normalised(torch.from_numpy(self.bank.wave(index))[None]))
            wave = self.module(mel.to(self._device))[0].float().cpu().numpy()
            save_audio(folder / f"{step:08d}-{index}.flac", wave, GENAU.rate_hz, {"clip": self.bank.clips[index].id})

    def export(self, folder: Path) -> None:
        """Write the model folder, weights plain."""
        write_model(folder, {"kind": "genau-vocoder", "model": self.config.model}, plain_state(self.module))

    @property
    def _device(self) -> torch.device:
        return next(self.module.parameters()).device

    def _make(self, batch: Batch) -> Tensor:
        """Return the waves (B, T) that the vocoder makes, without the samples that it makes too many."""
        return self.module(batch["mel"])[:, : batch["wave"].shape[1]]

    def _draw(self, rng: np.random.Generator, clips: Sequence[int], size: int) -> Batch:
        samples = self.config.crop_frames * GENAU.hop_length
        picks = rng.integers(len(clips), size=size)
        crops = np.stack([self.bank.crop(clips[int(pick)], samples, rng) for pick in picks])
        wave = normalised(torch.from_numpy(crops))
        return {"wave": wave, "mel": log_mel(wave)}
