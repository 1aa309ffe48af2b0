"""Waveforms as GenAu wants them before its mel front-end (`data.mel.GENAU`)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from audiojourney.errors import UsageError

PEAK = 0.5


def normalised(wave: Tensor) -> Tensor:
    """Return a waveform (..., T) without offset and with its largest sample at 0.5."""
    centred = wave - wave.mean(dim=-1, keepdim=True)
    return PEAK * centred / (centred.abs().amax(dim=-1, keepdim=True) + 1e-8)


def prepared(wave: Tensor, samples: int) -> Tensor:
    """Normalise a clip (..., T), then pad it with zeros at the end to `samples`, in this order.

    Raises:
        UsageError: the clip is longer; it must be cropped before, so that the crop alone is normalised.
    """
    if wave.shape[-1] > samples:
        raise UsageError(f"A clip of {wave.shape[-1]} samples must be cropped to {samples} first.")
    return F.pad(normalised(wave), (0, samples - wave.shape[-1]))


def crop_start(wave: Tensor, samples: int, generator: torch.Generator, tries: int = 10) -> int:
    """Return where a random crop of `samples` starts, preferring crops that are not silent.

    Args:
        wave: shape (T,).
        samples: length of the crop, at most T.
        generator: where chance comes from.
        tries: crops that are tried for one with a sample above 1e-4.
    """
    latest = wave.shape[-1] - samples
    start = 0
    for _ in range(tries):
        start = int(torch.randint(latest + 1, (), generator=generator))
        if wave[start : start + samples].abs().max() > 1e-4:
            break
    return start
