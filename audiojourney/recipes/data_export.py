"""`aj data export`: clips are written the way another tool reads them, the whole data set or none of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from audiojourney import files
from audiojourney.data.clip import Clip
from audiojourney.data.formats.base import DUPLICATE, Failure, bad_row
from audiojourney.data.formats.export.base import Writer, WriterOptions
from audiojourney.data.formats.export.names import WRITERS
from audiojourney.data.formats.stored import Encoding, StoredSound, stored
from audiojourney.data.manifest import BadRow, iter_clips
from audiojourney.data.spool import FirstSeen
from audiojourney.errors import ClipError, MissingError, UsageError
from audiojourney.recipes.data_record import (
    DataReport,
    ErrorList,
    Tally,
    done_before,
    error_list,
    identity,
    was_exported,
    write_record,
)
from audiojourney.recipes.ordered import ordered

Progress = Callable[[int, int | None], None]  # (done, total where it is known)
_Done = tuple[Clip, StoredSound] | Failure


@dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """Settings of `aj data export`.

    Attributes:
        source: folder or list of clips.
        output: folder of the data set that is written.
        to: form of it.
        name: what it is called; that of its folder when empty.
        format: `keep` the sounds as they are, or encode them anew, in mono; what the form needs when None.
        rate_hz: sample rate of sounds that are encoded anew; that of the source when None.
        captions: write `all` captions of a clip, or the `first`.
        split: take the clips of this split only; all when empty.
        limit: stop after so many clips; never when None.
        shard_clips: most clips in an archive.
        shard_bytes: size that closes an archive.
        exists: what to do with a data set that is there: `skip`, `overwrite`, `error`.
        allow_errors: so many failures are no failure of the whole.
        strict: stop at the first failure.
        workers: threads that read and encode sounds.
        dry_run: only look whether it could be done.
    """

    source: Path = Path("data")
    output: Path
    to: str
    name: str = ""
    format: Encoding | None = None
    rate_hz: int | None = None
    captions: Literal["all", "first"] = "all"
    split: str = ""
    limit: int | None = None
    shard_clips: int = 1000
    shard_bytes: int = 1 << 30
    exists: Literal["skip", "overwrite", "error"] = "skip"
    allow_errors: int = 0
    strict: bool = False
    workers: int = 4
    dry_run: bool = False

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            UsageError: one that cannot be meant.
        """
        for name, least in (("workers", 1), ("shard_clips", 1), ("shard_bytes", 1), ("allow_errors", 0)):
            if getattr(self, name) < least:
                raise UsageError(f"{name} is {getattr(self, name)}; expected {least} or more.")
        for name in ("limit", "rate_hz"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}; expected 1 or more.")
        if self.rate_hz is not None and self.format in (None, "keep"):
            raise UsageError(f"A rate of {self.rate_hz} Hz needs sounds that are encoded anew.", "Add --format flac.")


class ExportReport(DataReport):
    """What was done: `output` is the folder of the data set, and `counts` has its shards too."""


