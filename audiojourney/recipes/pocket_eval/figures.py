"""What one measurement came to, and whether it meets its gate."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Sign = Literal[">=", "<=", "<", ""]


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of the results.

    Attributes:
        gate: name of the gate.
        what: what was measured, in words.
        judge: who heard it: "strict", "lenient" or nobody.
        sign: how `reached` must stand to `limit`; empty where nothing is asked.
        limit: the bound as a number.
        rule: where the bound comes from, such as "0.85 x real".
        counts: whether the gate hangs on this line; other lines are there for comparison.
        reached: the figure of the model.
        real: the same figure of real clips that were held out.
        chance: the same figure where nothing was learnt.
        chance_of: what `chance` is of.
        clips: number of clips behind `reached`.
        share: whether the figure is a share of clips, so that it has an interval.
        seeds: seeds of what was measured.
        detail: further figures for the JSON file.
    """

    gate: str
    what: str
    judge: str = ""
    sign: Sign = ""
    limit: float = math.nan
    rule: str = ""
    counts: bool = True
    reached: float
    real: float | None = None
    chance: float | None = None
    chance_of: str = ""
    clips: int
    share: bool = False
    seeds: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether the bound is kept; None where nothing is asked. A figure that is not a number keeps no bound."""
        if not self.sign:
            return None
        kept = {">=": self.reached >= self.limit, "<=": self.reached <= self.limit, "<": self.reached < self.limit}
        return kept[self.sign]

    @property
    def failed(self) -> bool:
        """Whether the gate is missed by this line."""
        return self.counts and self.met is False

    @property
    def asked(self) -> str:
        """The bound in words."""
        if not self.sign:
            return ""
        return f"{self.sign} {self.limit:.3g}" + (f" ({self.rule})" if self.rule else "")

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval of a share of clips, None for other figures."""
        return wilson(self.reached, self.clips) if self.share and self.clips else None


def wilson(share: float, count: int, z: float = 1.96) -> tuple[float, float]:
    """Interval of a share of `count` independent clips (Wilson 1927)."""
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Naming:
    """What N clips are of, and what a judge called them.

    Attributes:
        asked: what each clip is of.
        named: what it was called.
    """

    asked: tuple[str, ...]
    named: tuple[str, ...]

    @property
    def right(self) -> float:
        """Share of clips that were named right."""
        return sum(a == n for a, n in zip(self.asked, self.named, strict=True)) / len(self.asked)

    @property
    def chance(self) -> float:
        """The same share, expected, when the names are dealt out anew."""
        named = Counter(self.named)
        return sum(count * named[name] for name, count in Counter(self.asked).items()) / len(self.asked) ** 2

    @property
    def by_class(self) -> dict[str, float]:
        """Share of clips of each concept that were named right."""
        return {name: self.of((name,)).right for name in dict.fromkeys(self.asked)}

    def of(self, concepts: Sequence[str]) -> Naming:
        """Keep the clips of some concepts; others may still appear among the names."""
        pairs = [(a, n) for a, n in zip(self.asked, self.named, strict=True) if a in concepts]
        return Naming(tuple(a for a, _ in pairs), tuple(n for _, n in pairs))
