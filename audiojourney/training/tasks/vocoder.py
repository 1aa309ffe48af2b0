"""Trains the pocket vocoder with an energy distance between spectra of several resolutions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from audiojourney.data.bank import WaveBank, open_bank
from audiojourney.data.folds import draw_crops, split
from audiojourney.data.mel import log_mel
from audiojourney.model_folder import write_model
from audiojourney.models.pocket.spectral_distance import energy_distance
from audiojourney.models.pocket.vocoder import SpectralVocoder, SpectralVocoderConfig
from audiojourney.training.base import Batch
from audiojourney.training.tasks.plain import PlainTask


@dataclass(frozen=True, kw_only=True)
class VocoderConfig:
    """Data and loss of the vocoder.

    Attributes:
        model: sizes of the network.
        crop_frames: mel frames of a training example.
        repulsion: weight of the distance between two outputs; just below 1 keeps training stable.
        gain_db: range of the random gain of an example, in dB.
        hold_out: fold of recordings kept for validation; null trains on all.
    """

    model: SpectralVocoderConfig = field(default_factory=SpectralVocoderConfig)
    crop_frames: int = 64
    repulsion: float = 0.9
    gain_db: tuple[float, float] = (-12.0, 6.0)
    hold_out: int | None = 4


class VocoderTask(PlainTask):
    """See `VocoderConfig`."""

    def __init__(self, config: VocoderConfig, bank: WaveBank) -> None:
        self.config, self.bank = config, bank
        self.train, self.held_out = split(bank, config.hold_out)
        self.module: SpectralVocoder = SpectralVocoder(config.model)

    @classmethod
    def build(cls, config: VocoderConfig, data: Sequence[Path]) -> VocoderTask:
        """Open the data folders."""
        return cls(config, open_bank(data, config.model.mel.rate_hz))

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        """Draw waves (B, T) and their log-mel (B, F, M)."""
        return self._draw(rng, self.train, size)

    def loss(self, batch: Batch, rng: torch.Generator, step: int) -> tuple[Tensor, dict[str, float]]:
        """Energy distance of two outputs with independent noise; both go through the network in one forward."""
        mel = batch["mel"]
        noise = torch.randn(2 * len(mel), self.config.model.noise, mel.shape[1], generator=rng)
        first, second = self.module(torch.cat([mel, mel]), noise).chunk(2)
        return energy_distance(batch["wave"], first, second, self.config.repulsion), {}

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Energy distance (repulsion 1) on held-out clips."""
        batch = self._draw(np.random.default_rng(1), self.held_out, 64)
        noise = torch.randn(
            128, self.config.model.noise, self.config.crop_frames, generator=torch.Generator().manual_seed(1)
        )
        first, second = self.module(torch.cat([batch["mel"]] * 2), noise).chunk(2)
        return {"energy": float(energy_distance(batch["wave"], first, second))}

    def export(self, folder: Path) -> None:
        """Write the model folder."""
        write_model(folder, {"kind": "pocket-vocoder", "model": self.config.model}, self.module.state_dict())

    def _draw(self, rng: np.random.Generator, clips: Sequence[int], size: int) -> Batch:
        mel_config = self.config.model.mel
        samples = self.config.crop_frames * mel_config.hop_length
        wave = torch.from_numpy(draw_crops(self.bank, clips, size, samples, rng, self.config.gain_db))
        return {"wave": wave, "mel": log_mel(wave, mel_config)}
