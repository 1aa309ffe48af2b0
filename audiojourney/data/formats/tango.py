"""Tango's lists: JSON lines of a sound and one caption, `captions`; a sound with several captions has several rows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from audiojourney.data.clip import Caption, Clip
from audiojourney.data.formats import audioset
from audiojourney.data.formats.base import Failure, Failures, Item, Source, bad_row
from audiojourney.data.formats.jsonrows import read_objects
from audiojourney.data.formats.sounds import is_there, stem_of
from audiojourney.data.formats.tables import codes, tables_in
from audiojourney.data.spool import grouped

NAME = "tango"
_SPLITS = {"train": "train", "val": "val", "test": "test"}
_PATTERNS = ("train*.json", "val*.json", "test*.json")
_LOOKED_AT = 50  # files of other names


def detect(path: Path) -> bool:
    """Say whether a file is a list of Tango's, or a folder holds some."""
    if path.is_dir():
        return next(_own(path), None) is not None
    first = next(read_objects(path), None) if path.suffix in (".json", ".jsonl") else None
    return isinstance(first, tuple) and {"location", "captions"} <= set(first[1])


def read(source: Source) -> Iterator[Item]:
    """Yield a clip a sound, in the order of the list, on which the evaluation of Tango relies."""
    own = [] if source.path.is_file() else sorted(_own(source.path))
    for path in own or tables_in(source.path, _PATTERNS):
        failures = Failures()
        split = next((split for word, split in _SPLITS.items() if path.stem.startswith(word)), "")
        for location, rows in grouped(_rows(path, failures)):
            yield _item(source, path.parent, split, location, rows)
        yield from failures


def _own(folder: Path) -> Iterator[Path]:
    """Yield the lists right in a folder: those that are named after splits, and others that hold the same."""
    named = {file for pattern in _PATTERNS for file in folder.glob(pattern)}
    others = sorted(set(folder.glob("*.json")) - named)[:_LOOKED_AT]
    return (file for file in [*sorted(named), *others] if detect(file))


def _item(source: Source, folder: Path, split: str, location: str, rows: list[dict[str, Any]]) -> Item:
    """Make a clip of the sound where the list says that it lies, else of the one of that name below the folder."""
    first = rows[0]
    dataset = first["dataset"] if isinstance(first.get("dataset"), str) else NAME
    captions = tuple(Caption(row["captions"].strip(), dataset) for row in rows if row["captions"].strip())
    mids = codes(first["labels"]) if isinstance(first.get("labels"), str) else ()
    name = location.replace("\\", "/").rpartition("/")[2]
    id = f"{NAME}/{stem_of(name)}"
    fields: dict[str, Any] = {
        "dataset": dataset,
        "split": split,
        "captions": captions,
        "labels": audioset.labelled(source, mids),
        "label_scheme": audioset.NAME if mids else "",
        "extra": {"source_id": stem_of(name)} | ({"mids": list(mids)} if mids else {}),
    }
    there = next(filter(is_there, (folder / location, Path(location))), None)
    return source.item(id, [name], **fields) if there is None else Clip(path=there, id=id, **fields)


def _rows(path: Path, failures: Failures) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in read_objects(path):
        if isinstance(row, Failure):
            failures.append(row)
        elif not isinstance(row[1].get("location"), str) or not isinstance(row[1].get("captions"), str):
            failures.append(bad_row(path, row[0], f"a location and captions were expected, not {str(row[1])[:80]!r}."))
        else:
            yield row[1]["location"], row[1]
