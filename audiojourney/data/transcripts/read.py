"""A transcript file to cues, whatever its format; a file that cannot be used raises a `ClipError`."""

from __future__ import annotations

import codecs
import re
import stat
from collections.abc import Callable
from pathlib import Path

from audiojourney.data.transcripts.blocks import parse_srt, parse_vtt
from audiojourney.data.transcripts.cue import Transcript
from audiojourney.data.transcripts.youtube import parse_json3, parse_xml
from audiojourney.errors import ClipError

SUFFIXES = (".json3", ".srv3", ".vtt", ".srt", ".srv1", ".xml")  # what tells most comes first
LARGEST_BYTES = 32 * 2**20  # ten hours of json3 are about 10 MB
_BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SRT = re.compile(r"\s*(?:[0-9]+[ \t]*(?:\r\n|\n|\r))?\s*[0-9]{1,5}:[0-9]{1,3}:[0-9]{1,3}[.,][0-9]+\s*-->")
_HEAD = 4096


def read_transcript(path: Path | str) -> Transcript:
    """Read a WebVTT, SRT, json3, srv1 or srv3 file; its content is looked at, not its suffix.

    Raises:
        ClipError: the file cannot be used; its code is a key of `audiojourney.data.transcripts.cue.CODES`.
    """
    data = read_small(Path(path))
    try:
        return parse_transcript(data)
    except ClipError as error:
        raise ClipError(error.code, error.reason, str(path)) from error


def read_small(path: Path) -> bytes:
    """Return the bytes of a regular file that is not larger than any transcript; pipes would keep us waiting.

    Raises:
        ClipError: `unreadable` or `too_large`.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ClipError("unreadable", "not a regular file.", str(path))
        if status.st_size > LARGEST_BYTES:
            raise ClipError("too_large", f"{status.st_size} bytes; at most {LARGEST_BYTES} are read.", str(path))
        return path.read_bytes()
    except OSError as error:
        raise ClipError("unreadable", error.strerror or str(error), str(path)) from error


def parse_transcript(data: bytes) -> Transcript:
    """Read the bytes of a transcript file.

    Raises:
        ClipError: they cannot be used.
    """
    if not data:
        raise ClipError("empty_file", "0 bytes")
    text = _decode(data)
    transcript = _parser(text)(text)
    if transcript.lost > len(transcript.cues):
        told = f"{transcript.lost} cues cannot be placed, {len(transcript.cues)} can: {transcript.faults[0]}"
        raise ClipError("corrupt", told)
    return transcript


def _decode(data: bytes) -> str:
    """Decode as the byte order mark says, else as UTF-8, else as Windows-1252, as old SRT files are."""
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), "utf-8")
    if encoding == "utf-8" and b"\0" in data[:_HEAD]:
        raise ClipError("not_transcript", f"a file of bytes, not of text: {data[:16]!r}")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise ClipError("corrupt", f"no {encoding} ({error.reason} at byte {error.start})") from error
        return data.decode("cp1252", errors="replace")


def _parser(text: str) -> Callable[[str], Transcript]:
    head = text[:_HEAD].lstrip()
    if head.startswith("WEBVTT"):
        return parse_vtt
    if head.startswith("{"):
        return parse_json3
    if head.startswith("<"):
        return parse_xml
    if _SRT.match(head):
        return parse_srt
    raise ClipError("not_transcript", f"the text begins with {head[:40]!r}")
