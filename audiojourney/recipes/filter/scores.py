"""Scores that are missing, measured."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from audiojourney.captions.base import Scorer
from audiojourney.captions.filters import captions_of, score_of
from audiojourney.data.clip import load_clip
from audiojourney.data.rows import Row, RowError, to_clip
from audiojourney.errors import ClipError

OnError = Callable[[Row, ClipError], None]


def scored(rows: Iterator[Row], folder: Path, scorer: Scorer, batch: int, on_error: OnError) -> Iterator[Row]:
    """Yield the rows, in their order, each caption with a score.

    A clip that cannot be read goes to `on_error`, and its captions are dropped as `unreadable`.

    Args:
        rows: clips with captions.
        folder: what their file names are relative to.
        scorer: measures.
        batch: clips that it is given at once.
        on_error: is told of clips that cannot be read.
    """
    while group := list(itertools.islice(rows, batch)):
        heard: dict[int, np.ndarray] = {}
        faults: dict[int, ClipError] = {}
        for index in (index for index, row in enumerate(group) if _missing(row)):
            try:
                heard[index] = _wave(group[index], folder, scorer.sample_rate_hz)
            except ClipError as error:
                faults[index] = error
                on_error(group[index], error)
        texts = [[caption["text"] for caption in _missing(group[index])] for index in heard]
        values = dict(zip(heard, scorer.score(list(heard.values()), texts) if heard else (), strict=True))
        for index, row in enumerate(group):
            yield _unreadable(row, faults[index]) if index in faults else _filled(row, values.get(index, []), scorer)


def _missing(row: Row) -> list[Row]:
    return [caption for caption in captions_of(row) if score_of(caption) is None]


def _wave(row: Row, folder: Path, rate_hz: int) -> np.ndarray:
    try:
        clip = to_clip(row, folder)
    except RowError as error:
        raise ClipError("bad_row", str(error), str(row.get("file_name"))) from error
    return load_clip(clip, rate_hz)


def _filled(row: Row, scores: list[float], scorer: Scorer) -> Row:
    """Give the missing scores to the captions without one, in their order."""
    if not scores:
        return row
    left = iter(scores)
    captions = [
        caption
        if score_of(caption) is not None
        else {**caption, "score": round(float(next(left)), 6), "score_name": scorer.name, "score_model": scorer.model}
        for caption in captions_of(row)
    ]
    return {**row, "captions": captions}


def _unreadable(row: Row, fault: ClipError) -> Row:
    reason = f"unreadable: {fault.code}"
    return {**row, "captions": [{**caption, "kept": False, "reason": reason} for caption in captions_of(row)]}
