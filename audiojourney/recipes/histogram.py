"""Histograms of streams: bins widen as values spread, so memory and time stay as they are."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

_MOST_BINS = 1024
_ROUNDING = 1e-9  # 0.3 / 0.1 is a little less than 3


@dataclass
class Histogram:
    """Counts of numbers from 0 on, in bins of one width.

    Attributes:
        width: of a bin; it doubles whenever more than 1024 are in use.
        counts: numbers in bin i, which begins at i * width.
        total: of the numbers.
        number: of the numbers.
        least: the smallest, None without any.
        greatest: the largest, None without any.
    """

    width: float
    counts: Counter[int] = field(default_factory=Counter)
    total: float = 0.0
    number: int = 0
    least: float | None = None
    greatest: float | None = None

    def add(self, value: float, times: int = 1) -> None:
        """Count a value so many times."""
        self.counts[math.floor(value / self.width + _ROUNDING)] += times
        self.total += value * times
        self.number += times
        self.least = value if self.least is None else min(value, self.least)
        self.greatest = value if self.greatest is None else max(value, self.greatest)
        while len(self.counts) > _MOST_BINS:
            self._widen(2)

    def quantile(self, share: float) -> float | None:
        """Return the value below which a share of all lies, as exactly as a bin is wide; None without values."""
        below, wanted = 0, share * self.number
        for place, count in sorted(self.counts.items()):
            below += count
            if below >= wanted:
                value = place * self.width
                return min(max(value, self.least or 0.0), self.greatest or 0.0)
        return None

    def summary(self) -> dict[str, float | None]:
        """Return number, mean, smallest, largest and quantiles."""
        mean = self.total / self.number if self.number else None
        quantiles = {f"p{round(100 * share)}": self.quantile(share) for share in (0.05, 0.5, 0.95)}
        return {"n": self.number, "mean": mean, "min": self.least, **quantiles, "max": self.greatest}

    def bins(self, most: int = 24) -> list[tuple[float, float, int]]:
        """Return at most so many bins that follow each other: beginning, end, count.

        The widest of 1, 2, 5, 10, ... times the width that is needed for so few.
        """
        if not self.counts:
            return []
        step = next(step for step in _steps() if max(self.counts) // step - min(self.counts) // step < most)
        merged: Counter[int] = Counter()
        for place, count in self.counts.items():
            merged[place // step] += count
        wide = step * self.width
        return [
            (round(place * wide, 6), round((place + 1) * wide, 6), merged[place])
            for place in range(min(merged), max(merged) + 1)
        ]

    def _widen(self, times: int) -> None:
        self.width *= times
        merged: Counter[int] = Counter()
        for place, count in self.counts.items():
            merged[place // times] += count
        self.counts = merged


def _steps() -> list[int]:
    return [digit * 10**power for power in range(16) for digit in (1, 2, 5)]
