"""The lists that AutoReCap-XL is published as, read as they are: before any of their videos is fetched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from audiojourney.data.formats import autorecap
from audiojourney.data.formats.base import Failure
from audiojourney.data.formats.jsonrows import number, read_objects, text
from audiojourney.data.manifest import BadRow
from audiojourney.data.rows import Row


def is_published(path: Path) -> bool:
    """Say whether a file is such a list: JSON lines of a video with its `intervals`."""
    return path.is_file() and autorecap.detect(path)


def read_published(path: Path, on_bad_row: Callable[[BadRow], None]) -> Iterator[Row]:
    """Yield a row for each interval of each video, its sound named as the official download names it."""
    for line, item in enumerate(read_objects(path), start=1):
        if isinstance(item, Failure):
            on_bad_row(BadRow(path, line, item.reason))
            continue
        number_of_line, videos = item
        for video, value in videos.items():
            intervals = value.get("intervals") if isinstance(value, dict) else None
            if not isinstance(intervals, list):
                on_bad_row(BadRow(path, number_of_line, f"{video!r} has no list of intervals"))
                continue
            for index, interval in enumerate(intervals):
                row = _row(video, index, interval) if isinstance(interval, dict) else None
                if row is None:
                    on_bad_row(
                        BadRow(path, number_of_line, f"interval {index} of {video!r} has no start before an end")
                    )
                else:
                    yield row


def _row(video: str, index: int, interval: dict[str, Any]) -> Row | None:
    start_s, end_s = number(interval, "start"), number(interval, "end")
    if start_s is None or end_s is None or end_s <= start_s:
        return None
    score = interval.get("CLAP_SIM")
    caption: Row = {"text": text(interval, "text"), "source": autorecap.NAME, "kind": "model"}
    if isinstance(score, int | float) and not isinstance(score, bool):
        caption |= {"score": float(score), "score_name": autorecap.SCORE}
    return {
        "file_name": f"{video}_{index:03d}.wav",
        "id": f"{autorecap.NAME}/{video}/{round(1000 * start_s)}",
        "dataset": autorecap.NAME,
        "source_url": f"https://www.youtube.com/watch?v={video}",
        "text": caption["text"],
        "captions": [caption] if caption["text"] else [],
        "start": start_s,
        "end": end_s,
        "source_id": video,
    }
