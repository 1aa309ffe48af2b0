"""The videos of a folder: their transcripts, what was published beside them, their sound where it is there."""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audiojourney.data.audio import probe
from audiojourney.data.finite_json import decode
from audiojourney.data.manifest import SOUND_SUFFIXES
from audiojourney.data.transcripts.read import SUFFIXES, read_small
from audiojourney.errors import ClipError, MissingError

_INFO = ".info.json"
_MEDIA = SOUND_SUFFIXES | {".mkv", ".mov"}
_LANGUAGE = re.compile(r"\.([a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*)$")


@dataclass(frozen=True)
class Found:
    """A transcript file.

    Attributes:
        path: where it lies.
        language: such as `en` or `en-orig`, or "" where its name does not tell.
    """

    path: Path
    language: str


@dataclass
class Video:
    """All files of one video.

    Attributes:
        id: its name: that of its files without language and suffix.
        name: the same, with the folder below the input before it.
        folder: where they lie.
        transcripts: its transcripts.
        info: the description that yt-dlp writes, where there is one.
        media: its sound, where it is there.
    """

    id: str
    name: str
    folder: Path
    transcripts: list[Found] = field(default_factory=list)
    info: Path | None = None
    media: Path | None = None


def find_videos(source: Path) -> Iterator[Video]:
    """Yield the videos of a folder and those below it, or the one of a transcript file, in the order of their names.

    Raises:
        MissingError: there is no such file or folder.
    """
    if source.is_file():
        yield from _group(source.parent, [source.name], Path())
    elif source.is_dir():
        for folder, below, files in os.walk(source):
            below[:] = sorted(name for name in below if not name.startswith("."))
            here = Path(folder)
            yield from _group(here, sorted(files), here.relative_to(source))
    else:
        raise MissingError(f"There are no transcripts at {str(source)!r}.", "Name a folder: aj data segments FOLDER")


def listing_hash(source: Path) -> str:
    """Return a hash of the names, sizes and times of all files that `find_videos` would look at."""
    digest = hashlib.sha256()
    for video in find_videos(source):
        for path in [*(found.path for found in video.transcripts), *filter(None, (video.info, video.media))]:
            digest.update(f"{video.name}\0{path.name}\0{_state(path)}\n".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _state(path: Path) -> str:
    try:
        status = path.stat()
    except OSError:  # a link that leads nowhere, or a file that was removed meanwhile
        return "absent"
    return f"{status.st_size}\0{status.st_mtime_ns}"


def wanted(transcripts: list[Found], languages: tuple[str, ...]) -> list[Found]:
    """Return those in one of the languages, the most telling first: plain before original, json3 before others."""

    def fits(language: str) -> bool:
        """Whether a language is wanted; an unnamed one always is."""
        return not languages or not language or language.partition("-")[0] in languages or language in languages

    def rank(found: Found) -> tuple[bool, str, int]:
        """What is sorted by."""
        return found.language.endswith("-orig"), found.language, SUFFIXES.index(found.path.suffix.lower())

    return sorted((found for found in transcripts if fits(found.language)), key=rank)


def read_info(path: Path | None) -> Mapping[str, Any]:
    """Read the description of a video; {} without any.

    Raises:
        ClipError: `corrupt`, `too_large` or `unreadable`.
    """
    if path is None:
        return {}
    try:
        value = decode(read_small(path))
    except (ValueError, RecursionError) as error:
        raise ClipError("corrupt", f"no JSON ({error})", str(path)) from error
    if not isinstance(value, dict):
        raise ClipError("corrupt", f"an object was expected, not {str(value)[:40]!r}", str(path))
    return value


def media_length_ms(path: Path | None) -> int | None:
    """Read from the header of a sound how long it is; None where it cannot tell."""
    if path is None:
        return None
    try:
        length = probe(path).duration_s
    except ClipError:
        return None
    return None if length is None else round(length * 1000)


def milliseconds(seconds: Any) -> int | None:
    """Return a length in seconds, as lists give it, in milliseconds; None for what is none."""
    try:
        number = float(seconds)
    except (TypeError, ValueError, OverflowError):
        return None
    return round(number * 1000) if math.isfinite(number) and 0 < number < 1e8 else None


def _group(folder: Path, names: list[str], below: Path) -> Iterator[Video]:
    videos: dict[str, Video] = {}

    def video(id: str) -> Video:
        """The video of a name, new when it is first met."""
        return videos.setdefault(id, Video(id, (below / id).as_posix(), folder))

    for name in names:
        path = folder / name
        suffix = path.suffix.lower()
        if name.startswith("."):
            continue
        if name.endswith(_INFO):
            video(name.removesuffix(_INFO)).info = path
        elif suffix in SUFFIXES:
            found = _LANGUAGE.search(path.stem)
            id = path.stem[: found.start()] if found else path.stem
            video(id).transcripts.append(Found(path, found[1] if found else ""))
        elif suffix in _MEDIA:
            own = video(path.stem)
            own.media = own.media or path
    yield from (videos[id] for id in sorted(videos))
