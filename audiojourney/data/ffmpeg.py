"""Decoding with PyAV, which carries its own FFmpeg: the second try for files that libsndfile cannot open."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np

from audiojourney.data.soundinfo import AudioInfo, Channels, channel_weights
from audiojourney.errors import ClipError, MissingError, require


@cache
def module() -> ModuleType | None:
    """Return PyAV, or None where it is absent or broken."""
    try:
        return require("av", extra="av", feature="Reading m4a and webm")
    except MissingError:
        return None


def probe(path: Path) -> AudioInfo | None:
    """Read the header of a file, or return None when PyAV is absent or finds no sound in it."""
    av = module()
    if av is None:
        return None
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.audio:
                return None
            stream = container.streams.audio[0]
            return AudioInfo(
                path=path,
                container=container.format.name,
                codec=stream.codec_context.name,
                rate_hz=stream.codec_context.sample_rate,
                channels=stream.codec_context.channels,
                frames=None,
                size_bytes=path.stat().st_size,
                decoder="av",
            )
    except (av.error.FFmpegError, OSError, ValueError):
        return None


def blocks(info: AudioInfo, first: int, channels: Channels = "mean") -> Iterator[np.ndarray]:
    """Decode from frame `first` to the end as one channel; what precedes it is decoded and dropped.

    Yields:
        float32, shape (T,), of whatever length the codec's packets have.

    Raises:
        ClipError: `corrupt`, after all that precedes the fault.
    """
    av = importlib.import_module("av")
    convert = av.AudioResampler(format="fltp")
    to_skip = first
    try:
        with av.open(str(info.path), metadata_errors="replace") as container:
            for frame in container.decode(container.streams.audio[0]):
                for part in convert.resample(frame):
                    planes = part.to_ndarray()
                    wave = channel_weights(len(planes), channels) @ planes
                    yield wave[to_skip:]
                    to_skip = max(0, to_skip - len(wave))
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise ClipError("corrupt", f"the decoder stopped ({error}).", str(info.path)) from error
