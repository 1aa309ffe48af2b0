"""Finding the sound of a clip by the names that download tools give to files."""

from __future__ import annotations

import os
import sqlite3
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from audiojourney.data.manifest import SOUND_SUFFIXES


class Sounds:
    """The sound files below a folder, found by name with or without suffix, wherever they lie.

    The folder is walked once, on the first question, links to folders included. Names are compared letter by letter,
    capitals included: the ids of YouTube differ in nothing else.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def find(self, names: Sequence[str], within: str = "") -> Path | None:
        """Return the first of `names` that is there.

        Args:
            names: names of files, with or without suffix; folders in them are left out of account.
            within: where several have the name, one below a folder of this name is preferred.
        """
        for name in names:
            found = self._named(_plain(name.replace("\\", "/").rpartition("/")[2]))
            inside = [path for path in found if within and within in path.parts[:-1]]
            if found:
                return self.folder / min(inside or found)
        return None

    def _named(self, name: str) -> list[Path]:
        for column, wanted in (("name", name), ("stem", stem_of(name))):
            rows = self._table.execute(f"SELECT path FROM sounds WHERE {column} = ?", (_packed(wanted),))
            found = [Path(os.fsdecode(path)) for (path,) in rows]
            if found:
                return found
        return []

    @cached_property
    def _table(self) -> sqlite3.Connection:
        """Names and paths in a temporary file of SQLite's, so that millions of them need no memory."""
        table = sqlite3.connect("", isolation_level=None)
        table.execute("PRAGMA journal_mode = OFF")
        table.execute("CREATE TABLE sounds (name BLOB, stem BLOB, path BLOB)")
        table.executemany("INSERT INTO sounds VALUES (?, ?, ?)", self._rows())
        for column in ("name", "stem"):
            table.execute(f"CREATE INDEX by_{column} ON sounds ({column})")
        return table

    def _rows(self) -> Iterator[tuple[bytes, bytes, bytes]]:
        seen: set[tuple[int, int]] = set()
        for place, folders, names in os.walk(self.folder, followlinks=True):
            status = Path(place).stat()
            if (status.st_dev, status.st_ino) in seen:  # a link that leads back
                folders.clear()
                continue
            seen.add((status.st_dev, status.st_ino))
            folders[:] = sorted(folder for folder in folders if not folder.startswith("."))
            for name in names:
                if Path(name).suffix.lower() in SOUND_SUFFIXES and not name.startswith("."):
                    path = os.path.relpath(Path(place, name), self.folder)
                    plain = _plain(name)
                    yield _packed(plain), _packed(stem_of(plain)), os.fsencode(path)


def stem_of(name: str) -> str:
    """Return a name without the suffix of a sound; other dots are part of the name."""
    stem, _, suffix = name.rpartition(".")
    return stem if stem and f".{suffix.lower()}" in SOUND_SUFFIXES else name


def youtube_names(video: str, start_s: float, end_s: float) -> list[str]:
    """Return the names that tools give to a part of a video, the most exact first.

    `Y` before an id keeps ids that begin with a dash from being taken for an option.
    """
    start_ms, end_ms = round(1000 * start_s), round(1000 * end_s)
    times = [f"{start_ms}_{end_ms}", f"{start_s:.3f}_{end_s:.3f}", f"{start_s:g}_{end_s:g}", f"{start_ms}"]
    times += [f"{start_s:g}", f"{start_s:.1f}", f"{start_s:.3f}", f"{int(start_s):06d}"]
    exact = [f"{start}{video}_{time}" for time in times for start in ("", "Y")]
    return [*exact, f"Y{video}", video]


def is_there(path: Path) -> bool:
    """Say whether there is a file; a name that no file system can hold is none, never an error."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _packed(name: str) -> bytes:
    """Return the bytes of a name, whatever half letters it holds."""
    return name.encode("utf-8", errors="surrogatepass")


def _plain(name: str) -> str:
    """Return one form of a name: file systems differ in how they take letters with accents apart."""
    return unicodedata.normalize("NFC", name)
