"""Sound files in, mono waveforms out; a file that cannot be used raises a `ClipError` whose code is one of `CODES`.

soundfile decodes. PyAV, where it is installed, is asked for the files that soundfile cannot open.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from audiojourney.data import containers, ffmpeg, sndfile
from audiojourney.data.resample import Resampler, resample
from audiojourney.data.soundinfo import CODES, LIMITS, AudioInfo, Channels, Limits, check_limits
from audiojourney.errors import ClipError, UsageError

__all__ = ["CODES", "LIMITS", "AudioInfo", "Limits", "load", "probe"]

_MP3_SLACK = 2 * 1152  # MP3 headers count whole packets


def probe(path: Path | str, limits: Limits = LIMITS) -> AudioInfo:
    """Read and check the header of a sound file.

    Raises:
        ClipError: the file cannot be used, so far as a header can show it.
    """
    path = Path(path)
    head = containers.first_bytes(path)
    try:
        info = sndfile.probe(path, head)
    except ClipError:
        other = ffmpeg.probe(path)
        if other is None:
            raise
        info = other
    check_limits(info, limits)
    return info


def load(
    path: Path | str,
    rate_hz: int,
    start_s: float | None = None,
    duration_s: float | None = None,
    resampler: Resampler = "soxr",
    *,
    salvage: bool = False,
    limits: Limits = LIMITS,
    channels: Channels = "mean",
) -> np.ndarray:
    """Read a sound file, or a part of it, as mono at the wanted rate.

    A part is read by seeking and equals, before resampling, the same part of the whole file bit
    for bit; it is shorter than asked where the file ends.

    Args:
        path: sound file; its suffix is not looked at.
        rate_hz: wanted sample rate.
        start_s: first second of the wanted part; the beginning when None.
        duration_s: length of the wanted part; all that follows when None.
        resampler: `soxr` or `sinc`.
        salvage: keep what can be decoded of a truncated or corrupt file.
        limits: what a file may claim.
        channels: several channels become their mean, or the first of them.

    Returns:
        float32, shape (T,), where T is ceil(frames * rate_hz / rate of the file).

    Raises:
        ClipError: the file cannot be used; its code is a key of `CODES`.
        UsageError: a rate, start or duration that cannot be meant.
    """
    _check_request(rate_hz, start_s, duration_s, limits)
    info = probe(path, limits)
    first = round((start_s or 0.0) * info.rate_hz)
    count = None if duration_s is None else max(1, round(duration_s * info.rate_hz))
    if first == 0 and count is None and not salvage:
        containers.check_whole(info.path, containers.sniff(containers.first_bytes(info.path)))
    try:
        wave = _decode(info, first, count, _most_frames(info, rate_hz, limits), salvage, channels)
        _check_wave(wave, info, rate_hz)
        return resample(wave, info.rate_hz, rate_hz, resampler)
    except MemoryError as error:
        raise ClipError("too_long", f"{info.frames} frames do not fit into memory.", str(path)) from error


def _check_request(rate_hz: int, start_s: float | None, duration_s: float | None, limits: Limits) -> None:
    if not 1 <= rate_hz <= limits.max_rate_hz:
        raise UsageError(f"A sample rate of {rate_hz} Hz is not between 1 and {limits.max_rate_hz} Hz.")
    if start_s is not None and not 0 <= start_s < float("inf"):
        raise UsageError(f"A part of a sound cannot start at {start_s} s.")
    if duration_s is not None and not 0 < duration_s < float("inf"):
        raise UsageError(f"A part of a sound cannot last {duration_s} s.")


def _most_frames(info: AudioInfo, rate_hz: int, limits: Limits) -> int:
    """Return how many frames may be decoded so that neither they nor the resampled ones pass the limit."""
    return min(limits.max_frames, limits.max_frames * info.rate_hz // rate_hz)


def _decode(info: AudioInfo, first: int, count: int | None, most: int, salvage: bool, channels: Channels) -> np.ndarray:
    """Return `count` mono frames from frame `first` on, fewer where the file ends; shape (T,)."""
    left = None if info.frames is None else max(0, info.frames - first)
    known = [size for size in (count, left) if size is not None]
    expected = min(known, default=most + 1)
    if known and expected > most:
        raise _too_long(info, most)
    wave, fault = _collect(info, first, expected, channels)
    slack = _MP3_SLACK if info.container == "MP3" else 0
    if fault is None and left is not None and len(wave) < expected - slack:
        told = f"{expected} frames were promised, {len(wave)} could be read."
        fault = ClipError("truncated", told, str(info.path))
    if fault is not None and not (salvage and len(wave)):
        raise fault
    if len(wave) > most:
        raise _too_long(info, most)
    if not len(wave):
        raise _nothing(info, first)
    return wave


def _collect(info: AudioInfo, first: int, wanted: int, channels: Channels) -> tuple[np.ndarray, ClipError | None]:
    """Decode up to `wanted` frames; return what there is, shape (T,), and the fault that ended it, if any."""
    decoder = sndfile if info.decoder == "soundfile" else ffmpeg
    parts: list[np.ndarray] = [np.zeros(0, dtype=np.float32)]
    missing, fault = wanted, None
    try:
        for block in decoder.blocks(info, first, channels) if wanted else ():
            parts.append(block[:missing])
            missing -= len(parts[-1])
            if not missing:
                break
    except ClipError as error:
        fault = error
    return np.concatenate(parts), fault


def _check_wave(wave: np.ndarray, info: AudioInfo, rate_hz: int) -> None:
    finite = int(np.isfinite(wave).sum())
    if finite < len(wave):
        told = f"{len(wave) - finite} of {len(wave)} samples are not finite numbers."
        raise ClipError("non_finite", told, str(info.path))
    if len(wave) * rate_hz < info.rate_hz:
        told = f"{len(wave)} samples at {info.rate_hz} Hz are less than one at {rate_hz} Hz."
        raise ClipError("too_short", told, str(info.path))


def _too_long(info: AudioInfo, most: int) -> ClipError:
    return ClipError("too_long", f"more than {most} frames at {info.rate_hz} Hz; read a part of it.", str(info.path))


def _nothing(info: AudioInfo, first: int) -> ClipError:
    if first:
        told = f"frame {first} was asked for, and the sound ends before it ({info.frames or 0} frames)."
        return ClipError("out_of_range", told, str(info.path))
    told = f"the header says that no sample follows, in a file of {info.size_bytes} bytes."
    return ClipError("empty_audio", told, str(info.path))
