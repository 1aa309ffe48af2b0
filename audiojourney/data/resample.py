"""Change the sample rate of a waveform, with an output length that is defined here and not by a library.

`soxr` is the default. `sinc` has the kernel that torchaudio uses by default, for checkpoints that were trained through
it; it lets much of the top tenth of the band fold back, so the two differ audibly there.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
import soxr

from audiojourney.errors import UsageError

Resampler = Literal["soxr", "sinc"]
RESAMPLERS: tuple[str, ...] = get_args(Resampler)
_ZERO_CROSSINGS = 6  # width of the windowed sinc
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
    """Convolve blocks of `down` inputs with `up` kernels, one for each output between them."""
    divisor = math.gcd(from_hz, to_hz)
    down, up = from_hz // divisor, to_hz // divisor
    kernels, reach = _sinc_kernels(down, up)
    padded = np.pad(wave, (reach, reach + down))
    blocks = np.lib.stride_tricks.sliding_window_view(padded, kernels.shape[1])[::down]
    return (np.ascontiguousarray(blocks) @ kernels.T).reshape(-1)[: resampled_length(len(wave), from_hz, to_hz)]


@lru_cache(maxsize=8)
def _sinc_kernels(down: int, up: int) -> tuple[np.ndarray, int]:
    """Return the kernels of the `up` outputs in a block, shape (up, 2 * reach + down), and their reach in inputs.

    Output j lies j/up of a block after its first input. With r = 0.99 min(down, up) and u = r (time difference in
    blocks), input weights are (r / down) sinc(u) cos^2(pi u / 12), nought beyond |u| = 6.
    """
    cutoff = _ROLLOFF * min(down, up)
    reach = math.ceil(_ZERO_CROSSINGS * down / cutoff)
    inputs = np.arange(-reach, reach + down) / down
    outputs = np.arange(up)[:, None] / up
    distance = np.clip(cutoff * (inputs - outputs), -_ZERO_CROSSINGS, _ZERO_CROSSINGS)
    window = np.cos(distance * (np.pi / (2 * _ZERO_CROSSINGS))) ** 2
    return (np.sinc(distance) * window * (cutoff / down)).astype(np.float32), reach
