"""Sound files that are broken in every way met so far, and sound ones that merely look odd, made on the spot."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile

RATE_HZ = 44_100
FRAMES = 60_000
Maker = Callable[[Path], None]


def noise(frames: int = FRAMES, channels: int = 2, seed: int = 0) -> np.ndarray:
    """White noise at half level, float32, shape (frames, channels)."""
    return np.random.default_rng(seed).uniform(-0.5, 0.5, (frames, channels)).astype(np.float32)


def encoded(format: str, subtype: str, rate_hz: int = RATE_HZ, wave: np.ndarray | None = None) -> bytes:
    """A whole sound file."""
    buffer = io.BytesIO()
    soundfile.write(buffer, noise() if wave is None else wave, rate_hz, format=format, subtype=subtype)
    return buffer.getvalue()


def wav(
    body: bytes = bytes(1000),
    *,
    codec: int = 1,
    channels: int = 2,
    rate_hz: int = RATE_HZ,
    bits: int = 16,
    claimed: int | None = None,
    extra: bytes = b"",
) -> bytes:
    """A WAV file with whatever header is asked for."""
    frame = channels * bits // 8
    layout = struct.pack("<HHIIHH", codec, channels, rate_hz, rate_hz * frame & 0xFFFFFFFF, frame & 0xFFFF, bits)
    size = len(body) if claimed is None else claimed
    chunks = b"WAVEfmt " + struct.pack("<I", 16) + layout + extra + b"data" + struct.pack("<I", size) + body
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks


def flac_claiming(frames: int) -> bytes:
    """A whole FLAC file whose header tells another length; 0 means unknown."""
    data = bytearray(encoded("FLAC", "PCM_16"))
    packed = int.from_bytes(data[18:26], "big") >> 36 << 36 | frames
    data[18:26] = packed.to_bytes(8, "big")
    return bytes(data)


def flac_header() -> bytes:
    """The metadata blocks of a FLAC file that does not tell its length, and no frame of sound."""
    data = flac_claiming(0)
    end = 4
    while True:
        last, size = data[end] >> 7, int.from_bytes(data[end + 1 : end + 4], "big")
        end += 4 + size
        if last:
            return data[:end]


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def overwritten(data: bytes) -> bytes:
    """Random bytes in the middle."""
    junk = np.random.default_rng(1).integers(0, 255, 2000, dtype=np.uint8).tobytes()
    middle = len(data) // 2
    return data[:middle] + junk + data[middle + len(junk) :]


def spoilt(value: float) -> bytes:
    wave = noise()
    wave[12_345, 0] = value
    return encoded("WAV", "FLOAT", wave=wave)


def _bytes(make: Callable[[], bytes]) -> Maker:
    return lambda path: path.write_bytes(make()) and None


def _random() -> bytes:
    return np.random.default_rng(2).integers(0, 255, 5000, dtype=np.uint8).tobytes()


LONG = noise(200_000, 1)  # several Ogg pages of sound
MP3, VORBIS, OPUS = ("MP3", "MPEG_LAYER_III"), ("OGG", "VORBIS"), ("OGG", "OPUS")

# name of the file -> (code that must be reported, how the file is made)
BROKEN: dict[str, tuple[str, Maker]] = {
    "empty.wav": ("empty_file", _bytes(bytes)),
    "empty.mp3": ("empty_file", _bytes(bytes)),
    "page.wav": ("not_audio", _bytes(lambda: b"<!DOCTYPE html><html><body>404</body></html>")),
    "random.wav": ("not_audio", _bytes(_random)),
    "random.mp3": ("not_audio", _bytes(_random)),
    "zeros.flac": ("not_audio", _bytes(lambda: bytes(5000))),
    "one_byte.ogg": ("not_audio", _bytes(lambda: b"O")),
    "picture.wav": ("not_audio", _bytes(lambda: b"\x89PNG\r\n\x1a\n" + bytes(200))),
    "film.wav": ("bad_header", _bytes(lambda: b"RIFF" + struct.pack("<I", 200) + b"AVI " + bytes(200))),
    "header_cut.wav": ("bad_header", _bytes(lambda: wav()[:26])),
    "no_format.wav": ("bad_header", _bytes(lambda: b"RIFF\x18\0\0\0WAVEdata\x04\0\0\0" + bytes(12))),
    "flac_cut.flac": ("bad_header", _bytes(lambda: encoded("FLAC", "PCM_16")[:30])),
    "ogg_cut.ogg": ("truncated", _bytes(lambda: encoded(*VORBIS)[:40])),
    "no_channels.wav": ("bad_header", _bytes(lambda: wav(channels=0))),
    "1024_channels.wav": ("bad_header", _bytes(lambda: wav(channels=1024, body=bytes(4096)))),
    "65535_channels.wav": ("bad_header", _bytes(lambda: wav(channels=65_535))),
    "rate_0.wav": ("bad_header", _bytes(lambda: wav(rate_hz=0))),
    "rate_1.wav": ("bad_header", _bytes(lambda: wav(rate_hz=1))),
    "rate_4e9.wav": ("bad_header", _bytes(lambda: wav(rate_hz=4_000_000_000))),
    "huge.flac": ("bad_header", _bytes(lambda: flac_claiming(2**36 - 1))),
    "unknown_codec.wav": ("unsupported_codec", _bytes(lambda: wav(codec=0x4D43))),
    "no_bits.wav": ("unsupported_codec", _bytes(lambda: wav(bits=0))),
    "half.wav": ("truncated", _bytes(lambda: half(encoded("WAV", "PCM_16")))),
    "half.aiff": ("truncated", _bytes(lambda: half(encoded("AIFF", "PCM_16")))),
    "half.au": ("truncated", _bytes(lambda: half(encoded("AU", "PCM_16")))),
    "half.mp3": ("truncated", _bytes(lambda: half(encoded(*MP3)))),
    "half.ogg": ("truncated", _bytes(lambda: half(encoded(*VORBIS, wave=LONG)))),
    "half.opus": ("truncated", _bytes(lambda: half(encoded(*OPUS, rate_hz=48_000, wave=LONG)))),
    "half.flac": ("corrupt", _bytes(lambda: half(encoded("FLAC", "PCM_16")))),
    "scratched.flac": ("corrupt", _bytes(lambda: overwritten(encoded("FLAC", "PCM_16")))),
    "scratched.mp3": ("corrupt", _bytes(lambda: overwritten(encoded(*MP3)))),
    "scratched.ogg": ("corrupt", _bytes(lambda: overwritten(encoded(*VORBIS, wave=LONG)))),
    "scratched.opus": ("corrupt", _bytes(lambda: overwritten(encoded(*OPUS, rate_hz=48_000, wave=LONG)))),
    "no_frames.wav": ("empty_audio", _bytes(lambda: wav(body=b""))),
    "no_frames.flac": ("empty_audio", _bytes(flac_header)),
    "size_0.wav": ("empty_audio", _bytes(lambda: wav(claimed=0))),
    "one_frame.wav": ("too_short", _bytes(lambda: wav(body=bytes(4)))),
    "nan.wav": ("non_finite", _bytes(lambda: spoilt(np.nan))),
    "inf.wav": ("non_finite", _bytes(lambda: spoilt(-np.inf))),
    "folder.wav": ("not_a_file", Path.mkdir),
    "pipe.wav": ("not_a_file", os.mkfifo),
    "dangling.wav": ("missing_file", lambda path: path.symlink_to(path.with_name("nowhere.wav"))),
    "n" * 300 + ".wav": ("unreadable", lambda path: None),
    "nought\0.wav": ("unreadable", lambda path: None),
    "preallocated.wav": ("bad_header", _bytes(lambda: wav(body=b"")[:-8] + bytes(1000))),
    "missing.wav": ("missing_file", lambda path: None),
}

# Files that only PyAV reads; without it they are refused.
FOREIGN: dict[str, Maker] = {
    "song.m4a": _bytes(lambda: b"\0\0\0\x20ftypM4A " + bytes(100)),
    "song.wav": _bytes(lambda: b"\0\0\0\x20ftypisom" + bytes(100)),
    "film.webm": _bytes(lambda: b"\x1aE\xdf\xa3" + bytes(100)),
}

# name of the file -> (frames that must be read, how the file is made)
ODD: dict[str, tuple[int, Maker]] = {
    "unknown_length.flac": (FRAMES, _bytes(lambda: flac_claiming(0))),
    "streamed.wav": (250, _bytes(lambda: wav(claimed=0xFFFFFFFF))),
    "streamed_2.wav": (250, _bytes(lambda: wav(claimed=0x7FFFFFFF))),
    "an_mp3.wav": (FRAMES, _bytes(lambda: encoded(*MP3))),
    "a_wav.mp3": (FRAMES, _bytes(lambda: encoded("WAV", "PCM_24"))),
    "-dash and späce 雨.flac": (FRAMES, _bytes(lambda: encoded("FLAC", "PCM_24"))),
    "eight.wav": (FRAMES, _bytes(lambda: encoded("WAV", "PCM_16", wave=noise(channels=8)))),
    "loud.wav": (FRAMES, _bytes(lambda: encoded("WAV", "FLOAT", wave=12.8 * noise()))),
    "silent.ogg": (FRAMES, _bytes(lambda: encoded(*VORBIS, wave=0 * noise()))),
    "a_law.wav": (FRAMES, _bytes(lambda: encoded("WAV", "ALAW"))),
    "rf64.wav": (FRAMES, _bytes(lambda: encoded("RF64", "PCM_16"))),
    "double.wav": (FRAMES, _bytes(lambda: encoded("WAV", "DOUBLE"))),
    "header_counted.wav": (250, _bytes(lambda: wav(claimed=1044))),
    "odd_chunk.wav": (250, _bytes(lambda: wav(extra=b"LIST" + struct.pack("<I", 3) + b"abc\0"))),
}
