"""What every metric gives back, and the form of those that are fed bit by bit.

Each family has a plain function and a thin class that collects and calls it: the function for notebooks, the class for
streams of clips.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from audiojourney.errors import AudioJourneyError


@dataclass(frozen=True)
class Interval:
    """Where the value would fall again.

    Attributes:
        low: lower end.
        high: upper end.
        level: share of repetitions that fall inside.
        method: how it was found, with its seed.
    """

    low: float
    high: float
    level: float
    method: str


@dataclass(frozen=True, kw_only=True)
class Result:
    """One measured number, with what is needed to compare it with another.

    Attributes:
        name: full name, with the network: `fad_vggish`, never `fad`.
        value: the number, or None where there is none.
        reason: why there is none.
        count: clips behind it; two numbers where the sides differ.
        convention: the choices it depends on, such as splits and seed.
        per_item: value of each clip, None where the metric has none or a clip has none.
        interval: where it would fall again, if that was asked for.
        warnings: what a reader should know before comparing.
    """

    name: str
    value: float | None = None
    reason: str = ""
    count: tuple[int, ...] = ()
    convention: Mapping[str, Any] = field(default_factory=dict)
    per_item: Sequence[float | None] | None = None
    interval: Interval | None = None
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.value is None and not self.reason:
            raise AudioJourneyError(f"The metric {self.name!r} has neither a value nor a reason for having none.")
        if self.value is not None and not math.isfinite(self.value):
            raise AudioJourneyError(f"The metric {self.name!r} came out as {self.value}, which is no result.")

    def table(self) -> dict[str, Any]:
        """Plain values for JSON; fields that say nothing are left out, the value never."""
        row: dict[str, Any] = {"name": self.name, "value": self.value}
        row |= {"reason": self.reason} if self.reason else {}
        row |= {"n": list(self.count)} if self.count else {}
        row |= {"convention": dict(self.convention)} if self.convention else {}
        row |= {"interval": vars(self.interval)} if self.interval else {}
        row |= {"warnings": list(self.warnings)} if self.warnings else {}
        return row | ({"per_item": list(self.per_item)} if self.per_item is not None else {})


class Metric(ABC):
    """A metric that is fed bit by bit.

    Attributes:
        name: full name, with the network.
        higher_is_better: which way is up.
        min_value: least possible value, None where there is none.
        max_value: greatest possible value, None where there is none.
    """

    higher_is_better: ClassVar[bool]
    min_value: ClassVar[float | None] = None
    max_value: ClassVar[float | None] = None

    def __init__(self, name: str) -> None:
        self.name = name
        self.reset()

    @abstractmethod
    def reset(self) -> None:
        """Forget everything that was fed."""

    @abstractmethod
    def compute(self) -> Result:
        """Measure what was fed so far.

        Raises:
            UsageError: what was fed cannot be measured.
        """
