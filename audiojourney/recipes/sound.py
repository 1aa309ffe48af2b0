"""One generated sound: its samples, and everything that is needed to make it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from audiojourney import files
from audiojourney.data.loudness import to_loudness
from audiojourney.data.resample import resample
from audiojourney.data.write import encode_audio
from audiojourney.errors import AudioJourneyError

# Above this a sound is turned down; quieter ones keep their level, since "distant" is a thing to ask for.
PEAK = 0.99


@dataclass(frozen=True)
class Sound:
    """What `audiojourney.generate` returns.

    Attributes:
        samples: float32 in [-1, 1], shape (T,).
        rate_hz: sample rate.
        meta: prompt, seed, model and settings, as they are written into files.
        score: fit to the prompt where sounds were ranked, else None.
    """

    samples: np.ndarray
    rate_hz: int
    meta: Mapping[str, Any] = field(default_factory=dict)
    score: float | None = None

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate_hz

    def encode(self, audio_format: str = "wav", *, metadata: bool = True) -> bytes:
        """Return the bytes of a sound file, with or without `meta` inside."""
        return encode_audio(self.samples, self.rate_hz, audio_format, self.meta if metadata else None)

    def save(self, path: Path | str, *, metadata: bool = True) -> Path:
        """Write a sound file in the format of its suffix, whole or not at all; an earlier file is replaced."""
        files.write_bytes(path, self.encode(Path(path).suffix[1:], metadata=metadata))
        return Path(path)


def finish(
    wave: np.ndarray, native_hz: int, rate_hz: int, samples: int, target_lufs: float | None = None
) -> np.ndarray:
    """Bring a generated waveform to its rate, length and level.

    Args:
        wave: float32, shape (T,).
        native_hz: rate of `wave`.
        rate_hz: wanted rate.
        samples: wanted length at `rate_hz`.
        target_lufs: wanted loudness, which `PEAK` may prevent; None leaves the model's level.

    Returns:
        float32, shape (samples,), peak at most `PEAK`.

    Raises:
        AudioJourneyError: the model gave samples that are not finite.
    """
    bad = int(np.count_nonzero(~np.isfinite(wave)))
    if bad:
        raise AudioJourneyError(f"The model gave {bad} samples that are not finite.", "Try --dtype fp32.")
    wave = resample(wave, native_hz, rate_hz)[:samples]
    wave = np.pad(wave, (0, samples - len(wave)))
    if target_lufs is not None:
        wave = to_loudness(wave, rate_hz, target_lufs)
    peak = float(np.max(np.abs(wave), initial=0.0))
    return wave * np.float32(PEAK / peak) if peak > PEAK else wave
