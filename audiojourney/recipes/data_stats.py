"""`aj data stats`: how many clips, how long, what they say and what is said of them, in one pass."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audiojourney.data.audio import probe
from audiojourney.data.clip import Clip
from audiojourney.data.manifest import BadRow, iter_clips
from audiojourney.data.spool import Counts
from audiojourney.errors import ClipError, MissingError, UsageError
from audiojourney.recipes.histogram import Histogram
from audiojourney.recipes.word_cloud import STOP_WORDS

Progress = Callable[[int, int | None], None]  # (done, total where it is known)
WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_MOST_NAMES = 500_000
_CLOUD = 100  # words without those that every sentence has
_RECORDING = ("source_id", "video_id", "youtube_id", "ytid")


@dataclass(frozen=True, kw_only=True)
class StatsConfig:
    """Settings of `aj data stats`.

    Attributes:
        source: folder or list of clips.
        top: words and labels that are named.
        probe: read the header of sounds whose length the list does not say.
        split: count the clips of this split only; all when empty.
    """

    source: Path = Path("data")
    top: int = 50
    probe: bool = True
    split: str = ""

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            UsageError: one that cannot be meant.
        """
        if self.top < 1:
            raise UsageError(f"top is {self.top}; expected 1 or more.")


@dataclass
class Tallies:
    """Counts over all clips; every table of names is bounded.

    Attributes:
        clips: number of clips.
        captioned: those with a caption.
        unmeasured: those whose length is not known.
        bad_rows: rows that are no clips.
        durations: lengths of clips in seconds.
        words_each: words of captions.
        captions_each: captions of clips.
        recordings: clips by the recording that they were cut from.
        words: how often each word is said in captions.
        tables: how often each value of a column comes.
        dropped: rare words that were forgotten, so that memory is bounded.
    """

    clips: int = 0
    captioned: int = 0
    unmeasured: int = 0
    bad_rows: int = 0
    durations: Histogram = field(default_factory=lambda: Histogram(0.1))
    words_each: Histogram = field(default_factory=lambda: Histogram(1.0))
    captions_each: Histogram = field(default_factory=lambda: Histogram(1.0))
    recordings: Counts = field(default_factory=Counts)
    words: Counter[str] = field(default_factory=Counter)
    tables: dict[str, Counter[str]] = field(default_factory=dict)
    dropped: bool = False

    def add(self, clip: Clip, duration_s: float | None) -> None:
        """Count a clip of this length."""
        self.clips += 1
        self.captioned += bool(clip.captions)
        if duration_s is None:
            self.unmeasured += 1
        else:
            self.durations.add(duration_s)
        self.captions_each.add(len(clip.captions))
        self.recordings.add(recording_of(clip))
        for caption in clip.captions:
            said = [word.lower() for word in WORD.findall(caption.text)]
            self.words_each.add(len(said))
            self.words.update(said)
        self._count(clip)

    def _count(self, clip: Clip) -> None:
        rate = clip.extra.get("sample_rate")
        columns: dict[str, Iterable[str]] = {
            "splits": (clip.split or "unsplit",),
            "datasets": (clip.dataset or "unnamed",),
            "labels": clip.labels,
            "licences": (clip.licence or "unknown",),
            "caption_sources": [_source(caption.source, caption.kind) for caption in clip.captions],
            "sample_rates": (str(rate),) if isinstance(rate, int | float) else (),
        }
        for name, values in columns.items():
            self.tables.setdefault(name, Counter()).update(values)
        for names in (self.words, *self.tables.values()):
            if len(names) > _MOST_NAMES:
                self.dropped = True
                for name in [name for name, count in names.items() if count == 1]:
                    del names[name]


def run(config: StatsConfig, on_progress: Progress = lambda done, total: None) -> dict[str, Any]:
    """Count the clips of a data set.

    Returns:
        Counts, summaries and histograms by name, ready for JSON.

    Raises:
        MissingError: there is no data.
    """
    if not config.source.exists():
        raise MissingError(f"There is no data at {config.source}.", "Name a folder or a list of clips.")
    tallies = Tallies()

    def count_bad(row: BadRow) -> None:
        """Count a row that is no clip."""
        tallies.bad_rows += 1

    for clip in iter_clips(config.source, count_bad):
        if not config.split or clip.split == config.split:
            tallies.add(clip, _length(clip, look=config.probe))
            on_progress(tallies.clips, None)
    if not tallies.clips:
        raise MissingError(f"{config.source} holds no clip.", "Name a folder or a list of clips.")
    return _told(config, tallies)


def recording_of(clip: Clip) -> str:
    """Return what names the recording that a clip was cut from."""
    named = next((clip.extra[key] for key in _RECORDING if clip.extra.get(key)), "")
    return str(named) or clip.source_url or (str(clip.path) if clip.offset_s is not None else clip.id)


def _length(clip: Clip, *, look: bool) -> float | None:
    if clip.duration_s is not None or not look:
        return clip.duration_s
    try:
        length = probe(clip.path).duration_s
    except ClipError:
        return None
    return length if length is None else max(0.0, length - (clip.offset_s or 0.0))


def _source(source: str, kind: str) -> str:
    return f"{source or 'unknown'} ({kind})" if kind else source or "unknown"


def _told(config: StatsConfig, tallies: Tallies) -> dict[str, Any]:
    segments = Histogram(1.0)
    for number, times in tallies.recordings.spread().items():
        segments.add(number, times)
    content = Counter({word: count for word, count in tallies.words.items() if word not in STOP_WORDS})
    shown = {"duration_s": tallies.durations, "caption_words": tallies.words_each, "segments_per_recording": segments}
    return {
        "source": str(config.source),
        "clips": tallies.clips,
        "hours": tallies.durations.total / 3600,
        "recordings": segments.number,
        "captions": tallies.words_each.number,
        "clips_with_captions": tallies.captioned,
        "clips_of_unknown_length": tallies.unmeasured,
        "bad_rows": tallies.bad_rows,
        "vocabulary": len(tallies.words),
        "words": tallies.words.total(),
        "rare_words_dropped": tallies.dropped,
        **{name: histogram.summary() for name, histogram in shown.items()},
        "captions_per_clip": tallies.captions_each.summary(),
        "top_words": _top(tallies.words, config.top),
        "content_words": _top(content, max(config.top, _CLOUD)),
        **{name: dict(_top(counter, config.top)) for name, counter in tallies.tables.items()},
        "histograms": {name: histogram.bins() for name, histogram in shown.items()},
    }


def _top(counter: Counter[str], most: int) -> list[tuple[str, int]]:
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:most]
