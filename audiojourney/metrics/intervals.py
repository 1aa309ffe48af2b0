"""Intervals that hold what they promise.

Distances between sets move with the number of clips, and the plain bootstrap, which repeats clips, moves them further:
its interval often does not even contain the measured value. So they get subsampling without replacement (Politis and
Romano 1994). Means over clips get the ordinary bootstrap over clips.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from audiojourney.errors import UsageError
from audiojourney.metrics.base import Interval

LEVEL = 0.95
SUBSAMPLES = 100
RESAMPLES = 1000
FEWEST = 10  # clips, below which an interval would promise too much


def subsampling_interval(
    statistic: Callable[[Sequence[np.ndarray]], float],
    counts: Sequence[int],
    *,
    value: float | None = None,
    share: float = 0.5,
    draws: int = SUBSAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Interval:
    """Interval of a statistic of one or several sets of clips.

    Parts scatter about their own mean as the whole would about its own, but wider, by sqrt((1 - share) / share): a
    part of m of n clips, drawn without replacement, has the variance 1/m - 1/n where the whole has 1/n.

    Args:
        statistic: takes the numbers of the chosen clips, one array for each set, and returns the value.
        counts: number of clips in each set.
        value: of the whole sets; computed when None.
        share: size of the parts.
        draws: how many parts.
        level: share of repetitions that fall inside.
        seed: of the draws.

    Raises:
        UsageError: too few clips, or a share or level outside (0, 1).
    """
    _check(min(counts), draws, level)
    if not 0 < share < 1:
        raise UsageError(f"A part is a share between 0 and 1 of the clips, not {share}.")
    random = np.random.default_rng(seed)
    whole = statistic([np.arange(count) for count in counts]) if value is None else value
    parts = np.array(
        [
            statistic([random.permutation(count)[: max(2, round(share * count))] for count in counts])
            for _ in range(draws)
        ]
    )
    scattered = (parts - parts.mean()) * np.sqrt(share / (1 - share))
    low, high = np.quantile(scattered, [(1 - level) / 2, (1 + level) / 2])
    method = f"subsampling without replacement, share {share}, {draws} draws, seed {seed}"
    return Interval(float(whole - high), float(whole - low), level, method)


def bootstrap_interval(values: ArrayLike, *, draws: int = RESAMPLES, level: float = LEVEL, seed: int = 0) -> Interval:
    """Percentile interval of the mean of one value a clip, shape (n,).

    Raises:
        UsageError: too few clips, or values that are not finite.
    """
    x = np.asarray(values, np.float64)
    if x.ndim != 1 or not np.isfinite(x).all():
        raise UsageError(f"One finite value a clip is needed, not shape {x.shape} with some that are not finite.")
    _check(len(x), draws, level)
    random = np.random.default_rng(seed)
    means = [x[random.integers(0, len(x), len(x))].mean() for _ in range(draws)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), level, f"bootstrap over clips, {draws} draws, seed {seed}")


def paired_difference(
    first: ArrayLike, second: ArrayLike, *, draws: int = RESAMPLES, level: float = LEVEL, seed: int = 0
) -> Interval:
    """Interval of mean(first) - mean(second) for two systems on the same clips, both of shape (n,).

    Raises:
        UsageError: the clips differ in number, are too few, or have values that are not finite.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.shape != b.shape:
        raise UsageError(f"Values of shape {a.shape} and {b.shape} are not of the same clips.")
    return bootstrap_interval(a - b, draws=draws, level=level, seed=seed)


def _check(count: int, draws: int, level: float) -> None:
    if count < FEWEST:
        raise UsageError(f"An interval needs {FEWEST} clips or more, not {count}.")
    if draws < 2 or not 0 < level < 1:
        raise UsageError(f"An interval needs 2 draws or more and a level between 0 and 1, not {draws} and {level}.")
