"""Frechet distance of two sets of embeddings, and the projection to principal axes that small sets need.

n rows, d dimensions. Everything is float64: with means far from zero, float32 alone costs five digits.

The trace of the root of the product of two covariances is the nuclear norm of the product of their factors: no root of
a matrix is taken, so null directions add nothing (a root of 1e-16 would add 1e-8 for each).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from audiojourney.errors import AudioJourneyError, UsageError

ROUNDING = 1e-6  # a distance below zero by more than this share of the traces is no rounding error


@dataclass(frozen=True)
class Gaussian:
    """Mean and spread of a set of rows; stands for the set in every Frechet distance.

    Attributes:
        mean: float64, shape (d,).
        factor: float64, shape (k, d); `factor.T @ factor` is the covariance with divisor n - 1.
        rows: n.
    """

    mean: np.ndarray
    factor: np.ndarray
    rows: int

    @classmethod
    def of_rows(cls, rows: ArrayLike) -> Gaussian:
        """Mean and spread of rows (n, d).

        Raises:
            UsageError: fewer than two rows, another shape, or numbers that are not finite.
        """
        x = _checked(rows)
        mean = x.mean(axis=0)
        factor = (x - mean) / np.sqrt(len(x) - 1)
        # More rows than dimensions: the triangle of the QR decomposition has the same covariance and is smaller.
        smaller = np.asarray(np.linalg.qr(factor, mode="r")) if len(x) > x.shape[1] else factor
        return cls(mean, smaller, len(x))

    @classmethod
    def of_statistics(cls, mean: ArrayLike, covariance: ArrayLike, rows: int) -> Gaussian:
        """The same from a stored mean (d,) and covariance (d, d) of n rows.

        Raises:
            UsageError: the shapes do not fit.
        """
        centre, spread = np.asarray(mean, np.float64), np.asarray(covariance, np.float64)
        if centre.ndim != 1 or spread.shape != (len(centre), len(centre)):
            raise UsageError(f"A mean of shape {centre.shape} and a covariance of shape {spread.shape} do not fit.")
        values, vectors = np.linalg.eigh(spread)
        kept = values > len(values) * np.finfo(np.float64).eps * max(float(values[-1]), 0.0)
        return cls(centre, (vectors[:, kept] * np.sqrt(values[kept])).T, rows)

    @property
    def trace(self) -> float:
        """Trace of the covariance."""
        return float(np.square(self.factor).sum())


def frechet_distance(x: ArrayLike | Gaussian, y: ArrayLike | Gaussian) -> float:
    """Squared Frechet distance of Gaussians fitted to two sets (Dowson and Landau 1982, equation 4).

    Args:
        x: rows (n, d), or their `Gaussian`.
        y: rows (m, d), or their `Gaussian`.

    Returns:
        Squared distance of the means plus both traces, minus twice the trace of the root of the product of covariances.

    Raises:
        UsageError: the sets have different d, or are no sets of at least two finite rows.
    """
    a, b = (side if isinstance(side, Gaussian) else Gaussian.of_rows(side) for side in (x, y))
    if a.mean.shape != b.mean.shape:
        raise UsageError(f"Embeddings of {len(a.mean)} and of {len(b.mean)} numbers cannot be compared.")
    shared = float(np.linalg.svd(a.factor @ b.factor.T, compute_uv=False).sum())
    traces = a.trace + b.trace
    spreads = traces - 2 * shared
    if spreads < -ROUNDING * traces:
        raise AudioJourneyError(
            f"The Frechet distance came out with {spreads} between spreads, which no two sets have."
        )
    # What is left of equal spreads is rounding, of either sign.
    known = spreads > len(a.mean) * np.finfo(np.float64).eps * traces
    return float(np.square(a.mean - b.mean).sum()) + (spreads if known else 0.0)


@dataclass(frozen=True)
class PrincipalAxes:
    """Directions in which a set of rows varies most.

    Attributes:
        mean: float64, shape (d,).
        axes: float64, shape (d, k), orthonormal columns, largest variance first.
    """

    mean: np.ndarray
    axes: np.ndarray

    @classmethod
    def of_rows(cls, rows: ArrayLike, count: int) -> PrincipalAxes:
        """Find the first `count` axes of rows (n, d); fewer where n or d is smaller.

        Raises:
            UsageError: no set of at least two finite rows, or a count below 1.
        """
        x = _checked(rows)
        if count < 1:
            raise UsageError(f"{count} principal axes were asked for.", "Ask for 1 or more.")
        mean = x.mean(axis=0)
        return cls(mean, np.linalg.svd(x - mean, full_matrices=False)[2][:count].T)

    def project(self, rows: ArrayLike) -> np.ndarray:
        """Coordinates (n, k) of rows (n, d) along the axes."""
        return (np.asarray(rows, np.float64) - self.mean) @ self.axes


def _checked(rows: ArrayLike) -> np.ndarray:
    x = np.asarray(rows, np.float64)
    if x.ndim != 2 or len(x) < 2:
        raise UsageError(f"A set of embeddings has the shape (n, d) with n >= 2, not {x.shape}.")
    if not np.isfinite(x).all():
        raise UsageError(f"{int((~np.isfinite(x)).sum())} of {x.size} numbers of a set of embeddings are not finite.")
    return x
