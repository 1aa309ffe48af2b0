"""Change the sample rate of a waveform, with an output length that is defined here and not by a library.

`soxr` is the default. `sinc` has the kernel that torchaudio uses by default, for checkpoints that were trained through
it; it lets much of the top tenth of the band fold back, so the two differ audibly there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
import soxr

from audiojourney.errors import UsageError

Resampler = Literal["soxr", "sinc"]
RESAMPLERS: tuple[str, ...] = get_args(Resampler)
_ZERO_CROSSINGS = 6  # width of the windowed sinc
_GROUP = 64  # outputs that are computed in one matrix product
_ROLLOFF = 0.99  # cut-off as a share of the lower Nyquist frequency


def resampled_length(samples: int, from_hz: int, to_hz: int) -> int:
    """Return ceil(samples * to_hz / from_hz), in integers."""
    return -(-samples * to_hz // from_hz)


def resample(wave: np.ndarray, from_hz: int, to_hz: int, resampler: Resampler = "soxr") -> np.ndarray:
    """Change the sample rate of a waveform.

    Args:
        wave: float32, shape (T,).
        from_hz: rate of `wave`.
        to_hz: wanted rate.
        resampler: `soxr` (quality HQ) or `sinc`.

    Returns:
        float32, shape (ceil(T * to_hz / from_hz),).

    Raises:
        UsageError: a rate below 1 Hz, or an unknown resampler.
    """
    if min(from_hz, to_hz) < 1:
        raise UsageError(f"Sample rates are positive, not {from_hz} Hz to {to_hz} Hz.")
    if resampler not in RESAMPLERS:
        raise UsageError(f"Unknown resampler {resampler!r}.", f"Use one of: {', '.join(RESAMPLERS)}.")
    wave = np.ascontiguousarray(wave, dtype=np.float32)
    if from_hz == to_hz or not len(wave):
        return wave
    return (_soxr if resampler == "soxr" else _sinc)(wave, from_hz, to_hz)


def _soxr(wave: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    length = resampled_length(len(wave), from_hz, to_hz)
    if len(wave) * to_hz % from_hz:  # soxr would round to the nearest length, perhaps down
        wave = np.pad(wave, (0, from_hz // to_hz + 1))
    return soxr.resample(wave, from_hz, to_hz, quality="HQ")[:length]


def _sinc(wave: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """Multiply blocks of `down` inputs with the kernels of the `up` outputs that fall into them, some at a time."""
    divisor = math.gcd(from_hz, to_hz)
    down, up = from_hz // divisor, to_hz // divisor
    length = resampled_length(len(wave), from_hz, to_hz)
    blocks = -(-length // up)
    padded = np.pad(wave, (_reach(down, up), blocks * down - len(wave) + _reach(down, up) + 1))
    out = np.empty((blocks, up), dtype=np.float32)
    for group in _sinc_kernels(down, up):
        windows = np.lib.stride_tricks.sliding_window_view(padded[group.start :], group.kernels.shape[1])
        out[:, group.outputs] = np.ascontiguousarray(windows[::down][:blocks]) @ group.kernels.T
    return out.reshape(-1)[:length]


@dataclass(frozen=True)
class _Group:
    """Kernels of neighbouring outputs, shape (outputs, inputs), and the first input of a padded block that they see."""

    outputs: slice
    start: int
    kernels: np.ndarray


def _reach(down: int, up: int) -> int:
    """How many inputs to each side an output depends on."""
    return math.ceil(_ZERO_CROSSINGS * down / (_ROLLOFF * min(down, up)))


@lru_cache(maxsize=4)
def _sinc_kernels(down: int, up: int) -> tuple[_Group, ...]:
    """Return the kernels of the `up` outputs of a block, in groups so narrow that few of their entries are nought.

    Output j lies j down/up inputs after the first of its block. With c = 0.99 min(down, up) / down, an input that
    lies d inputs away from it weighs c sinc(c d) cos^2(pi c d / 12), nought beyond |c d| = 6.
    """
    cutoff, reach = _ROLLOFF * min(down, up) / down, _reach(down, up)
    groups = []
    for first in range(0, up, _GROUP):
        outputs = np.arange(first, min(first + _GROUP, up))
        start = first * down // up
        inputs = np.arange(start - reach, int(outputs[-1]) * down // up + reach + 2)
        crossings = cutoff * (inputs - outputs[:, None] * (down / up))
        crossings = np.clip(crossings, -_ZERO_CROSSINGS, _ZERO_CROSSINGS)
        window = np.cos(crossings * (np.pi / (2 * _ZERO_CROSSINGS))) ** 2
        kernels = (cutoff * np.sinc(crossings) * window).astype(np.float32)
        groups.append(_Group(slice(first, first + len(outputs)), start, kernels))
    return tuple(groups)
