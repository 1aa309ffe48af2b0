"""AudioFolder's layout, any list of clips, and plain folders of sounds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from audiojourney.data.formats.base import Item, Source, bad_row
from audiojourney.data.manifest import BadRow, iter_clips

_LISTS = (".jsonl", ".ndjson", ".csv", ".tsv")


def detect(path: Path) -> bool:
    """Say whether the source is a folder, or a list of clips."""
    return path.is_dir() or path.suffix.lower() in _LISTS


def read(source: Source) -> Iterator[Item]:
    """Yield a clip a row of the list, or a sound of the folder."""
    bad: list[BadRow] = []
    for clip in iter_clips(source.path, bad.append):
        yield clip
        while bad:
            row = bad.pop(0)
            yield bad_row(row.path, row.line, row.reason)
    yield from (bad_row(row.path, row.line, row.reason) for row in bad)
