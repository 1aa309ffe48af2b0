"""Log-mel of one waveform after the other, three times as fast as `log_mel` on a processor.

What costs most in a spectrogram on a processor is not the arithmetic: it is memory that is asked for, and touched for
the first time, for every clip. Here each thread keeps buffers for a block of frames, so small that they stay in its
cache. Numbers equal those of `audiojourney.data.mel.log_mel` to rounding.

T samples, F mel frames, M mel bins.
"""

from __future__ import annotations

import threading

import torch
from torch import Tensor

from audiojourney.data.mel import MelConfig, compress, filterbank, hann, log_mel
from audiojourney.models import onednn

BLOCK = 128  # frames; their spectra and all that is made of them take 1.5 MB at 1024 points


class _Buffers:
    """Room for a block of frames and for their spectra."""

    def __init__(self, config: MelConfig) -> None:
        bins = config.n_fft // 2 + 1
        self.frames = torch.empty(BLOCK, config.n_fft)
        self.spectra = torch.empty(BLOCK, bins, dtype=torch.complex64)
        self.energies = torch.empty(BLOCK, bins)


class QuickLogMel:
    """Log-mel of waveforms that lie on the processor; others, and other front-ends, go to `log_mel`.

    Args:
        config: the front-end.
    """

    def __init__(self, config: MelConfig) -> None:
        self.config = config
        self._local = threading.local()
        self._window = torch.zeros(config.n_fft)
        start = (config.n_fft - config.win_length) // 2
        self._window[start : start + config.win_length] = hann(config.win_length, torch.device("cpu"))

    def __call__(self, wave: Tensor) -> Tensor:
        """Log-mel (F, M) of a waveform (T,), float32.

        Raises:
            UsageError: the waveform is too short for one frame.
        """
        config = self.config
        ordinary = wave.device.type != "cpu" or wave.dtype != torch.float32
        if ordinary or len(wave) <= config.pad or config.frames(len(wave)) < 1:
            return log_mel(wave, config)
        if not hasattr(self._local, "buffers"):
            self._local.buffers = _Buffers(config)
        padded = torch.nn.functional.pad(wave[None], (config.pad, config.pad), mode=config.pad_mode)[0]
        frames = padded.unfold(0, config.n_fft, config.hop_length)
        mel = torch.empty(len(frames), config.n_mels)
        for start in range(0, len(frames), BLOCK):
            self._block(frames[start : start + BLOCK], mel[start : start + BLOCK])
        return compress(mel, config)

    def _block(self, frames: Tensor, mel: Tensor) -> None:
        """Write the mel energies (f, M) of frames (f, n_fft) into `mel`."""
        room, count = self._local.buffers, len(frames)
        windowed = torch.mul(frames, self._window, out=room.frames[:count])
        parts = torch.view_as_real(torch.fft.rfft(windowed, out=room.spectra[:count]))
        energies = torch.mul(parts[..., 0], parts[..., 0], out=room.energies[:count])
        energies.addcmul_(parts[..., 1], parts[..., 1])
        if self.config.power == 1:
            energies.sqrt_()
        filters = filterbank(self.config)
        mel.copy_(onednn.product(energies, filters) if onednn.available() else energies @ filters.T)
