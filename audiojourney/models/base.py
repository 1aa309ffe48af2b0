"""The roles that networks play, and the shapes that they agree on.

B batch, C channels, T samples, M mel frames, F mel bins, L latent frames, N text tokens, D width.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor


@dataclass(frozen=True)
class Condition:
    """What a denoiser is told about the sound.

    Attributes:
        pooled: one vector a prompt, shape (B, D).
        tokens: one vector a word, shape (B, N, D), or None.
        mask: True where a token is real, shape (B, N), or None when all are.
        dataset_ids: index of the data set whose style is asked for, shape (B,), or None.
    """

    pooled: Tensor
    tokens: Tensor | None = None
    mask: Tensor | None = None
    dataset_ids: Tensor | None = None

    def to(self, device: torch.device | str) -> Condition:
        """The same condition on another device."""
        tokens, mask, ids = (
            None if part is None else part.to(device) for part in (self.tokens, self.mask, self.dataset_ids)
        )
        return Condition(self.pooled.to(device), tokens, mask, ids)


class TextEncoder(Protocol):
    """Prompts to conditions."""

    def encode(self, prompts: Sequence[str]) -> Condition:
        """Return the condition of B prompts; the empty prompt is the unconditional one."""


class Denoiser(Protocol):
    """A network that predicts epsilon, v, x0 or a velocity, as its schedule says."""

    def __call__(self, x: Tensor, t: Tensor, condition: Condition) -> Tensor:
        """Map latents (B, C, L) at time steps (B,) to a prediction of shape (B, C, L)."""


class Autoencoder(Protocol):
    """Log-mel to latents and back."""

    def encode(self, mel: Tensor) -> Tensor:
        """Map log-mel (B, F, M) to latents (B, C, L)."""

    def decode(self, latent: Tensor) -> Tensor:
        """Map latents (B, C, L) to log-mel (B, F, M)."""


class Vocoder(Protocol):
    """Log-mel to sound."""

    def __call__(self, mel: Tensor) -> Tensor:
        """Map log-mel (B, F, M) to waveforms (B, T), float32 in [-1, 1]."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How a sound is drawn; None means the default of the model.

    Attributes:
        steps: denoising steps.
        guidance: classifier-free guidance scale; 1 switches it off.
        sampler: name in `audiojourney.diffusion.samplers`.
        negative: text to move away from.
        duration_s: length of the sound in seconds.
    """

    steps: int | None = None
    guidance: float | None = None
    sampler: str | None = None
    negative: str = ""
    duration_s: float | None = None


@dataclass(frozen=True)
class Familiarity:
    """How near a prompt is to what a model was trained on.

    Attributes:
        known: False when the prompt is far from every training caption.
        nearest: the nearest thing that the model knows, in words.
        score: similarity to it, in [0, 1].
    """

    known: bool
    nearest: str
    score: float


class SoundGenerator(Protocol):
    """A whole text-to-audio pipeline, whatever is inside it."""

    name: str
    sample_rate_hz: int
    max_duration_s: float
    defaults: Sampling
    samplers: Sequence[str]

    def generate(
        self,
        prompts: Sequence[str],
        seeds: Sequence[int],
        sampling: Sampling,
        on_step: Callable[[int, int], None] | None = None,
    ) -> Tensor:
        """Return float32 waveforms (B, T) of exactly the asked length; row i depends on seed i alone."""

    def familiarity(self, prompt: str) -> Familiarity | None:
        """Say how well the model knows what is asked, or None where it cannot tell."""

    def rank(self, prompts: Sequence[str], waves: Tensor) -> Tensor | None:
        """Score how well waves (B, T) fit their prompts, shape (B,), or None without a scorer."""
