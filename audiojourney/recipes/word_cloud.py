"""Words as large as they are frequent, laid out from the middle along a spiral; equal counts give equal pictures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 480, 260
_LARGEST, _SMALLEST = 44.0, 9.0
_LETTER = 0.62  # width of a letter in sizes of the font, at the wide end of common faces
_FILLED = 0.5  # share of the box that words take
_TURNS = 600
_STEP = 0.5  # radians along the spiral
# Words that say how a sentence is built and not what it is about.
_STOPPED = (
    "a an and are as at be been being between both but by can could do does for from had has have he her his how i if "
    "in into is it its more most no not of off on onto or other our out over own she so some such than that the their "
    "them then there these they this those through to too under until up very was we were what when where which while "
    "who will with would you your"
)
STOP_WORDS = frozenset(_STOPPED.split())


@dataclass(frozen=True)
class Word:
    """A word that has its place.

    Attributes:
        text: the word.
        count: how often it came.
        x: middle, from the left.
        y: middle, from the top.
        size: of the font.
    """

    text: str
    count: int
    x: float
    y: float
    size: float

    def overlaps(self, other: Word) -> bool:
        """Say whether the boxes of two words touch."""
        apart_x = abs(self.x - other.x) >= (_width(self) + _width(other)) / 2
        apart_y = abs(self.y - other.y) >= (self.size + other.size) / 2
        return not (apart_x or apart_y)


def lay_out(counts: Iterable[tuple[str, int]], most: int = 70) -> list[Word]:
    """Return the most frequent words with places in a box of `WIDTH` by `HEIGHT`; those that find none are left out.

    Args:
        counts: words and how often they came, in any order.
        most: words to try.
    """
    wanted = sorted(((word, count) for word, count in counts if word not in STOP_WORDS), key=_rank)[:most]
    greatest = wanted[0][1] if wanted else 1
    sizes = [_SMALLEST + (_LARGEST - _SMALLEST) * math.sqrt(count / greatest) for _, count in wanted]
    area = sum(_LETTER * len(text) * size**2 for (text, _), size in zip(wanted, sizes, strict=True))
    scale = min(1.0, math.sqrt(_FILLED * WIDTH * HEIGHT / area)) if area else 1.0
    placed: list[Word] = []
    for (text, count), size in zip(wanted, sizes, strict=True):
        found = _free_place(text, count, min(scale * size, WIDTH / (_LETTER * max(1, len(text)))), placed)
        if found is not None:
            placed.append(found)
    return placed


def _free_place(text: str, count: int, size: float, placed: Sequence[Word]) -> Word | None:
    for turn in range(_TURNS):
        angle = _STEP * turn
        radius = 0.6 * angle
        word = Word(
            text, count, WIDTH / 2 + 1.8 * radius * math.cos(angle), HEIGHT / 2 + radius * math.sin(angle), size
        )
        if _inside(word) and not any(word.overlaps(other) for other in placed):
            return word
    return None


def _inside(word: Word) -> bool:
    half = _width(word) / 2
    return half <= word.x <= WIDTH - half and word.size / 2 <= word.y <= HEIGHT - word.size / 2


def _width(word: Word) -> float:
    return _LETTER * word.size * len(word.text)


def _rank(item: tuple[str, int]) -> tuple[int, str]:
    return (-item[1], item[0])
