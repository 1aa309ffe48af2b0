"""Kernel distances of two sets of embeddings: KAD (Chung et al. 2025) and KID (Binkowski et al. 2018).

Both are unbiased squared maximum mean discrepancies, so unlike the Frechet distance their mean does not depend on the
number of clips, and two sets of one kind may come out slightly below zero.

n, m rows, d dimensions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike

from audiojourney.errors import UsageError
from audiojourney.metrics.conventions import OURS, Bandwidth
from audiojourney.metrics.rows import checked_pair, squared_distances
from audiojourney.registry import offer

Kernel = Literal["gaussian", "iq", "imq"]
SCALE = 100.0  # the published values are a hundred times the discrepancy
MOST_ROWS = 10_000  # rows that the median distance is taken over; 50 million distances
_SOFTENING = 1e-8

# Functions of g * squared distance, with g = 1 / (2 bandwidth^2).
_KERNELS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "gaussian": lambda scaled: np.exp(-scaled),
    "iq": lambda scaled: 1 / (1 + scaled),
    "imq": lambda scaled: 1 / np.sqrt(1 + scaled),
}


def kernel_audio_distance(
    reference: ArrayLike,
    generated: ArrayLike,
    *,
    kernel: Kernel = "gaussian",
    bandwidth: Bandwidth | float = OURS.kad_bandwidth,
) -> float:
    """A hundred times the unbiased squared maximum mean discrepancy.

    Args:
        reference: rows (n, d).
        generated: rows (m, d).
        kernel: its shape.
        bandwidth: the side whose median distance is the width of the kernel, or the width. The paper takes the
            reference, its program the generated side.

    Raises:
        UsageError: no two sets of at least two rows of one length, an unknown kernel, or a width that is not positive.
    """
    x, y = checked_pair(reference, generated)
    if kernel not in _KERNELS:
        raise UsageError(f"There is no kernel {kernel!r}.", offer(kernel, get_args(Kernel)))
    width = median_distance(x if bandwidth == "reference" else y) if isinstance(bandwidth, str) else float(bandwidth)
    if not 0 <= width < np.inf or (width == 0 and not isinstance(bandwidth, str)):
        raise UsageError(f"The bandwidth of a kernel is a positive number, not {bandwidth!r}.")
    shape, gamma = _KERNELS[kernel], 1 / (2 * width**2 + _SOFTENING)

    def total(a: np.ndarray, b: np.ndarray) -> float:
        """Sum of the kernel over all pairs of rows."""
        return sum(float(shape(gamma * squared).sum()) for _, squared in squared_distances(a, b))

    # Every kernel is 1 at distance zero, so the diagonals are n and m.
    within = (total(x, x) - len(x)) / (len(x) * (len(x) - 1)) + (total(y, y) - len(y)) / (len(y) * (len(y) - 1))
    return SCALE * (within - 2 * total(x, y) / (len(x) * len(y)))


def median_distance(rows: ArrayLike, seed: int = 0) -> float:
    """Lower median of the distances of all pairs of rows (n, d); above `MOST_ROWS` of so many rows drawn by `seed`."""
    x = np.asarray(rows, np.float64)
    if len(x) > MOST_ROWS:
        x = x[np.sort(np.random.default_rng(seed).choice(len(x), MOST_ROWS, replace=False))]
    parts = []
    for part, squared in squared_distances(x, x):
        later = np.arange(len(x))[None] > np.arange(len(x))[part][:, None]
        parts.append(squared[later])
    distances = np.concatenate(parts)
    middle = (len(distances) - 1) // 2
    return float(np.sqrt(np.partition(distances, middle)[middle]))


class KernelInceptionDistance(NamedTuple):
    """KID over subsets.

    Attributes:
        mean: over the subsets.
        std: population standard deviation over the subsets.
    """

    mean: float
    std: float


def kernel_inception_distance(
    generated: ArrayLike, reference: ArrayLike, *, subsets: int = 100, subset_size: int = 1000, seed: int = 2020
) -> KernelInceptionDistance:
    """Discrepancy under the cubic kernel (x.y / d + 1)^3, over random subsets of both sets.

    Args:
        generated: rows (n, d); its subset is drawn first, which matters for equal digits alone.
        reference: rows (m, d).
        subsets: how many pairs of subsets.
        subset_size: rows of each.
        seed: of the draws, by numpy's legacy generator.

    Raises:
        UsageError: no such sets, or fewer rows than a subset takes.
    """
    x, y = checked_pair(generated, reference)
    if not 2 <= subset_size <= min(len(x), len(y)) or subsets < 1:
        raise UsageError(f"{subsets} subsets of {subset_size} rows cannot be drawn from {len(x)} and {len(y)} rows.")
    random = np.random.RandomState(seed)
    found = []
    for _ in range(subsets):
        a = x[random.choice(len(x), subset_size, replace=False)]
        b = y[random.choice(len(y), subset_size, replace=False)]
        found.append(_cubic_discrepancy(a, b))
    return KernelInceptionDistance(float(np.mean(found)), float(np.std(found)))


def _cubic_discrepancy(a: np.ndarray, b: np.ndarray) -> float:
    n, d = a.shape
    aa, bb, ab = ((left @ right.T / d + 1) ** 3 for left, right in ((a, a), (b, b), (a, b)))
    within = aa.sum() - np.trace(aa) + bb.sum() - np.trace(bb)
    return float(within / (n * (n - 1)) - 2 * ab.mean())
