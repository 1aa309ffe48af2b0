"""Frechet distance at infinitely many clips (Chong and Forsyth 2020): what is left when the bias of few clips is gone.

For n well above the number of dimensions the distance of n clips is a constant plus a bias of 1/n. It is measured on
parts of the sets and the line is followed to 1/n = 0. Parts are drawn without replacement: with replacement most of the
bias stays.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from audiojourney.errors import UsageError
from audiojourney.metrics.frechet import Gaussian, frechet_distance
from audiojourney.metrics.rows import ClipRows

STEPS = 15
LEAST_SHARE = 0.2
_FEWEST = 5  # clips in the smallest part


class Extrapolation(NamedTuple):
    """A line through distances of parts of sets.

    Attributes:
        value: where it meets infinitely many clips; can be below zero by the noise of the estimate.
        slope: bias of the whole sets, that is of share 1.
        fit: share of the variance of the distances that the line explains, R squared.
        shares: sizes of the parts, as shares of the whole sets.
        distances: measured at them.
        linear: whether the smallest part has more than twice as many rows as dimensions; below that the line is bent.
    """

    value: float
    slope: float
    fit: float
    shares: tuple[float, ...]
    distances: tuple[float, ...]
    linear: bool


def frechet_infinity(
    reference: ClipRows | Gaussian, generated: ClipRows, *, steps: int = STEPS, draws: int = 1, seed: int = 0
) -> Extrapolation:
    """Extrapolate the Frechet distance to infinitely many clips.

    Args:
        reference: clips, of which parts of the same share are drawn; or known statistics, which are left whole.
        generated: clips.
        steps: number of part sizes, from a fifth of the clips (more where too few rows would be left) to all.
        draws: parts of each size.
        seed: of the draws.

    Raises:
        UsageError: a side has too few clips for parts, or fewer than two steps are asked for.
    """
    sides = [side for side in (reference, generated) if isinstance(side, ClipRows)]
    fewest = min(len(side) for side in sides)
    if fewest < 2 * _FEWEST or steps < 2 or draws < 1:
        raise UsageError(
            f"Extrapolation needs {2 * _FEWEST} clips, 2 steps and 1 draw or more, not {fewest}, {steps} and {draws}."
        )
    dimensions = generated.rows.shape[1]
    rows = min(len(side.rows) for side in sides)
    # Small parts tell most about the line, as long as they lie on it.
    least = float(np.clip(2.2 * dimensions / rows, max(LEAST_SHARE, _FEWEST / fewest), 0.5))
    random = np.random.default_rng(seed)
    shares = np.repeat(np.linspace(least, 1, steps), draws)
    found = np.array([_distance_of_parts(reference, generated, share, random) for share in shares])
    design = np.stack([np.ones_like(shares), 1 / shares], axis=1)
    (value, slope), *_ = np.linalg.lstsq(design, found, rcond=None)
    spread = float(np.square(found - found.mean()).sum())
    missed = float(np.square(found - design @ (value, slope)).sum())
    fit = 1 - missed / spread if spread else 1.0
    linear = bool(least * rows > 2 * dimensions)
    return Extrapolation(float(value), float(slope), fit, tuple(shares.tolist()), tuple(found.tolist()), linear)


def _distance_of_parts(
    reference: ClipRows | Gaussian, generated: ClipRows, share: float, random: np.random.Generator
) -> float:
    whole = reference if isinstance(reference, Gaussian) else _part(reference, share, random)
    return frechet_distance(whole, _part(generated, share, random))


def _part(clips: ClipRows, share: float, random: np.random.Generator) -> np.ndarray:
    return clips.pick(random.permutation(len(clips))[: round(share * len(clips))])
