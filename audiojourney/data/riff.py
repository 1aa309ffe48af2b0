"""WAV files as bytes: written whole, with text tags of any length, and walked chunk by chunk.

libsndfile drops a long WAV comment without a word and stamps float files with the time of day. Neither will do for
provenance that must survive and files that must be byte-equal.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from audiojourney.errors import UsageError

MAX_BYTES = 2**32 - 1  # sizes in a RIFF file are 32 bit
_PCM = 1
_KINDS = (b"RIFF", b"RF64")


@dataclass(frozen=True)
class Chunk:
    """A chunk of a RIFF file.

    Attributes:
        name: four letters, such as b"data".
        start: offset of its first byte in the file.
        size: number of bytes that its header claims, which a cut file does not have.
    """

    name: bytes
    start: int
    size: int


def pcm16(wave: np.ndarray) -> np.ndarray:
    """Round a waveform in [-1, 1] to 16-bit integers of the same shape; what lies outside is clipped.

    One step is 1/32768, so a decoded sample differs from the given one by at most half a step (a whole one at +1).
    """
    scaled = np.rint(np.asarray(wave, dtype=np.float64) * 32768.0)
    return np.clip(scaled, -32768, 32767).astype("<i2")


def wav_bytes(wave: np.ndarray, rate_hz: int, info: Mapping[str, str]) -> bytes:
    """Return a 16-bit PCM WAV file.

    Args:
        wave: samples in [-1, 1], shape (T, C).
        rate_hz: sample rate.
        info: four-letter RIFF INFO names to texts, such as {"ICMT": "a comment"}.

    Raises:
        UsageError: the file would pass the 4 GiB that the format can hold.
    """
    channels = wave.shape[1]
    frame = 2 * channels
    layout = struct.pack("<HHIIHH", _PCM, channels, rate_hz, rate_hz * frame, frame, 16)
    tags = b"".join(_chunk(name.encode("ascii"), text.encode("utf-8") + b"\0") for name, text in info.items())
    head = b"WAVE" + _chunk(b"fmt ", layout) + (_chunk(b"LIST", b"INFO" + tags) if tags else b"")
    total = len(head) + 8 + frame * len(wave)
    if total > MAX_BYTES:
        raise UsageError(f"{len(wave)} frames need {total} bytes, and a WAV file holds {MAX_BYTES}.", "Write FLAC.")
    return b"RIFF" + struct.pack("<I", total) + head + _chunk(b"data", pcm16(wave).tobytes())


def chunks(file: BinaryIO) -> Iterator[Chunk]:
    """Walk the chunks of an open RIFF/WAVE file; nothing when it is none.

    The walk ends where the file ends, or at a nameless chunk, as the padding of preallocated files looks.
    """
    file.seek(0)
    head = file.read(12)
    if head[:4] not in _KINDS or head[8:] != b"WAVE":
        return
    position = 12
    while True:
        file.seek(position)
        header = file.read(8)
        if len(header) < 8 or header[:4] == bytes(4):
            return
        name, size = struct.unpack("<4sI", header)
        yield Chunk(name, position + 8, size)
        position += 8 + size + size % 2


def info_texts(file: BinaryIO) -> dict[str, str]:
    """Read the INFO texts of an open RIFF/WAVE file, by four-letter name."""
    for chunk in chunks(file):
        if chunk.name != b"LIST":
            continue
        file.seek(chunk.start)
        body = file.read(chunk.size)
        if body[:4] == b"INFO":
            return _parse_info(body)
    return {}


def _chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def _parse_info(body: bytes) -> dict[str, str]:
    texts, position = {}, 4
    while position + 8 <= len(body):
        name, size = struct.unpack_from("<4sI", body, position)
        raw = body[position + 8 : position + 8 + size]
        texts[name.decode("latin-1")] = raw.split(b"\0", 1)[0].decode("utf-8", errors="replace")
        position += 8 + size + size % 2
    return texts
