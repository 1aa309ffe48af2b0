"""Votes of listeners: win rates, their intervals, and how far listeners agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from math import sqrt
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from audiojourney.errors import UsageError
from audiojourney.metrics.base import Interval
from audiojourney.metrics.intervals import LEVEL, RESAMPLES

_FEWEST = 10  # clips, below which an interval over clips would promise too much


def wilson_interval(wins: int, votes: int, *, level: float = LEVEL) -> Interval:
    """Interval of a share by Wilson's score (1927); it stays within 0 and 1 and holds for few votes.

    It takes votes as independent; several votes on one clip are not (see `clip_interval`).

    Args:
        wins: votes for.
        votes: all votes that are for or against.
        level: share of repetitions that fall inside.

    Raises:
        UsageError: no vote, more wins than votes, or a level outside (0, 1).
    """
    if not 0 <= wins <= votes or not votes:
        raise UsageError(f"{wins} of {votes} votes have no share.")
    if not 0 < level < 1:
        raise UsageError(f"A level lies between 0 and 1; {level} does not.")
    z = NormalDist().inv_cdf(0.5 + level / 2)
    rate = wins / votes
    middle = (rate + z**2 / (2 * votes)) / (1 + z**2 / votes)
    half = z / (1 + z**2 / votes) * sqrt(rate * (1 - rate) / votes + z**2 / (4 * votes**2))
    return Interval(max(0.0, middle - half), min(1.0, middle + half), level, "Wilson score")


def clip_interval(
    wins: ArrayLike, votes: ArrayLike, *, draws: int = RESAMPLES, level: float = LEVEL, seed: int = 0
) -> Interval:
    """Interval of the share of wins by the bootstrap over clips, each of which brings all of its votes.

    Votes on one clip go together, because one sound of the pair may simply be better; drawing whole clips keeps that.

    Args:
        wins: votes for, of each clip, shape (n,).
        votes: votes for or against, of each clip, shape (n,).
        draws: how many sets of clips are drawn.
        level: share of repetitions that fall inside.
        seed: of the draws.

    Raises:
        UsageError: too few clips with votes, or shapes that differ.
    """
    won, cast = np.asarray(wins, np.float64), np.asarray(votes, np.float64)
    if won.shape != cast.shape or won.ndim != 1:
        raise UsageError(f"Wins of shape {won.shape} and votes of shape {cast.shape} are not of the same clips.")
    won, cast = won[cast > 0], cast[cast > 0]
    if len(cast) < _FEWEST:
        raise UsageError(f"An interval over clips needs {_FEWEST} clips with votes or more, not {len(cast)}.")
    drawn = np.random.default_rng(seed).integers(0, len(cast), (draws, len(cast)))
    shares = won[drawn].sum(axis=1) / cast[drawn].sum(axis=1)
    low, high = np.quantile(shares, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high), level, f"bootstrap over {len(cast)} clips, {draws} draws, seed {seed}")


def krippendorff_alpha(units: Iterable[Sequence[Hashable]]) -> float | None:
    """Agreement of listeners beyond chance: Krippendorff's alpha for nominal values; 1 is full, 0 is chance.

    Unlike Fleiss' kappa it needs no equal number of votes a unit. Krippendorff, Content Analysis, chapter 12: with
    o(c, k) the coincidences within units and n(c) their sums, alpha = 1 - (n - 1) sum o(c, k) / sum n(c) n(k), c != k.

    Args:
        units: the values that one thing was given, one each listener; those with fewer than two count nothing.

    Returns:
        The coefficient, or None where it has no meaning: no unit has two values, or all values are the same.
    """
    together: Counter[tuple[Hashable, Hashable]] = Counter()
    for values in units:
        counts = Counter(values)
        total = counts.total()
        if total < 2:
            continue
        for one in counts:
            for other in counts:
                pairs = counts[one] * (counts[other] - (one == other))
                together[one, other] += pairs / (total - 1)  # type: ignore[assignment]
    sums = _sums(together)
    n = sum(sums.values())
    chance = n**2 - sum(count**2 for count in sums.values())
    if chance < 1e-9:
        return None
    apart = sum(count for (one, other), count in together.items() if one != other)
    return 1 - (n - 1) * apart / chance


def _sums(together: Mapping[tuple[Hashable, Hashable], float]) -> dict[Hashable, float]:
    sums: dict[Hashable, float] = {}
    for (one, _), count in together.items():
        sums[one] = sums.get(one, 0.0) + count
    return sums
