"""The pocket text-to-audio pipeline: text encoder, denoiser, autoencoder and vocoder as one thing that makes sound.

B batch, C channels, L latent frames, F mel frames, T samples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from audiojourney import config as configuration
from audiojourney.data.mel import GENAU, log_mel
from audiojourney.diffusion.guidance import guided
from audiojourney.diffusion.samplers import find_sampler
from audiojourney.diffusion.samplers.base import OnStep
from audiojourney.diffusion.schedule import NoiseSchedule
from audiojourney.errors import UsageError
from audiojourney.model_folder import read_config, read_weights
from audiojourney.models.base import Condition, Familiarity, Sampling
from audiojourney.models.denoisers import Denoiser, build_denoiser, latent_step
from audiojourney.models.onednn import use_onednn
from audiojourney.models.pocket.autoencoder import MelAutoencoder
from audiojourney.models.pocket.folders import load_autoencoder, load_listener, load_text, load_vocoder
from audiojourney.models.pocket.listener import Listener
from audiojourney.models.pocket.packing import unpack
from audiojourney.models.pocket.staging import Take, put_together, stage
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
        self.device, self.bf16 = torch.device("cpu"), False
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
        use_onednn(denoiser)
        vocoder = None if config.vocoder == GRIFFIN_LIM else load_vocoder(config.vocoder)
        listener = None if config.listener is None else load_listener(config.listener)
        return cls(name, config, text, denoiser.eval().requires_grad_(False), autoencoder, vocoder, listener)

    def place(self, device: torch.device | str, dtype: str = "fp32") -> None:
        """Move the networks to a device, but for the text encoder, and choose how the denoiser runs.

        Random numbers are drawn on the CPU, so that a seed means the same sound everywhere.

        Raises:
            UsageError: `dtype` is neither "fp32" nor "bf16".
        """
        if dtype not in ("fp32", "bf16"):
            raise UsageError(f"{self.name} cannot run in {dtype!r}.", "Use fp32 or bf16.")
        for network in (self.denoiser, self.autoencoder, self.vocoder, self.listener):
            if network is not None:
                network.to(device)
        self.device, self.bf16 = torch.device(device), dtype == "bf16"

    @torch.inference_mode()
    def generate(
        self,
        prompts: Sequence[str],
        seeds: Sequence[int],
        sampling: Sampling,
        on_step: OnStep | None = None,
    ) -> Tensor:
        """Return waveforms (B, T), float32 with their peak at 0.8; row i depends on prompt i and seed i alone.

        Raises:
            UsageError: a duration is not positive or longer than the model makes, or a setting is unknown.
        """
        duration_s = self.defaults.duration_s if sampling.duration_s is None else sampling.duration_s
        assert duration_s is not None
        samples = self._samples(duration_s)
        takes = stage(self.text.scenes(prompts), samples, self.sample_rate_hz)
        lengths = sorted({take.samples for take in takes})
        waves: dict[Take, Tensor] = {}
        for number, length in enumerate(lengths):
            chosen = [take for take in takes if take.samples == length]
            waves |= self._draw(chosen, prompts, seeds, sampling, _part_of(on_step, number, len(lengths)))
        wave = put_together(takes, [waves[take] for take in takes], samples, self.sample_rate_hz)
        return PEAK * wave / wave.abs().amax(dim=1, keepdim=True).clamp(min=1e-5)

    def familiarity(self, prompt: str) -> Familiarity:
        """Say how well the model knows what is asked."""
        return self.text.familiarity(prompt)

    @torch.inference_mode()
    def rank(self, prompts: Sequence[str], waves: Tensor) -> Tensor | None:
        """Score of waves (B, T): how much the listener hears of what the text encoder reads, shape (B,)."""
        if self.listener is None:
            return None
        heard = self.listener(log_mel(waves.to(self.device))).softmax(dim=1).cpu()
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

    def _draw(
        self,
        takes: Sequence[Take],
        prompts: Sequence[str],
        seeds: Sequence[int],
        sampling: Sampling,
        on_step: OnStep | None,
    ) -> dict[Take, Tensor]:
        """Waveforms (T,) of takes of one length."""
        samples = takes[0].samples
        generators = [torch.Generator().manual_seed(take.seed(seeds[take.row])) for take in takes]
        said, parts = [prompts[take.row] for take in takes], [take.part for take in takes]
        asked, away = self._conditions(said, parts, sampling.negative)
        mel = self._mel(asked, away, sampling, self._latent_frames(samples), generators, on_step)
        return dict(zip(takes, self._vocode(mel, generators)[:, :samples].cpu(), strict=True))

    def _mel(
        self,
        asked: Condition,
        away: Condition,
        sampling: Sampling,
        frames: int,
        generators: Sequence[torch.Generator],
        on_step: OnStep | None,
    ) -> Tensor:
        """Log-mel (B, F, M); a row that came out silent is drawn anew from the numbers that follow."""
        mel = self.autoencoder.decode(self._sample(asked, away, sampling, frames, generators, on_step))
        for _ in range(REDRAWS):
            silent = [i for i, row in enumerate(mel) if float(row.max()) < SILENT_MEL]
            if not silent:
                break
            again = chosen_rows(asked, silent), chosen_rows(away, silent), sampling, frames
            mel[silent] = self.autoencoder.decode(self._sample(*again, [generators[i] for i in silent], None))
        return mel.clamp(QUIETEST_MEL, LOUDEST_MEL)

    def _sample(
        self,
        asked: Condition,
        away: Condition,
        sampling: Sampling,
        frames: int,
        generators: Sequence[torch.Generator],
        on_step: OnStep | None,
    ) -> Tensor:
        shape = (self.autoencoder.config.channels, frames)

        def noise() -> Tensor:
            """Fresh noise, each row from its own generator."""
            return torch.stack([torch.randn(shape, generator=g) for g in generators]).to(self.device)

        denoise = guided(
            self.denoiser,
            asked,
            away,
            self.config.guidance if sampling.guidance is None else sampling.guidance,
            concat=join_conditions,
            interval=(0, self.config.guided_until),
            rescale=self.config.rescale,
        )
        sample = find_sampler(sampling.sampler or self.config.sampler)
        steps = sampling.steps or self.config.steps
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bf16):
            latent = sample(denoise, noise(), self.schedule, steps=steps, noise=noise, on_step=on_step)
        return latent.float()

    def _conditions(
        self, prompts: Sequence[str], parts: Sequence[int | None], negative: str
    ) -> tuple[Condition, Condition]:
        """Conditions of the prompts and of the negative prompt, padded to the same number of tokens."""
        count = len(prompts)
        both = self.text.encode([*prompts, *([negative] * count)], [*parts, *([None] * count)]).to(self.device)
        return chosen_rows(both, range(count)), chosen_rows(both, range(count, 2 * count))

    def _vocode(self, mel: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
        if self.vocoder is None:
            return torch.cat([griffin_lim(row[None], g) for row, g in zip(mel, generators, strict=True)])
        return self.vocoder.synthesise(mel, list(generators))


def _part_of(on_step: OnStep | None, part: int, parts: int) -> OnStep | None:
    """Report the steps of one of several drawings as steps of all of them."""
    return on_step and (lambda step, steps: on_step(part * steps + step, parts * steps))


def chosen_rows(condition: Condition, rows: Sequence[int]) -> Condition:
    """Take some rows of a condition with tokens."""
    assert condition.tokens is not None and condition.mask is not None
    chosen = list(rows)
    return Condition(condition.pooled[chosen], condition.tokens[chosen], condition.mask[chosen])


def join_conditions(first: Condition, second: Condition) -> Condition:
    """Put the rows of two conditions with equally many tokens one after the other."""
    assert first.tokens is not None and second.tokens is not None and first.mask is not None and second.mask is not None
    return Condition(
        torch.cat([first.pooled, second.pooled]),
        torch.cat([first.tokens, second.tokens]),
        torch.cat([first.mask, second.mask]),
    )
