"""Decoding with libsndfile: WAV, FLAC, Ogg Vorbis and Opus, MP3, AIFF, AU, CAF and many more."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soundfile

from audiojourney.data import containers, ogg
from audiojourney.data.soundinfo import AudioInfo, Channels, channel_weights
from audiojourney.errors import ClipError

_BLOCK_FRAMES = 65536
_UNKNOWN_FRAMES = 2**62  # libsndfile reports 2^63 - 1 for streams that do not tell their length
_FAULTS = (soundfile.SoundFileError, RuntimeError, ValueError, OSError)
_ONE_CODEC = ("flac", "mp3")  # "unimplemented" said of these means that the header is cut
_UNSUPPORTED = ("unimplemented", "not supported", "unsupported", "unknown codec")


def probe(path: Path, head: bytes) -> AudioInfo:
    """Read the header of a file that begins with the bytes `head`.

    Raises:
        ClipError: `not_audio`, `bad_header`, `unsupported_codec`, or for Ogg `truncated` or `corrupt`.
    """
    kind = containers.sniff(head)
    containers.check_header(path, kind)
    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:
            return AudioInfo(
                path=path,
                container=file.format,
                codec=file.subtype,
                rate_hz=file.samplerate,
                channels=file.channels,
                frames=None if file.frames > _UNKNOWN_FRAMES else file.frames,
                size_bytes=path.stat().st_size,
                decoder="soundfile",
            )
    except _FAULTS as error:
        raise _named(path, head, kind, _words(error)) from error


def blocks(info: AudioInfo, first: int, channels: Channels = "mean") -> Iterator[np.ndarray]:
    """Decode from frame `first` to the end, averaging the channels or taking the first of them.

    The decoder drops what precedes a fault within one read, so each read goes into a block of NaN, and what the
    decoder wrote before the fault is yielded too. Streams of unknown length end in such a fault by design.

    Yields:
        float32, shape (up to 65536,).

    Raises:
        ClipError: `corrupt`, after all that precedes the fault.
    """
    weights = channel_weights(info.channels, channels)
    buffer = np.empty((_BLOCK_FRAMES, info.channels), dtype=np.float32)
    try:
        with soundfile.SoundFile(os.fsencode(info.path)) as file:
            if first:
                file.seek(first)
            while True:
                buffer.fill(np.nan)
                frames = file.read(out=buffer)
                if not len(frames):
                    return
                yield frames @ weights
    except _FAULTS as error:
        yield buffer[: _written(buffer)] @ weights
        if info.frames is not None:
            raise ClipError("corrupt", f"the decoder stopped ({_words(error)}).", str(info.path)) from error


def _written(buffer: np.ndarray) -> int:
    """Count the frames up to the last that is not NaN."""
    rows = np.flatnonzero(~np.isnan(buffer[:, 0]))
    return int(rows[-1]) + 1 if len(rows) else 0


def _named(path: Path, head: bytes, kind: str, words: str) -> ClipError:
    """Give the reason why a file was not opened a code and a sentence."""
    other = containers.ffmpeg_only(head)
    if other:
        told = f'{other} needs PyAV. Run: pip install "audiojourney[av]"'
        return ClipError("unsupported_codec", told, str(path))
    fault = ogg.fault(path.read_bytes()) if kind == "ogg" else None
    if fault:
        return ClipError(*fault, str(path))
    if not kind:
        return ClipError("not_audio", f"not a sound file; {containers.describe(head)}.", str(path))
    if kind not in _ONE_CODEC and any(word in words.lower() for word in _UNSUPPORTED):
        return ClipError("unsupported_codec", f"this kind of {kind} file cannot be decoded ({words}).", str(path))
    return ClipError("bad_header", f"the {kind} header cannot be read ({words}).", str(path))


def _words(error: Exception) -> str:
    text = getattr(error, "error_string", "") or str(error)
    return text.strip().rstrip(".") or type(error).__name__
