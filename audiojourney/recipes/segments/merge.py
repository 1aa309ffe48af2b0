"""Captioned clips of one video that follow each other and have the same caption become one row."""

from __future__ import annotations

import itertools
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

from audiojourney.captions.filters import captions_of, duration_of
from audiojourney.captions.keywords import keywords
from audiojourney.data.manifest import BadRow
from audiojourney.data.rows import Row
from audiojourney.data.transcripts.joining import Piece, follows, runs
from audiojourney.errors import UsageError
from audiojourney.files import replacing
from audiojourney.recipes.filter import rows as lists
from audiojourney.recipes.segments.config import SegmentsConfig

Finish = Callable[[Path, dict[str, Any]], None]


def merge(config: SegmentsConfig, beside: Mapping[str, Path], finish: Finish) -> dict[str, Any]:
    """Join the clips of captioned lists, drop those with keywords, and write what is left.

    Args:
        config: inputs and keywords.
        beside: the list to write (`rows`), where dropped clips (`discarded`) and bad rows (`errors`) are named.
        finish: is called with the finished list, still under another name, and the counts.

    Returns:
        Counts before and after each step.

    Raises:
        UsageError: no row tells which part of a video it is.
    """
    counts: Counter[str] = Counter()
    unwanted = keywords(config.drop_keywords)
    with ExitStack() as stack:
        files = {name: _Late(stack, path) for name, path in beside.items()}
        files["rows"].file  # noqa: B018 - the list is written even when it is empty
        for source in map(lists.find, config.inputs):
            for row in _joined(lists.read(source, _Errors(files["errors"], counts)), counts):
                word = unwanted.find(_text(row))
                counts["keyword" if word else "clips"] += 1
                if word:
                    files["discarded"].write({"id": row.get("id"), "reason": f"keyword: {word}", "text": _text(row)})
                    continue
                counts["seconds_ms"] += round(1000 * (duration_of(row) or 0))
                files["rows"].write(lists.moved(row, source.folder, beside["rows"].parent))
        if counts["before"] and not counts["placed"]:
            raise UsageError(
                f"None of the {counts['before']} rows has video_id, start_ms and end_ms, so nothing can follow.",
                "Give the captions that were written for a list of `aj data segments`.",
            )
        whole = _counts(counts)
        files["rows"].file.flush()
        finish(Path(files["rows"].file.name), whole)
    return whole


def _counts(counts: Mapping[str, int]) -> dict[str, Any]:
    joined = counts["clips"] + counts["keyword"]
    return {
        "clips_before": counts["before"],
        "clips_joined": joined,
        "clips": counts["clips"],
        "hours": round(counts["seconds_ms"] / 3.6e6, 6),
        "rejection_rate": round(1 - counts["clips"] / joined, 6) if joined else None,
        "errors": counts["errors"],
        "discarded": {"keyword": counts["keyword"]} if counts["keyword"] else {},
    }


class _Late:
    """A list of JSON lines that is there only when something is written to it."""

    def __init__(self, stack: ExitStack, path: Path) -> None:
        self._stack, self._path = stack, path
        self._open: IO[bytes] | None = None

    @property
    def file(self) -> IO[bytes]:
        """The open file."""
        if self._open is None:
            self._open = self._stack.enter_context(self._stack.enter_context(replacing(self._path)).open("wb"))
        return self._open

    def write(self, row: Mapping[str, Any]) -> None:
        """Add a row."""
        line = json.dumps(row, ensure_ascii=False) + "\n"
        self.file.write(line.encode("utf-8", errors="backslashreplace"))


class _Errors:
    """Takes bad rows."""

    def __init__(self, late: _Late, counts: Counter[str]) -> None:
        self.late, self.counts = late, counts

    def __call__(self, bad: BadRow) -> None:
        self.counts["errors"] += 1
        self.late.write({"path": str(bad.path), "line": bad.line, "code": "bad_row", "message": bad.reason})


