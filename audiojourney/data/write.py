"""Sounds that say how they were made, written whole or not at all.

Sounds are written as 16-bit WAV or FLAC (as recordings are; the rounding noise lies at -98 dB) or as Ogg Vorbis.
Equal samples and tags give equal bytes.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from audiojourney import __version__
from audiojourney.data import containers, ogg, riff
from audiojourney.errors import ClipError, UsageError
from audiojourney.files import write_bytes

FORMATS = ("wav", "flac", "ogg")
TAG_VERSION = 1  # value of the key "aj" of every provenance tag
_BLOCK_FRAMES = 65536  # libsndfile's Vorbis encoder overruns the stack when it is given minutes at once
_OGG_SERIAL = 0x616A0001
_SOFTWARE = f"audiojourney {__version__}"


def save_audio(path: Path | str, wave: np.ndarray, rate_hz: int, tags: Mapping[str, Any] | None = None) -> None:
    """Write a sound, whole or not at all; the suffix of the path names the format.

    Args:
        path: file to write; an earlier one is replaced.
        wave: samples in [-1, 1], shape (T,) or (T, C); what lies outside is clipped.
        rate_hz: sample rate.
        tags: how the sound was made; `read_tag` returns it.

    Raises:
        UsageError: unknown format, no samples, or samples that are not finite.
        AudioJourneyError: the file cannot be written.
    """
    write_bytes(path, encode_audio(wave, rate_hz, Path(path).suffix[1:], tags))


def encode_audio(wave: np.ndarray, rate_hz: int, format: str = "wav", tags: Mapping[str, Any] | None = None) -> bytes:
    """Return the bytes that `save_audio` would write in one of `FORMATS`.

    Raises:
        UsageError: unknown format, no samples, or samples that are not finite.
    """
    frames = _checked(wave)
    comment = "" if tags is None else json.dumps({"aj": TAG_VERSION, **tags}, ensure_ascii=True, allow_nan=False)
    kind = format.lower()
    if kind not in FORMATS:
        raise UsageError(f"Sounds cannot be written as {format!r}.", f"Use one of: {', '.join(FORMATS)}.")
    if kind == "wav":
        return riff.wav_bytes(frames, rate_hz, {"ICMT": comment, "ISFT": _SOFTWARE} if comment else {})
    if kind == "flac":
        return _sndfile_bytes(riff.pcm16(frames), rate_hz, "FLAC", "PCM_16", comment)
    data = _sndfile_bytes(frames.astype(np.float32), rate_hz, "OGG", "VORBIS", comment)
    return ogg.with_serial(data, _OGG_SERIAL)


def read_tag(path: Path | str) -> dict[str, Any] | None:
    """Return how a sound was made, as `save_audio` was told plus the key "aj", or None when the file does not say.

    Raises:
        ClipError: there is no such file, or it is no sound.
    """
    path = Path(path)
    containers.first_bytes(path)
    with path.open("rb") as file:
        comment = riff.info_texts(file).get("ICMT", "")
    try:
        tag = json.loads(comment or _sndfile_comment(path))
    except ValueError:
        return None
    return tag if isinstance(tag, dict) and "aj" in tag else None


def _checked(wave: np.ndarray) -> np.ndarray:
    frames = np.asarray(wave)
    if frames.ndim == 1:
        frames = frames[:, None]
    if frames.ndim != 2 or frames.size == 0:
        raise UsageError(f"A sound has the shape (T,) or (T, C) and at least one sample, not {np.shape(wave)}.")
    bad = int(frames.size - np.isfinite(frames).sum())
    if bad:
        raise UsageError(f"{bad} of {frames.size} samples are not finite, so the sound is not written.")
    return frames


def _sndfile_bytes(frames: np.ndarray, rate_hz: int, format: str, subtype: str, comment: str) -> bytes:
    buffer = io.BytesIO()
    try:
        with soundfile.SoundFile(buffer, "w", rate_hz, frames.shape[1], subtype, format=format) as file:
            if comment:
                file.comment, file.software = comment, _SOFTWARE
            for start in range(0, len(frames), _BLOCK_FRAMES):
                file.write(frames[start : start + _BLOCK_FRAMES])
    except soundfile.LibsndfileError as error:
        told = f"{frames.shape[1]} channels at {rate_hz} Hz cannot be written as {format} ({error.error_string})"
        raise UsageError(told, "Use wav.") from error
    return buffer.getvalue()


def _sndfile_comment(path: Path) -> str:
    try:
        with soundfile.SoundFile(os.fsencode(path)) as file:
            return file.comment
    except soundfile.LibsndfileError as error:
        raise ClipError("not_audio", f"not a sound that can be read ({error.error_string})", str(path)) from error
