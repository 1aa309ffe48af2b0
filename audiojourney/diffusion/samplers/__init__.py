"""Samplers by name: plain functions that turn noise into latents by asking a denoiser."""

from __future__ import annotations

import difflib

from audiojourney.diffusion.samplers.base import Denoise, DrawNoise, OnStep, Sampler
from audiojourney.diffusion.samplers.ddim import ddim
from audiojourney.diffusion.samplers.ddpm import ddpm
from audiojourney.diffusion.samplers.dpm import dpm_solver_2m
from audiojourney.diffusion.samplers.euler import euler, heun
from audiojourney.diffusion.samplers.pndm import plms, pndm
from audiojourney.errors import UsageError

__all__ = ["SAMPLERS", "Denoise", "DrawNoise", "OnStep", "Sampler", "find_sampler"]

SAMPLERS: dict[str, Sampler] = {
    "ddim": ddim,
    "ddpm": ddpm,
    "dpm++2m": dpm_solver_2m,
    "euler": euler,
    "heun": heun,
    "plms": plms,
    "pndm": pndm,
}


def find_sampler(name: str) -> Sampler:
    """Return the sampler of this name.

    Raises:
        UsageError: there is none; the message names the known samplers and the nearest name.
    """
    if name not in SAMPLERS:
        close = difflib.get_close_matches(name.lower(), SAMPLERS, n=1, cutoff=0.4)
        meant = f"Did you mean {close[0]!r}? " if close else ""
        raise UsageError(f"Unknown sampler {name!r}.", f"{meant}Known samplers: {', '.join(sorted(SAMPLERS))}.")
    return SAMPLERS[name]
