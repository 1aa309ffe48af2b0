"""GenAu from prompts to waveforms (arXiv 2406.19388): text encoders, FIT, DDIM, autoencoder, vocoder.

B batch, C channels, L latent frames, F mel frames, T samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor

from audiojourney.data.mel import GENAU
from audiojourney.diffusion.guidance import guided
from audiojourney.diffusion.samplers import find_sampler
from audiojourney.diffusion.schedule import NoiseSchedule
from audiojourney.errors import UsageError
from audiojourney.models.base import Condition, Familiarity, Sampling
from audiojourney.models.clap.network import Clap
from audiojourney.models.fit import FIT
from audiojourney.models.genau.conditioner import GenAuConditioner, joined
from audiojourney.models.genau.hifigan import HiFiGAN
from audiojourney.models.genau.noise import GenAuNoise
from audiojourney.models.genau.vae1d import VAE1d
from audiojourney.models.onednn import use_onednn

STEPS = 100
GUIDANCE = 4.0
PEAK = 0.8  # loudest sample of every published example
SAMPLERS = ("ddim", "ddpm", "dpm++2m", "plms", "pndm")  # those made for schedules that keep the variance


@dataclass(frozen=True, kw_only=True)
class GenAuOptions:
    """How the pipeline runs; the defaults are the official ones but for the noise.

    Attributes:
        eta: amount of fresh noise in DDIM steps. The official code adds all of it, at the last step too.
        official_noise: draw the first noise from the prompt instead of the seed, as the official code does.
        bf16: run the FIT in bfloat16 where that is safe.
        compile: run the FIT through torch.compile; the first sound then takes much longer.
        whole: sample the full length and cut. Otherwise short sounds are sampled short, which is faster but nothing
            that a published model was trained on.
    """

    eta: float = 1.0
    official_noise: bool = False
    bf16: bool = False
    compile: bool = False
    whole: bool = True


class CarryingDenoiser:
    """A FIT whose latent tokens start each step from those of the step before (self-conditioning).

    Under guidance, both branches start from the tokens of the conditional one, which come first in a batch. Where the
    gain of self-conditioning is zero, as released training leaves it, nothing is carried.

    Args:
        fit: the network.
        rows: rows of the conditional branch.
        predict: its `predict`, or a compiled form of it.
    """

    def __init__(self, fit: FIT, rows: int, predict: Callable[..., tuple[Tensor, Tensor]] | None = None) -> None:
        self._predict = predict or fit.predict
        self._rows = rows
        self._carries = fit.uses_previous
        self._previous: Tensor | None = None

    def __call__(self, x: Tensor, t: Tensor, condition: Condition) -> Tensor:
        """Predict from R rows of latents (R, C, L) at times (R,), R being `rows` or twice that."""
        previous = self._previous
        if previous is not None:
            previous = previous.repeat(len(x) // self._rows, 1, 1)
        prediction, latents = self._predict(x, t, condition, previous)
        if self._carries:
            self._previous = latents[: self._rows]
        return prediction


class GenAuGenerator:
    """Text to sound with the networks of GenAu.

    Args:
        fit: the denoiser.
        vae: the autoencoder.
        vocoder: log-mel to sound.
        conditioner: prompts to conditions.
        schedule: the noise schedule of training.
        prediction: what the denoiser predicts.
        name: name of the model.
        options: how the pipeline runs.
        ranker: gives the CLAP that ranks candidates when it is first asked for, or None without one.
    """

    sample_rate_hz = GENAU.rate_hz
    samplers = SAMPLERS
    defaults = Sampling(steps=STEPS, guidance=GUIDANCE, sampler="ddim")

    def __init__(
        self,
        fit: FIT,
        vae: VAE1d,
        vocoder: HiFiGAN,
        conditioner: GenAuConditioner,
        *,
        schedule: NoiseSchedule | None = None,
        prediction: str = "epsilon",
        name: str = "genau",
        options: GenAuOptions = GenAuOptions(),
        ranker: Callable[[], Clap] | None = None,
    ) -> None:
        self.fit, self.vae, self.vocoder, self.conditioner = fit.eval(), vae.eval(), vocoder.eval(), conditioner.eval()
        use_onednn(self.fit)
        self.schedule = schedule or NoiseSchedule.scaled_linear()
        self.prediction, self.name, self.options = prediction, name, options
        self.max_duration_s = fit.config.length * self._samples_per_latent / self.sample_rate_hz
        self._ranker = ranker
        self._clap: Clap | None = None
        self._predict = torch.compile(fit.predict) if options.compile else fit.predict

    def place(self, device: torch.device | str, dtype: str = "fp32") -> None:
        """Move all networks to a device and choose how the FIT runs, "fp32" or "bf16".

        Raises:
            UsageError: the type is neither.
        """
        if dtype not in ("fp32", "bf16"):
            raise UsageError(f"GenAu cannot run in {dtype!r}.", "Use fp32 or bf16.")
        for network in (self.fit, self.vae, self.vocoder, self.conditioner):
            network.to(device)
        self.options = replace(self.options, bf16=dtype == "bf16")

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return self.fit.latents.device

    @property
    def _samples_per_latent(self) -> int:
        return self.vae.config.frames_per_latent * GENAU.hop_length

    @torch.no_grad()
    def generate(
        self,
        prompts: Sequence[str],
        seeds: Sequence[int],
        sampling: Sampling,
        on_step: Callable[[int, int], None] | None = None,
    ) -> Tensor:
        """Return float32 waveforms (B, T) at 16 kHz, of exactly the asked length and with a peak of 0.8.

        Raises:
            UsageError: prompts and seeds differ in number, an unknown sampler, or a length that the model cannot make.
        """
        if len(prompts) != len(seeds):
            raise UsageError(f"{len(prompts)} prompts need as many seeds, got {len(seeds)}.")
        samples = self._samples(sampling.duration_s)
        latent = self.sample_latents(prompts, seeds, sampling, on_step)
        return self.render(latent, samples)

    @torch.no_grad()
    def sample_latents(
        self,
        prompts: Sequence[str],
        seeds: Sequence[int],
        sampling: Sampling,
        on_step: Callable[[int, int], None] | None = None,
    ) -> Tensor:
        """Return scaled latents (B, C, L) for prompts."""
        scale = GUIDANCE if sampling.guidance is None else sampling.guidance
        condition = self._encode(prompts)
        away = None if scale == 1 else self._repeated(self._encode([sampling.negative]), len(prompts))
        shape = (self.fit.config.channels, self._length(self._samples(sampling.duration_s)))
        noise = GenAuNoise(prompts, seeds, shape, official=self.options.official_noise, device=self.device)
        denoiser = CarryingDenoiser(self.fit, len(prompts), self._predict)
        if self.options.bf16:
            # Within one autocast block torch keeps the bfloat16 copies of weights, but only of weights that could be
            # trained, and not in inference mode.
            self.fit.requires_grad_()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.options.bf16):
            return self._run(guided(denoiser, condition, away, scale, concat=joined), noise, sampling, on_step)

    @torch.no_grad()
    def render(self, latent: Tensor, samples: int) -> Tensor:
        """Turn scaled latents (B, C, L) into waveforms (B, samples) with a peak of 0.8, on the CPU."""
        wave = self.vocoder(self.vae.decode(latent.float()))[:, :samples].float().cpu()
        return wave * (PEAK / wave.abs().amax(dim=1, keepdim=True).clamp(min=1e-8))

    def familiarity(self, prompt: str) -> Familiarity | None:
        """Return None: nothing is known about the prompts of the training data."""
        return None

    @torch.no_grad()
    def rank(self, prompts: Sequence[str], waves: Tensor) -> Tensor | None:
        """Return the CLAP similarity of waveforms (B, T) and their prompts, shape (B,), or None without a CLAP."""
        if self._ranker is None:
            return None
        self._clap = self._clap or self._ranker().to(self.device)
        return (self._clap.text(prompts) * self._clap.audio(waves, self.sample_rate_hz)).sum(dim=1).cpu()

    def _run(
        self,
        denoise: Callable[[Tensor, Tensor], Tensor],
        noise: GenAuNoise,
        sampling: Sampling,
        on_step: Callable[[int, int], None] | None,
    ) -> Tensor:
        name = sampling.sampler or "ddim"
        if name not in SAMPLERS:
            raise UsageError(f"GenAu cannot use the sampler {name!r}.", f"Use one of: {', '.join(SAMPLERS)}.")
        sampler = find_sampler(name)
        if name == "ddim":
            sampler = partial(sampler, eta=self.options.eta, spacing="genau")
        return sampler(
            denoise,
            noise(),
            self.schedule,
            steps=sampling.steps or STEPS,
            prediction=self.prediction,
            noise=noise,
            on_step=on_step,
        )

    def _samples(self, duration_s: float | None) -> int:
        """Return the asked length in samples."""
        duration = self.max_duration_s if duration_s is None else duration_s
        samples = round(duration * self.sample_rate_hz)
        if not 0 < samples <= round(self.max_duration_s * self.sample_rate_hz):
            raise UsageError(
                f"A sound of {duration} s cannot be made: {self.name} makes up to {self.max_duration_s} s."
            )
        return samples

    def _length(self, samples: int) -> int:
        """Return the latent frames to sample: all of them, or the whole groups that cover `samples`."""
        config = self.fit.config
        if self.options.whole:
            return config.length
        return -(-samples // (self._samples_per_latent * config.group_frames)) * config.group_frames

    def _encode(self, prompts: Sequence[str]) -> Condition:
        """Return the condition of B prompts where the FIT is."""
        return self.conditioner.encode(prompts).to(self.device)

    def _repeated(self, one: Condition, rows: int) -> Condition:
        """Repeat the condition of a single prompt."""
        return Condition(
            pooled=one.pooled.expand(rows, -1),
            dataset_ids=None if one.dataset_ids is None else one.dataset_ids.expand(rows),
        )
