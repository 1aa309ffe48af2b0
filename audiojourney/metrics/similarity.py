"""CLAP score: cosine of the embeddings of a clip and of its prompt, averaged over clips.

n clips, d dimensions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from audiojourney.errors import UsageError
from audiojourney.metrics.base import Metric, Result
from audiojourney.metrics.rows import checked_pair


def cosines(audio: ArrayLike, text: ArrayLike) -> np.ndarray:
    """Cosine of each row of audio (n, d) with the same row of text (n, d), shape (n,).

    Raises:
        UsageError: the sides differ in shape, or a row has no direction.
    """
    a, t = checked_pair(audio, text, 1)
    if len(a) != len(t):
        raise UsageError(f"{len(a)} clips and {len(t)} prompts are no pairs.")
    for side, rows in (("clip", a), ("prompt", t)):
        flat = np.flatnonzero(~rows.any(axis=1))
        if len(flat):
            raise UsageError(f"The embedding of {side} {flat[0]} is zero and has no direction.")
    lengths = np.linalg.norm(a, axis=1) * np.linalg.norm(t, axis=1)
    return (a * t).sum(axis=1) / lengths


class ClapScore(Metric):
    """Mean cosine of pairs that come bit by bit; only the cosines are kept."""

    higher_is_better = True
    min_value = -1.0
    max_value = 1.0

    def reset(self) -> None:
        """Forget all clips."""
        self._values: list[float] = []

    def update(self, audio: ArrayLike, text: ArrayLike) -> None:
        """Add pairs, both of shape (k, d); see `cosines` for the errors."""
        self._values += cosines(audio, text).tolist()

    def compute(self) -> Result:
        """Average the pairs fed so far.

        Raises:
            UsageError: there are none.
        """
        if not self._values:
            raise UsageError(f"{self.name} needs a clip and its prompt; {len(self._values)} pairs came.")
        value, count = float(np.mean(self._values)), len(self._values)
        return Result(name=self.name, value=value, count=(count,), per_item=tuple(self._values))
