"""Log-mel spectrograms: every front-end is one configuration of one function.

B batch, T samples, F mel frames, M mel bins.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import torch
from torch import Tensor

from audiojourney.errors import UsageError


@dataclass(frozen=True, kw_only=True)
class MelConfig:
    """A mel front-end.

    Attributes:
        rate_hz: sampling rate of the waveform.
        n_fft: transform length in samples.
        win_length: length of the periodic Hann window, centred in the transform.
        hop_length: samples from frame to frame.
        n_mels: number of mel bins M.
        f_min_hz: lower edge of the lowest bin.
        f_max_hz: upper edge of the highest bin.
        pad: samples of padding on each side before framing.
        pad_mode: how they are filled.
        power: 1 for magnitude, 2 for energy.
        mel_scale: formula of the mel axis.
        triangles: whether the slopes of a filter are straight over frequency or over mel; over mel the constant
            component belongs to no filter.
        area_norm: scale each filter to unit area (slaney) instead of unit height.
        log: natural logarithm, or decibel of the energy.
        floor: smallest value before the logarithm.
        offset: what is added before the logarithm.
    """

    rate_hz: int = 16_000
    n_fft: int = 1024
    win_length: int = 1024
    hop_length: int = 160
    n_mels: int = 64
    f_min_hz: float = 0.0
    f_max_hz: float = 8_000.0
    pad: int = 432
    pad_mode: Literal["reflect", "constant"] = "reflect"
    power: float = 1.0
    mel_scale: Literal["slaney", "htk"] = "slaney"
    triangles: Literal["hz", "mel"] = "hz"
    area_norm: bool = True
    log: Literal["ln", "db"] = "ln"
    floor: float = 1e-5
    offset: float = 0.0

    @property
    def silence(self) -> float:
        """Value of a bin without energy."""
        least = max(self.floor, self.offset)
        return math.log(least) if self.log == "ln" else 10 * math.log10(least)

    def frames(self, samples: int) -> int:
        """Number of frames F of a waveform of T samples."""
        return (samples + 2 * self.pad - self.n_fft) // self.hop_length + 1


GENAU = MelConfig()  # 16 kHz, 64 bins, 100 frames a second; also the front-end of the pocket models
AUDIOLDM = MelConfig(pad=512)  # AudioLDM and Tango; they keep 1024 of the 1025 frames of 163,840 samples
PANNS_32K = MelConfig(
    rate_hz=32_000, hop_length=320, f_min_hz=50, f_max_hz=14_000, pad=512, power=2, log="db", floor=1e-10
)
PANNS_16K = replace(PANNS_32K, rate_hz=16_000, n_fft=512, win_length=512, hop_length=160, f_max_hz=8_000, pad=256)
HTSAT = PANNS_32K  # the audio encoder of AutoCap
CLAP = replace(PANNS_32K, rate_hz=48_000, hop_length=480)  # LAION-CLAP
# VGGish frames begin at their first sample and are not padded; the 512-point transform centres its window of 400.
VGGISH = MelConfig(
    n_fft=512,
    win_length=400,
    f_min_hz=125,
    f_max_hz=7_500,
    pad=56,
    pad_mode="constant",
    mel_scale="htk",
    triangles="mel",
    area_norm=False,
    floor=0.0,
    offset=0.01,
)


def log_mel(wave: Tensor, config: MelConfig = GENAU) -> Tensor:
    """Log-mel spectrogram.

    Args:
        wave: (B, T) or (T,), float32 at `config.rate_hz`.
        config: the front-end.

    Returns:
        (B, F, M) or (F, M), in natural-log or decibel units.

    Raises:
        UsageError: the waveform is too short for one frame.
    """
    shortest = config.pad + 1 if config.pad_mode == "reflect" else 1
    if wave.shape[-1] < shortest or config.frames(wave.shape[-1]) < 1:
        raise UsageError(f"A waveform of {wave.shape[-1]} samples is too short for a mel frame of {config.n_fft}.")
    return compress(mel_of_spectrum(spectrum(wave, config), config), config)


def spectrum(wave: Tensor, config: MelConfig) -> Tensor:
    """Magnitude (or energy) spectrogram (..., F, n_fft // 2 + 1) of a waveform (..., T)."""
    padded = torch.nn.functional.pad(wave.reshape(-1, wave.shape[-1]), (config.pad, config.pad), mode=config.pad_mode)
    stft = torch.stft(
        padded,
        config.n_fft,
        config.hop_length,
        config.win_length,
        window=hann(config.win_length, wave.device),
        center=False,
        return_complex=True,
    )
    magnitude = stft.abs().transpose(1, 2)
    powered = magnitude if config.power == 1 else magnitude**config.power
    return powered.reshape(*wave.shape[:-1], *powered.shape[1:])


def mel_of_spectrum(spectrogram: Tensor, config: MelConfig) -> Tensor:
    """Mel energies (..., F, M) of a spectrogram (..., F, n_fft // 2 + 1)."""
    return spectrogram @ filterbank(config).to(spectrogram.device).T


def compress(mel: Tensor, config: MelConfig) -> Tensor:
    """Logarithm with a floor, same shape (..., F, M)."""
    floored = mel.clamp(min=config.floor) + config.offset
    return floored.log() if config.log == "ln" else 10 * floored.log10()


# Cached tensors must serve training too, even when they are first asked for in inference mode.
@lru_cache(maxsize=16)
@torch.inference_mode(False)
def hann(length: int, device: torch.device) -> Tensor:
    """Periodic Hann window, shape (length,)."""
    return torch.hann_window(length, device=device)


@lru_cache(maxsize=16)
@torch.inference_mode(False)
def filterbank(config: MelConfig) -> Tensor:
    """Triangular mel filters, shape (M, n_fft // 2 + 1), float32, built in float64."""
    to_mel, to_hz = _SCALES[config.mel_scale]
    low, high = (to_mel(torch.tensor(f, dtype=torch.float64)) for f in (config.f_min_hz, config.f_max_hz))
    points = torch.linspace(float(low), float(high), config.n_mels + 2, dtype=torch.float64)
    edges = to_hz(points)
    bins = torch.linspace(0, config.rate_hz / 2, config.n_fft // 2 + 1, dtype=torch.float64)
    corners, places = (edges, bins) if config.triangles == "hz" else (points, to_mel(bins))
    rising = (places - corners[:-2, None]) / corners.diff()[:-1, None]
    falling = (corners[2:, None] - places) / corners.diff()[1:, None]
    filters = torch.minimum(rising, falling).clamp(min=0)
    if config.triangles == "mel":
        filters[:, 0] = 0
    if config.area_norm:
        filters = filters * (2 / (edges[2:] - edges[:-2]))[:, None]
    return filters.float()


def _slaney_mel(hz: Tensor) -> Tensor:
    """Linear below 1 kHz (200/3 Hz a mel), logarithmic above (27 mels for a factor of 6.4)."""
    return torch.where(hz < 1000, hz * 3 / 200, 15 + 27 * (hz.clamp(min=1000) / 1000).log() / math.log(6.4))


def _slaney_hz(mel: Tensor) -> Tensor:
    return torch.where(mel < 15, mel * 200 / 3, 1000 * torch.exp((mel - 15) * math.log(6.4) / 27))


def _htk_mel(hz: Tensor) -> Tensor:
    return 2595 * torch.log10(1 + hz / 700)


def _htk_hz(mel: Tensor) -> Tensor:
    return 700 * (10 ** (mel / 2595) - 1)


_SCALES = {"slaney": (_slaney_mel, _slaney_hz), "htk": (_htk_mel, _htk_hz)}
