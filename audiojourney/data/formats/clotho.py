"""Clotho: five captions a sound, and beside them a table of what Freesound says, which is not UTF-8."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from audiojourney.data.clip import Metadata
from audiojourney.data.formats.audiocaps import captions_of
from audiojourney.data.formats.base import Failure, Item, Source
from audiojourney.data.formats.tables import Cells, first_line, read_table, require_columns, tables_in

NAME = "clotho"
RATE_HZ = 44_100  # of the sample numbers in the table of metadata
_CAPTIONS = re.compile(r"clotho_captions_(\w+)\.csv")
_SPAN = re.compile(r"\[?\s*(\d+)\s*,\s*(\d+)\s*\]?")


def detect(path: Path) -> bool:
    """Say whether a file or folder is Clotho."""
    return bool(_CAPTIONS.fullmatch(path.name)) or (path.is_dir() and any(path.glob("clotho_captions_*.csv")))


def read(source: Source) -> Iterator[Item]:
    """Yield a clip a sound, with all its captions."""
    for path in tables_in(source.path, ("clotho_captions_*.csv",)):
        require_columns(path, ("file_name", "caption_1"))
        match = _CAPTIONS.fullmatch(path.name)
        split = match[1] if match else path.stem
        known = _metadata(path.with_name(f"clotho_metadata_{split}.csv"))
        for row in read_table(path):
            yield row if isinstance(row, Failure) else _item(source, split, row[1], known)


def _item(source: Source, split: str, cells: Cells, known: dict[str, Cells]) -> Item:
    name = cells["file_name"]
    about = known.get(_key(name), {})
    span = _SPAN.fullmatch(about.get("start_end_samples", "").strip())
    return source.item(
        f"{NAME}/{split}/{name.strip()}",
        [name, name.strip(), name.replace(":", "_").strip(), " ".join(name.split())],
        within=split,
        dataset=NAME,
        split=split,
        start_s=int(span[1]) / RATE_HZ if span else None,
        end_s=int(span[2]) / RATE_HZ if span else None,
        captions=captions_of(cells, NAME),
        metadata=Metadata(title=Path(name.strip()).stem, tags=_tags(about.get("keywords", ""))),
        licence=about.get("license", "").strip(),
        attribution=about.get("manufacturer", "").strip(),
        source_url=about.get("sound_link", "").strip(),
        extra={"source_id": about.get("sound_id", "").strip() or name.strip()},
    )


def _metadata(path: Path) -> dict[str, Cells]:
    if not path.is_file():
        return {}
    delimiter = ";" if first_line(path).startswith("file_name;") else ","
    rows = read_table(path, delimiter=delimiter)
    return {_key(row[1].get("file_name", "")): row[1] for row in rows if not isinstance(row, Failure)}


def _key(name: str) -> str:
    """Return what the two tables agree on: spaces and colons were not kept alike."""
    return " ".join(name.replace(":", "_").split())


def _tags(text: str) -> tuple[str, ...]:
    return tuple(tag.strip() for tag in text.split(";") if tag.strip())
