"""Sounds and pictures that stand in the page itself."""

from __future__ import annotations

import base64
from pathlib import Path

import numpy as np
import soundfile

from audiojourney.data.audio import load, probe
from audiojourney.data.spectrogram import Picture, spectrogram_png
from audiojourney.data.write import encode_audio
from audiojourney.recipes.page.markup import Markup, tag

KINDS = {"flac": "audio/flac", "ogg": "audio/ogg", "wav": "audio/wav"}
PICTURE = Picture(width=440, height=128, ink=(128, 136, 144), paper=None)  # legible on light and on dark


def data_uri(data: bytes, kind: str) -> str:
    """Return bytes as an address that holds them; `kind` is their media type, such as `image/png`."""
    return f"data:{kind};base64,{base64.b64encode(data).decode('ascii')}"


def read_sound(path: Path, most_s: float | None = None) -> tuple[np.ndarray, int]:
    """Read a sound for listening: at its own rate, and in stereo where it has two channels.

    Args:
        path: sound file.
        most_s: what follows after so many seconds is left out.

    Returns:
        Samples, shape (T,) or (T, 2), and their rate in Hz.

    Raises:
        ClipError: the file cannot be used.
    """
    info = probe(path)
    wave = load(path, info.rate_hz, duration_s=most_s)
    if info.channels == 2 and info.decoder == "soundfile":
        wave = soundfile.read(path, frames=len(wave), dtype="float32")[0]
    return wave, info.rate_hz


def sound_uri(wave: np.ndarray, rate_hz: int, format: str) -> str:
    """Return a sound, shape (T,) or (T, C), as an address that holds it, without a tag that says where it is from.

    Raises:
        UsageError: `format` is none of `KINDS`, or the sound has no samples or some that are not finite.
    """
    return data_uri(encode_audio(wave, rate_hz, format), KINDS.get(format, ""))


def player(uri: str, name: str, told: str) -> Markup:
    """Return controls that play a sound; `name` is their id, `told` says what it is to those who cannot see."""
    return tag("audio", id=name, controls=True, preload="none", src=uri, aria_label=told)


def spectrogram(wave: np.ndarray, rate_hz: int, told: str, picture: Picture = PICTURE) -> Markup:
    """Return the picture of a sound, shape (T,) or (T, C); `told` says what it shows to those who cannot see it."""
    uri = data_uri(spectrogram_png(wave, rate_hz, picture), "image/png")
    width, height = _size(uri)
    return tag("img", src=uri, alt=told, width=width, height=height, class_="spectrogram")


def _size(uri: str) -> tuple[int, int]:
    """Return width and height in pixels, from the header of a PNG."""
    head = base64.b64decode(uri.partition(",")[2][:64])
    return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
