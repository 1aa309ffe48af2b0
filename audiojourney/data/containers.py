"""What the first bytes of a sound file say, and whether the file keeps its word.

Decoders read a cut WAV, MP3 or Ogg file without complaint, and call most other files "not recognised". These checks
give the reason its name.
"""

from __future__ import annotations

import stat
import struct
from pathlib import Path

from audiojourney.data import ogg, riff
from audiojourney.errors import ClipError

_SOUND = {
    b"RIFF": "wav",
    b"RF64": "rf64",
    b"FORM": "aiff",
    b".snd": "au",
    b"fLaC": "flac",
    b"OggS": "ogg",
    b"caff": "caf",
    b"riff": "w64",
    b"ID3": "mp3",
    b"\xff\xfb": "mp3",
    b"\xff\xf3": "mp3",
    b"\xff\xf2": "mp3",
    b"\xff\xfa": "mp3",
}
_OTHER = {
    b"%PDF": "a PDF document",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"\x89PNG": "a PNG picture",
    b"\xff\xd8\xff": "a JPEG picture",
    b"GIF8": "a GIF picture",
}
_FFMPEG_ONLY = {4: (b"ftyp", "an MPEG-4 file (m4a, aac, mp4)"), 0: (b"\x1aE\xdf\xa3", "a Matroska file (webm, mkv)")}
_STREAMED = 0x7FFFF000  # writers that cannot go back leave 0 or a size near 2 or 4 GiB
_SLACK_BYTES = 64  # some writers count their header as sound, or a padding byte that they do not write
_WAV_CODECS = (1, 2, 3, 6, 7, 0x11, 0x14, 0x31, 0x40, 0x55, 0xFFFE)  # those that libsndfile has


def first_bytes(path: Path) -> bytes:
    """Return the first 64 bytes of a regular file that has some.

    Raises:
        ClipError: `missing_file`, `not_a_file`, `empty_file` or `unreadable`.
    """
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise ClipError("not_a_file", "not a regular file.", str(path))
        with path.open("rb") as file:
            head = file.read(64)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ClipError("missing_file", "there is no such file.", str(path)) from error
    except (OSError, ValueError) as error:  # ValueError: a nought byte in the name
        raise ClipError("unreadable", f"it cannot be read ({error}).", str(path)) from error
    if not head:
        raise ClipError("empty_file", "the file has no bytes.", str(path))
    return head


def sniff(head: bytes) -> str:
    """Name the container whose first bytes these are, such as "wav", or "" when it is none that libsndfile reads."""
    return next((name for magic, name in _SOUND.items() if head.startswith(magic)), "")


def ffmpeg_only(head: bytes) -> str:
    """Name the kind of file in words when it holds sound that libsndfile cannot read, else ""."""
    return next((name for at, (magic, name) in _FFMPEG_ONLY.items() if head[at:].startswith(magic)), "")


def describe(head: bytes) -> str:
    """Say in words what a file that is no sound begins with."""
    known = next((name for magic, name in _OTHER.items() if head.startswith(magic)), "")
    if known:
        return f"it is {known}"
    if not head.strip(b"\0"):
        return "it begins with zero bytes only"
    text = head[:24].decode("ascii", errors="replace")
    if all((letter.isprintable() and letter != "\ufffd") or letter.isspace() for letter in text):
        return f"it begins with the text {text.strip()!r}"
    return f"it begins with the bytes {head[:8].hex(' ')}"


def check_header(path: Path, kind: str) -> None:
    """Refuse WAV headers that no decoder names well.

    Raises:
        ClipError: `bad_header` or `unsupported_codec`.
    """
    if kind != "wav":
        return
    with path.open("rb") as file:
        layout = next((chunk for chunk in riff.chunks(file) if chunk.name == b"fmt "), None)
        body = b""
        if layout:
            file.seek(layout.start)
            body = file.read(min(layout.size, 16))
    if len(body) < 16:
        raise ClipError("bad_header", "the WAV header is cut short or has no format chunk.", str(path))
    codec, channels, rate_hz = struct.unpack_from("<HHI", body)
    if channels == 0 or rate_hz == 0:
        raise ClipError("bad_header", f"the WAV header says {channels} channels at {rate_hz} Hz.", str(path))
    if codec not in _WAV_CODECS:
        told = f"the WAV header names codec 0x{codec:04x}, which cannot be decoded."
        raise ClipError("unsupported_codec", told, str(path))


def check_whole(path: Path, kind: str) -> None:
    """Refuse a file that ends before its own header says, or an Ogg stream with broken pages.

    Args:
        path: sound file.
        kind: what `sniff` makes of it.

    Raises:
        ClipError: `truncated` or `corrupt`.
    """
    if kind == "ogg":
        fault = ogg.fault(path.read_bytes())
        if fault:
            raise ClipError(*fault, str(path))
    end = _claimed_end(path, kind)
    size = path.stat().st_size
    if end > size + _SLACK_BYTES:
        raise ClipError("truncated", f"the header promises {end} bytes, and the file has {size}.", str(path))


def _claimed_end(path: Path, kind: str) -> int:
    """Return where the samples should end by the header, or 0 where it does not say."""
    with path.open("rb") as file:
        if kind == "wav":
            data = next((chunk for chunk in riff.chunks(file) if chunk.name == b"data"), None)
            return data.start + data.size if data and data.size < _STREAMED else 0
        head = file.read(16)
    if kind == "aiff":
        size = int.from_bytes(head[4:8], "big")
        return 8 + size if size < _STREAMED else 0
    if kind == "au":
        start, size = struct.unpack(">II", head[4:12])
        return start + size if size < _STREAMED else 0
    return 0
