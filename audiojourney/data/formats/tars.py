"""Tar archives read from front to back; what is cut or damaged is said, not passed over."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audiojourney.errors import ClipError

_BLOCK = 512


@dataclass(frozen=True)
class Member:
    """A file in an archive.

    Attributes:
        key: its name up to the first dot after the last slash, folders included; files of one clip share it.
        suffix: what follows that dot, in small letters.
        data: its bytes.
    """

    key: str
    suffix: str
    data: bytes

    @property
    def name(self) -> str:
        """Its whole name."""
        return f"{self.key}.{self.suffix}"


def read_members(path: Path) -> Iterator[Member]:
    """Yield the regular files of a tar archive, one after another.

    Raises:
        ClipError: `truncated` where the archive ends before its end mark, `corrupt` where a header is damaged; what
            precedes was yielded.
    """
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as archive:
            while (info := archive.next()) is not None:
                archive.members = []  # type: ignore[attr-defined]  # it would keep them all
                if info.issparse():
                    raise ClipError("corrupt", f"{info.name!r} has holes and is not read.", str(path))
                if info.isreg():
                    yield _member(archive, info)
            file.seek(archive.offset)
            if file.read(_BLOCK) != bytes(_BLOCK):
                raise ClipError("truncated", "the end mark of the archive is missing.", str(path))
    except tarfile.ReadError as error:
        cut = "unexpected end" in str(error) or "truncated" in str(error) or not path.stat().st_size
        raise ClipError(
            "truncated" if cut else "corrupt", f"the archive cannot be read ({error}).", str(path)
        ) from error
    except (OSError, tarfile.TarError, OverflowError, ValueError) as error:
        raise ClipError("corrupt", f"the archive cannot be read ({error}).", str(path)) from error


def read_samples(path: Path) -> Iterator[tuple[str, list[Member]]]:
    """Yield the key and the files of each clip; files of one clip follow each other.

    Raises:
        ClipError: as `read_members` does.
    """
    key = ""
    members: list[Member] = []
    for member in read_members(path):
        if members and member.key != key:
            yield key, members
            members = []
        key = member.key
        members.append(member)
    if members:
        yield key, members


def _member(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Member:
    reader = archive.extractfile(info)
    data = reader.read() if reader else b""  # tarfile itself minds data that ends early
    folder, slash, name = info.name.rpartition("/")
    stem, _, suffix = name.partition(".")
    return Member(f"{folder}{slash}{stem}", suffix.lower(), data)
