"""The stretches of a video without subtitle, cut into clips: stages 1 and 2 of AutoReCap-XL (arXiv 2406.19388, 3.2).

All times are whole milliseconds, all intervals half-open.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from audiojourney.data.transcripts.cue import LATEST_MS, Cue, Transcript
from audiojourney.data.transcripts.text import is_music, is_sound_label
from audiojourney.errors import UsageError

WORD_MS = 1000  # a word lasts no longer
Interval = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class CutConfig:
    """How ambient segments are found and cut.

    Attributes:
        min_ms: a segment, and the rest of a cut one, must be longer than this.
        chunk_ms: longest clip; longer segments are cut from their start.
        padding_ms: kept free before and after each cue.
        timing: whether a `line` counts as spoken for as long as it is shown, or each `word` for at most a second where
            the transcript tells when it begins. Lines stay on the screen for seconds after they were spoken.
        ignore_sound_labels: cues that only name a sound that is neither music nor song nor speech, such as
            [door slams], do not count as subtitles.
        drop_after_music: leave out segments that begin where a music label ends.
    """

    min_ms: int = 1000
    chunk_ms: int = 10_000
    padding_ms: int = 0
    timing: Literal["line", "word"] = "line"
    ignore_sound_labels: bool = False
    drop_after_music: bool = False

    def __post_init__(self) -> None:
        """Check the lengths.

        Raises:
            UsageError: a length below 0, or clips that would be shorter than allowed.
        """
        for name in ("min_ms", "padding_ms"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} is {getattr(self, name)}; expected 0 or more.")
        if self.chunk_ms <= self.min_ms:
            raise UsageError(f"chunk_ms is {self.chunk_ms}; expected more than min_ms, which is {self.min_ms}.")


@dataclass(frozen=True)
class Segment:
    """A stretch without subtitle, or a piece of one.

    Attributes:
        start_ms: where it begins.
        end_ms: where it ends.
        after_music: whether a music label ends where the stretch begins, so that the music may well go on.
        stretch: number of the stretch within the video, from 0.
    """

    start_ms: int
    end_ms: int
    after_music: bool = False
    stretch: int = 0


def has_subtitles(transcript: Transcript, media_ms: int | None = None) -> bool:
    """Say whether anything is shown at all; a video without counts as one without transcript, never as ambient."""
    return any(end > start for start, end in _shown(transcript.cues, media_ms))


def find_segments(
    transcript: Transcript, media_ms: int | None = None, config: CutConfig | None = None
) -> list[Segment]:
    """Return the stretches without subtitle, in order, none where nothing is shown at all.

    Args:
        transcript: the cues.
        media_ms: length of the video; the stretch after the last cue is left out where it is None.
        config: how to find them.
    """
    config = config or CutConfig()
    if not has_subtitles(transcript, media_ms):
        return []
    occupied = _union(_padded(_occupied(transcript, media_ms, config), config.padding_ms))
    ends = [end for _, end in _shown(transcript.cues, media_ms)]
    music = {end + config.padding_ms for cue, end in zip(transcript.cues, ends, strict=True) if is_music(cue.text)}
    found: list[Segment] = []
    for start, end in _gaps(occupied, media_ms):
        if end - start > config.min_ms and not (config.drop_after_music and start in music):
            found.append(Segment(start, end, start in music, len(found)))
    return found


def cut(segments: Iterable[Segment], config: CutConfig | None = None) -> Iterator[Segment]:
    """Yield the segments in pieces of at most `chunk_ms`; a rest that is not longer than `min_ms` is left out."""
    config = config or CutConfig()
    for segment in segments:
        for start in range(segment.start_ms, segment.end_ms, config.chunk_ms):
            end = min(start + config.chunk_ms, segment.end_ms)
            if end - start > config.min_ms:
                yield replace(segment, start_ms=start, end_ms=end)


def _shown(cues: Sequence[Cue], media_ms: int | None) -> list[Interval]:
    """Return when each cue is shown, within the video; one without end lasts until the next one starts."""
    last = LATEST_MS if media_ms is None else media_ms
    shown = []
    following = last
    for index in range(len(cues) - 1, -1, -1):
        cue = cues[index]
        if index + 1 < len(cues) and cues[index + 1].start_ms > cue.start_ms:
            following = cues[index + 1].start_ms
        end = following if cue.end_ms is None else cue.end_ms
        shown.append((min(max(cue.start_ms, 0), last), min(max(end, 0), last)))
    return shown[::-1]


def _occupied(transcript: Transcript, media_ms: int | None, config: CutConfig) -> Iterator[Interval]:
    shown = _shown(transcript.cues, media_ms)
    words = config.timing == "word" and transcript.automatic
    starts = sorted(word for cue in transcript.cues for line in cue.lines for word in line.words_ms)
    following = dict(itertools.pairwise(starts))
    before: set[str] = set()
    for cue, (start, end) in zip(transcript.cues, shown, strict=True):
        if not (config.ignore_sound_labels and is_sound_label(cue.text)):
            yield from _spoken(cue, start, end, following, before) if words else [(start, end)]
        before = {line.text for line in cue.lines}


def _spoken(cue: Cue, start: int, end: int, following: dict[int, int], before: set[str]) -> Iterator[Interval]:
    """Yield when a cue is spoken: word by word, or all the time for a line without times that is new."""
    for line in cue.lines:
        if not line.words_ms and line.text not in before:
            yield start, end
        for word in line.words_ms:
            yield max(word, start), min(following.get(word, end), word + WORD_MS, end)


def _padded(intervals: Iterable[Interval], padding_ms: int) -> Iterator[Interval]:
    return ((start - padding_ms, end + padding_ms) for start, end in intervals if end > start)


def _union(intervals: Iterable[Interval]) -> Iterator[Interval]:
    """Yield what the intervals cover, in order and apart."""
    covered: Interval | None = None
    for start, end in sorted(intervals):
        if covered is None or start > covered[1]:
            if covered is not None:
                yield covered
            covered = (start, end)
        else:
            covered = (covered[0], max(covered[1], end))
    if covered is not None:
        yield covered


def _gaps(occupied: Iterable[Interval], media_ms: int | None) -> Iterator[Interval]:
    free = 0
    for start, end in occupied:
        if start > free:
            yield free, start
        free = max(free, end)
    if media_ms is not None and media_ms > free:
        yield free, media_ms
