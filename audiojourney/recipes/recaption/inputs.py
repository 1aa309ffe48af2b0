"""What is to be captioned: folders, manifests, sound files, tar shards, and lists of these on standard input."""

from __future__ import annotations

import codecs
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from audiojourney.data.clip import Clip
from audiojourney.data.manifest import SOUND_SUFFIXES, BadRow, iter_clips
from audiojourney.data.rows import to_clip, to_row
from audiojourney.data.spool import FirstSeen
from audiojourney.errors import MissingError, UsageError
from audiojourney.recipes.recaption import tars

STDIN = "-"
INPUT_KEY = "input"  # fingerprint of a clip in the lists and parts of a run

Item = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """A clip and the hash of all that its captions depend on.

    Attributes:
        clip: its record.
        input: hash of the record and of the size and date of the sound file.
    """

    clip: Clip
    input: str


@dataclass(frozen=True)
class _Name:
    """What an input is named by: a path, or a row on standard input.

    Attributes:
        text: the path or the row.
        line: its line on standard input, counted from 1; 0 for one of the command line.
    """

    text: str
    line: int = 0


class Inputs:
    """The clips of all inputs, read anew and one after another each time they are asked for.

    Args:
        names: folders, manifests, sound files and tars; `-` stands for such a list on standard input, one a line.
        stdin: reads all of standard input; called once at most.
        limit: the first so many clips.
    """

    def __init__(self, names: Sequence[str], stdin: Callable[[], bytes], limit: int | None = None) -> None:
        self.names = [name for text in names for name in (_listed(stdin()) if text == STDIN else [_Name(text)])]
        self.limit = limit
        self.failures: list[Item] = []

    def jobs(self) -> Iterator[Job]:
        """Yield the clips in order; rows that are none go to `failures`.

        Raises:
            MissingError: an input is absent.
            UsageError: two clips have one id.
        """
        self.failures = []
        seen = FirstSeen()
        clips = (clip for name in self.names for clip in self._read(name))
        for number, clip in enumerate(islice(clips, self.limit)):
            if seen.before(clip.id, number) is not None:
                hint = "Caption the data sets one by one, each with its own -o."
                raise UsageError(f"Two clips have the id {clip.id!r}.", hint)
            yield Job(clip, fingerprint(clip))

    def measure(self) -> tuple[int, str]:
        """Return the number of clips and a hash of them all in their order.

        Raises:
            MissingError: there is none.
        """
        digest, count = hashlib.sha256(), 0
        for job in self.jobs():
            digest.update(job.input.encode("ascii"))
            count += 1
        if not count:
            told = ", ".join(repr(name.text) for name in self.names) or "the list on standard input"
            raise MissingError(f"There is no sound in {told}.", "Name the folder of your clips: aj recaption FOLDER")
        return count, digest.hexdigest()

    def _read(self, name: _Name) -> Iterator[Clip]:
        if name.line and name.text.startswith("{"):
            yield from self._row(name)
            return
        path = Path(name.text)
        is_sound = path.suffix.lower() in SOUND_SUFFIXES
        if not path.exists() and not (name.line and is_sound):
            raise MissingError(f"There is no {name.text!r} here.", "Name the folder of your clips: aj recaption FOLDER")
        if is_sound and not path.is_dir():  # one of a list that is gone fails by itself when it is read
            yield Clip(path=path, id=path.name if len(self.names) == 1 else path.as_posix())
            return
        yield from self._read_list(path)

    def _read_list(self, path: Path) -> Iterator[Clip]:
        """Yield the clips of a folder, a manifest or a tar; a folder without any is searched for tars."""
        count, failed = 0, len(self.failures)
        for clip in iter_clips(path, self._bad_row) if path.suffix.lower() != ".tar" else ():
            count += 1
            # Names within several plain folders may be the same.
            plain = len(self.names) > 1 and clip.path == path / clip.id
            yield replace(clip, id=clip.path.as_posix()) if plain else clip
        for shard in tars.tars_in(path) if not count and len(self.failures) == failed else ():
            yield from tars.read_tar(shard, self._fault)

    def _row(self, name: _Name) -> Iterator[Clip]:
        try:
            yield to_clip(json.loads(name.text, parse_constant=lambda constant: None), Path())
        except (ValueError, RecursionError) as error:
            self._fault(f"stdin:{name.line}", "bad_row", str(error))

    def _bad_row(self, row: BadRow) -> None:
        self._fault(f"{row.path.name}:{row.line}", "bad_row", row.reason)

    def _fault(self, name: str, code: str, reason: str) -> None:
        self.failures.append({"id": name, "file_name": "", "stage": "input", "code": code, "reason": reason})


def fingerprint(clip: Clip) -> str:
    """Return a hash of all that the captions of a clip depend on; the sound counts by size and date of its file."""
    row = to_row(clip, clip.path.parent)
    sound: list[int | None] = [-1, None]
    if tars.PLACE in clip.extra:
        sound = [*tars.fingerprint(clip)]
    else:
        with suppress(OSError, ValueError):
            stat = clip.path.stat()
            sound = [stat.st_size, None if clip.sha256 else stat.st_mtime_ns]
    text = json.dumps([row, sound], sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:16]


def place(path: Path, folder: Path) -> str:
    """Return how a list in `folder` names a sound: relative to it wherever the system has such a way."""
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:
        return path.absolute().as_posix()  # another drive


def job_line(job: Job, folder: Path) -> Item:
    """Return a job as a row of a list in `folder`."""
    row = to_row(job.clip, job.clip.path.parent) | {"file_name": place(job.clip.path, folder)}
    return {INPUT_KEY: job.input, "row": row}


def read_job(line: str | bytes, folder: Path) -> Job:
    """Return the job of a line of a list in `folder`."""
    item = json.loads(line)
    return Job(to_clip(item["row"], folder), item[INPUT_KEY])


def _listed(data: bytes) -> list[_Name]:
    lines = data.removeprefix(codecs.BOM_UTF8).decode("utf-8", "surrogateescape").split("\n")
    return [_Name(line.strip(), number) for number, line in enumerate(lines, start=1) if line.strip()]
