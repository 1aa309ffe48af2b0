"""Inception score: are clips each clearly something, and together many things (Salimans et al. 2016, section 4).

n clips, K classes.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from audiojourney.errors import UsageError
from audiojourney.metrics.base import Metric, Result
from audiojourney.metrics.conventions import OURS, Convention
from audiojourney.metrics.rows import checked_rows


class InceptionScore(NamedTuple):
    """Score over the splits.

    Attributes:
        mean: over the splits; lies between 1 and the number of clips in a split.
        std: population standard deviation over the splits; no standard error of the score of the whole set.
    """

    mean: float
    std: float


def inception_score(
    logits: ArrayLike, *, splits: int = OURS.is_splits, seed: int | None = OURS.is_seed
) -> InceptionScore:
    """Exponential of the mean divergence of each clip's classes from those of all clips.

    Args:
        logits: before the softmax, shape (n, K).
        splits: consecutive parts that are scored apart.
        seed: shuffles the clips before splitting, as numpy's legacy generator does; None keeps the order.

    Raises:
        UsageError: fewer clips than splits, so that one would be empty.
    """
    x = checked_rows(logits, 1, "logits")
    if not 1 <= splits <= len(x):
        raise UsageError(
            f"{len(x)} clips cannot be cut into {splits} splits of at least one clip.", "Ask for splits=1."
        )
    order = np.arange(len(x)) if seed is None else np.random.RandomState(seed).permutation(len(x))
    edges = [part * len(x) // splits for part in range(splits + 1)]
    log_p = log_softmax(x)[order]
    scores = [_score(log_p[start:end]) for start, end in pairwise(edges)]
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)))


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logarithms of class probabilities, same shape (n, K)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _score(log_p: np.ndarray) -> float:
    p = np.exp(log_p)
    # A class that no clip has adds nothing, though its logarithm has no value.
    log_mean = np.log(np.maximum(p.mean(axis=0), np.finfo(np.float64).tiny))
    return float(np.exp((p * (log_p - log_mean)).sum(axis=1).mean()))


class Inception(Metric):
    """Inception score of a stream of clips; the logits are kept."""

    higher_is_better = True
    min_value = 1.0

    def __init__(self, name: str, convention: Convention = OURS) -> None:
        self.convention = convention
        super().__init__(name)

    def reset(self) -> None:
        """Forget all clips."""
        self._logits: list[np.ndarray] = []

    def update(self, logits: ArrayLike) -> None:
        """Add clips, shape (k, K)."""
        self._logits.append(checked_rows(logits, 1, "logits"))

    def compute(self) -> Result:
        """Score the clips fed so far.

        Raises:
            UsageError: fewer clips than splits.
        """
        rows = np.concatenate(self._logits) if self._logits else np.zeros((0, 1))
        splits, seed = self.convention.is_splits, self.convention.is_seed
        score = inception_score(rows, splits=splits, seed=seed)
        told = {"splits": splits, "seed": seed, "std_over_splits": score.std}
        return Result(name=self.name, value=score.mean, count=(len(rows),), convention=told)
