"""The sound of a clip as bytes that can be put into another data set."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from audiojourney.data import containers
from audiojourney.data.audio import load, probe
from audiojourney.data.clip import Clip
from audiojourney.data.soundinfo import AudioInfo
from audiojourney.data.write import encode_audio
from audiojourney.errors import ClipError

Encoding = Literal["keep", "flac", "wav", "ogg"]
_KEY_DIGITS = 16
_CONTAINERS = {"rf64": "wav", "w64": "w64"}


@dataclass(frozen=True)
class StoredSound:
    """A whole sound file.

    Attributes:
        data: its bytes.
        suffix: what it is, such as `flac`.
        duration_s: its length.
        rate_hz: its sample rate.
        channels: its number of channels.
    """

    data: bytes
    suffix: str
    duration_s: float
    rate_hz: int
    channels: int

    @property
    def sha256(self) -> str:
        """The hash of its bytes, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()


def key_of(id: str) -> str:
    """Return the name of a clip's files in archives and folders: 16 letters that any file system and tar can hold."""
    return hashlib.sha256(id.encode("utf-8", errors="surrogatepass")).hexdigest()[:_KEY_DIGITS]


def filed(folder: Path, clip: Clip, suffix: str) -> Path:
    """Return where the sound of a clip lies below a folder that holds many."""
    key = key_of(clip.id)
    return folder / key[:2] / f"{key}.{suffix}"


def stored(clip: Clip, encoding: Encoding = "keep", rate_hz: int | None = None) -> StoredSound:
    """Return the sound of a clip.

    Args:
        clip: the clip; a part of a file is cut out, and then always encoded anew.
        encoding: `keep` the bytes of the file, or encode the sound anew, in mono.
        rate_hz: sample rate of what is encoded anew; that of the file when None.

    Raises:
        ClipError: the sound cannot be used.
    """
    info = probe(clip.path)
    part = clip.offset_s is not None
    if encoding == "keep" and not part and rate_hz is None and info.duration_s is not None:
        return _kept(info, info.duration_s)
    rate = rate_hz or info.rate_hz
    kind = "flac" if encoding == "keep" else encoding
    wave = load(clip.path, rate, clip.offset_s, clip.duration_s if part else None)
    return StoredSound(encode_audio(wave, rate, kind), kind, len(wave) / rate, rate, 1)


def placed(clip: Clip, sound: StoredSound, path: Path) -> Clip:
    """Return the record of a clip whose sound was written to `path`."""
    return replace(clip, path=path, offset_s=None, duration_s=sound.duration_s, sha256=sound.sha256)


def _kept(info: AudioInfo, duration_s: float) -> StoredSound:
    try:
        data = info.path.read_bytes()
    except OSError as error:
        raise ClipError("unreadable", f"it cannot be read ({error}).", str(info.path)) from error
    containers.check_whole(info.path, containers.sniff(data[:64]))
    return StoredSound(data, _suffix(info, data), duration_s, info.rate_hz, info.channels)


def _suffix(info: AudioInfo, data: bytes) -> str:
    """Return what the bytes are, whatever the file is called; readers of archives go by it."""
    kind = containers.sniff(data[:64])
    if kind == "ogg" and info.codec == "OPUS":
        return "opus"
    return _CONTAINERS.get(kind, kind) or info.path.suffix[1:].lower()