def run(config: ExportConfig, on_progress: Progress = lambda done, total: None) -> ExportReport:
    """Write a data set beside its place, and put it there when it is whole.

    Raises:
        MissingError: there is no data, or none that can be read, or pyarrow is absent.
        UsageError: the form is unknown, or the output holds something else.
        AudioJourneyError: the disk is full or cannot be written.
    """
    make: type[Writer] = WRITERS.load(config.to)
    settings = identity(config)
    if not config.source.exists():
        raise MissingError(f"There is no data at {config.source}.", "Name a folder or a list of clips.")
    _check_output(config.output)
    there = done_before(config.output, settings, config.exists)
    if there is not None or config.dry_run:
        make(_options(config, config.output))
        return ExportReport(output=config.output, counts=there or {}, fresh=False)
    output = config.output.resolve()  # a link stays, and what it leads to is written
    part = output.with_name(f".{output.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    files.check_folder(part)
    try:
        counts = _written(make, config, part, on_progress)
        write_record(part, settings, counts)
        _put_in_place(part, output)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return ExportReport(output=config.output, counts=counts, fresh=True)


def _options(config: ExportConfig, folder: Path) -> WriterOptions:
    return WriterOptions(
        folder=folder,
        home=config.output.absolute(),
        name=config.name or config.output.resolve().name,
        shard_clips=config.shard_clips,
        shard_bytes=config.shard_bytes,
    )


def _check_output(output: Path) -> None:
    """Refuse a folder that holds what was not exported: nothing of it may be lost.

    Raises:
        UsageError: it does.
    """
    if output.is_dir() and any(output.iterdir()) and not was_exported(output):
        raise UsageError(f"{output} holds files and is no exported data set.", "Give another --output.")
    if output.exists() and not output.is_dir():
        raise UsageError(f"{output} is a file.", "Give a folder as --output.")
    if Path.cwd().is_relative_to(output.resolve()):
        told = f"The folder {str(output)!r} is put in place as a whole, and you are in it."
        raise UsageError(told, "Give a folder below it, or another, as --output.")


def _written(make: type[Writer], config: ExportConfig, part: Path, on_progress: Progress) -> dict[str, Any]:
    writer = make(_options(config, part))
    tally = Tally()
    with ExitStack() as unless_done:
        unless_done.callback(writer.abandon)
        with error_list(part, tally, strict=config.strict) as errors:
            clips = _wanted(config, writer, tally)
            work = partial(_sound, encoding=config.format or writer.encoding, rate_hz=config.rate_hz)
            for done, item in enumerate(ordered(work, clips, config.workers), start=1):
                _write(writer, item, tally, errors)
                on_progress(done, None)
        shards = writer.close()
        unless_done.pop_all()
    if not tally.clips:
        raise MissingError(f"{config.source} gave no clip that could be written ({_reasons(tally)}).")
    return {"to": config.to, **tally.table(), "shards": [asdict(shard) for shard in shards]}


def _wanted(config: ExportConfig, writer: Writer, tally: Tally) -> Iterator[Clip | Failure]:
    """Yield the clips to be written, and a failure for each row that is none."""
    bad: list[BadRow] = []
    seen, taken = FirstSeen(), 0
    for clip in iter_clips(config.source, bad.append):
        while bad:
            yield _row_failure(bad.pop(0))
        if config.split and clip.split != config.split:
            tally.left_out["other_split"] += 1
        elif writer.needs_caption and not clip.captions:
            tally.left_out["no_caption"] += 1
        elif seen.before(clip.id, 0) is not None:  # one sound would take the place of the other
            yield Failure(clip.id, str(clip.path), DUPLICATE, f"the id {clip.id!r} was there before.")
        else:
            yield replace(clip, captions=clip.captions[:1]) if config.captions == "first" else clip
            taken += 1
        if config.limit is not None and taken >= config.limit:
            return
    yield from map(_row_failure, bad)


def _row_failure(row: BadRow) -> Failure:
    return bad_row(row.path, row.line, row.reason)


def _sound(item: Clip | Failure, encoding: Encoding, rate_hz: int | None) -> _Done:
    if isinstance(item, Failure):
        return item
    try:
        return item, stored(item, encoding, rate_hz)
    except ClipError as error:
        return Failure(item.id, str(item.path), error.code, error.reason)


def _write(writer: Writer, item: _Done, tally: Tally, errors: ErrorList) -> None:
    if isinstance(item, Failure):
        errors.add(item)
        return
    clip, sound = item
    writer.add(clip, sound)
    tally.add(replace(clip, duration_s=sound.duration_s))


def _put_in_place(part: Path, output: Path) -> None:
    """Rename the finished folder; an earlier data set makes way first."""
    old = output.with_name(f".{output.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if output.exists():
        output.rename(old)
    part.rename(output)
    shutil.rmtree(old, ignore_errors=True)


def _reasons(tally: Tally) -> str:
    counts = {**tally.failures, **tally.left_out}
    return ", ".join(f"{number} {reason}" for reason, number in counts.items()) or "it is empty"
