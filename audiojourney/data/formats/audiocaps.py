"""AudioCaps: a caption a row, five rows a clip in the validation and test parts.

`audiocap_id,youtube_id,start_time,caption`, in two versions of the texts, or repacked as `file_name,caption_1,...`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from audiojourney.data.clip import Caption
from audiojourney.data.formats.base import Failure, Failures, Item, Source, bad_row
from audiojourney.data.formats.sounds import stem_of, youtube_names
from audiojourney.data.formats.tables import Cells, header, number, read_table, tables_in
from audiojourney.data.spool import grouped

NAME = "audiocaps"
CLIP_S = 10.0
_COLUMNS = {"audiocap_id", "youtube_id", "start_time", "caption"}
_REPACKED = {"file_name", "caption_1"}
_PATTERNS = ("train*.csv", "val*.csv", "test*.csv")


def detect(path: Path) -> bool:
    """Say whether a file or folder is AudioCaps."""
    tables = [path] if path.is_file() else [table for pattern in _PATTERNS for table in sorted(path.glob(pattern))]
    return any(table.suffix == ".csv" and set(header(table)) >= _COLUMNS for table in tables)


def read(source: Source) -> Iterator[Item]:
    """Yield a clip for each part of a video, with all its captions."""
    for path in tables_in(source.path, _PATTERNS):
        columns = set(header(path))
        if columns >= _COLUMNS:
            yield from _official(source, path)
        elif columns >= _REPACKED:
            yield from _repacked(source, path)
        else:
            yield bad_row(path, 1, f"the columns of AudioCaps were expected, not {', '.join(sorted(columns))[:100]!r}.")


def version(path: Path) -> str:
    """Return the version of the texts that a table holds, "" where it cannot be told.

    The first has line ends of two characters; the second lies in a folder named after it.
    """
    if any("2.0" in part or part.endswith("v2") for part in path.parts[-2:]):
        return "v2"
    with path.open("rb") as file:
        return "v1" if file.readline().endswith(b"\r\n") else ""


def _official(source: Source, path: Path) -> Iterator[Item]:
    failures = Failures()
    told = version(path)
    for _, rows in grouped(_captions(path, failures)):
        video, start_s = rows[0]["video"], rows[0]["start_s"]
        captions = tuple(Caption(row["caption"], NAME, "human") for row in rows if row["caption"])
        extra = {"source_id": video, "audiocap_ids": [row["id"] for row in rows], "version": told}
        yield source.item(
            f"{NAME}/{video}/{round(1000 * start_s)}",
            youtube_names(video, start_s, start_s + CLIP_S),
            dataset=NAME,
            split=_split(path),
            start_s=start_s,
            end_s=start_s + CLIP_S,
            captions=captions,
            source_url=f"https://www.youtube.com/watch?v={video}",
            extra=extra,
        )
    yield from failures


def _captions(path: Path, failures: Failures) -> Iterator[tuple[str, dict[str, Any]]]:
    for row in read_table(path):
        if isinstance(row, Failure):
            failures.append(row)
            continue
        line, cells = row
        try:
            start_s, video = number(cells, "start_time"), cells["youtube_id"].strip()
        except ValueError as error:
            failures.append(bad_row(path, line, str(error)))
            continue
        found = {"video": video, "start_s": start_s, "caption": cells["caption"].strip(), "id": cells["audiocap_id"]}
        yield f"{video} {start_s}", found


def _repacked(source: Source, path: Path) -> Iterator[Item]:
    """Read rows such as `Yabc.wav,first caption,...`; the start is not told there."""
    for row in read_table(path):
        if isinstance(row, Failure):
            yield row
            continue
        name = row[1]["file_name"].strip()
        video = stem_of(name).removeprefix("Y")
        extra = {"source_id": video, "version": version(path)}
        yield source.item(
            f"{NAME}/{video}",
            [name, video],
            dataset=NAME,
            split=_split(path),
            captions=captions_of(row[1], NAME),
            source_url=f"https://www.youtube.com/watch?v={video}",
            extra=extra,
        )


def captions_of(cells: Cells, source: str) -> tuple[Caption, ...]:
    """Return the captions of the columns `caption_1`, `caption_2`, ..., as written by people."""
    columns = (column for column in cells if column.startswith("caption_"))
    return tuple(Caption(cells[column].strip(), source, "human") for column in columns if cells[column].strip())


def _split(path: Path) -> str:
    return next((name for name in ("train", "val", "test") if path.stem.startswith(name)), path.stem)
