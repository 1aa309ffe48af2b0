"""KL divergence of the classes that a network hears in a generated clip and in its reference.

`kl_softmax` is the value of the published tables. `kl_sigmoid` puts sigmoid outputs into the same sum: it is no
divergence and can be negative. `kl_reverse` swaps the sides.

n clips, K classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from audiojourney.errors import UsageError
from audiojourney.metrics.base import Metric, Result
from audiojourney.metrics.conventions import OURS, Convention, Direction
from audiojourney.metrics.inception import log_softmax
from audiojourney.metrics.rows import checked_pair, listed, pair

Activation = Literal["softmax", "sigmoid"]


def kl_divergence(
    reference: ArrayLike,
    generated: ArrayLike,
    *,
    activation: Activation = "softmax",
    direction: Direction = OURS.kl_direction,
    floor: float = OURS.kl_floor,
) -> np.ndarray:
    """Sum over classes of p (ln p - ln(q + floor)) for each pair of clips, shape (n,).

    Args:
        reference: logits of the reference clips, shape (n, K).
        generated: logits of the clips generated for them, in the same order, shape (n, K).
        activation: what turns logits into p and q.
        direction: "reference_generated" takes p from the reference, the other one from the generated clip.
        floor: keeps the logarithm finite where q is 0; caps a clip at -ln(floor), 13.8 for 1e-6. With 0 the logarithm
            is taken exactly, from the logits.

    Raises:
        UsageError: the sides differ in shape or hold numbers that are not finite.
    """
    a, b = checked_pair(reference, generated, 1, "logits")
    if len(a) != len(b):
        raise UsageError(f"{len(a)} reference clips and {len(b)} generated ones are no pairs.")
    first, second = (a, b) if direction == "reference_generated" else (b, a)
    log = log_softmax if activation == "softmax" else _log_sigmoid
    log_p, log_q = log(first), log(second)
    if floor:
        log_q = np.log(np.exp(log_q) + floor)
    return (np.exp(log_p) * (log_p - log_q)).sum(axis=1)


def _log_sigmoid(logits: np.ndarray) -> np.ndarray:
    return -np.logaddexp(0.0, -logits)


class KLDivergence(Metric):
    """Mean KL divergence of clips that come with their ids; the logits are kept until both sides are there."""

    higher_is_better = False

    def __init__(
        self,
        name: str,
        convention: Convention = OURS,
        *,
        activation: Activation = "softmax",
        allow_missing: bool = False,
    ) -> None:
        self.convention, self.activation, self.allow_missing = convention, activation, allow_missing
        super().__init__(name)

    def reset(self) -> None:
        """Forget both sides."""
        self._ids: tuple[list[str], list[str]] = ([], [])
        self._logits: tuple[list[np.ndarray], list[np.ndarray]] = ([], [])

    def update(self, side: Literal["reference", "generated"], ids: Sequence[str], logits: ArrayLike) -> None:
        """Add clips of one side in any order.

        Args:
            side: which one.
            ids: one for each clip.
            logits: shape (k, K).

        Raises:
            UsageError: other numbers of ids and clips, or numbers that are not finite.
        """
        number = ("reference", "generated").index(side)
        rows = np.asarray(logits, np.float64)
        if rows.ndim != 2 or len(rows) != len(ids):
            raise UsageError(f"{len(ids)} ids and logits of shape {rows.shape} do not belong together.")
        broken = [name for name, row in zip(ids, rows, strict=True) if not np.isfinite(row).all()]
        if broken:
            raise UsageError(f"The logits of {len(broken)} {side} clips are not finite: {listed(broken)}.")
        self._ids[number].extend(ids)
        self._logits[number].extend(rows)

    def compute(self) -> Result:
        """Measure the pairs fed so far.

        Raises:
            UsageError: ids stand twice, differ between the sides (unless that is allowed), or none is common.
        """
        pairs = pair(*self._ids, allow_missing=self.allow_missing)
        reference, generated = (np.stack(side) for side in self._logits)
        direction, floor = self.convention.kl_direction, self.convention.kl_floor
        values = kl_divergence(
            reference[pairs.reference],
            generated[pairs.generated],
            activation=self.activation,
            direction=direction,
            floor=floor,
        )
        left_out = pairs.unmatched
        return Result(
            name=self.name,
            value=float(values.mean()),
            count=(len(values),),
            convention={"activation": self.activation, "direction": direction, "floor": floor},
            per_item=values.tolist(),
            warnings=(f"{len(left_out)} clips without a partner were left out: {listed(left_out)}",)
            if left_out
            else (),
        )
