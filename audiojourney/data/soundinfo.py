"""What a sound file claims, what may be claimed, and the codes of all that can be wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from audiojourney.errors import ClipError

CODES = {
    "missing_file": "there is no such file",
    "not_a_file": "the path is a folder or a device",
    "unreadable": "the system refuses to read the file",
    "empty_file": "the file has no bytes",
    "not_audio": "the bytes are not those of a sound file",
    "bad_header": "the header cannot be read, or claims what cannot be",
    "unsupported_codec": "the sound is stored in a way that cannot be decoded here",
    "truncated": "the file ends before its header says",
    "corrupt": "the decoder met a fault within the sound",
    "empty_audio": "the header is in order, but no sample follows",
    "too_short": "less than one sample at the wanted rate",
    "too_long": "more samples than may be held in memory",
    "out_of_range": "the wanted part begins at or after the end",
    "non_finite": "samples that are not finite numbers",
}
Channels = Literal["mean", "first"]
_FRAMES_PER_BYTE = 4096  # no codec packs sound so tightly; beyond it a header lies


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a file may claim before it is refused.

    Attributes:
        min_rate_hz: lowest sample rate; at 1 Hz a second of sound would become hours.
        max_rate_hz: highest sample rate.
        max_channels: most channels.
        max_frames: most samples of one waveform, before and after resampling; 2^28 are 1 GiB, 1.7 hours at 44.1 kHz.
    """

    min_rate_hz: int = 1_000
    max_rate_hz: int = 768_000
    max_channels: int = 32
    max_frames: int = 2**28


LIMITS = Limits()


@dataclass(frozen=True, kw_only=True)
class AudioInfo:
    """What the header of a sound file says.

    Attributes:
        path: the file.
        container: such as "WAV".
        codec: such as "PCM_16".
        rate_hz: sample rate.
        channels: number of channels.
        frames: samples a channel, or None when the header does not say.
        size_bytes: size of the file.
        decoder: "soundfile" or "av".
    """

    path: Path
    container: str
    codec: str
    rate_hz: int
    channels: int
    frames: int | None
    size_bytes: int
    decoder: str

    @property
    def duration_s(self) -> float | None:
        """Length in seconds, or None when the header does not say."""
        return None if self.frames is None else self.frames / self.rate_hz


def check_limits(info: AudioInfo, limits: Limits) -> None:
    """Refuse a header that claims what cannot be.

    Raises:
        ClipError: `bad_header`.
    """
    path = str(info.path)
    if not limits.min_rate_hz <= info.rate_hz <= limits.max_rate_hz:
        told = f"a sample rate of {info.rate_hz} Hz lies outside {limits.min_rate_hz} to {limits.max_rate_hz} Hz."
        raise ClipError("bad_header", told, path)
    if not 1 <= info.channels <= limits.max_channels:
        raise ClipError("bad_header", f"{info.channels} channels; 1 to {limits.max_channels} are read.", path)
    if info.frames is not None and info.frames > _FRAMES_PER_BYTE * info.size_bytes:
        told = f"the header claims {info.frames} frames, and the file has {info.size_bytes} bytes."
        raise ClipError("bad_header", told, path)


def channel_weights(count: int, channels: Channels) -> np.ndarray:
    """Return the share of each of `count` channels in the one that is read, float32, shape (count,)."""
    weights = np.full(count, 1 / count, np.float32)
    return weights if channels == "mean" else (np.arange(count) == 0).astype(np.float32)
