"""Several thresholds compared in one pass: what each would keep, and the captions that would just get in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from audiojourney.captions.filters import Row, Verdict, captions_of, duration_of, score_of
from audiojourney.recipes.filter.tally import Amount

EXAMPLES = 3


@dataclass(frozen=True)
class Example:
    """A caption near a threshold."""

    score: float
    text: str
    clip: str


class Level:
    """What one threshold keeps.

    Args:
        threshold: lowest score of a caption.
    """

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self.kept = Amount()
        self._sum = 0.0
        self.examples: list[Example] = []  # that would just get in, the lowest score first

    def add(self, scores: Sequence[tuple[float, str]], clip: str, seconds: float) -> None:
        """Count a clip by the scores and texts of its captions."""
        inside = [(score, text) for score, text in scores if score >= self.threshold]
        if not inside:
            return
        self.kept.add(len(inside), seconds)
        self._sum += sum(score for score, _ in inside)
        for score, text in inside:
            self._show(Example(score, text, clip))

    def _show(self, example: Example) -> None:
        """Keep the examples with the lowest scores, the earlier of equal ones, each text once."""
        shown = self.examples
        if len(shown) == EXAMPLES and example.score >= shown[-1].score:
            return
        same = next((other for other in shown if other.text == example.text), None)
        if same is not None and same.score <= example.score:
            return
        others = [other for other in shown if other is not same]
        self.examples = sorted([*others, example], key=lambda one: one.score)[:EXAMPLES]

    @property
    def mean_score(self) -> float | None:
        """Mean of the scores that are kept."""
        return self._sum / self.kept.captions if self.kept.captions else None

    def to_json(self, seen: int) -> dict[str, Any]:
        """Return the line that `aj filter --sweep --json` prints for this threshold; `seen` clips were looked at."""
        return {
            "threshold": self.threshold,
            **self.kept.to_json(),
            "share": round(self.kept.clips / seen, 6) if seen else None,
            "mean_score": None if self.mean_score is None else round(self.mean_score, 6),
            "examples": [vars(example) for example in self.examples],
        }


class Sweep:
    """All thresholds of a sweep.

    Args:
        thresholds: in any order; they are reported in ascending order.
    """

    def __init__(self, thresholds: Sequence[float]) -> None:
        self.levels = [Level(threshold) for threshold in sorted(set(thresholds))]

    def add(self, row: Row, verdicts: Sequence[Verdict]) -> None:
        """Count a clip; only captions that meet all other limits count."""
        pairs = zip(captions_of(row), verdicts, strict=True)
        scores = [
            (score, str(caption["text"]))
            for caption, verdict in pairs
            if verdict.kept and (score := score_of(caption)) is not None
        ]
        clip, seconds = str(row.get("id") or row.get("file_name")), duration_of(row) or 0.0
        for level in self.levels if scores else ():
            level.add(scores, clip, seconds)
