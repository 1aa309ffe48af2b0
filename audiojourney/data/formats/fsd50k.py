"""FSD50K: sounds of Freesound with classes of AudioSet's ontology, and what their makers said of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from audiojourney.data.clip import Metadata
from audiojourney.data.formats.base import Failure, Item, Source, bad_row
from audiojourney.data.formats.jsonrows import read_object, text
from audiojourney.data.formats.tables import Cells, codes, read_table, require_columns, tables_in, texts

NAME = "fsd50k"
_PATTERNS = ("FSD50K.ground_truth/dev.csv", "FSD50K.ground_truth/eval.csv")


def detect(path: Path) -> bool:
    """Say whether a folder is FSD50K."""
    return path.is_dir() and any((path / pattern).is_file() for pattern in _PATTERNS)


def read(source: Source) -> Iterator[Item]:
    """Yield a clip a row; the part `eval` is `test`."""
    for path in tables_in(source.path, _PATTERNS):
        require_columns(path, ("fname", "labels", "mids"))
        part = path.stem
        info = path.parent.parent / "FSD50K.metadata" / f"{part}_clips_info_FSD50K.json"
        known: dict[str, Any] = {}
        if info.is_file():
            try:
                known = read_object(info)
            except ValueError as error:
                yield bad_row(info, 1, f"{error}.")
        for row in read_table(path):
            yield row if isinstance(row, Failure) else _item(source, part, row[1], known.get(row[1]["fname"]))


def _item(source: Source, part: str, cells: Cells, about: Any) -> Item:
    told: dict[str, Any] = about if isinstance(about, dict) else {}
    name = cells["fname"]
    return source.item(
        f"{NAME}/{name}",
        [name],
        within=f"FSD50K.{part}_audio",
        dataset=NAME,
        split=cells.get("split", "test" if part == "eval" else "train"),
        labels=tuple(label.replace("_", " ") for label in codes(cells["labels"])),
        label_scheme=NAME,
        metadata=Metadata(
            title=text(told, "title"), description=text(told, "description"), tags=texts(told.get("tags"))
        ),
        licence=text(told, "license"),
        attribution=text(told, "uploader"),
        source_url=f"https://freesound.org/s/{name}/",
        extra={"source_id": name, "mids": list(codes(cells["mids"]))},
    )
