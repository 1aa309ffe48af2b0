"""Clips that lie in tar shards, named and read where they lie; nothing is unpacked beyond one sound at a time.

Members of a clip share their name up to the first dot: `7.flac`, `7.json`, `7.txt`. The path of such a clip is that of
the tar with the member's name after it, and `extra["tar"]` says where in the file its bytes are.
"""

from __future__ import annotations

import json
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any

from audiojourney.data.clip import Clip
from audiojourney.data.manifest import SOUND_SUFFIXES
from audiojourney.data.rows import RowError, to_clip
from audiojourney.errors import ClipError

PLACE = "tar"

OnFault = Callable[[str, str, str], None]  # name, code, reason


def tars_in(path: Path) -> list[Path]:
    """Return a tar, or those within a folder, in the order of their names."""
    return [path] if path.suffix.lower() == ".tar" else sorted(item for item in path.rglob("*.tar") if item.is_file())


def read_tar(path: Path, on_fault: OnFault) -> Iterator[Clip]:
    """Yield the clips of a tar; only headers and texts are read.

    Args:
        path: the tar.
        on_fault: is told the name, a code and the reason of what is no clip, and of a tar that is cut.
    """
    try:
        with tarfile.open(path, "r:") as archive:
            for key, group in groupby(_files(archive), key=_key):
                yield from _clip(path, archive, key, list(group), on_fault)
    except (tarfile.TarError, OSError) as error:
        on_fault(path.name, "truncated", f"the tar cannot be read on ({error}).")


def fingerprint(clip: Clip) -> list[int]:
    """Return size and date of the tar that holds a clip, as far as it can be told."""
    try:
        stat = archive_of(clip).stat()
    except (OSError, StopIteration):
        return [-1]
    return [stat.st_size, stat.st_mtime_ns]


def archive_of(clip: Clip) -> Path:
    """Return the tar that a clip lies in.

    Raises:
        StopIteration: it is gone.
    """
    return next(parent for parent in clip.path.parents if parent.is_file())


@contextmanager
def opened(clip: Clip) -> Iterator[Clip]:
    """Give the clip with a path that can be read: for one in a tar, a copy that lasts as long as the block.

    Raises:
        ClipError: the tar is gone, or shorter than it was.
    """
    where = clip.extra.get(PLACE)
    if not isinstance(where, dict):
        yield clip
        return
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"sound{clip.path.suffix}"
        copy.write_bytes(_bytes(clip, int(where["offset"]), int(where["size"])))
        yield replace(clip, path=copy)


def _bytes(clip: Clip, offset: int, size: int) -> bytes:
    try:
        with archive_of(clip).open("rb") as file:
            file.seek(offset)
            data = file.read(size)
    except (OSError, StopIteration) as error:
        raise ClipError("missing_file", "its tar is gone.", str(clip.path)) from error
    if len(data) < size:
        raise ClipError("truncated", f"the tar holds {len(data)} of {size} bytes.", str(clip.path))
    return data


def _files(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    while (info := archive.next()) is not None:
        archive.members = []  # type: ignore[attr-defined]  # it would keep them all
        if info.isreg():
            yield info


def _key(info: tarfile.TarInfo) -> str:
    folder, slash, name = info.name.rpartition("/")
    return f"{folder}{slash}{name.partition('.')[0]}"


def _clip(
    path: Path, archive: tarfile.TarFile, key: str, members: list[tarfile.TarInfo], on_fault: OnFault
) -> Iterator[Clip]:
    sound = next((info for info in members if PurePosixPath(info.name).suffix.lower() in SOUND_SUFFIXES), None)
    name = f"{path.stem}/{key}"
    if sound is None:
        on_fault(name, "missing_file", f"no sound among {', '.join(info.name for info in members)[:200]!r}.")
        return
    try:
        row = _row(archive, members)
        row = {"id": name} | row | {"file_name": f"{path.name}/{sound.name}"}
        clip = to_clip(row, path.parent)
    except (ValueError, RecursionError) as error:
        on_fault(name, "bad_row", f"{error}.")
        return
    yield replace(clip, extra={**clip.extra, PLACE: {"offset": sound.offset_data, "size": sound.size}})


def _row(archive: tarfile.TarFile, members: list[tarfile.TarInfo]) -> dict[str, Any]:
    """Return what the JSON and the text beside a sound say; a list of texts is a list of captions."""
    row: dict[str, Any] = {}
    for info in members:
        suffix = PurePosixPath(info.name).suffix
        reader = archive.extractfile(info) if suffix in (".json", ".txt") else None
        text = reader.read().decode("utf-8", errors="replace") if reader else ""
        if suffix == ".json":
            loaded = json.loads(text, parse_constant=lambda name: None)
            if not isinstance(loaded, dict):
                raise RowError(f"{info.name} holds {str(loaded)[:80]!r} instead of an object")
            row |= loaded
        elif text.strip():
            row.setdefault("text", text.strip())
    for column in ("path", "audio_path", "audio_filepath", "location", "wav", "audio"):
        row.pop(column, None)  # where the sound lay once
    if isinstance(row.get("text"), list):
        row.setdefault("captions", row["text"])
        del row["text"]
    return row
