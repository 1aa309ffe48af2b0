"""WebVTT and SRT: blocks of text between empty lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from audiojourney.data.transcripts.cue import Draft, Format, Line, Transcript
from audiojourney.data.transcripts.text import clean

_ARROW = "-->"
_TIME = re.compile(r"(?:([0-9]{1,5}):)?([0-9]{1,3}):([0-9]{1,3})(?:[.,]([0-9]{1,9}))?")
_WORD_TIME = re.compile(r"<((?:[0-9]{1,5}:)?[0-9]{1,3}:[0-9]{1,3}\.[0-9]{1,9})>")
_COMMENT = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|$)")
_NUMBER = re.compile(r"\s*[0-9]+\s*")

Block = list[tuple[int, str]]  # line numbers from 1, and lines


def parse_vtt(text: str) -> Transcript:
    """Read WebVTT; lines that hold a blank do not end a cue."""
    return _parse(text, "vtt")


def parse_srt(text: str) -> Transcript:
    """Read SRT; text after an empty line within a cue still belongs to it."""
    return _parse(text, "srt")


def _parse(text: str, format: Format) -> Transcript:
    draft = Draft(format)
    cue: _Open | None = None
    for block in _blocks(text):
        if format == "vtt":
            _close(draft, cue)
            cue = None  # whatever stands before the time of a cue is its name
            if _COMMENT.match(block[0][1]):
                continue
        opened = False
        for number, line in _without_numbers(block):
            if _ARROW in line and (not opened or _starts_cue(line)):
                _close(draft, cue)
                cue, opened = _Open(number, line), True
            elif cue is not None:
                cue.lines.append(line)
    _close(draft, cue)
    return draft.done()


class _Open:
    """A cue whose lines are still being read."""

    def __init__(self, number: int, timing: str) -> None:
        self.where = f"the cue of line {number}"
        self.timing = timing
        self.lines: list[str] = []


def _blocks(text: str) -> Iterator[Block]:
    block: Block = []
    for number, line in enumerate(re.split("\r\n|\n|\r", text), start=1):
        if line:
            block.append((number, line))
        elif block:
            yield block
            block = []
    if block:
        yield block


def _without_numbers(block: Block) -> Block:
    """Leave out the lines that number the cue after them."""
    following = [line for _, line in block[1:]] + [""]
    return [
        (number, line)
        for (number, line), after in zip(block, following, strict=True)
        if not (_NUMBER.fullmatch(line) and _starts_cue(after))
    ]


def _starts_cue(line: str) -> bool:
    before, arrow, _ = line.partition(_ARROW)
    return bool(arrow and _TIME.match(before.strip()))


def _close(draft: Draft, cue: _Open | None) -> None:
    if cue is None:
        return
    before, _, after = cue.timing.partition(_ARROW)
    start, end = _milliseconds(before.strip()), _milliseconds(after.strip())
    shown = tuple(line for raw in cue.lines if (line := _line(raw, start)) is not None)
    draft.add(cue.where, None if end is None else start, end, shown)


def _milliseconds(text: str) -> int | None:
    """Read `[hh:]mm:ss[.fff]` at the beginning of a text."""
    found = _TIME.match(text)
    if not found:
        return None
    hours, minutes, seconds, fraction = found.groups()
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(seconds)
    return whole * 1000 + int((fraction or "0").ljust(3, "0")[:3])


def _line(raw: str, start_ms: int | None) -> Line | None:
    """Read one line of a cue, with the times of its words where it has them; None where nothing is to be seen."""
    text = clean(raw)
    if not text:
        return None
    parts = _WORD_TIME.split(raw)  # text, time, text, time, text, ...
    if len(parts) == 1 or start_ms is None:
        return Line(text)
    times = [start_ms, *(_milliseconds(part) or 0 for part in parts[1::2])]
    words = tuple(time for time, part in zip(times, parts[::2], strict=True) if clean(part))
    return Line(text, words)
