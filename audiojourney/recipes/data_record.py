"""What is written beside every data set: how it came about, and what could not become part of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from audiojourney import __version__, files
from audiojourney import config as configuration
from audiojourney.data.clip import Clip
from audiojourney.data.formats.base import Failure
from audiojourney.errors import AudioJourneyError, UsageError

RECORD = "dataset.json"
ERRORS = "errors.jsonl"
# Settings that decide how a data set is made, and not what it holds.
_FREE = ("exists", "allow_errors", "strict", "workers", "dry_run", "output")


@dataclass
class Tally:
    """Counts of a run over clips.

    Attributes:
        clips: those that became part of the data set.
        seconds: their length.
        splits: their number by split.
        failures: those that could not, by code.
        left_out: those that were not wanted, by reason.
    """

    clips: int = 0
    seconds: float = 0.0
    splits: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)

    def add(self, clip: Clip) -> None:
        """Count a clip that became part of the data set."""
        self.clips += 1
        self.seconds += clip.duration_s or 0.0
        self.splits[clip.split or "unsplit"] += 1

    @property
    def failed(self) -> int:
        """Number of failures."""
        return sum(self.failures.values())

    @property
    def hours(self) -> float:
        """Length of all clips."""
        return self.seconds / 3600

    def table(self) -> dict[str, Any]:
        """Return the counts for a record."""
        return {
            "clips": self.clips,
            "hours": round(self.hours, 6),
            "splits": dict(sorted(self.splits.items())),
            "failures": dict(sorted(self.failures.items())),
            "left_out": dict(sorted(self.left_out.items())),
        }


@dataclass(frozen=True, kw_only=True)
class DataReport:
    """What was done to make a data set.

    Attributes:
        output: what was made.
        counts: clips, hours, splits, failures, left out.
        fresh: False where the same data set was there already.
    """

    output: Path
    counts: dict[str, Any]
    fresh: bool

    @property
    def failed(self) -> int:
        """Number of entries that could not become part of it."""
        return sum(self.counts.get("failures", {}).values())


def identity(config: Any) -> dict[str, Any]:
    """Return the settings, of the dataclass of a recipe, that decide what is written."""
    return {key: value for key, value in configuration.to_table(config).items() if key not in _FREE}


def write_record(folder: Path, settings: Mapping[str, Any], table: Mapping[str, Any]) -> None:
    """Write how a data set came about; it comes last, so that it stands for a whole one."""
    files.write_json(folder / RECORD, {"audiojourney": __version__, "settings": dict(settings), **table})


def read_record(folder: Path) -> dict[str, Any]:
    """Return how the data set in a folder came about, empty where that is not told."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def was_exported(folder: Path) -> bool:
    """Say whether a folder was written by `aj data export`, so that another export may take its place."""
    record = read_record(folder)
    settings = record.get("settings")
    return "audiojourney" in record and isinstance(settings, dict) and "to" in settings


def done_before(folder: Path, settings: Mapping[str, Any], exists: str) -> dict[str, Any] | None:
    """Return the record of the same data set where it is there and whole, None where it is to be written.

    Args:
        folder: where the data set lies, or shall lie.
        settings: those that decide what is written.
        exists: what to do with one that is there: `skip` it, `overwrite` it, or stop with an `error`.

    Raises:
        UsageError: the folder holds another data set, or one at all with `error`.
    """
    record = read_record(folder)
    holds = bool(record) or (folder / "metadata.jsonl").exists()
    if not holds or exists == "overwrite":
        return None
    if exists == "error":
        raise UsageError(f"{folder} holds a data set already.", "Give another --output, or use --exists overwrite.")
    if record.get("settings") != dict(settings):
        raise UsageError(
            f"{folder} holds a data set that was made from something else or with other settings.",
            "Give another --output, or begin anew with --exists overwrite.",
        )
    return None if record.get("failures") else record


class ErrorList:
    """Writes failures to `errors.jsonl` as they come.

    Args:
        file: where to write.
        tally: counts them.
        strict: the first one ends the run.
    """

    def __init__(self, file: BinaryIO, tally: Tally, *, strict: bool) -> None:
        self._file = file
        self._tally = tally
        self._strict = strict

    def add(self, failure: Failure) -> None:
        """Write and count a failure.

        Raises:
            AudioJourneyError: with `strict`.
        """
        if self._strict:
            raise AudioJourneyError(f"{failure.id}: {failure.reason}", "Leave --strict out to go on with the others.")
        self._tally.failures[failure.code] += 1
        self._file.write((json.dumps(asdict(failure), ensure_ascii=True) + "\n").encode("ascii"))


@contextmanager
def error_list(folder: Path, tally: Tally, *, strict: bool = False) -> Iterator[ErrorList]:
    """Give a list of failures; `errors.jsonl` is there afterwards if and only if one was added."""
    path = folder / ERRORS
    with files.replacing(path) as part, part.open("wb") as file:
        yield ErrorList(file, tally, strict=strict)
    if not tally.failures:
        path.unlink(missing_ok=True)
