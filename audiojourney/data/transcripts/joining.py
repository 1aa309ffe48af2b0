"""Clips of one video that follow each other and have the same caption become one (AutoReCap-XL, 3.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Piece:
    """A captioned stretch of a video, in milliseconds, half-open."""

    start_ms: int
    end_ms: int
    text: str


def follows(one: Piece, other: Piece) -> bool:
    """Say whether `other` begins exactly where `one` ends, with the same caption but for outer white space."""
    return one.end_ms == other.start_ms and one.text.strip() == other.text.strip()


def join_equal(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Yield the pieces of one video, in order, with those joined that follow each other; joined ones may be long."""
    for run in runs(pieces, follows):
        yield replace(run[0], end_ms=run[-1].end_ms, text=run[0].text.strip())


def runs(items: Iterable[T], belongs: Callable[[T, T], bool]) -> Iterator[list[T]]:
    """Yield the items in runs, each one belonging to the one before it in its run."""
    run: list[T] = []
    for item in items:
        if run and not belongs(run[-1], item):
            yield run
            run = []
        run.append(item)
    if run:
        yield run
