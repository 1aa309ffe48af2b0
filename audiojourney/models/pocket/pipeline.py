"""The pocket text-to-audio pipeline: text encoder, denoiser, autoencoder and vocoder as one thing that makes sound.

B batch, C channels, L latent frames, F mel frames, T samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from audiojourney import config as configuration
from audiojourney.data.mel import GENAU, log_mel
from audiojourney.diffusion.guidance import guided
from audiojourney.diffusion.samplers import find_sampler
from audiojourney.diffusion.schedule import NoiseSchedule
from audiojourney.errors import UsageError
from audiojourney.model_folder import read_config, read_weights
from audiojourney.models.base import Condition, Familiarity, Sampling
from audiojourney.models.denoisers import Denoiser, build_denoiser, latent_step
from audiojourney.models.pocket.autoencoder import MelAutoencoder
from audiojourney.models.pocket.folders import load_autoencoder, load_listener, load_text, load_vocoder
from audiojourney.models.pocket.listener import Listener
from audiojourney.models.pocket.packing import unpack
from audiojourney.models.pocket.text import PocketText
from audiojourney.models.pocket.vocoder import SpectralVocoder, griffin_lim

KIND = "pocket-generator"
GRIFFIN_LIM = "griffin-lim"
PEAK = 0.8
QUIETEST_MEL = -11.6  # just under the silence of the front-end, ln 1e-5
LOUDEST_MEL = 4.0
SILENT_MEL = -7.0  # no training clip stays below it: their peak is at one half
REDRAWS = 3


@dataclass(frozen=True, kw_only=True)
class PocketGeneratorConfig:
    """Parts and defaults of a pocket generator.

    Attributes:
        text: name or folder of the text encoder.
        autoencoder: name or folder of the autoencoder.
        vocoder: name or folder of the vocoder, or "griffin-lim" for none.
        listener: name or folder of the network that ranks candidates, or null.
        denoiser: "dit" or "fit".
        sizes: sizes of the denoiser.
        max_duration_s: longest sound.
        steps: default number of denoising steps.
        guidance: default guidance scale.
        rescale: guidance rescale.
        guided_until: highest time at which guidance acts. At nearly pure noise it would push sounds that are mostly
            quiet, such as knocks, into silence.
        sampler: default sampler.
    """

    text: str = "pocket/text"
    autoencoder: str = "pocket/autoencoder"
    vocoder: str = "pocket/vocoder"
    listener: str | None = "pocket/listener"
    denoiser: str = "dit"
    sizes: dict[str, Any] | None = None
    max_duration_s: float = 10.24
    steps: int = 20
    guidance: float = 3.0
    rescale: float = 0.0
    guided_until: int = 960
    sampler: str = "ddim"


def build_pocket_denoiser(config: PocketGeneratorConfig, text: PocketText, autoencoder: MelAutoencoder) -> Denoiser:
    """Build the denoiser that fits the other parts."""
    return build_denoiser(
        config.denoiser,
        config.sizes or {},
        channels=autoencoder.config.channels,
        pooled=text.config.pooled_width,
        tokens=text.config.width,
    )


class PocketGenerator:
    """A `SoundGenerator` of the pocket family."""

    sample_rate_hz = GENAU.rate_hz
    samplers = ("ddim", "ddpm", "dpm++2m", "plms", "pndm")

    def __init__(
        self,
        name: str,
        config: PocketGeneratorConfig,
        text: PocketText,
        denoiser: Denoiser,
        autoencoder: MelAutoencoder,
        vocoder: SpectralVocoder | None,
        listener: Listener | None,
    ) -> None:
        self.name, self.config = name, config
        self.text, self.denoiser, self.autoencoder = text, denoiser, autoencoder
        self.vocoder, self.listener = vocoder, listener
        self.schedule = NoiseSchedule.cosine()
        self.max_duration_s = config.max_duration_s
        self.defaults = Sampling(
            steps=config.steps, guidance=config.guidance, sampler=config.sampler, duration_s=config.max_duration_s
        )

    @classmethod
    def from_folder(cls, folder: Path, name: str) -> PocketGenerator:
        """Open a model folder and the parts that it names."""
        config = configuration.build(PocketGeneratorConfig, read_config(folder)["model"])
        text, autoencoder = load_text(config.text), load_autoencoder(config.autoencoder)
        denoiser = build_pocket_denoiser(config, text, autoencoder)
        denoiser.load_state_dict(unpack(read_weights(folder)))
        vocoder = None if config.vocoder == GRIFFIN_LIM else load_vocoder(config.vocoder)
        listener = None if config.listener is None else load_listener(config.listener)
        return cls(name, config, text, denoiser.eval().requires_grad_(False), autoencoder, vocoder, listener)

    @torch.inference_mode()
    def generate(
        self,
        prompts: Sequence[str],
        seeds: Sequence[int],
        sampling: Sampling,
        on_step: Callable[[int, int], None] | None = None,
    ) -> Tensor:
        """Return waveforms (B, T), float32 with their peak at 0.8; row i depends on prompt i and seed i alone.

        Raises:
            UsageError: a duration is not positive or longer than the model makes, or a setting is unknown.
        """
        duration_s = self.defaults.duration_s if sampling.duration_s is None else sampling.duration_s
        assert duration_s is not None
        samples = self._samples(duration_s)
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        mel = self._mel(prompts, sampling, self._latent_frames(samples), generators, on_step)
        wave = self._vocode(mel, generators)[:, :samples]
        return PEAK * wave / wave.abs().amax(dim=1, keepdim=True).clamp(min=1e-5)

    def familiarity(self, prompt: str) -> Familiarity:
        """Say how well the model knows what is asked."""
        return self.text.familiarity(prompt)

    @torch.inference_mode()
    def rank(self, prompts: Sequence[str], waves: Tensor) -> Tensor | None:
        """Score of waves (B, T): how much the listener hears of what the text encoder reads, shape (B,)."""
        if self.listener is None:
            return None
        heard = self.listener(log_mel(waves)).softmax(dim=1)
        slots = len(self.text.config.concepts) + 1
        asked = self.text.encode(prompts).pooled[:, : 2 * slots].unflatten(1, (2, slots))[..., :-1].sum(dim=1)
        columns = [self.text.config.concepts.index(name) for name in self.listener.config.classes]
        return (heard * asked[:, columns]).sum(dim=1)

    def _samples(self, duration_s: float) -> int:
        if not 0 < duration_s <= self.max_duration_s:
            raise UsageError(
                f"The duration is {duration_s} s; {self.name} makes sounds of up to {self.max_duration_s} s.",
                f"Give --duration a number between 0 and {self.max_duration_s}.",
            )
        return max(1, round(duration_s * self.sample_rate_hz))

    def _latent_frames(self, samples: int) -> int:
        """Latent frames that cover the samples: whole patches of both denoisers, at least one second."""
        per_frame = GENAU.hop_length * self.autoencoder.config.patch
        whole = latent_step(self.denoiser)
        return whole * math.ceil(max(samples, self.sample_rate_hz) / per_frame / whole)

    def _mel(
        self,
        prompts: Sequence[str],
        sampling: Sampling,
        frames: int,
        generators: Sequence[torch.Generator],
        on_step: Callable[[int, int], None] | None,
    ) -> Tensor:
        """Log-mel (B, F, M); a row that came out silent is drawn anew from the numbers that follow."""
        mel = self.autoencoder.decode(self._sample(prompts, sampling, frames, generators, on_step))
        for _ in range(REDRAWS):
            silent = [i for i, row in enumerate(mel) if float(row.max()) < SILENT_MEL]
            if not silent:
                break
            again = [prompts[i] for i in silent], sampling, frames, [generators[i] for i in silent], None
            mel[silent] = self.autoencoder.decode(self._sample(*again))
        return mel.clamp(QUIETEST_MEL, LOUDEST_MEL)

    def _sample(
        self,
        prompts: Sequence[str],
        sampling: Sampling,
        frames: int,
        generators: Sequence[torch.Generator],
        on_step: Callable[[int, int], None] | None,
    ) -> Tensor:
        shape = (self.autoencoder.config.channels, frames)

        def noise() -> Tensor:
            """Fresh noise, each row from its own generator."""
            return torch.stack([torch.randn(shape, generator=g) for g in generators])

        denoise = guided(
            self.denoiser,
            *self._conditions(prompts, sampling.negative),
            self.config.guidance if sampling.guidance is None else sampling.guidance,
            concat=join_conditions,
            interval=(0, self.config.guided_until),
            rescale=self.config.rescale,
        )
        return find_sampler(sampling.sampler or self.config.sampler)(
            denoise, noise(), self.schedule, steps=sampling.steps or self.config.steps, noise=noise, on_step=on_step
        )

    def _conditions(self, prompts: Sequence[str], negative: str) -> tuple[Condition, Condition]:
        """Conditions of the prompts and of the negative prompt, padded to the same number of tokens."""
        both = self.text.encode([*prompts, *([negative] * len(prompts))])
        count = len(prompts)
        assert both.tokens is not None and both.mask is not None
        halves = [Condition(both.pooled[s], both.tokens[s], both.mask[s]) for s in (slice(count), slice(count, None))]
        return halves[0], halves[1]

    def _vocode(self, mel: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
        if self.vocoder is None:
            return torch.cat([griffin_lim(row[None], g) for row, g in zip(mel, generators, strict=True)])
        return self.vocoder.synthesise(mel, list(generators))


def join_conditions(first: Condition, second: Condition) -> Condition:
    """Put the rows of two conditions with equally many tokens one after the other."""
    assert first.tokens is not None and second.tokens is not None and first.mask is not None and second.mask is not None
    return Condition(
        torch.cat([first.pooled, second.pooled]),
        torch.cat([first.tokens, second.tokens]),
        torch.cat([first.mask, second.mask]),
    )
