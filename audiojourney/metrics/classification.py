"""Quality of a classifier that may hear several things in a clip: average precision, AUC, d-prime, accuracy.

n clips, K classes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from audiojourney.errors import UsageError
from audiojourney.metrics.base import Metric, Result
from audiojourney.metrics.rows import listed


@dataclass(frozen=True, kw_only=True)
class Classification:
    """How scores fit targets; None where a number is not defined.

    Attributes:
        map: mean average precision over the classes that have a positive clip.
        map_all_classes: the same over all classes, those without positives counting as 0, as scikit-learn has it.
        map_micro: average precision of all pairs of clip and class at once.
        map_weighted: mean over classes, weighted by their positives.
        map_samples: mean over clips that have a class, ranking classes in each.
        mauc: mean area under the ROC curve over classes with positives and negatives.
        d_prime: sqrt(2) times the normal quantile of `mauc`; None for a perfect or hopeless one.
        accuracy: share of clips with a class whose highest score is one of their classes; equal highest scores share.
        ap_per_class: average precision of each class.
        auc_per_class: area under the ROC curve of each class.
        accuracy_per_class: share of the clips of each class whose highest score is that class.
        positives: clips of each class.
    """

    map: float | None
    map_all_classes: float
    map_micro: float | None
    map_weighted: float | None
    map_samples: float | None
    mauc: float | None
    d_prime: float | None
    accuracy: float | None
    ap_per_class: tuple[float | None, ...]
    auc_per_class: tuple[float | None, ...]
    accuracy_per_class: tuple[float | None, ...]
    positives: tuple[int, ...]


def classification(targets: ArrayLike, scores: ArrayLike, ids: Sequence[str] | None = None) -> Classification:
    """Measure scores (n, K) against targets (n, K) of 0 and 1.

    Args:
        targets: which classes each clip has.
        scores: higher for likelier classes, on any scale.
        ids: of the clips, for messages.

    Raises:
        UsageError: shapes that do not fit, targets that are not 0 or 1, or scores that are not finite.
    """
    positive, s = _checked(targets, scores, ids)
    counts = positive.sum(axis=0)
    ap = [average_precision(positive[:, k], s[:, k]) for k in range(s.shape[1])]
    auc = [roc_auc(positive[:, k], s[:, k]) for k in range(s.shape[1])]
    clips = [average_precision(p, row) for p, row in zip(positive, s, strict=True)]
    mauc = _mean(auc)
    right = _shares_of_top(s) * positive
    per_class = [float(right[:, k].sum() / counts[k]) if counts[k] else None for k in range(s.shape[1])]
    named = positive.any(axis=1)
    return Classification(
        map=_mean(ap),
        map_all_classes=sum(value or 0.0 for value in ap) / len(ap),
        map_micro=average_precision(positive.ravel(), s.ravel()),
        map_weighted=_mean(ap, counts),
        map_samples=_mean(clips),
        mauc=mauc,
        d_prime=math.sqrt(2) * NormalDist().inv_cdf(mauc) if mauc is not None and 0 < mauc < 1 else None,
        accuracy=float(right.sum(axis=1)[named].mean()) if named.any() else None,
        ap_per_class=tuple(ap),
        auc_per_class=tuple(auc),
        accuracy_per_class=tuple(per_class),
        positives=tuple(int(count) for count in counts),
    )


def average_precision(positive: np.ndarray, scores: np.ndarray) -> float | None:
    """Area under the steps of precision over recall, all clips of one score taken together; None without positives.

    Args:
        positive: which clips are positive, boolean, shape (n,).
        scores: shape (n,).
    """
    if not positive.any():
        return None
    true, taken = _at_thresholds(positive, scores)
    recall_steps = np.diff(true, prepend=0) / positive.sum()
    return float((true / taken * recall_steps).sum())


def roc_auc(positive: np.ndarray, scores: np.ndarray) -> float | None:
    """Chance that a positive clip scores higher than a negative one, equal scores counting half; None without either.

    Args:
        positive: which clips are positive, boolean, shape (n,).
        scores: shape (n,).
    """
    total = int(positive.sum())
    if not 0 < total < len(positive):
        return None
    true, taken = _at_thresholds(positive, scores)
    false = taken - true
    heights = (true + np.concatenate([[0], true[:-1]])) / 2
    return float((np.diff(false, prepend=0) * heights).sum() / (total * (len(positive) - total)))


def _at_thresholds(positive: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positives, and clips, that score at least as high as each different score, from the highest down."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), len(scores) - 1)
    return np.cumsum(positive[order])[ends], ends + 1


def _shares_of_top(scores: np.ndarray) -> np.ndarray:
    """One, shared evenly among the classes with the highest score of each clip, shape (n, K)."""
    top = scores == scores.max(axis=1, keepdims=True)
    return top / top.sum(axis=1, keepdims=True)


def _mean(values: Sequence[float | None], weights: ArrayLike | None = None) -> float | None:
    """Mean of those that are defined, or None."""
    shares = np.ones(len(values)) if weights is None else np.asarray(weights, np.float64)
    kept = [(value, share) for value, share in zip(values, shares, strict=True) if value is not None]
    total = sum(share for _, share in kept)
    return float(sum(value * share for value, share in kept) / total) if total else None


def _checked(targets: ArrayLike, scores: ArrayLike, ids: Sequence[str] | None) -> tuple[np.ndarray, np.ndarray]:
    t, s = np.asarray(targets), np.asarray(scores, np.float64)
    if t.ndim != 2 or t.shape != s.shape or not t.size:
        raise UsageError(f"Targets of shape {t.shape} and scores of shape {s.shape} do not fit; both are (n, K).")
    broken = np.flatnonzero(~np.isfinite(s).all(axis=1))
    if len(broken):
        names = [ids[int(clip)] if ids is not None else f"clip {clip}" for clip in broken]
        raise UsageError(f"The scores of {len(names)} clips are not finite: {listed(names)}.")
    odd = np.unique(t[(t != 0) & (t != 1)])
    if len(odd):
        raise UsageError(f"Targets are 0 or 1, not {odd[0]}.")
    return t.astype(bool), s


class MeanAveragePrecision(Metric):
    """mAP of clips that come bit by bit; targets and scores are kept."""

    higher_is_better = True
    min_value = 0.0
    max_value = 1.0

    def reset(self) -> None:
        """Forget all clips."""
        self._ids: list[str] = []
        self._targets: list[np.ndarray] = []
        self._scores: list[np.ndarray] = []

    def update(self, ids: Sequence[str], targets: ArrayLike, scores: ArrayLike) -> None:
        """Add k clips with targets (k, K) and scores (k, K)."""
        self._ids += ids
        self._targets.append(np.asarray(targets))
        self._scores.append(np.asarray(scores, np.float64))

    def details(self) -> Classification:
        """All that can be said of the clips fed so far; see `classification`."""
        if not self._ids:
            raise UsageError(f"{self.name} needs a clip; {len(self._ids)} came.")
        return classification(np.concatenate(self._targets), np.concatenate(self._scores), self._ids)

    def compute(self) -> Result:
        """Measure the clips fed so far.

        Raises:
            UsageError: there are none, or they do not fit.
        """
        found = self.details()
        with_positives = sum(count > 0 for count in found.positives)
        convention = {"classes": len(found.positives), "classes_with_positives": with_positives}
        reason = "" if found.map is not None else "no clip is positive for any class"
        return Result(name=self.name, value=found.map, reason=reason, count=(len(self._ids),), convention=convention)
