"""Files that are either whole or absent: write under another name, flush to the disk, rename; and lists that grow."""

from __future__ import annotations

import errno
import io
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from audiojourney.errors import AudioJourneyError

_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)
_ELSEWHERE = "Choose another output folder."


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Give a temporary path in the folder of `path`; when the block ends well, its file takes the place of `path`.

    The folder is made when absent. The file is flushed to the disk before it is renamed; when anything fails, it is
    removed and an earlier file at `path` stays as it was.

    Raises:
        AudioJourneyError: the disk is full, or the folder cannot be written.
    """
    path = Path(path)
    part = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        _flush(part)
        part.replace(path)
        _flush_folder(path.parent)
    except OSError as error:
        raise AudioJourneyError(*_told(error, path)) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def check_folder(folder: Path) -> None:
    """Make a folder where it is missing, and try whether it can be written to.

    Raises:
        AudioJourneyError: it cannot.
    """
    probe = folder / f".{secrets.token_hex(4)}.tmp"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
    except OSError as error:
        reason = error.strerror or str(error)
        raise AudioJourneyError(f"The folder {str(folder)!r} cannot be written to ({reason}).", _ELSEWHERE) from error
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)


def write_bytes(path: Path | str, data: bytes) -> None:
    """Write a file whole or not at all (see `replacing`)."""
    with replacing(path) as part:
        part.write_bytes(data)


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text with plain line feeds, whole or not at all (see `replacing`)."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path | str, value: object) -> None:
    """Write a value as indented JSON, whole or not at all (see `replacing`)."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def append_bytes(path: Path | str, data: bytes, keep: int | None = None) -> None:
    """Add bytes at the end of a file in one write; when that fails, what was kept stays as it was.

    One process at a time may append to a file.

    Args:
        path: the file; it is made when absent.
        data: what to add.
        keep: bytes of the file to keep before it; all when None.

    Raises:
        AudioJourneyError: the disk is full, or the file cannot be written.
    """
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file:
            end = file.tell() if keep is None else keep
            file.truncate(end)
            try:
                _write_all(file, data)
                os.fsync(file.fileno())
            except OSError:
                file.truncate(end)
                raise
    except OSError as error:
        raise AudioJourneyError(*_told(error, path)) from error


def _write_all(file: io.FileIO, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[file.write(left) :]


def _flush(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the rename itself last; systems that cannot open folders need no such thing."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _told(error: OSError, path: Path) -> tuple[str, str]:
    if error.errno in _FULL:
        return f"{path} was not written: no space is left on the disk.", "Free some, or choose another folder."
    if error.errno in _REFUSED:
        return f"{path} was not written: its folder {path.parent} may not be written to.", _ELSEWHERE
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return f"{path} was not written: a part of {path.parent} is a file, not a folder.", _ELSEWHERE
    if error.errno == errno.EISDIR:
        return f"{path} was not written: it is a folder.", "Name a file."
    return f"{path} was not written ({error.strerror or error}).", "Choose another output file."
