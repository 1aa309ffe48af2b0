"""Precision and recall (Kynkaanniemi et al. 2019), density and coverage (Naeem et al. 2020) of generated sets.

Each row stands for a ball around it that reaches to its k-th nearest neighbour in its own set.

n reference rows, m generated rows, d dimensions.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from audiojourney.errors import UsageError
from audiojourney.metrics.rows import checked_pair, squared_distances

NEAREST = 5


class Manifold(NamedTuple):
    """How two sets lie in each other.

    Attributes:
        precision: share of generated rows inside some ball of the reference; 0 to 1.
        recall: share of reference rows inside some ball of the generated set; 0 to 1.
        density: mean number of reference balls around a generated row, divided by k; may exceed 1.
        coverage: share of reference balls with a generated row inside; 0 to 1.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def manifold(reference: ArrayLike, generated: ArrayLike, k: int = NEAREST) -> Manifold:
    """Measure precision, recall, density and coverage.

    Args:
        reference: rows (n, d).
        generated: rows (m, d).
        k: which neighbour ends a ball.

    Raises:
        UsageError: a set has no k-th neighbour, or d differs.
    """
    x, y = checked_pair(reference, generated)
    if not 1 <= k < min(len(x), len(y)):
        raise UsageError(
            f"Sets of {len(x)} and {len(y)} rows have no neighbour number {k}.", f"Measure {k + 1} rows or more."
        )
    reach_x, reach_y = _reach(x, k), _reach(y, k)
    around = np.zeros(len(y))  # reference balls around each generated row
    recalled = covered = 0
    for part, squared in squared_distances(x, y):
        inside = squared <= reach_x[part, None]
        around += inside.sum(axis=0)
        covered += int(inside.any(axis=1).sum())
        recalled += int((squared <= reach_y).any(axis=1).sum())
    return Manifold(
        precision=float((around > 0).mean()),
        recall=recalled / len(x),
        density=float(around.mean()) / k,
        coverage=covered / len(x),
    )


def _reach(rows: np.ndarray, k: int) -> np.ndarray:
    """Squared distance of each row (n, d) to its k-th nearest other row, shape (n,)."""
    # A row is nearest to itself, so its k-th other neighbour has the place k when counted from 0.
    return np.concatenate([np.partition(squared, k, axis=1)[:, k] for _, squared in squared_distances(rows, rows)])
