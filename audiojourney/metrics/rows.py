"""Sets of embeddings, one row a clip or several, and how two sides are paired.

n rows, d dimensions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from audiojourney.errors import UsageError

NAMED = 5  # so many ids are named in a message
BLOCK = 1024  # rows whose distances are held at once


def checked_rows(rows: ArrayLike, least: int = 2, what: str = "embeddings") -> np.ndarray:
    """Return rows as float64 of shape (n, d).

    Raises:
        UsageError: another shape, fewer than `least` rows, or numbers that are not finite; the first such row is named.
    """
    x = np.asarray(rows, np.float64)
    if x.ndim != 2 or len(x) < least or not x.shape[1]:
        raise UsageError(f"A set of {what} has the shape (n, d) with n >= {least}, not {x.shape}.")
    broken = np.flatnonzero(~np.isfinite(x).all(axis=1))
    if len(broken):
        raise UsageError(f"{len(broken)} of {len(x)} rows of {what} are not finite, the first is row {broken[0]}.")
    return x


def checked_pair(x: ArrayLike, y: ArrayLike, least: int = 2, what: str = "embeddings") -> tuple[np.ndarray, np.ndarray]:
    """Return two sets (n, d) and (m, d) as float64; see `checked_rows`.

    Raises:
        UsageError: one side is no such set, or d differs.
    """
    a, b = checked_rows(x, least, what), checked_rows(y, least, what)
    if a.shape[1] != b.shape[1]:
        raise UsageError(f"Sets of {what} with {a.shape[1]} and with {b.shape[1]} numbers cannot be compared.")
    return a, b


def squared_distances(x: np.ndarray, y: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield squared distances of all rows of y (m, d) from blocks of rows of x (n, d), so that memory stays flat.

    Yields:
        which rows of x, and their squared distances, shape (block, m).
    """
    # Distances are small differences of large products, so both sides are brought near zero first.
    centre = x.mean(axis=0)
    a, b = x - centre, y - centre
    norms = np.square(b).sum(axis=1)
    for start in range(0, len(a), BLOCK):
        part = slice(start, start + BLOCK)
        squared = np.square(a[part]).sum(axis=1)[:, None] + norms - 2 * (a[part] @ b.T)
        yield part, np.maximum(squared, 0.0, out=squared)


@dataclass(frozen=True)
class ClipRows:
    """Embeddings of clips, of which each may have several rows.

    Attributes:
        rows: float32 or float64, shape (n, d).
        ends: where the rows of each clip end, shape (clips,); the rows of clip i are `ends[i - 1]:ends[i]`.
    """

    rows: np.ndarray
    ends: np.ndarray

    @classmethod
    def of_clips(cls, clips: Sequence[ArrayLike]) -> ClipRows:
        """Join the rows (k, d) or the single row (d,) of each clip.

        Raises:
            UsageError: there is no clip, or they differ in d.
        """
        parts = [np.atleast_2d(np.asarray(clip)) for clip in clips]
        widths = sorted({part.shape[1] for part in parts})
        if len(widths) != 1:
            raise UsageError(f"Clips with embeddings of one length are needed; {len(parts)} came with {widths}.")
        return cls(np.concatenate(parts), np.cumsum([len(part) for part in parts]))

    @classmethod
    def of_rows(cls, rows: ArrayLike) -> ClipRows:
        """Take every row of (n, d) as a clip of its own."""
        x = checked_rows(rows, 1)
        return cls(x, np.arange(1, len(x) + 1))

    def __len__(self) -> int:
        return len(self.ends)

    def pick(self, clips: np.ndarray) -> np.ndarray:
        """Rows (k, d) of the clips with these numbers, in their order."""
        begins = np.concatenate([[0], self.ends[:-1]])
        return np.concatenate([self.rows[begins[clip] : self.ends[clip]] for clip in clips])


@dataclass(frozen=True)
class Pairing:
    """Which row of one side belongs to which of the other.

    Attributes:
        ids: common ids, in the order of the reference.
        reference: their places in the reference.
        generated: their places among the generated.
        unmatched: ids that one side alone has.
    """

    ids: tuple[str, ...]
    reference: np.ndarray
    generated: np.ndarray
    unmatched: tuple[str, ...]


def pair(reference_ids: Sequence[str], generated_ids: Sequence[str], *, allow_missing: bool = False) -> Pairing:
    """Pair two sides by id.

    Args:
        reference_ids: ids of the reference, each once.
        generated_ids: ids of the generated side, each once, in any order.
        allow_missing: take the common ids where the sides differ, instead of refusing.

    Raises:
        UsageError: an id stands twice, ids differ (up to five are named), or none is common.
    """
    for side, ids in (("reference", reference_ids), ("generated", generated_ids)):
        twice = [name for name, times in Counter(ids).items() if times > 1]
        if twice:
            raise UsageError(f"{len(twice)} ids stand twice on the {side} side: {listed(twice)}.")
    places = {name: place for place, name in enumerate(generated_ids)}
    common = [(place, name) for place, name in enumerate(reference_ids) if name in places]
    unmatched = sorted(set(reference_ids) ^ set(generated_ids))
    if unmatched and not allow_missing:
        lacking = [name for name in reference_ids if name not in places]
        told = f"{len(lacking)} ids of the reference were not generated" if lacking else "Ids have no reference"
        raise UsageError(f"{told}: {listed(lacking or unmatched)}.", "Ask for the common ones to leave them out.")
    if not common:
        raise UsageError(f"None of {len(reference_ids)} reference ids is among {len(generated_ids)} generated ones.")
    names = tuple(name for _, name in common)
    return Pairing(
        names, np.array([place for place, _ in common]), np.array([places[name] for name in names]), tuple(unmatched)
    )


def listed(names: Sequence[str]) -> str:
    """Name up to five of them, and how many more there are."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(repr(name) for name in names[:NAMED]) + more
