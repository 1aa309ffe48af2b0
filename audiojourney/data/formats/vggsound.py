"""VGGSound: ten seconds of a video with one label in free words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from audiojourney.data.formats.base import Failure, Item, Source, bad_row
from audiojourney.data.formats.sounds import youtube_names
from audiojourney.data.formats.tables import first_line, read_table, tables_in

NAME = "vggsound"
CLIP_S = 10.0
_NAMED = re.compile(r"(?P<video>.{11})_(?P<start>\d{6})(?:\.\w+)?")
_PATTERNS = ("vggsound.csv", "train.csv", "test.csv")


def detect(path: Path) -> bool:
    """Say whether a file or folder is VGGSound."""
    if path.is_dir():
        return any(detect(path / name) for name in _PATTERNS)
    line = first_line(path) if path.suffix == ".csv" else ""
    return (bool(line) and path.name == _PATTERNS[0]) or bool(re.match(r".{11}_\d{6}\.mp4,", line))


def read(source: Source) -> Iterator[Item]:
    """Yield a clip a row of `vggsound.csv`, or of `train.csv` and `test.csv` where that is absent."""
    tables = tables_in(source.path, _PATTERNS)
    whole = [path for path in tables if path.name == _PATTERNS[0]]
    for path in whole or tables:
        yield from _rows(source, path)


def _rows(source: Source, path: Path) -> Iterator[Item]:
    by_name = bool(_NAMED.match(first_line(path)))
    columns = ("name", "label") if by_name else ("video", "start", "label", "split")
    for row in read_table(path, columns):
        if isinstance(row, Failure):
            yield row
            continue
        line, cells = row
        match = _NAMED.fullmatch(cells["name"].strip()) if by_name else None
        video, start = (match["video"], match["start"]) if match else (cells.get("video", ""), cells.get("start", ""))
        if not video or not start.strip().isdigit():
            yield bad_row(path, line, f"no video and start in {', '.join(cells.values())[:80]!r}.")
            continue
        split = path.stem if by_name else cells["split"].strip()
        yield _item(source, video.strip(), float(start), cells["label"].strip(), split)


def _item(source: Source, video: str, start_s: float, label: str, split: str) -> Item:
    return source.item(
        f"{NAME}/{video}/{round(1000 * start_s)}",
        [f"{video}_{int(start_s):06d}", *youtube_names(video, start_s, start_s + CLIP_S)],
        dataset=NAME,
        split=split,
        start_s=start_s,
        end_s=start_s + CLIP_S,
        labels=(label,) if label else (),
        label_scheme=NAME,
        source_url=f"https://www.youtube.com/watch?v={video}",
        extra={"source_id": video},
    )
