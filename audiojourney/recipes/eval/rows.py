"""Results of metrics as rows of an evaluation."""

from __future__ import annotations

from audiojourney.metrics.base import Interval, Result
from audiojourney.recipes.eval.networks import Network
from audiojourney.recipes.eval.result import MetricRow

HIGHER = ("is", "clap", "precision", "recall", "density", "coverage")  # kinds of which more is better


def metric_row(result: Result, interval: Interval | None, better: str, network: Network | None = None) -> MetricRow:
    """Return the row of a result; its values per item have their place in the rows of files."""
    return MetricRow(
        name=result.name,
        value=result.value,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        interval=f"{interval.level:.0%}, {interval.method}" if interval else "",
        n=result.count,
        better=better,
        convention=dict(result.convention),
        network=network.checkpoint if network else "",
        weights_hash=network.sha256 if network else "",
        reason=result.reason,
        warnings=result.warnings,
    )
