"""Sounds of any length to windows of one length, always the same windows for the same sound.

LAION's own code takes ten seconds at random from a longer sound, so that its scores change from run to run.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from audiojourney.errors import UsageError
from audiojourney.registry import offer

Crop = Literal["centre", "start", "windows"]
INT16 = 32_767


def fit_length(wave: Tensor, length: int) -> Tensor:
    """Return `length` samples of a waveform (T,): cut, or repeated whole and padded with zeros."""
    repeated = wave.repeat(max(length // len(wave), 1))[:length]
    return F.pad(repeated, (0, length - len(repeated)))


def windows(wave: np.ndarray, length: int, crop: Crop) -> Tensor:
    """Return the windows of a sound that are heard.

    Args:
        wave: mono float32, shape (T,), at least one sample.
        length: samples of a window.
        crop: `centre` and `start` give one window; `windows` gives as few as cover the sound, evenly spaced.

    Returns:
        float32, shape (k, length); a shorter sound gives one window (see `fit_length`).

    Raises:
        UsageError: the sound is empty or has several channels, or there is no such way to crop.
    """
    if crop not in get_args(Crop):
        raise UsageError(f"There is no way to crop {crop!r}.", offer(crop, get_args(Crop)))
    if wave.ndim != 1 or not len(wave):
        raise UsageError(f"A sound of the shape {wave.shape} cannot be scored; one channel of samples is needed.")
    sound = torch.from_numpy(np.ascontiguousarray(wave, np.float32))
    spare = len(sound) - length
    if spare <= 0:
        return fit_length(sound, length)[None]
    if crop == "windows":
        starts = np.linspace(0, spare, -(-len(sound) // length)).round().astype(int).tolist()
    else:
        starts = [spare // 2 if crop == "centre" else 0]
    return torch.stack([sound[start : start + length] for start in starts])


def through_int16(wave: Tensor) -> Tensor:
    """Return a waveform (..., T) as 16-bit samples and back would leave it, clipped to [-1, 1].

    Numbers are cut towards zero, as numpy's `astype` does in the code that LAION's checkpoints were trained with.
    """
    return (wave.clamp(-1, 1) * INT16).trunc() / INT16
