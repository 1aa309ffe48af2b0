"""The two denoisers behind one name: FIT of GenAu, and a diffusion transformer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from audiojourney import config as configuration
from audiojourney.errors import UsageError
from audiojourney.models.dit import DiT, DiTConfig
from audiojourney.models.fit import FIT
from audiojourney.models.fit_config import FITConfig
from audiojourney.registry import offer

KINDS = ("dit", "fit")
Denoiser = DiT | FIT


def build_denoiser(kind: str, settings: Mapping[str, Any], *, channels: int, pooled: int, tokens: int) -> Denoiser:
    """Build a denoiser that fits its autoencoder and text encoder.

    Args:
        kind: "dit" or "fit".
        settings: sizes, as in `DiTConfig` or `FITConfig`.
        channels: latent channels C.
        pooled: width of `Condition.pooled`.
        tokens: width of `Condition.tokens`.

    Raises:
        UsageError: the kind is unknown, or a size is.
    """
    if kind == "dit":
        return DiT(replace(configuration.build(DiTConfig, settings), channels=channels, pooled=pooled, tokens=tokens))
    if kind == "fit":
        fit = configuration.build(FITConfig, settings)
        return FIT(replace(fit, channels=channels, text_width=pooled, token_width=tokens))
    raise UsageError(f"There is no denoiser {kind!r}.", offer(kind, KINDS))


def latent_step(denoiser: Denoiser) -> int:
    """Latent frames that the length of an input must be a multiple of."""
    return denoiser.config.group_frames if isinstance(denoiser, FIT) else denoiser.config.patch
