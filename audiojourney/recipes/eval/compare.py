"""Differences of a result to an earlier one, and whether the two may be compared."""

from __future__ import annotations

from collections.abc import Iterator

from audiojourney.metrics.base import Interval
from audiojourney.metrics.intervals import FEWEST, paired_difference
from audiojourney.recipes.eval.result import Difference, EvalResult, MetricRow


def differences(result: EvalResult, earlier: EvalResult, seed: int = 0) -> tuple[Difference, ...]:
    """Return a row for each metric that either result has, those of `result` first.

    Metrics with a value for each clip get the interval of the mean difference over the clips that both results have.
    """
    mine, theirs = ({row.name: row for row in side.metrics} for side in (result, earlier))
    return tuple(
        _difference(name, mine.get(name), theirs.get(name), _interval(name, result, earlier, seed))
        for name in dict.fromkeys([*mine, *theirs])
    )


def _difference(name: str, mine: MetricRow | None, theirs: MetricRow | None, found: Interval | None) -> Difference:
    value, earlier = (row.value if row is not None else None for row in (mine, theirs))
    notes = list(_notes(mine, theirs))
    known = value is not None and earlier is not None
    return Difference(
        name=name,
        value=value,
        earlier=earlier,
        difference=value - earlier if value is not None and earlier is not None else None,
        low=found.low if found else None,
        high=found.high if found else None,
        comparable=known and not notes,
        note="; ".join(notes),
    )


def _notes(mine: MetricRow | None, theirs: MetricRow | None) -> Iterator[str]:
    """Say what forbids a comparison."""
    if mine is None or theirs is None:
        yield "only in the earlier result" if mine is None else "not in the earlier result"
        return
    if mine.weights_hash != theirs.weights_hash:
        then, now = (row.weights_hash[:12] or "none" for row in (theirs, mine))
        yield f"other weights ({then} then, {now} now)"
    if mine.n != theirs.n:
        yield f"other numbers of clips ({_counts(theirs)} then, {_counts(mine)} now)"
    changed = [
        key
        for key in sorted({*mine.convention, *theirs.convention})
        if key not in _FOUND and mine.convention.get(key) != theirs.convention.get(key)
    ]
    if changed:
        yield f"another convention ({', '.join(changed)})"


_FOUND = ("rows", "slope", "fit", "std_over_splits", "candidates", "precision", "recall")  # results, not choices


def _counts(row: MetricRow) -> str:
    return " and ".join(map(str, row.n)) or "none"


def _interval(name: str, result: EvalResult, earlier: EvalResult, seed: int) -> Interval | None:
    then = {row.id: row.scores.get(name) for row in earlier.files}
    pairs = [
        (now, before)
        for row in result.files
        for now, before in [(row.scores.get(name), then.get(row.id))]
        if now is not None and before is not None
    ]
    if len(pairs) < FEWEST:
        return None
    return paired_difference(*zip(*pairs, strict=True), seed=seed)
