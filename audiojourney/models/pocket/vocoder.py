"""The pocket vocoder: a spectrum predicted from log-mel and noise in one pass, then corrected to the wanted mel.

The backbone follows Vocos (Siuzdak 2023): ConvNeXt blocks at the frame rate, magnitude and phase, an inverse STFT. Two
things make it fit for ambient sound at this size: the magnitude starts from the interpolated mel, and noise channels
with an energy-distance loss give noise-like sounds their texture without an adversary.

B batch, F mel frames, M mel bins, K frequency bins, T samples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from audiojourney.data.mel import GENAU, MelConfig, filterbank, hann, mel_of_spectrum
from audiojourney.models.pocket.convnext import ConvNeXtTrunk

MATCH_RANGE = (0.1, 4.0)  # largest correction of a bin in one mel-matching pass


@dataclass(frozen=True, kw_only=True)
class SpectralVocoderConfig:
    """Sizes of the vocoder.

    Attributes:
        mel: the front-end whose output it inverts.
        n_fft: length of the inverse transform; hop and rate come from `mel`.
        width: channels of the backbone.
        depth: blocks of the backbone.
        noise: noise channels beside the mel.
        matching: mel-matching passes after the network.
    """

    mel: MelConfig = field(default_factory=MelConfig)
    n_fft: int = 640
    width: int = 256
    depth: int = 6
    noise: int = 32
    matching: int = 4


class SpectralVocoder(nn.Module):
    """Log-mel (B, F, M) to waveforms (B, F * hop)."""

    bridge: Tensor

    def __init__(self, config: SpectralVocoderConfig) -> None:
        super().__init__()
        self.config = config
        bins = config.n_fft // 2 + 1
        self.trunk = ConvNeXtTrunk(config.mel.n_mels + config.noise, config.width, 2 * bins, config.depth)
        self.register_buffer("bridge", mel_to_bins(config.mel, bins), persistent=False)
        with torch.no_grad():
            self.trunk.leave.weight[:bins] *= 0.1
            self.trunk.leave.bias[:bins] = math.log(
                config.mel.rate_hz / config.mel.n_fft * math.sqrt(config.n_fft / config.mel.n_fft)
            )

    def forward(self, mel: Tensor, noise: Tensor) -> Tensor:
        """Waveforms (B, F * hop) of log-mel (B, F, M) and standard normal noise (B, noise, F)."""
        x = torch.cat([mel.transpose(1, 2) / 4 + 1, noise], dim=1)
        log_magnitude, phase = self.trunk(x).float().chunk(2, dim=1)
        log_magnitude = (log_magnitude + (mel @ self.bridge).transpose(1, 2)).clamp(max=7)
        return inverse_stft(torch.polar(log_magnitude.exp(), phase), self.config.n_fft, self.config.mel.hop_length)

    @torch.inference_mode()
    def synthesise(self, mel: Tensor, generators: list[torch.Generator]) -> Tensor:
        """Waveforms (B, F * hop) of log-mel (B, F, M); row i draws its noise from generator i."""
        shape = (self.config.noise, mel.shape[1])
        noise = torch.stack([torch.randn(shape, generator=g) for g in generators]).to(mel)
        wave = self(mel, noise)
        target = mel.exp()
        for _ in range(self.config.matching):
            wave = match_mel(wave, target, self.config.mel)
        return wave


def mel_to_bins(config: MelConfig, bins: int) -> Tensor:
    """Matrix (M, K) that interpolates mel bins linearly to K frequencies from 0 to half the rate."""
    centres = _centres(config)
    frequencies = torch.linspace(0, config.rate_hz / 2, bins)
    right = torch.searchsorted(centres, frequencies).clamp(1, config.n_mels - 1)
    share = ((frequencies - centres[right - 1]) / (centres[right] - centres[right - 1])).clamp(0, 1)
    matrix = torch.zeros(config.n_mels, bins)
    columns = torch.arange(bins)
    matrix[right - 1, columns] = 1 - share
    matrix[right, columns] += share
    return matrix


def _centres(config: MelConfig) -> Tensor:
    filters = filterbank(config)
    frequencies = torch.linspace(0, config.rate_hz / 2, filters.shape[1])
    return (filters @ frequencies) / filters.sum(dim=1)


def inverse_stft(spectrum: Tensor, n_fft: int, hop: int) -> Tensor:
    """Overlap-add of windowed inverse transforms: (B, K, F) complex to (B, F * hop), "same" padding."""
    window = hann(n_fft, spectrum.device)
    frames = torch.fft.irfft(spectrum, n_fft, dim=1) * window[:, None]
    count = spectrum.shape[2]
    length = (count - 1) * hop + n_fft
    fold = nn.functional.fold(frames, (1, length), (1, n_fft), stride=(1, hop))[:, 0, 0]
    weight = window.square()[None, :, None].expand(1, n_fft, count)
    norm = nn.functional.fold(weight, (1, length), (1, n_fft), stride=(1, hop))[:, 0, 0]
    start = (n_fft - hop) // 2
    return (fold / norm.clamp(min=1e-6))[:, start : start + count * hop]


def match_mel(wave: Tensor, target: Tensor, config: MelConfig) -> Tensor:
    """Scale the spectrum of waves (B, T) towards mel magnitudes (B, F, M), keeping its phase."""
    padded = nn.functional.pad(wave, (config.pad, config.pad), mode="reflect")
    window = hann(config.win_length, wave.device)
    stft = torch.stft(padded, config.n_fft, config.hop_length, window=window, center=False, return_complex=True)
    mel = mel_of_spectrum(stft.abs().transpose(1, 2), config)
    ratio = (target / mel.clamp(min=config.floor)).clamp(*MATCH_RANGE)
    filters = filterbank(config).to(wave.device)
    weight = filters / filters.sum(dim=0).clamp(min=1e-8)
    uncovered = (filters.sum(dim=0) <= 0).float()
    gain = (ratio @ weight + uncovered).transpose(1, 2)
    return inverse_stft(stft * gain, config.n_fft, config.hop_length)


def griffin_lim(mel: Tensor, generator: torch.Generator, config: MelConfig = GENAU, *, passes: int = 32) -> Tensor:
    """Waveforms (B, F * hop) of log-mel (B, F, M) without any weights (Perraudin et al. 2013, momentum 0.99).

    The magnitude is the non-negative one whose mel is nearest, found by multiplicative updates.
    """
    magnitude = invert_mel(mel.exp(), config).transpose(1, 2)
    phase = torch.rand(magnitude.shape, generator=generator).to(mel) * 2 * math.pi
    spectrum, previous = torch.polar(magnitude, phase), torch.zeros_like(magnitude, dtype=torch.complex64)
    window = hann(config.win_length, mel.device)
    for _ in range(passes):
        wave = inverse_stft(spectrum, config.n_fft, config.hop_length)
        padded = nn.functional.pad(wave, (config.pad, config.pad), mode="reflect")
        found = torch.stft(padded, config.n_fft, config.hop_length, window=window, center=False, return_complex=True)
        ahead = found - 0.99 / 1.99 * previous
        spectrum, previous = magnitude * ahead / ahead.abs().clamp(min=1e-8), found
    return inverse_stft(spectrum, config.n_fft, config.hop_length)


def invert_mel(mel: Tensor, config: MelConfig, *, updates: int = 8) -> Tensor:
    """Non-negative magnitudes (B, F, K) whose mel is near (B, F, M)."""
    filters = filterbank(config).to(mel.device)
    magnitude = (mel @ torch.linalg.pinv(filters).T).clamp(min=1e-6)
    for _ in range(updates):
        magnitude = magnitude * (mel @ filters) / ((magnitude @ filters.T) @ filters).clamp(min=1e-8)
    return magnitude
