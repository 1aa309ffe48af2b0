"""A transcript: cues that are shown for a time, whatever file they came from. Times are whole milliseconds."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Literal

Format = Literal["vtt", "srt", "json3", "srv1", "srv3"]

CODES = {
    "empty_file": "the file has no bytes, as a refused download leaves it",
    "unreadable": "the system refuses to read the file",
    "too_large": "the file is larger than any transcript",
    "not_transcript": "the file is in none of the formats that are read",
    "corrupt": "the file begins as a transcript and cannot be read as one",
}
_GAPLESS_SHARE = 0.9
_GAPLESS_CUES = 4  # fewer may touch by chance
LATEST_MS = 100 * 24 * 3600 * 1000  # a time beyond is no time


@dataclass(frozen=True)
class Line:
    """One visible line of a cue.

    Attributes:
        text: what is to be read, without markup, never empty.
        words_ms: when each word begins, or () where the file does not tell.
    """

    text: str
    words_ms: tuple[int, ...] = ()


@dataclass(frozen=True)
class Cue:
    """Lines that are shown together, for the half-open interval from `start_ms` to `end_ms`.

    Attributes:
        start_ms: when they appear.
        end_ms: when they go, or None where the file does not tell.
        lines: the visible ones; none for a cue that clears the screen.
    """

    start_ms: int
    end_ms: int | None
    lines: tuple[Line, ...] = ()

    @property
    def text(self) -> str:
        """The lines as one text."""
        return "\n".join(line.text for line in self.lines)


@dataclass(frozen=True)
class Transcript:
    """All cues of a file, in the order of their starts.

    Attributes:
        format: what kind of file it was.
        cues: those with text, each with an end that is not before its start or without one.
        faults: what was left out and why, a sentence each.
        lost: cues whose place in time is not known, so that they may lie in what looks free.
        media_ms: length of the video where the file tells, else None.
    """

    format: Format
    cues: tuple[Cue, ...]
    faults: tuple[str, ...] = ()
    lost: int = 0
    media_ms: int | None = None

    @property
    def automatic(self) -> bool:
        """Whether words have times of their own, as only speech recognition gives them."""
        return any(line.words_ms for cue in self.cues for line in cue.lines)

    @property
    def gapless(self) -> bool:
        """Whether nearly every cue begins where the one before ends, so that pauses were not marked by its author."""
        pairs = list(itertools.pairwise(self.cues))
        touching = sum(one.end_ms == other.start_ms for one, other in pairs)
        return len(self.cues) >= _GAPLESS_CUES and not self.automatic and touching >= _GAPLESS_SHARE * len(pairs)


@dataclass
class Draft:
    """Cues as a reader finds them; `done` checks and orders them."""

    format: Format
    cues: list[Cue] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    lost: int = 0
    media_ms: int | None = None

    def add(self, where: str, start_ms: int | None, end_ms: int | None, lines: tuple[Line, ...]) -> None:
        """Take a cue; one without text is dropped, one whose times cannot be meant is a fault.

        Args:
            where: names the cue in the message.
            start_ms: when it begins; None where that cannot be read.
            end_ms: when it ends; None where the file does not tell.
            lines: its visible lines.
        """
        if not lines:
            return
        if start_ms is None or not -LATEST_MS <= start_ms <= LATEST_MS:
            self.lose(f"{where}: its time cannot be read")
        elif end_ms is not None and end_ms < start_ms:
            self.faults.append(f"{where} ends before it starts")
        else:
            self.cues.append(Cue(start_ms, end_ms, lines))

    def lose(self, fault: str) -> None:
        """Note a cue whose place in time is unknown."""
        self.faults.append(fault)
        self.lost += 1

    def done(self) -> Transcript:
        """Return the transcript, its cues in order of time."""
        cues = tuple(sorted(self.cues, key=lambda cue: cue.start_ms))
        return Transcript(self.format, cues, tuple(self.faults), self.lost, self.media_ms)
