"""`aj data segments`: transcripts to a list of ambient clips, continued where a killed run stopped."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiojourney.data.manifest import BadRow, file_sha256, iter_rows
from audiojourney.data.spool import FirstSeen
from audiojourney.errors import MissingError, UsageError
from audiojourney.recipes.made import Making
from audiojourney.recipes.segments.clips import Outcome, clips_of
from audiojourney.recipes.segments.config import MERGED_NAME, OUTPUT_NAME, SegmentsConfig
from audiojourney.recipes.segments.ledger import Ledger
from audiojourney.recipes.segments.merge import Finish, merge
from audiojourney.recipes.segments.videos import Video, find_videos, listing_hash, milliseconds

Progress = Callable[[int, int], None]  # (done, total)
_UNKNOWN = -1


@dataclass(frozen=True)
class SegmentsReport:
    """What a run did.

    Attributes:
        output: the list of clips.
        counts: videos, segments, clips, hours; for each reason how many videos were discarded.
        discarded: list of videos that give no clip, with reasons; None without any.
        errors: list of files that could not be used; None without any.
        again: whether the list was there already, made in the same way.
    """

    output: Path
    counts: dict[str, Any]
    discarded: Path | None = None
    errors: Path | None = None
    again: bool = False


def run(config: SegmentsConfig, on_progress: Progress = lambda done, total: None) -> SegmentsReport:
    """Write the ambient clips of all videos, or with `merge` join the clips of captioned lists.

    Raises:
        MissingError: an input is absent, or holds no transcript.
        UsageError: the output is there and was made in another way.
        AudioJourneyError: a file cannot be written; what was finished stays.
    """
    making = _making(config)
    beside = {
        "rows": making.output,
        "discarded": making.output.with_name(f"{making.output.stem}.discarded.jsonl"),
        "errors": making.errors,
    }
    earlier = making.earlier(force=config.force)
    if earlier is not None:
        return _report(beside, earlier["counts"], again=True)

    def finish(rows: Path, counts: dict[str, Any]) -> None:
        """Write the report before the list takes its place."""
        making.record(rows, beside["errors"] if counts["errors"] else None, counts)

    counts = merge(config, beside, finish) if config.merge else _segments(config, making, beside, finish, on_progress)
    return _report(beside, counts)


def _report(beside: Mapping[str, Path], counts: dict[str, Any], *, again: bool = False) -> SegmentsReport:
    discarded = beside["discarded"] if sum(counts["discarded"].values()) else None
    return SegmentsReport(beside["rows"], counts, discarded, beside["errors"] if counts["errors"] else None, again)


def _making(config: SegmentsConfig) -> Making:
    first = config.inputs[0]
    name = MERGED_NAME if config.merge else OUTPUT_NAME
    output = config.output or (first if first.is_dir() else first.parent) / name
    if output.is_dir() or any(output.absolute() == path.absolute() for path in config.inputs):
        raise UsageError(f"The output {str(output)!r} is a folder or an input.", "Name another file with -o.")
    if config.merge:
        settings: dict[str, Any] = {"merge": True, "drop_keywords": config.drop_keywords}
        return Making(output, settings, {str(path): file_sha256(_list(path)) for path in config.inputs})
    settings = {"languages": config.languages, "media": config.media, "cut": config.cut}
    inputs = {str(path): listing_hash(path) for path in config.inputs}
    if config.videos is not None:
        inputs[str(config.videos)] = file_sha256(_list(config.videos))
    return Making(output, settings, inputs)


def _list(path: Path) -> Path:
    if not path.is_file():
        raise MissingError(f"There is no list {str(path)!r}.", "Name a .jsonl or .csv file.")
    return path


def _segments(
    config: SegmentsConfig, making: Making, beside: Mapping[str, Path], finish: Finish, on_progress: Progress
) -> dict[str, Any]:
    lengths, named = _lengths(config.videos)
    ledger = Ledger(making.output.with_name(f".{making.output.stem}.work"), making.key)
    videos = itertools.chain.from_iterable(map(find_videos, config.inputs))
    total = sum(1 for source in config.inputs for _ in find_videos(source))
    seen, names = FirstSeen(), FirstSeen()
    for index, video in enumerate(videos):
        seen.before(video.id, index)
        again = names.before(video.name, index) is not None
        if index < ledger.done:
            continue
        if again:
            _take(ledger, _named_twice(video))
            continue
        length = lengths.before(video.id, _UNKNOWN)
        known = None if length is None or length == _UNKNOWN else length
        _take(ledger, clips_of(video, config, known, making.output.parent))
        on_progress(ledger.done, total)
    for id in itertools.islice(_absent(named, seen), max(0, ledger.done - total), None):
        _take(ledger, Outcome(id, discarded="no_transcript"))
    if not ledger.done:
        raise MissingError(f"There are no transcripts in {', '.join(map(str, config.inputs))}.")
    counts = _counts(ledger.counts)
    ledger.finish(beside, lambda rows: finish(rows, counts))
    return counts


def _named_twice(video: Video) -> Outcome:
    """Return the outcome of a video whose clips would have the ids of those of another one."""
    told = f"another input has a video {video.name!r}; the ids of their clips would be the same."
    return Outcome(
        video.name, errors=[{"id": video.name, "path": str(video.folder), "code": "duplicate_id", "message": told}]
    )


def _lengths(path: Path | None) -> tuple[FirstSeen, Callable[[], Iterator[str]]]:
    """Return the lengths of the videos of a list, in milliseconds, and a way to go through their names.

    Raises:
        UsageError: the list names no video.
    """
    lengths = FirstSeen()

    def rows() -> Iterator[tuple[str, Any]]:
        """Names of videos with what the list says of their length."""
        bad: list[BadRow] = []
        for _, row in iter_rows(path, bad.append) if path else ():
            name = row.get("id") or row.get("video_id")
            if isinstance(name, str | int):
                yield str(name), row.get("duration")

    number = 0
    for number, (name, duration) in enumerate(rows(), start=1):  # noqa: B007 - it is asked for below
        lengths.before(name, milliseconds(duration) or _UNKNOWN)
    if path is not None and not number:
        raise UsageError(f"{path} names no video.", "Give a list with the columns id and duration, in seconds.")
    return lengths, lambda: (name for name, _ in rows())


def _absent(named: Callable[[], Iterator[str]], seen: FirstSeen) -> Iterator[str]:
    """Yield the names of a list that no file was found for, each once."""
    return (name for name in named() if seen.before(name, _UNKNOWN) is None)


def _take(ledger: Ledger, outcome: Outcome) -> None:
    discarded = [{"id": outcome.video, "reason": outcome.discarded}] if outcome.discarded else []
    ambient = sum(row["duration_ms"] for row in outcome.rows)
    counts = {
        "videos": 1,
        "videos_used": int(bool(outcome.rows)),
        "videos_failed": int(not outcome.rows and not outcome.discarded),
        "errors": len(outcome.errors),
        "segments": outcome.segments,
        "clips": len(outcome.rows),
        "clips_after_music": sum(row["after_music"] for row in outcome.rows),
        "clips_ms": ambient,
        "media_ms": outcome.media_ms or 0,
        "videos_of_unknown_length": int(bool(outcome.segments) and outcome.media_ms is None),
        "faulty_cues": outcome.faults,
        "gapless": int(outcome.gapless),
    }
    if outcome.discarded:
        counts[f"discarded.{outcome.discarded}"] = 1
    ledger.add({"rows": outcome.rows, "discarded": discarded, "errors": outcome.errors}, counts)


def _counts(counts: Mapping[str, int]) -> dict[str, Any]:
    """Return the counts as `aj data segments --json` prints them."""
    discarded = {name.partition(".")[2]: count for name, count in sorted(counts.items()) if "." in name}
    plain = {name: count for name, count in counts.items() if "." not in name and not name.endswith("_ms")}
    hours = {"hours": counts.get("clips_ms", 0) / 3.6e6, "media_hours": counts.get("media_ms", 0) / 3.6e6}
    return {**plain, **{name: round(value, 6) for name, value in hours.items()}, "discarded": discarded}