def _joined(rows: Iterator[Row], counts: Counter[str]) -> Iterator[Row]:
    def counted() -> Iterator[Row]:
        """The rows, counted on their way."""
        for row in rows:
            counts["before"] += 1
            counts["placed"] += _piece(row) is not None
            yield row

    return map(join_rows, runs(counted(), _belongs))


def join_rows(rows: Sequence[Row]) -> Row:
    """Make one row of several that follow each other: from the start of the first to the end of the last.

    Captions that all of them have stay, each with its lowest score; levels are those of the whole.
    """
    first, last = rows[0], rows[-1]
    if len(rows) == 1:
        return first
    length_ms = last["end_ms"] - first["start_ms"]
    whole = {
        **first,
        "id": _joined_id(rows),
        "end_ms": last["end_ms"],
        "duration_ms": length_ms,
        "duration": length_ms / 1000,
        "end": last["end_ms"] / 1000,
        "joined": len(rows),
    }
    if all(isinstance(row.get("checks"), dict) for row in rows):
        whole["checks"] = _levels([row["checks"] for row in rows], length_ms / 1000)
    return lists.with_captions(whole, _common(rows))


def _joined_id(rows: Sequence[Row]) -> str:
    """Return the id of the first row, and the number of the last or how many follow."""
    first, index = rows[0], rows[-1].get("index")
    id = first.get("id") or f"{first['video_id']}_{first['start_ms']}"
    return f"{id}-{index:03d}" if isinstance(index, int) else f"{id}+{len(rows) - 1}"


def _common(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return the captions that all rows have, as the first row has them, each with its worst score and verdict."""
    captions = [{str(caption["text"]).strip(): caption for caption in captions_of(row)} for row in rows]
    found = []
    for text, caption in captions[0].items():
        if not all(text in others for others in captions):
            continue
        same = [others[text] for others in captions]
        scores = [one["score"] for one in same if one.get("score") is not None]
        whole = {**caption, "text": text}
        if len(scores) == len(same):
            whole["score"] = min(scores)
        worst = next((one for one in same if one.get("kept") is False), None)
        if worst is not None:
            whole |= {"kept": False, "reason": worst.get("reason", "")}
        found.append(whole)
    return found


def _levels(checks: Sequence[Mapping[str, Any]], duration_s: float) -> dict[str, float]:
    """Put the levels of the pieces together; a level that one of them lacks is left out."""
    told = [check.get("duration_s") for check in checks]
    lengths = [float(length) if isinstance(length, int | float) else 0.0 for length in told]
    whole: dict[str, float] = {"duration_s": duration_s}
    if all(isinstance(check.get("peak_db"), int | float) for check in checks):
        whole["peak_db"] = max(check["peak_db"] for check in checks)
    if sum(lengths) and all(isinstance(check.get("rms_db"), int | float) for check in checks):
        power = sum(10 ** (check["rms_db"] / 10) * length for check, length in zip(checks, lengths, strict=True))
        whole["rms_db"] = round(10 * math.log10(max(power / sum(lengths), 1e-12)), 2)
    if sum(lengths) and all(isinstance(check.get("clipped"), int | float) for check in checks):
        clipped = sum(check["clipped"] * length for check, length in zip(checks, lengths, strict=True))
        whole["clipped"] = round(clipped / sum(lengths), 6)
    return whole


def _belongs(one: Row, other: Row) -> bool:
    pieces = _piece(one), _piece(other)
    if pieces[0] is None or pieces[1] is None or not pieces[0].text.strip():
        return False
    same = all(one.get(name) == other.get(name) for name in ("video_id", "file_name"))
    return same and follows(pieces[0], pieces[1])


def _piece(row: Row) -> Piece | None:
    """Return where a row lies in its video and its first caption; None where it does not tell."""
    start, end = row.get("start_ms"), row.get("end_ms")
    if "video_id" not in row or not isinstance(start, int) or not isinstance(end, int):
        return None
    return Piece(start, end, _text(row))


def _text(row: Row) -> str:
    return next(iter(str(caption["text"]) for caption in itertools.islice(captions_of(row), 1)), "")
