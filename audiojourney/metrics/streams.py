"""Frechet distance of sets that are fed clip by clip; memory depends on d, not on the number of clips.

n rows, d dimensions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from audiojourney.errors import UsageError
from audiojourney.metrics.base import Metric, Result
from audiojourney.metrics.frechet import Gaussian, frechet_distance
from audiojourney.metrics.rows import checked_rows

GROUPS = 40  # of a set that is cut for an interval
GROUPS_WIDE = 10  # where rows are wide, since a group keeps up to 2 d rows
WIDE = 1024


class RunningGaussian:
    """Mean and spread of rows that come bit by bit.

    Kept is a factor of the scatter matrix, not the matrix: nothing is squared, so no digit is lost where sums of
    products would lose half of them. New rows are put below the factor; a QR decomposition shrinks it to d rows when
    it has grown to twice that.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._mean = np.zeros(0)
        self._parts: list[np.ndarray] = []

    def update(self, rows: ArrayLike) -> None:
        """Add rows (k, d).

        Raises:
            UsageError: d differs from that of earlier rows, or numbers are not finite.
        """
        x = checked_rows(rows, 1)
        mean = x.mean(axis=0)
        self._join(mean, [x - mean] if len(x) > 1 else [], len(x))

    def add(self, other: RunningGaussian) -> None:
        """Add all rows that were fed to another one, which stays as it is.

        Raises:
            UsageError: d differs.
        """
        if other.rows:
            self._join(other._mean, other._parts, other.rows)

    def _join(self, mean: np.ndarray, parts: Sequence[np.ndarray], rows: int) -> None:
        """Take in rows by their mean (d,), the factors of their scatter and their number."""
        if self.rows and len(mean) != len(self._mean):
            raise UsageError(f"Rows of {len(mean)} numbers cannot follow rows of {len(self._mean)}.")
        self._parts += parts
        if self.rows:
            # The scatter about a common mean is that about both means, plus one row for what lies between them.
            between = mean - self._mean
            self._parts.append(between[None] * np.sqrt(self.rows * rows / (self.rows + rows)))
            mean = self._mean + between * (rows / (self.rows + rows))
        self._mean, self.rows = mean, self.rows + rows
        if sum(map(len, self._parts)) > 2 * len(mean):
            self._parts = [np.asarray(np.linalg.qr(np.concatenate(self._parts), mode="r"))]

    def gaussian(self) -> Gaussian:
        """What was fed so far, for `frechet_distance`.

        Raises:
            UsageError: fewer than two rows were fed.
        """
        if self.rows < 2:
            raise UsageError(f"A spread needs two rows or more; {self.rows} came.")
        return Gaussian(self._mean.copy(), np.concatenate(self._parts) / np.sqrt(self.rows - 1), self.rows)


def merged(parts: Sequence[RunningGaussian]) -> Gaussian:
    """Mean and spread of all rows that were fed to any of `parts`, for `frechet_distance`.

    Raises:
        UsageError: fewer than two rows were fed, or rows of different lengths.
    """
    whole = RunningGaussian()
    for part in parts:
        whole.add(part)
    return whole.gaussian()


class GroupedGaussian:
    """Rows of clips that are drawn into equal groups, so that parts of the set can be measured without keeping it.

    A few clips are a group each; of many, groups hold random ones. Groups stand in for clips in an interval: halves of
    the groups are random halves of the set.

    Args:
        clips: how many will come.
        seed: of the draw.
    """

    def __init__(self, clips: int, seed: int = 0) -> None:
        self.clips = 0
        self.groups: list[RunningGaussian] = []
        self._places = np.random.default_rng(seed).permutation(clips)

    def update(self, rows: ArrayLike) -> None:
        """Add the rows (k, d) of the next clip.

        Raises:
            UsageError: d differs from that of earlier rows, or numbers are not finite.
        """
        x = np.atleast_2d(np.asarray(rows))
        if not self.groups:
            most = GROUPS if x.shape[1] <= WIDE else GROUPS_WIDE
            self.groups = [RunningGaussian() for _ in range(min(most, len(self._places)))]
        self.groups[self._places[self.clips] % len(self.groups)].update(x)
        self.clips += 1

    def gaussian(self, groups: ArrayLike | None = None) -> Gaussian:
        """What was fed so far to the groups of these numbers, or to all.

        Raises:
            UsageError: fewer than two rows were fed.
        """
        numbers = range(len(self.groups)) if groups is None else np.asarray(groups)
        return merged([self.groups[number] for number in numbers])


class FrechetDistance(Metric):
    """FD or FAD of two streams of clips."""

    higher_is_better = False
    min_value = 0.0

    def reset(self) -> None:
        """Forget both sides."""
        self._sides = (RunningGaussian(), RunningGaussian())
        self._clips = [0, 0]

    def update(self, reference: Iterable[ArrayLike] = (), generated: Iterable[ArrayLike] = ()) -> None:
        """Add clips to either side, each as its rows (k, d) or its one row (d,).

        Raises:
            UsageError: rows that differ in length or are not finite.
        """
        for number, clips in enumerate((reference, generated)):
            for clip in clips:
                self._sides[number].update(np.atleast_2d(np.asarray(clip)))
                self._clips[number] += 1

    def compute(self) -> Result:
        """Measure the distance of the clips fed so far.

        Raises:
            UsageError: a side has fewer than two rows, or the sides differ in d.
        """
        reference, generated = (side.gaussian() for side in self._sides)
        return Result(
            name=self.name,
            value=frechet_distance(reference, generated),
            count=tuple(self._clips),
            convention={"rows": [reference.rows, generated.rows]},
            warnings=tuple(size_warnings(reference.rows, generated.rows, len(reference.mean))),
        )


def size_warnings(reference: int, generated: int, dimensions: int) -> list[str]:
    """Say what a reader must know of the numbers of rows before comparing distances."""
    told = []
    fewest = min(reference, generated)
    if fewest < dimensions:
        told.append(f"{fewest} rows are fewer than {dimensions} dimensions: most of the distance may be due to that")
    if reference != generated:
        told.append(f"{reference} reference and {generated} generated rows: distances depend on both numbers")
    return told
