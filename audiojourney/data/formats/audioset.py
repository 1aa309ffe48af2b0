"""AudioSet: tables of parts of videos with their classes, and the strong labels with a time for each event."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from audiojourney.data.clip import Event
from audiojourney.data.formats.base import Failure, Failures, Item, Source, bad_row
from audiojourney.data.formats.jsonrows import read_objects
from audiojourney.data.formats.sounds import stem_of, youtube_names
from audiojourney.data.formats.tables import Cells, codes, first_line, number, read_table, tables_in

NAME = "audioset"
COLUMNS = ("YTID", "start_seconds", "end_seconds", "positive_labels")
CLIP_S = 10.0
_STRONG = ("segment_id", "start_time_seconds", "end_time_seconds", "label")
_SPLITS = {"eval": "eval", "unbalanced": "train_unbalanced", "balanced": "train_balanced"}
_PATTERNS = ("*_segments*.csv", "*_strong*.tsv", "audioset_*.tsv")


def detect(path: Path) -> bool:
    """Say whether a file or folder is AudioSet."""
    if path.is_dir():
        return any(path.glob("*_segments*.csv")) or any(detect(table) for table in path.glob("audioset_*.tsv"))
    line = first_line(path)
    return line.startswith(_STRONG[0]) if path.suffix == ".tsv" else _looks_like_segments(path, line)


def _looks_like_segments(path: Path, line: str) -> bool:
    cells = line.split(", ")
    return path.suffix == ".csv" and len(cells) == 4 and len(cells[0]) == 11 and cells[3].startswith('"/')


def read(source: Source) -> Iterator[Item]:
    """Yield a clip a row; labels are words where `source.names` has them, and codes otherwise."""
    for path in tables_in(source.path, _PATTERNS):
        if path.suffix == ".tsv":
            yield from _strong(source, path)
        elif path.suffix == ".json":
            yield from _training_list(source, path)
        else:
            yield from _weak(source, path)


def segments(path: Path) -> Iterator[tuple[int, Cells] | Failure]:
    """Yield the rows of a table of parts of videos: lines of comment, then cells after a comma and a space."""
    return read_table(path, COLUMNS, spaced=True)


def split_of(path: Path) -> str:
    """Return the part of AudioSet that a table lists, by its name."""
    return next((split for word, split in _SPLITS.items() if word in path.stem), "train")


def labelled(source: Source, mids: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words for AudioSet's codes; a code without one stays."""
    return tuple(source.names.get(mid, mid) for mid in mids)


def _weak(source: Source, path: Path) -> Iterator[Item]:
    for row in segments(path):
        if isinstance(row, Failure):
            yield row
            continue
        line, cells = row
        try:
            start_s, end_s = number(cells, "start_seconds"), number(cells, "end_seconds")
        except ValueError as error:
            yield bad_row(path, line, str(error))
            continue
        yield _item(source, path, cells["YTID"].strip(), start_s, end_s, codes(cells["positive_labels"]))


def _item(
    source: Source,
    path: Path,
    video: str,
    start_s: float,
    end_s: float,
    mids: tuple[str, ...],
    events: tuple[Event, ...] = (),
) -> Item:
    return source.item(
        f"{NAME}/{video}/{round(1000 * start_s)}",
        youtube_names(video, start_s, end_s),
        dataset=NAME,
        split=split_of(path),
        start_s=start_s,
        end_s=end_s,
        labels=labelled(source, mids),
        label_scheme=NAME,
        events=events,
        source_url=f"https://www.youtube.com/watch?v={video}",
        extra={"source_id": video, "mids": list(mids)},
    )


def _strong(source: Source, path: Path) -> Iterator[Item]:
    """Read an event a row; the rows of a clip, `<video>_<start in ms>`, follow each other."""
    failures = Failures()
    for segment, rows in groupby(_events(path, failures), key=lambda row: row[0]):
        video, _, start_ms = segment.rpartition("_")
        if not video or not start_ms.isdigit():
            failures.append(Failure(segment, str(path), "bad_row", f"{segment!r} names no part of a video."))
            continue
        events = [event for _, event in rows]
        words = labelled(source, tuple(event.label for event in events))
        named = tuple(Event(word, event.start_s, event.end_s) for word, event in zip(words, events, strict=True))
        start_s = int(start_ms) / 1000
        mids = tuple(dict.fromkeys(event.label for event in events))
        yield _item(source, path, video, start_s, start_s + CLIP_S, mids, named)
    yield from failures


def _events(path: Path, failures: Failures) -> Iterator[tuple[str, Event]]:
    for row in read_table(path, delimiter="\t"):
        if isinstance(row, Failure):
            failures.append(row)
            continue
        line, cells = row
        try:
            yield cells[_STRONG[0]], Event(cells[_STRONG[3]], number(cells, _STRONG[1]), number(cells, _STRONG[2]))
        except (KeyError, ValueError) as error:
            failures.append(bad_row(path, line, f"no event: {error}"))


def _training_list(source: Source, path: Path) -> Iterator[Item]:
    """Read `{"data": [{"wav": path, "labels": "code,code"}]}`, as recipes for training classifiers use it."""
    for row in read_objects(path):
        if isinstance(row, Failure):
            yield row
            continue
        name, mids = str(row[1].get("wav", "")), codes(str(row[1].get("labels", "")))
        if not name:
            yield bad_row(path, row[0], f"no 'wav' among {', '.join(row[1])[:100]!r}.")
            continue
        stem = stem_of(Path(name).name)
        yield source.item(
            f"{NAME}/{stem}",
            [name],
            dataset=NAME,
            split=split_of(path),
            labels=labelled(source, mids),
            label_scheme=NAME,
            extra={"source_id": stem, "mids": list(mids)},
        )
