"""Trains the FIT of GenAu on latents (arXiv 2406.19388, sections 4.2 and 4.3).

What the released training code does and this does not: latents are the mean of their distribution, not a sample, so
that they can be kept; the CLAP vector is always that of the caption, never of the sound.

B batch, C channels, L latent frames, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from audiojourney import hub
from audiojourney.data.bank import WaveBank, open_bank
from audiojourney.data.folds import split
from audiojourney.data.mel import GENAU, log_mel
from audiojourney.data.write import save_audio
from audiojourney.diffusion.objective import Objective
from audiojourney.diffusion.schedule import NoiseSchedule
from audiojourney.errors import UsageError
from audiojourney.model_folder import fingerprint, write_model
from audiojourney.models.base import Condition, Sampling
from audiojourney.models.fit import FIT
from audiojourney.models.fit_config import DATASETS
from audiojourney.models.genau.conditioner import UNCONDITIONAL_ID
from audiojourney.models.genau.folders import (
    HASHED,
    KIND,
    DatasetConditioner,
    GenauParts,
    assemble,
    load_text_encoder,
    load_vae,
)
from audiojourney.training.base import Batch
from audiojourney.training.latents import Precision, open_latents
from audiojourney.training.tasks.plain import PlainTask
from audiojourney.training.text_vectors import open_vectors

SAMPLE_PROMPTS = ("rain on a tin roof", "a dog barking")
VALIDATION_BATCHES, VALIDATION_SIZE = 4, 16


@dataclass(frozen=True, kw_only=True)
class GenauGeneratorConfig:
    """Data and loss of the generator.

    Attributes:
        model: parts and sizes.
        frames: latent frames of an example, a multiple of the frames of a group; null means the longest.
        drop: share of batches without any condition, for classifier-free guidance.
        cache: precision of the kept latents, "7bit" or "fp16".
        sample_steps: denoising steps of the sample sounds.
        hold_out: fold of recordings kept for validation; null trains on all.
    """

    model: GenauParts = field(default_factory=GenauParts)
    frames: int | None = None
    drop: float = 0.1
    cache: Precision = "7bit"
    sample_steps: int = 50
    hold_out: int | None = None


class GenauGeneratorTask(PlainTask):
    """See `GenauGeneratorConfig`."""

    def __init__(self, config: GenauGeneratorConfig, bank: WaveBank) -> None:
        self.vae, self.text = load_vae(config.model.vae), load_text_encoder(config.model.text)
        _check_datasets(config.model)
        self.bank, (self.train, self.held_out) = bank, split(bank, config.hold_out)
        multiple = self.vae.config.frames_per_latent
        self.latents = open_latents(bank, self.vae, multiple=multiple, precision=config.cache)
        self.silence = self._silence(multiple)
        captions = [caption.text for clip in bank.clips for caption in clip.captions]
        self.conditioner = DatasetConditioner(self.text, 0)
        self.vectors = open_vectors(captions, self._encode, _identity(config.model.text))
        sizes = replace(
            config.model.fit, channels=self.vae.config.latent_channels, text_width=self.vectors.width, token_width=None
        )
        self.config = replace(config, model=replace(config.model, fit=sizes))
        self.module: FIT = FIT(sizes)
        self.objective = Objective("epsilon", NoiseSchedule.scaled_linear())

    @classmethod
    def build(cls, config: GenauGeneratorConfig, data: Sequence[Path]) -> GenauGeneratorTask:
        """Open the data folders; encode clips and captions once."""
        return cls(config, open_bank(data, GENAU.rate_hz))

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        """Draw latents (B, C, L), text vectors (B, D) and data-set ids (B,); one draw drops all conditions or none."""
        batch = self._draw(rng, self.train, size)
        if rng.random() < self.config.drop:
            batch["pooled"] = self.vectors([""] * size)
            batch["dataset"] = torch.full((size,), UNCONDITIONAL_ID)
        return batch

    def loss(self, batch: Batch, rng: torch.Generator, step: int) -> tuple[Tensor, dict[str, float]]:
        """Mean squared error of the noise at uniform times."""
        return self._error(batch, rng).mean(), {}

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """Error on held-out clips with fixed noise and times."""
        rng, generator = np.random.default_rng(1), torch.Generator().manual_seed(1)
        clips = self.held_out or self.train
        batches = [self._draw(rng, clips, VALIDATION_SIZE) for _ in range(VALIDATION_BATCHES)]
        errors = [self._error({k: v.to(self._device) for k, v in batch.items()}, generator) for batch in batches]
        return {"loss": float(torch.cat(errors).mean())}

    @torch.no_grad()
    def sample(self, folder: Path, step: int) -> None:
        """Write a sound for each of a few prompts."""
        pipeline = assemble("run", self.config.model, self.module, self.vae.to(self._device), self.text)
        sampling = Sampling(steps=self.config.sample_steps)
        waves = pipeline.generate(SAMPLE_PROMPTS, range(len(SAMPLE_PROMPTS)), sampling).cpu().numpy()
        for prompt, wave in zip(SAMPLE_PROMPTS, waves, strict=True):
            path = folder / f"{step:08d}-{prompt.replace(' ', '-')}.flac"
            save_audio(path, wave, GENAU.rate_hz, {"prompt": prompt})

    def export(self, folder: Path) -> None:
        """Write the model folder; the other parts are named in it, not copied."""
        parts = self.config.model
        placed = replace(parts, vae=_located(parts.vae), text=_located(parts.text), vocoder=_located(parts.vocoder))
        model = asdict(placed)
        write_model(folder, {"kind": KIND, "model": model}, self.module.state_dict())

    @property
    def _device(self) -> torch.device:
        return self.module.latents.device

    def _draw(self, rng: np.random.Generator, clips: Sequence[int], size: int) -> Batch:
        """Draw examples with their conditions."""
        length = self.config.frames or self.config.model.fit.length
        latents, captions, datasets = [], [], []
        for pick in rng.integers(len(clips), size=size):
            index = clips[int(pick)]
            clip = self.bank.clips[index]
            latents.append(self._crop(self.latents[index], length, rng))
            captions.append(clip.captions[int(rng.integers(len(clip.captions)))].text if clip.captions else "")
            datasets.append(self.config.model.dataset_ids.get(clip.dataset, UNCONDITIONAL_ID))
        return {
            "latent": torch.from_numpy(np.stack(latents)),
            "pooled": self.vectors(captions),
            "dataset": torch.tensor(datasets),
        }

    def _crop(self, latent: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
        """Return a random part (C, length) of a latent (C, L); a shorter one is followed by silence."""
        room = latent.shape[1] - length
        if room >= 0:
            start = int(rng.integers(room + 1))
            return latent[:, start : start + length]
        return np.concatenate([latent, np.repeat(self.silence, -room, axis=1)], axis=1)

    @torch.no_grad()
    def _silence(self, multiple: int) -> np.ndarray:
        """Return one latent frame (C, 1) of silence, taken from the middle, away from the edges."""
        mel = log_mel(torch.zeros(1, 16 * multiple * GENAU.hop_length))
        return self.vae.encode(mel)[0, :, 8:9].numpy()

    def _encode(self, texts: Sequence[str]) -> Tensor:
        """Return the vectors (B, D) of texts."""
        return self.conditioner.encode(texts).pooled

    def _error(self, batch: Batch, rng: torch.Generator) -> Tensor:
        """Return the squared error of each example, shape (B,)."""
        latent = batch["latent"]
        t = self.objective.schedule.draw_times(len(latent), rng).to(latent.device)
        noise = torch.randn(latent.shape, generator=rng).to(latent.device)
        condition = Condition(batch["pooled"], dataset_ids=batch["dataset"])
        output = self.module(self.objective.noisy(latent, noise, t), t, condition)
        return self.objective.loss(output, latent, noise, t)


def _identity(text: str) -> str:
    """Return what a text encoder computes, as a name for the cache of its vectors."""
    return HASHED if text == HASHED else fingerprint(hub.resolve_model(text))


def _located(name: str) -> str:
    """Return the whole path of a folder, so that the model works from elsewhere; other names stay."""
    return str(Path(name).resolve()) if Path(name).is_dir() else name


def _check_datasets(parts: GenauParts) -> None:
    """Refuse data-set ids that the network has no room for."""
    for name, number in parts.dataset_ids.items():
        if not 0 <= number < DATASETS:
            raise UsageError(f"model.dataset_ids.{name} is {number}.", f"Give a number from 0 to {DATASETS - 1}.")
    if parts.dataset not in parts.dataset_ids:
        raise UsageError(f"model.dataset is {parts.dataset!r}.", f"Give one of: {', '.join(parts.dataset_ids)}.")
