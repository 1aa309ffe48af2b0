"""Distances of waveforms over several spectral resolutions, and the energy distance made of them.

B batch, T samples.
"""

from __future__ import annotations

import torch
from torch import Tensor

from audiojourney.data.mel import hann

RESOLUTIONS = (256, 512, 1024, 2048)
FLOOR = 1e-3  # below this a magnitude counts as silence


def log_magnitudes(wave: Tensor) -> list[Tensor]:
    """Log-magnitude spectrograms of waves (B, T), one (B, K, F) a resolution, hop a quarter of the window."""
    return [_log_magnitude(wave, n_fft) for n_fft in RESOLUTIONS]


def _log_magnitude(wave: Tensor, n_fft: int) -> Tensor:
    stft = torch.stft(wave, n_fft, n_fft // 4, window=hann(n_fft, wave.device), return_complex=True)
    return stft.abs().clamp(min=FLOOR).log()


def distance(a: list[Tensor], b: list[Tensor]) -> Tensor:
    """Mean over resolutions of twice the frame-wise root mean square and the mean absolute difference, a scalar."""
    terms = []
    for x, y in zip(a, b, strict=True):
        difference = x - y
        frames = (difference.square().mean(dim=1) + 1e-6).sqrt()
        terms.append(2 * frames.mean() + difference.abs().mean())
    return torch.stack(terms).mean()


def energy_distance(real: Tensor, first: Tensor, second: Tensor, repulsion: float = 1.0) -> Tensor:
    """d(real, first) + d(real, second) - repulsion * d(first, second) of waves (B, T).

    An energy score (Gneiting and Raftery 2007, section 5.1). With repulsion 1 its expectation is least when independent
    outputs are distributed as the real sound is; a point-wise distance would instead reward their average, which is no
    noise any more.
    """
    x, y, z = log_magnitudes(real), log_magnitudes(first), log_magnitudes(second)
    return distance(x, y) + distance(x, z) - repulsion * distance(y, z)
