"""What a writer of a data set does, and what most writers share."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from audiojourney import files
from audiojourney.data.clip import Clip
from audiojourney.data.formats.stored import Encoding, StoredSound, filed
from audiojourney.data.manifest import file_sha256

DEFAULT_SPLIT = "train"
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Shard:
    """An archive that holds many clips.

    Attributes:
        name: its path within the data set.
        clips: how many it holds.
        bytes: its size.
        sha256: hash of its bytes.
    """

    name: str
    clips: int
    bytes: int
    sha256: str

    @classmethod
    def of(cls, folder: Path, path: Path, clips: int) -> Shard:
        """Measure an archive that was written to `path` in the data set `folder`."""
        return cls(path.relative_to(folder).as_posix(), clips, path.stat().st_size, file_sha256(path))


@dataclass(frozen=True, kw_only=True)
class WriterOptions:
    """Where and how a data set is written.

    Attributes:
        folder: where files are written now.
        home: where they will lie in the end, for forms that hold absolute paths.
        name: what the data set is called.
        shard_clips: most clips in an archive.
        shard_bytes: size that closes an archive.
    """

    folder: Path
    home: Path
    name: str
    shard_clips: int = 1000
    shard_bytes: int = 1 << 30


class Writer:
    """Writes clips one after another; `close` writes what can only be known in the end."""

    encoding: ClassVar[Encoding] = "keep"
    needs_caption: ClassVar[bool] = False

    def __init__(self, options: WriterOptions) -> None:
        self.options = options

    def add(self, clip: Clip, sound: StoredSound) -> None:
        """Write a clip; clips of several splits may come mixed."""
        raise NotImplementedError(f"{type(self).__name__}.add")

    def close(self) -> list[Shard]:
        """Finish, and return the archives that were written, in the order of their names."""
        return []

    def abandon(self) -> None:
        """Let go of open files after a failure."""


class LineFiles:
    """Text files that grow line by line, all of them finished at once.

    Args:
        folder: where their paths begin.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._open: dict[str, BinaryIO] = {}

    def add(self, name: str, value: object) -> None:
        """Add a line to the file `name`: a text as it is, anything else as JSON."""
        if name not in self._open:
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            self._open[name] = self._stack.enter_context(path.open("wb"))
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, allow_nan=False)
        self._open[name].write((text + "\n").encode("utf-8", errors="backslashreplace"))

    def close(self) -> list[str]:
        """Close all files and return their names."""
        self._stack.close()
        return sorted(self._open)


class ListWriter(Writer):
    """A writer whose lists grow line by line, in files below `lists_below`."""

    lists_below: ClassVar[str] = ""

    def __init__(self, options: WriterOptions) -> None:
        super().__init__(options)
        self._lists = LineFiles(options.folder / self.lists_below)

    def close(self) -> list[Shard]:
        """Finish the lists."""
        self._lists.close()
        return []

    def abandon(self) -> None:
        """Close the lists."""
        self._lists.close()


def split_name(clip: Clip) -> str:
    """Return the name of a clip's split as files may be called; clips without one train."""
    return _UNSAFE.sub("_", clip.split) or DEFAULT_SPLIT


def put_sound(folder: Path, within: str, clip: Clip, sound: StoredSound) -> Path:
    """Write the sound of a clip to `within` of a folder, among others whose names begin alike; return its path."""
    path = filed(folder / within, clip, sound.suffix)
    files.write_bytes(path, sound.data)
    return path


def put_json(path: Path, value: Mapping[str, Any]) -> None:
    """Write an object beside a sound."""
    files.write_json(path, value)


def texts_of(clip: Clip) -> list[str]:
    """Return all captions of a clip."""
    return [caption.text for caption in clip.captions]
