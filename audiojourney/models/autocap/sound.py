"""Waveforms as AutoCap hears them: ten seconds, no offset, a peak of 0.5, silence behind.

B batch, T samples, F mel frames, M mel bins.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from audiojourney.data.mel import CLAP as CLAP_MEL
from audiojourney.data.mel import HTSAT as MEL
from audiojourney.data.mel import log_mel
from audiojourney.data.resample import resample
from audiojourney.errors import ClipError

RATE_HZ = MEL.rate_hz
SAMPLES = 10 * RATE_HZ
SHORTEST = 100  # samples; the official program refuses less
PEAK = 0.5
_TRIES, _SILENT = 10, 1e-4


def excerpt(wave: np.ndarray, rng: np.random.Generator, samples: int = SAMPLES) -> np.ndarray:
    """Return a part (samples,) of a wave (T,) from a random place that is not silent, where there is one.

    Args:
        wave: mono at `RATE_HZ`; one that is no longer than `samples` is returned whole.
        rng: draws the place.
        samples: length of the part.
    """
    if len(wave) <= samples:
        return wave
    part = wave[:samples]
    for _ in range(_TRIES):
        start = int(rng.integers(len(wave) - samples + 1))
        part = wave[start : start + samples]
        if np.abs(part).max() > _SILENT:
            break
    return part


def prepared(wave: np.ndarray, samples: int = SAMPLES) -> np.ndarray:
    """Return a wave (T,) without its mean, with its peak at 0.5, followed by silence; float32, (samples,).

    Raises:
        ClipError: it is shorter than `SHORTEST` samples, longer than `samples`, or not finite.
    """
    if not SHORTEST < len(wave) <= samples:
        raise ClipError("too_short", f"{len(wave)} samples are not between {SHORTEST + 1} and {samples}.")
    if not np.isfinite(wave).all():
        raise ClipError("non_finite", f"{int((~np.isfinite(wave)).sum())} samples are not finite numbers.")
    centred = wave - wave.mean()
    out = np.zeros(samples, np.float32)
    out[: len(wave)] = centred / (np.abs(centred).max() + 1e-8) * PEAK
    return out


def features(waves: Sequence[np.ndarray]) -> Tensor:
    """Return the log-mel in dB (B, F, M) of prepared waves of one length."""
    return log_mel(torch.from_numpy(np.stack(waves)), MEL)


def for_clap(waves: Sequence[np.ndarray]) -> Tensor:
    """Return prepared waves at the rate of CLAP, (B, T), through the resampler that it was trained behind."""
    return torch.from_numpy(np.stack([resample(wave, RATE_HZ, CLAP_MEL.rate_hz, "sinc") for wave in waves]))
