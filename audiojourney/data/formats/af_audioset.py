"""AF-AudioSet: captions by an audio language model, as `{"ytid": ..., "caption": ...}`, several a recording.

It tells neither where a clip begins nor how well a caption fits; AudioSet's tables of segments have the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from audiojourney.data.clip import Caption
from audiojourney.data.formats import audioset
from audiojourney.data.formats.base import Failure, Failures, Item, Source, bad_row
from audiojourney.data.formats.jsonrows import read_objects
from audiojourney.data.formats.sounds import youtube_names
from audiojourney.data.formats.tables import Cells, codes, number, tables_in
from audiojourney.data.spool import grouped

NAME = "af_audioset"
_PATTERN = "AF-AudioSet*.json*"
_IDS = ("ytid", "YTID", "youtube_id", "id")


def detect(path: Path) -> bool:
    """Say whether a file is AF-AudioSet, or a folder holds it."""
    if path.is_dir():
        return any(detect(file) for file in sorted(path.glob(_PATTERN)))
    if not path.is_file() or path.suffix not in (".json", ".jsonl"):
        return False
    first = next(read_objects(path), None)
    return isinstance(first, tuple) and "caption" in first[1] and "ytid" in first[1]


def read(source: Source) -> Iterator[Item]:
    """Yield a clip a recording, with all captions that the list has for it."""
    known = _segments(source.segments)
    for path in tables_in(source.path, (_PATTERN,)):
        failures = Failures()
        for video, texts in grouped(_captions(path, failures)):
            yield _item(source, video, texts, known.get(video))
        yield from failures


def _item(source: Source, video: str, texts: list[str], cells: Cells | None) -> Item:
    fields: dict[str, Any] = {"extra": {"source_id": video}}
    names = [video, f"Y{video}"]
    if cells is not None:
        start_s, end_s = number(cells, "start_seconds"), number(cells, "end_seconds")
        mids = codes(cells["positive_labels"])
        names = youtube_names(video, start_s, end_s)
        fields = {
            "start_s": start_s,
            "end_s": end_s,
            "split": cells["split"],
            "labels": audioset.labelled(source, mids),
            "label_scheme": audioset.NAME,
            "extra": {"source_id": video, "mids": list(mids)},
        }
    return source.item(
        f"{NAME}/{video}",
        names,
        dataset=NAME,
        captions=tuple(Caption(text, NAME, "model") for text in texts),
        source_url=f"https://www.youtube.com/watch?v={video}",
        **fields,
    )


def _captions(path: Path, failures: Failures) -> Iterator[tuple[str, str]]:
    for row in read_objects(path):
        if isinstance(row, Failure):
            failures.append(row)
            continue
        video = next((str(row[1][key]) for key in _IDS if row[1].get(key)), "")
        text = row[1].get("caption")
        if video and isinstance(text, str) and text.strip():
            yield video, text.strip()
        else:
            failures.append(bad_row(path, row[0], f"a ytid and a caption were expected, not {str(row[1])[:80]!r}."))


def _segments(source: Path | None) -> Mapping[str, Cells]:
    """Return the rows of AudioSet's tables by video, with the part of AudioSet that each belongs to."""
    if source is None:
        return {}
    found: dict[str, Cells] = {}
    for path in tables_in(source, ("*_segments*.csv",)):
        for row in audioset.segments(path):
            if not isinstance(row, Failure) and _has_times(row[1]):
                found[row[1]["YTID"].strip()] = row[1] | {"split": audioset.split_of(path)}
    return found


def _has_times(cells: Cells) -> bool:
    try:
        return number(cells, "end_seconds") >= number(cells, "start_seconds")
    except ValueError:
        return False
