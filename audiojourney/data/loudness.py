"""Loudness as people hear it: ITU-R BS.1770-4, integrated, for one channel.

T samples.
"""

from __future__ import annotations

import math

import numpy as np

BLOCK_S, STEP_S = 0.4, 0.1  # gating blocks overlap by three quarters
ABSOLUTE_LUFS = -70.0  # blocks below are silence
RELATIVE_LU = -10.0  # blocks so far below the mean of the others do not count
OFFSET_LU = -0.691  # makes a full-scale sine of 997 Hz -3.01 LUFS
_RING_S = 0.5  # after which the filters have died away

# The two filters of annex 1 as analogue prototypes, so that they can be had at any rate.
_SHELF_HZ, _SHELF_Q, _SHELF_DB = 1681.974450955533, 0.7071752369554196, 3.999843853973347
_HIGH_PASS_HZ, _HIGH_PASS_Q = 38.13547087602444, 0.5003270373238773


def loudness_lufs(wave: np.ndarray, rate_hz: int) -> float:
    """Return the integrated loudness of a sound.

    A sound shorter than a gating block of 0.4 s is one block.

    Args:
        wave: float32 in [-1, 1], shape (T,).
        rate_hz: sample rate.

    Returns:
        LUFS; -inf for silence, and for what stays below the absolute gate of -70 LUFS.
    """
    if not len(wave):
        return -math.inf
    powers = _block_powers(_weighted(wave.astype(np.float64), rate_hz), rate_hz)
    heard = powers[powers > _power(ABSOLUTE_LUFS)]
    if not len(heard):
        return -math.inf
    loud = heard[heard > heard.mean() * 10 ** (RELATIVE_LU / 10)]
    return OFFSET_LU + 10 * math.log10(float(loud.mean()))


def to_loudness(wave: np.ndarray, rate_hz: int, target_lufs: float) -> np.ndarray:
    """Scale a sound (T,) to a loudness; silence stays as it is. Peaks may exceed 1."""
    present = loudness_lufs(wave, rate_hz)
    return wave if math.isinf(present) else wave * np.float32(10 ** ((target_lufs - present) / 20))


def _power(lufs: float) -> float:
    return 10 ** ((lufs - OFFSET_LU) / 10)


def _block_powers(wave: np.ndarray, rate_hz: int) -> np.ndarray:
    """Mean square of each gating block, from sums so that overlapping blocks cost nothing."""
    size, step = min(len(wave), round(BLOCK_S * rate_hz)), max(1, round(STEP_S * rate_hz))
    energy = np.concatenate([[0.0], np.cumsum(np.square(wave))])
    starts = np.arange(0, len(wave) - size + 1, step)
    return (energy[starts + size] - energy[starts]) / size


def _weighted(wave: np.ndarray, rate_hz: int) -> np.ndarray:
    """Apply the K-weighting through the spectrum, padded so that nothing wraps round."""
    size = len(wave) + round(_RING_S * rate_hz)
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(size))
    response = _shelf(z, rate_hz) * _high_pass(z, rate_hz)
    return np.fft.irfft(np.fft.rfft(wave, size) * response, size)[: len(wave)]


def _shelf(z: np.ndarray, rate_hz: int) -> np.ndarray:
    """The head: +4 dB above 1.7 kHz, at the delays z."""
    k, q = math.tan(math.pi * _SHELF_HZ / rate_hz), _SHELF_Q
    high = 10 ** (_SHELF_DB / 20)
    middle = high**0.4996667741545416
    top = (high + middle * k / q + k * k) + 2 * (k * k - high) * z + (high - middle * k / q + k * k) * z**2
    return top / _poles(z, k, q)


def _high_pass(z: np.ndarray, rate_hz: int) -> np.ndarray:
    k = math.tan(math.pi * _HIGH_PASS_HZ / rate_hz)
    scale = 1 + k / _HIGH_PASS_Q + k * k  # the recommendation's numerator is 1, -2, 1 over normalised poles
    return scale * (1 - 2 * z + z**2) / _poles(z, k, _HIGH_PASS_Q)


def _poles(z: np.ndarray, k: float, q: float) -> np.ndarray:
    return (1 + k / q + k * k) + 2 * (k * k - 1) * z + (1 - k / q + k * k) * z**2
