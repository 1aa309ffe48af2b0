"""`aj data import`: a published data set becomes a list of clips whose sounds are there and can be read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, Literal

from audiojourney import files
from audiojourney.data import manifest
from audiojourney.data.audio import probe
from audiojourney.data.clip import Clip
from audiojourney.data.formats.base import DUPLICATE, MISSING, Failure, Item, Source
from audiojourney.data.formats.classes import class_names
from audiojourney.data.formats.exclude import Excluded, read_excluded
from audiojourney.data.formats.names import detect_format, load_reader
from audiojourney.data.formats.sounds import Sounds
from audiojourney.data.formats.stored import filed, placed, stored
from audiojourney.data.spool import FirstSeen
from audiojourney.errors import ClipError, MissingError, UsageError
from audiojourney.recipes.data_record import (
    DataReport,
    ErrorList,
    Tally,
    done_before,
    error_list,
    identity,
    write_record,
)
from audiojourney.recipes.ordered import ordered

AUDIO = "audio"
AUTO = "auto"
Progress = Callable[[int, int | None], None]  # (done, total where it is known)


@dataclass(frozen=True, kw_only=True)
class ImportConfig:
    """Settings of `aj data import`.

    Attributes:
        source: file or folder of the data set.
        output: folder of the list of clips.
        format: name of its format; `auto` looks at what is there.
        audio: folder of the sounds; that of the source when None.
        labels: list of AudioSet's classes, so that labels become words.
        segments: AudioSet's tables, so that lists that name recordings alone get times and labels.
        exclude_ids: list of clips to leave out.
        split: take the clips of this split only; all when empty.
        sounds: `refer` to the sounds where they lie, or `copy` them into the output.
        min_duration_s: leave shorter clips out.
        max_duration_s: leave longer clips out; none when None.
        hash: take the hash of each sound, for `aj data verify`.
        limit: stop after so many clips; never when None.
        exists: what to do with a data set that is there: `skip`, `overwrite`, `error`.
        allow_errors: so many failures are no failure of the whole.
        strict: stop at the first failure.
        workers: threads that look at sounds.
        dry_run: only say how the source would be read.
    """

    source: Path
    output: Path = Path("data")
    format: str = AUTO
    audio: Path | None = None
    labels: Path | None = None
    segments: Path | None = None
    exclude_ids: Path | None = None
    split: str = ""
    sounds: Literal["refer", "copy"] = "refer"
    min_duration_s: float = 0.0
    max_duration_s: float | None = None
    hash: bool = True
    limit: int | None = None
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
        for name, least in (("workers", 1), ("allow_errors", 0), ("min_duration_s", 0)):
            if not getattr(self, name) >= least:  # NaN is no length
                raise UsageError(f"{name} is {getattr(self, name)}; expected {least} or more.")
        if self.max_duration_s is not None and not self.max_duration_s >= self.min_duration_s:
            told = f"max_duration_s is {self.max_duration_s}; expected {self.min_duration_s} or more."
            raise UsageError(told, "Sounds outside of the two are left out.")
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"limit is {self.limit}; expected 1 or more.")


@dataclass(frozen=True, kw_only=True)
class ImportReport(DataReport):
    """What was done: `output` is the list of clips.

    Attributes:
        format: how the source was read.
    """

    format: str


def run(config: ImportConfig, on_progress: Progress = lambda done, total: None) -> ImportReport:
    """Read a data set, look at its sounds, write the list of its clips and that of its failures.

    Raises:
        MissingError: the source is absent, or none of its sounds is there.
        UsageError: the format is unknown, or the output holds another data set.
        AudioJourneyError: the disk is full or cannot be written; an earlier list stays.
    """
    format = detect_format(config.source) if config.format == AUTO else config.format
    reader = load_reader(format)
    source = _source(config)
    settings = {**identity(config), "format": format}
    there = done_before(config.output, settings, config.exists)
    target = config.output / manifest.NAME
    if there is not None or config.dry_run:
        return ImportReport(output=target, format=format, counts=there or {}, fresh=False)
    tally = Tally()
    wanted = _wanted(reader(source), config, tally)
    examined = ordered(partial(_examined, config=config), wanted, config.workers)
    with error_list(config.output, tally, strict=config.strict) as errors, files.replacing(target) as part:
        with part.open("wb") as file:
            _write(file, examined, config, tally, errors, on_progress)
        if not tally.clips:
            raise _nothing(config, tally, source.sounds.folder)
    write_record(config.output, settings, {"format": format, **tally.table()})
    return ImportReport(output=target, format=format, counts=tally.table(), fresh=True)


def _source(config: ImportConfig) -> Source:
    if not config.source.exists():
        raise MissingError(f"There is no data at {config.source}.")
    for name in ("audio", "segments"):
        path = getattr(config, name)
        if path is not None and not path.exists():
            raise MissingError(f"There is nothing at {path}, which was given as --{name}.")
    beside = config.source if config.source.is_dir() else config.source.parent
    return Source(
        path=config.source,
        sounds=Sounds(config.audio or beside),
        unpack=config.output / AUDIO,
        names=class_names(config.labels) if config.labels else {},
        segments=config.segments,
    )


def _wanted(items: Iterator[Item], config: ImportConfig, tally: Tally) -> Iterator[Item]:
    """Leave out what was not asked for, as far as that can be said before its sound is looked at."""
    excluded = read_excluded(config.exclude_ids) if config.exclude_ids else Excluded(frozenset(), {})
    seen, taken = FirstSeen(), 0
    for item in items:
        if isinstance(item, Clip):
            if config.split and item.split != config.split:
                tally.left_out["other_split"] += 1
                continue
            if item in excluded:
                tally.left_out["excluded"] += 1
                continue
            if seen.before(item.id, 0) is not None:
                item = Failure(item.id, str(item.path), DUPLICATE, f"the id {item.id!r} was there before.")
        yield item
        taken += 1
        if config.limit is not None and taken >= config.limit:
            return


def _examined(item: Item, config: ImportConfig) -> Item:
    """Look at the sound of a clip, and put it where it shall be."""
    if isinstance(item, Failure):
        return item
    try:
        if config.sounds == "copy" and not item.path.is_relative_to(config.output / AUDIO):
            return _copied(item, config.output / AUDIO)
        return _referred(item, config)
    except ClipError as error:
        return Failure(item.id, str(item.path), error.code, error.reason)


def _copied(clip: Clip, folder: Path) -> Clip:
    sound = stored(clip)
    path = filed(folder, clip, sound.suffix)
    if not path.is_file() or manifest.file_sha256(path) != sound.sha256:
        files.write_bytes(path, sound.data)
    extra = {"sample_rate": sound.rate_hz, "channels": sound.channels, **clip.extra}
    return replace(placed(clip, sound, path), extra=extra)


def _referred(clip: Clip, config: ImportConfig) -> Clip:
    info = probe(clip.path)
    length = info.duration_s
    if clip.offset_s is not None and length is not None:
        if clip.offset_s >= length:
            told = f"the clip begins at {clip.offset_s:g} s, and the sound ends at {length:g} s."
            raise ClipError("out_of_range", told, str(clip.path))
        length = min(length - clip.offset_s, clip.duration_s or length)
    sha256 = clip.sha256 or (manifest.file_sha256(clip.path) if config.hash else "")
    extra = {"sample_rate": info.rate_hz, "channels": info.channels, **clip.extra}
    path = config.output / _relative(clip.path, config.output)
    return replace(clip, path=path, duration_s=length or clip.duration_s, sha256=sha256, extra=extra)


def _relative(path: Path, folder: Path) -> str:
    """Return the way from a folder to a sound, by way of folders above it where need be.

    Raises:
        ClipError: there is none, as between two drives.
    """
    try:
        return os.path.relpath(path.parent.resolve() / path.name, folder.resolve())
    except ValueError as error:
        raise ClipError("elsewhere", f"there is no way from {folder} to it; use --sounds copy.", str(path)) from error


def _write(
    file: BinaryIO,
    items: Iterator[Item],
    config: ImportConfig,
    tally: Tally,
    errors: ErrorList,
    on_progress: Progress,
) -> None:
    for done, item in enumerate(items, start=1):
        if isinstance(item, Failure):
            errors.add(item)
        elif (reason := _length_fault(item, config)) is not None:
            tally.left_out[reason] += 1
        else:
            file.write(manifest.line(item, config.output))
            tally.add(item)
        on_progress(done, None)


def _length_fault(clip: Clip, config: ImportConfig) -> str | None:
    length = clip.duration_s
    if length is None:
        return None
    if config.max_duration_s is not None and length > config.max_duration_s:
        return "too_long"
    return "too_short" if length < config.min_duration_s else None


def _nothing(config: ImportConfig, tally: Tally, folder: Path) -> MissingError:
    if tally.failures[MISSING]:
        told = f"None of the {tally.failures[MISSING]} sounds of {config.source} was found below {folder}."
        return MissingError(told, "Give the folder of the sounds with --audio.")
    counts = ", ".join(f"{number} {reason}" for reason, number in (tally.failures + tally.left_out).items())
    return MissingError(f"{config.source} gave no clip ({counts or 'it is empty'}).")
