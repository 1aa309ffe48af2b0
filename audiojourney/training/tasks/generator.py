"""Trains the pocket generator: v-prediction on cached latents, under the frozen text encoder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from audiojourney.data.bank import WaveBank, open_bank
from audiojourney.data.folds import split
from audiojourney.data.mel import GENAU
from audiojourney.data.write import save_audio
from audiojourney.diffusion.objective import Objective
from audiojourney.diffusion.schedule import NoiseSchedule
from audiojourney.model_folder import write_model
from audiojourney.models.base import Condition, Sampling
from audiojourney.models.denoisers import Denoiser
from audiojourney.models.pocket.folders import load_autoencoder, load_text
from audiojourney.models.pocket.pipeline import (
    KIND,
    PocketGenerator,
    PocketGeneratorConfig,
    build_pocket_denoiser,
)
from audiojourney.training.base import Batch
from audiojourney.training.latents import open_latents
from audiojourney.training.tasks.examples import Examples, Mix
from audiojourney.training.tasks.plain import PlainTask

SAMPLE_PROMPTS = (
    "rain on a tin roof",
    "a dog barking",
    "a church bell ringing",
    "footsteps, then someone knocking on a door",
)


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    """Data and loss of the generator.

    Attributes:
        model: parts and sizes.
        mix: shares of the kinds of examples.
        frames: latent frames of a short and of a long example.
        long_share: share of batches with long examples; they hold half as many.
        drop: share of examples without a prompt, for classifier-free guidance.
        drop_words: share of examples that see only the answers of the text encoder, not the words.
        hold_out: fold of recordings kept for validation; null trains on all.
    """

    model: PocketGeneratorConfig = field(default_factory=PocketGeneratorConfig)
    mix: Mix = field(default_factory=Mix)
    frames: tuple[int, int] = (128, 256)
    long_share: float = 0.25
    drop: float = 0.1
    drop_words: float = 0.3
    hold_out: int | None = 4


class GeneratorTask(PlainTask):
    """See `GeneratorConfig`."""

    def __init__(self, config: GeneratorConfig, bank: WaveBank) -> None:
        self.config = config
        self.text = load_text(config.model.text)
        self.autoencoder = load_autoencoder(config.model.autoencoder)
        self.module: Denoiser = build_pocket_denoiser(config.model, self.text, self.autoencoder)
        self.objective = Objective("v", NoiseSchedule.cosine())
        latents = open_latents(bank, self.autoencoder, multiple=self.autoencoder.config.patch)
        frame_hz = GENAU.rate_hz / GENAU.hop_length / self.autoencoder.config.patch
        train, held_out = split(bank, config.hold_out)
        self.examples = Examples(bank, latents, train, config.mix, frame_hz)
        self.held_out = Examples(bank, latents, held_out, config.mix, frame_hz)

    @classmethod
    def build(cls, config: GeneratorConfig, data: Sequence[Path]) -> GeneratorTask:
        """Open the data folders and encode them once."""
        return cls(config, open_bank(data, GENAU.rate_hz))

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        """Draw latents (B, C, L) and their condition; L is short or long for the whole batch."""
        long = rng.random() < self.config.long_share
        return self._draw(self.examples, rng, max(1, size // 2) if long else size, self.config.frames[long])

    def loss(self, batch: Batch, rng: torch.Generator, step: int) -> tuple[Tensor, dict[str, float]]:
        """Mean squared error of v at uniform times."""
        return self._error(batch, rng).mean(), {}

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Error on held-out clips with fixed noise and times."""
        rng, generator = np.random.default_rng(1), torch.Generator().manual_seed(1)
        errors = [self._error(self._draw(self.held_out, rng, 32, self.config.frames[0]), generator) for _ in range(6)]
        return {"loss": float(torch.cat(errors).mean())}

    @torch.inference_mode()
    def sample(self, folder: Path, step: int) -> None:
        """Write a sound for each of a few prompts."""
        pipeline = PocketGenerator("run", self.config.model, self.text, self.module, self.autoencoder, None, None)
        waves = pipeline.generate(SAMPLE_PROMPTS, range(len(SAMPLE_PROMPTS)), Sampling(duration_s=5.12))
        for prompt, wave in zip(SAMPLE_PROMPTS, waves.numpy(), strict=True):
            save_audio(
                folder / f"{step:08d}-{prompt.replace(' ', '-').replace(',', '')}.flac",
                wave,
                GENAU.rate_hz,
                {"prompt": prompt},
            )

    def export(self, folder: Path) -> None:
        """Write the model folder; the other parts are named in it, not copied."""
        write_model(folder, {"kind": KIND, "model": asdict(self.config.model)}, self.module.state_dict())

    def _draw(self, examples: Examples, rng: np.random.Generator, size: int, frames: int) -> Batch:
        latents, captions = zip(*(examples.draw(rng, frames) for _ in range(size)), strict=True)
        said = ["" if rng.random() < self.config.drop else caption for caption in captions]
        condition = self.text.encode(said)
        assert condition.mask is not None and condition.tokens is not None
        hidden = torch.from_numpy(rng.random(size) < self.config.drop_words)[:, None]
        visible = condition.mask & ~(hidden & (torch.arange(condition.mask.shape[1]) >= self.text.answers))
        return {
            "latent": torch.from_numpy(np.stack(latents)).float(),
            "pooled": condition.pooled,
            "tokens": condition.tokens,
            "mask": visible,
        }

    def _error(self, batch: Batch, rng: torch.Generator) -> Tensor:
        latent = batch["latent"]
        t = self.objective.schedule.draw_times(len(latent), rng)
        noise = torch.randn(latent.shape, generator=rng)
        output = self.module(
            self.objective.noisy(latent, noise, t), t, Condition(batch["pooled"], batch["tokens"], batch["mask"])
        )
        return self.objective.loss(output, latent, noise, t)
