"""`aj data verify`: is every clip there, whole, what its hash says, and readable?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from audiojourney.data.audio import load, probe
from audiojourney.data.clip import Clip
from audiojourney.data.formats.base import MISSING, Failure, bad_row
from audiojourney.data.manifest import BadRow, file_sha256, iter_clips
from audiojourney.errors import ClipError, MissingError, UsageError
from audiojourney.recipes.data_shards import Checked, Depth, check_shards, shards_in
from audiojourney.recipes.ordered import ordered

Progress = Callable[[int, int | None], None]  # (done, total where it is known)
_SLACK_S = 0.1  # published lengths are rounded


@dataclass(frozen=True, kw_only=True)
class VerifyConfig:
    """Settings of `aj data verify`.

    Attributes:
        source: folder or list of clips, a tar, or a folder of tars or Parquet files.
        depth: look whether sounds are `present`, read their `header`, or decode the `whole` and compare hashes.
        allow_errors: so many problems are none.
        limit: stop after so many clips; never when None.
        workers: threads.
    """

    source: Path = Path("data")
    depth: Depth = "whole"
    allow_errors: int = 0
    limit: int | None = None
    workers: int = 4

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            UsageError: one that cannot be meant.
        """
        for name, least in (("workers", 1), ("allow_errors", 0)):
            if getattr(self, name) < least:
                raise UsageError(f"{name} is {getattr(self, name)}; expected {least} or more.")
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"limit is {self.limit}; expected 1 or more.")


@dataclass
class VerifyReport:
    """What was found.

    Attributes:
        clips: clips that were looked at.
        shards: archives that were looked at.
        hashed: clips and archives whose hash was compared.
        problems: number of problems by code.
    """

    clips: int = 0
    shards: int = 0
    hashed: int = 0
    problems: Counter[str] = field(default_factory=Counter)


def run(
    config: VerifyConfig, on_problem: Callable[[Failure], None], on_progress: Progress = lambda done, total: None
) -> VerifyReport:
    """Look at every clip of a data set; nothing is changed.

    Args:
        config: what to look at, and how closely.
        on_problem: is told of each problem when it is met.
        on_progress: is told how many clips were looked at.

    Raises:
        MissingError: there is nothing to look at.
    """
    if not config.source.exists():
        raise MissingError(f"There is no data at {config.source}.", "Name a folder or a list of clips.")
    report = VerifyReport()
    for done, checked in enumerate(_checked(config), start=1):
        report.clips += checked.kind == "clip"
        report.shards += checked.kind == "shard"
        report.hashed += checked.hashed
        if checked.problem is not None:
            report.problems[checked.problem.code] += 1
            on_problem(checked.problem)
        on_progress(done, None)
        if config.limit is not None and report.clips >= config.limit:
            break
    if not report.clips and not report.shards:
        raise MissingError(f"There is nothing to look at in {config.source}.", "Name a folder or a list of clips.")
    return report


def _checked(config: VerifyConfig) -> Iterator[Checked]:
    shards = shards_in(config.source)
    if shards:
        yield from check_shards(config.source, shards, config.depth)
    else:
        yield from ordered(partial(_clip_checked, depth=config.depth), _clips(config.source), config.workers)


def _clips(source: Path) -> Iterator[Clip | Failure]:
    bad: list[BadRow] = []
    for clip in iter_clips(source, bad.append):
        yield from (bad_row(row.path, row.line, row.reason) for row in bad)
        bad.clear()
        yield clip
    yield from (bad_row(row.path, row.line, row.reason) for row in bad)


def _clip_checked(clip: Clip | Failure, depth: Depth) -> Checked:
    if isinstance(clip, Failure):
        return Checked(clip)
    try:
        if depth == "present":
            if not clip.path.is_file():
                raise ClipError(MISSING, "there is no such file.", str(clip.path))
            return Checked()
        _check_length(clip)
        if depth == "header":
            return Checked()
        if clip.sha256 and file_sha256(clip.path) != clip.sha256:
            raise ClipError("other_bytes", "its bytes are not those whose hash was taken.", str(clip.path))
        info = probe(clip.path)
        load(clip.path, info.rate_hz, clip.offset_s, clip.duration_s if clip.offset_s is not None else None)
    except ClipError as error:
        return Checked(Failure(clip.id, str(clip.path), error.code, error.reason))
    except OSError as error:
        return Checked(Failure(clip.id, str(clip.path), "unreadable", f"it cannot be read ({error})."))
    return Checked(hashed=bool(clip.sha256))


def _check_length(clip: Clip) -> None:
    length = probe(clip.path).duration_s
    if length is None or clip.duration_s is None:
        return
    end_s = (clip.offset_s or 0.0) + clip.duration_s
    whole = clip.offset_s is None
    if end_s > length + _SLACK_S or (whole and end_s < length - _SLACK_S):
        told = f"it lasts {length:.3f} s, and the list says {end_s:.3f} s."
        raise ClipError("other_length", told, str(clip.path))
