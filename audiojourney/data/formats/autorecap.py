"""AutoReCap and AutoReCap-XL: JSON lines of a video with the parts of it that were captioned and scored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from audiojourney.data.clip import Caption
from audiojourney.data.formats.base import Failure, Item, Source, bad_row
from audiojourney.data.formats.jsonrows import number, read_objects, text
from audiojourney.data.formats.tables import tables_in
from audiojourney.data.spool import Counts

NAME = "autorecap"
SCORE = "clap_autorecap"  # the release does not name the checkpoint


def detect(path: Path) -> bool:
    """Say whether a file is a list of AutoReCap, or a folder holds some."""
    if path.is_dir():
        return any(detect(file) for file in sorted(path.glob("AutoReCap*")) if file.is_file())
    if path.suffix not in (".json", ".jsonl"):
        return False
    first = next(read_objects(path), None)
    return isinstance(first, tuple) and any(_intervals(value) is not None for value in first[1].values())


def read(source: Source) -> Iterator[Item]:
    """Yield a clip an interval: its own file `<video>_<number>`, or the part of a file of the whole video.

    A video may come in several rows of a list; its intervals are numbered through.
    """
    for path in tables_in(source.path, ("AutoReCap*.json*",)):
        counts = Counts()
        for row in read_objects(path):
            if isinstance(row, Failure):
                yield row
                continue
            for video, value in row[1].items():
                intervals = _intervals(value)
                if intervals is None:
                    yield bad_row(path, row[0], f"{video!r} has no list of intervals.")
                    continue
                for place, interval in enumerate(intervals, start=counts.of(video)):
                    yield _item(source, path, row[0], video, place, interval)
                counts.add(video, len(intervals))


def _intervals(value: Any) -> list[Any] | None:
    found = value.get("intervals") if isinstance(value, dict) else None
    return found if isinstance(found, list) else None


def _item(source: Source, path: Path, line: int, video: str, place: int, interval: Any) -> Item:
    times: dict[str, Any] = interval if isinstance(interval, dict) else {}
    start_s, end_s = number(times, "start"), number(times, "end")
    if start_s is None or end_s is None or end_s <= start_s:
        return bad_row(path, line, f"interval {place} of {video!r} has no start before an end.")
    own, whole = f"{video}_{place:03d}", source.sounds.find([video])
    part = source.sounds.find([own]) is None and whole is not None
    return source.item(
        f"{NAME}/{video}/{round(1000 * start_s)}",
        [own, video] if part else [own],
        dataset=NAME,
        offset_s=start_s if part else None,
        duration_s=end_s - start_s if part else None,
        start_s=start_s,
        end_s=end_s,
        captions=_captions(interval),
        source_url=f"https://www.youtube.com/watch?v={video}",
        extra={"source_id": video},
    )


def _captions(interval: dict[str, Any]) -> tuple[Caption, ...]:
    words, score = text(interval, "text"), interval.get("CLAP_SIM")
    if not words:
        return ()
    if isinstance(score, bool) or not isinstance(score, int | float) or not abs(score) < float("inf"):
        return (Caption(words, NAME, "model"),)
    return (Caption(words, NAME, "model", float(score), SCORE),)
