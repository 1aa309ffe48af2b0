"""Lists of clips to leave out, such as those of WavCaps that other data sets are tested on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiojourney.data.clip import Clip
from audiojourney.data.formats.sounds import stem_of
from audiojourney.errors import MissingError, UsageError

_PARTS = {"audioset": "audioset", "freesound": "freesound"}


@dataclass(frozen=True)
class Excluded:
    """Ids to leave out.

    Attributes:
        anywhere: ids, source ids or names of sounds, wherever they come from.
        by_part: source ids, by the part of WavCaps that they belong to.
    """

    anywhere: frozenset[str]
    by_part: dict[str, frozenset[str]]

    def __contains__(self, clip: Clip) -> bool:
        source = str(clip.extra.get("source_id", ""))
        part = str(clip.extra.get("part", "")) or clip.dataset
        if source in self.by_part.get(part, ()):
            return True
        return any(name in self.anywhere for name in (clip.id, source, clip.path.name, stem_of(clip.path.name)))


def read_excluded(path: Path) -> Excluded:
    """Read `{"AudioSet": ["Y<video>.wav", ...], "FreeSound": ["123", ...]}`, an array, or a text of an id a line.

    Raises:
        MissingError: there is no such file.
        UsageError: it holds something else.
    """
    if not path.is_file():
        raise MissingError(f"There is no list of ids {str(path)!r}.")
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    if not text.lstrip().startswith(("{", "[")):
        return Excluded(frozenset(line.strip() for line in text.splitlines() if line.strip()), {})
    try:
        value: Any = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path} holds no list of ids ({error}).") from error
    if isinstance(value, list):
        return Excluded(frozenset(map(str, value)), {})
    lists = {str(part).lower(): ids for part, ids in value.items() if isinstance(ids, list)}
    if len(lists) < len(value):
        raise UsageError(f"{path} holds other things than lists of ids.", "Give a list of ids for each part.")
    return Excluded(frozenset(), {_PARTS.get(part, part): frozenset(_plain(part, ids)) for part, ids in lists.items()})


def _plain(part: str, ids: Iterable[Any]) -> Iterable[str]:
    """Return source ids; those of AudioSet are written as names of files there, with a Y before the video."""
    stems = (stem_of(str(id)) for id in ids)
    return (stem.removeprefix("Y") if part == "audioset" else stem for stem in stems)
