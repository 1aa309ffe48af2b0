"""What a reader of a data set is given and gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from audiojourney.data.clip import Clip
from audiojourney.data.formats.sounds import Sounds
from audiojourney.data.spool import Kept

MISSING = "missing_file"
BAD_ROW = "bad_row"
DUPLICATE = "duplicate_id"


@dataclass(frozen=True)
class Failure:
    """An entry of a data set that cannot become a clip.

    Attributes:
        id: the clip's id, or where the row stands.
        path: the sound or the list that it is about.
        code: machine name of the reason, such as `missing_file` or `bad_row`.
        reason: the reason in words.
    """

    id: str
    path: str
    code: str
    reason: str


class Failures:
    """Failures that wait until the clips of a list are through; a list may hold nothing else."""

    def __init__(self) -> None:
        self._kept = Kept()

    def append(self, failure: Failure) -> None:
        """Add a failure."""
        self._kept.append(asdict(failure))

    def __iter__(self) -> Iterator[Failure]:
        return (Failure(**values) for values in self._kept)


Item = Clip | Failure


@dataclass(frozen=True, kw_only=True)
class Source:
    """A published data set and what is needed to read it.

    Attributes:
        path: file or folder that the user named.
        sounds: finds sound files by their names.
        unpack: folder that sounds out of archives are written to.
        names: words for codes of classes, such as AudioSet's `/m/...`.
        segments: AudioSet's csv files, for lists that only name recordings.
    """

    path: Path
    sounds: Sounds
    unpack: Path
    names: Mapping[str, str] = field(default_factory=dict)
    segments: Path | None = None

    def item(self, id: str, names: Sequence[str], *, within: str = "", **fields: Any) -> Item:
        """Make a clip of the first of these names that a sound has, or the failure that there is none.

        Args:
            id: id of the clip.
            names: names that the sound may have, with or without a suffix, the most likely first.
            within: folder to prefer where several sounds have the name.
            fields: further fields of the clip.
        """
        path = self.sounds.find(names, within)
        if path is not None:
            return Clip(path=path, id=id, **fields)
        return Failure(id, names[0], MISSING, f"no sound named {names[0]!r} lies below {self.sounds.folder}.")


Reader = Callable[[Source], Iterator[Item]]


def bad_row(path: Path, line: int, reason: str) -> Failure:
    """Return the failure of a row that is not what it should be."""
    return Failure(f"{path.name}:{line}", str(path), BAD_ROW, reason)
