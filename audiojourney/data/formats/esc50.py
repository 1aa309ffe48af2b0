"""ESC-50 and its part ESC-10: five seconds of one of 50 or 10 classes, in five folds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from audiojourney.data.formats.base import Failure, Item, Source, bad_row
from audiojourney.data.formats.tables import Cells, header, read_table, require_columns, tables_in

NAME = "esc50"
SMALL = "esc10"
LICENCES = {NAME: "CC-BY-NC-3.0", SMALL: "CC-BY-3.0"}
_COLUMNS = ("filename", "fold", "target", "category", "esc10", "src_file", "take")


def detect(path: Path) -> bool:
    """Say whether a file or folder is ESC-50."""
    tables = [path] if path.is_file() else [path / "meta" / "esc50.csv", path / "esc50.csv"]
    return any(table.suffix == ".csv" and set(header(table)) >= set(_COLUMNS[:4]) for table in tables)


def read(source: Source) -> Iterator[Item]:
    """Yield a clip a row; recordings that were cut into several clips stay within one fold."""
    for path in tables_in(source.path, ("esc50.csv",)):
        require_columns(path, _COLUMNS[:4])
        for row in read_table(path):
            if isinstance(row, Failure):
                yield row
            elif not row[1]["fold"].isdigit():
                yield bad_row(path, row[0], f"fold is a whole number, not {row[1]['fold']!r}.")
            else:
                yield _item(source, row[1])


def read_small(source: Source) -> Iterator[Item]:
    """Yield the clips of ESC-10, which may be published under a freer licence."""
    for item in read(source):
        if isinstance(item, Failure) or item.dataset == SMALL:
            yield item


def _item(source: Source, cells: Cells) -> Item:
    small = cells.get("esc10", "") == "True"
    dataset = SMALL if small else NAME
    origin = cells.get("src_file", "")
    return source.item(
        f"{NAME}/{cells['filename']}",
        [cells["filename"]],
        within="audio",
        dataset=dataset,
        fold=int(cells["fold"]),
        labels=(cells["category"].replace("_", " "),),
        label_scheme=NAME,
        licence=LICENCES[dataset],
        source_url=f"https://freesound.org/s/{origin}/" if origin.isdigit() else "",
        extra={"source_id": origin, "target": cells["target"], "take": cells.get("take", "")},
    )
