"""The rows that `aj filter` reads and writes: a clip each, its captions as objects with a text."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from audiojourney.data.manifest import BadRow, iter_clips, iter_rows
from audiojourney.data.rows import Row, RowError, to_clip, to_row
from audiojourney.errors import MissingError
from audiojourney.recipes.filter.published import is_published, read_published

CAPTIONS_NAME = "captions.jsonl"
_LISTS = (CAPTIONS_NAME, "metadata.jsonl", "metadata.csv")  # of a folder, the first that is there


@dataclass(frozen=True)
class Source:
    """A list of clips.

    Attributes:
        path: the file, or a folder of sounds that has none.
        folder: what its file names are relative to.
    """

    path: Path
    folder: Path


def find(source: Path) -> Source:
    """Return the list that an input stands for: of a folder its `captions.jsonl`, else its manifest.

    Raises:
        MissingError: there is no such file or folder.
    """
    if not source.exists():
        raise MissingError(f"There is no {str(source)!r}.", "Name a data folder or a list of captions: aj filter DATA")
    if source.is_file():
        return Source(source, source.parent)
    files = [source / name for name in _LISTS if (source / name).is_file()]
    return Source(files[0] if files else source, source)


def read(source: Source, on_bad_row: Callable[[BadRow], None]) -> Iterator[Row]:
    """Yield the rows of a list, their captions in one form; what is no clip goes to `on_bad_row`."""
    if source.path.is_dir():
        yield from (to_row(clip, source.folder) for clip in iter_clips(source.path, on_bad_row))
        return
    if is_published(source.path):
        yield from read_published(source.path, on_bad_row)
        return
    for number, row in iter_rows(source.path, on_bad_row):
        try:
            yield row if _is_plain(row) else _in_form(row)
        except RowError as error:
            on_bad_row(BadRow(source.path, number, str(error)))


def moved(row: Row, folder: Path, to: Path) -> Row:
    """Return a row for a list in another folder: its file name leads from there to the sound."""
    if _same(folder, to):
        return row
    path = os.path.relpath((folder / row["file_name"]).absolute(), to.absolute())
    return {**row, "file_name": Path(path).as_posix()}


@functools.lru_cache(maxsize=16)
def _same(folder: Path, other: Path) -> bool:
    return folder.absolute() == other.absolute()


def with_captions(row: Row, captions: list[Row]) -> Row:
    """Return a row with other captions; its `text` is the first of them, as in every manifest."""
    return {**row, "text": captions[0]["text"] if captions else "", "captions": captions}


def _is_plain(row: Row) -> bool:
    """Say whether a row is as `aj recaption` writes it, so that it may pass as it is."""
    captions = row.get("captions")
    others = any(key.startswith("caption") and key != "captions" for key in row)
    if others or not isinstance(captions, list) or not isinstance(row.get("file_name"), str):
        return False
    in_form = all(isinstance(item, dict) and isinstance(item.get("text"), str) for item in captions)
    checks, labels = row.get("checks"), row.get("labels")
    known = (checks is None or isinstance(checks, dict)) and (labels is None or isinstance(labels, list))
    text = row.get("text")
    return in_form and known and (not text or any(item["text"] == text for item in captions))


def _in_form(row: Row) -> Row:
    """Rewrite a row of any manifest; one that had no id is given none."""
    checks = row.get("checks")
    if checks is not None and not isinstance(checks, dict):
        raise RowError(f"checks is an object, not {checks!r}")
    clip = to_clip(row, Path())
    written = {**to_row(clip, Path(clip.path.anchor)), "file_name": clip.path.as_posix()}
    return written if row.get("id") else {key: value for key, value in written.items() if key != "id"}
