"""Rows of earlier runs that still hold: the same settings and models, and the clip has not changed since."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from audiojourney.recipes.recaption.folder import Item
from audiojourney.recipes.recaption.inputs import INPUT_KEY, Job


class Earlier:
    """Finds rows by clip in the finished parts of other runs; they are read on first use.

    Args:
        folders: of runs of the same settings and models.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._places: dict[str, tuple[Path, int]] | None = None if folders else {}

    def find(self, job: Job) -> Item | None:
        """Return the row of a clip, or None where none is stored or the clip was another then."""
        if self._places is None:
            self._places = dict(place for folder in self._folders for place in _index(folder))
        place = self._places.get(job.input)
        if place is None:
            return None
        with place[0].open("rb") as file:
            file.seek(place[1])
            row: Item = json.loads(file.readline())
        return row if row.pop("id", None) == job.clip.id else None


def _index(folder: Path) -> Iterator[tuple[str, tuple[Path, int]]]:
    """Yield the fingerprint and the place of each row of a run."""
    for path in sorted(folder.glob("part-??????.jsonl")):
        at = 0
        with path.open("rb") as file:
            for line in file:
                with suppress(ValueError, KeyError, TypeError):  # a part that was cut counts as far as it goes
                    yield json.loads(line)[INPUT_KEY], (path, at)
                at += len(line)
