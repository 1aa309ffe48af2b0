"""Counts of a pass over the rows: clips, captions, hours, reasons, and what was measured at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from audiojourney.captions.filters import FilterConfig, Row, Verdict, captions_of, duration_of, row_verdict, score_of
from audiojourney.errors import MissingError

PROBE_CLIPS = 1000  # clips after which a measure that none of them has is taken to be missing


@dataclass
class Amount:
    """So many clips and captions, of so many seconds; a clip of unknown length counts none."""

    clips: int = 0
    captions: int = 0
    seconds: float = 0.0

    def add(self, captions: int, seconds: float) -> None:
        """Count one clip more."""
        self.clips += 1
        self.captions += captions
        self.seconds += seconds

    def to_json(self) -> dict[str, float]:
        """Return the counts, the length in hours."""
        return {"clips": self.clips, "captions": self.captions, "hours": round(self.seconds / 3600, 6)}


@dataclass
class Tally:
    """What was seen and kept.

    Attributes:
        seen: all of it.
        kept: what is kept.
        reasons: why clips are not, each for the reason of its first caption.
        captions: why captions are not.
        score_names: what the scores are called, and how many of each there are.
        score_sum: sum of the scores that are kept.
        scored: number of these.
    """

    seen: Amount = field(default_factory=Amount)
    kept: Amount = field(default_factory=Amount)
    reasons: dict[str, Amount] = field(default_factory=dict)
    captions: Counter[str] = field(default_factory=Counter)
    score_names: Counter[str] = field(default_factory=Counter)
    score_sum: float = 0.0
    scored: int = 0

    def add(self, row: Row, verdicts: Sequence[Verdict]) -> None:
        """Count a clip and its captions."""
        seconds = duration_of(row) or 0.0
        keep = sum(verdict.kept for verdict in verdicts)
        self.seen.add(len(verdicts), seconds)
        if keep:
            self.kept.add(keep, seconds)
        else:
            code = row_verdict(verdicts).code
            self.reasons.setdefault(code, Amount()).add(len(verdicts), seconds)
        for caption, verdict in zip(captions_of(row), verdicts, strict=True):
            self._add_caption(caption, verdict)

    def _add_caption(self, caption: Row, verdict: Verdict) -> None:
        score = score_of(caption)
        if score is not None:
            self.score_names[str(caption.get("score_name") or "unnamed")] += 1
        if not verdict.kept:
            self.captions[verdict.code] += 1
        elif score is not None:
            self.score_sum += score
            self.scored += 1

    def to_json(self) -> dict[str, Any]:
        """Return the counts as `aj filter --json` prints them."""
        return {
            "seen": self.seen.to_json(),
            "kept": self.kept.to_json(),
            "rejection_rate": round(1 - self.kept.clips / self.seen.clips, 6) if self.seen.clips else None,
            "mean_score": round(self.score_sum / self.scored, 6) if self.scored else None,
            "score_names": dict(sorted(self.score_names.items())),
            "dropped_clips": {code: amount.to_json() for code, amount in sorted(self.reasons.items())},
            "dropped_captions": dict(sorted(self.captions.items())),
        }


class Needs:
    """Notices that a limit is set on something that nothing in the list was measured for.

    Args:
        config: the limits.
        sweep: whether thresholds of the score are compared.
        source: names the list in messages.
    """

    def __init__(self, config: FilterConfig, sweep: bool, source: str) -> None:
        length = (config.min_duration_s, config.max_duration_s)
        wanted = {
            "score": sweep or config.clap_threshold is not None,
            "entailment": config.entailment_threshold is not None,
            "duration": any(limit is not None for limit in length),
        }
        if config.unscored == "keep":
            wanted = {"score": sweep}
        self._missing = {name for name, is_wanted in wanted.items() if is_wanted} | {"captions"}
        self._source = source
        self._clips = 0

    def see(self, row: Row) -> None:
        """Look at a row.

        Raises:
            MissingError: so many rows have gone by without the measure that it is taken to be missing.
        """
        self._clips += 1
        if self._missing:
            self._missing -= {name for name in self._missing if _has(row, name)}
            if self._clips == PROBE_CLIPS:
                self.end()

    def end(self) -> None:
        """Look at what is still missing when all rows have been seen.

        Raises:
            MissingError: there is no caption at all, or no measure for a limit that is set.
        """
        for name in ("captions", "score", "entailment", "duration"):
            if name in self._missing:
                raise MissingError(f"{_MESSAGES[name].format(self._source)} ({self._clips} clips).", _HINTS[name])


def _has(row: Row, name: str) -> bool:
    if name == "duration":
        return duration_of(row) is not None
    captions = captions_of(row)
    return bool(captions) if name == "captions" else any(caption.get(name) is not None for caption in captions)


_MESSAGES = {
    "captions": "There are no captions in {}",
    "score": "The captions in {} have no scores, so no threshold can be set",
    "entailment": "The captions in {} have no entailment scores",
    "duration": "The clips in {} do not tell how long they are",
}
_HINTS = {
    "captions": "Write some with: aj recaption",
    "score": "Measure them with `aj recaption`, or here with --score.",
    "entailment": "`aj recaption --captioner visual` measures them.",
    "duration": "`aj recaption` measures it.",
}
