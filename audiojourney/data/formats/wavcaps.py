"""WavCaps: captions that a language model made of what is said beside sounds of four sources."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from audiojourney.data.clip import Caption, Metadata
from audiojourney.data.formats.base import Failure, Item, Source, bad_row
from audiojourney.data.formats.jsonrows import read_objects, text
from audiojourney.data.formats.sounds import stem_of
from audiojourney.data.formats.tables import tables_in, texts

NAME = "wavcaps"
_SOURCES = {"as_final": "audioset", "bbc_final": "bbc", "fsd_final": "freesound", "sb_final": "soundbible"}
_PATTERNS = tuple(f"{stem}.json" for stem in _SOURCES)
_KNOWN = {"title", "description", "author", "caption", "id", "tags", "category", "download_link", "audio", "duration"}


def detect(path: Path) -> bool:
    """Say whether a file or folder is WavCaps."""
    if path.is_dir():
        return any(True for pattern in _PATTERNS for _ in path.rglob(pattern))
    return path.name in _PATTERNS


def read(source: Source) -> Iterator[Item]:
    """Yield a clip an entry; the length that is published is kept apart, the clip's own is measured."""
    for path in tables_in(source.path, _PATTERNS):
        origin = _SOURCES.get(path.stem, path.stem)
        for row in read_objects(path):
            if isinstance(row, Failure):
                yield row
                continue
            id = stem_of(str(row[1].get("id", "")).strip())
            if id:
                yield _item(source, origin, id, row[1])
            else:
                yield bad_row(path, row[0], f"no id among the keys {', '.join(row[1])[:100]!r}.")


def _item(source: Source, origin: str, id: str, row: dict[str, Any]) -> Item:
    caption = text(row, "caption")
    plain = id.removeprefix("Y") if origin == "audioset" else id
    extra: dict[str, Any] = {"source_id": plain, "part": origin}
    if isinstance(row.get("duration"), int | float):
        extra["published_duration"] = row["duration"]
    return source.item(
        f"{NAME}/{origin}/{plain}",
        [id, plain],
        dataset=NAME,
        captions=(Caption(caption, NAME, "llm"),) if caption else (),
        metadata=Metadata(
            title=text(row, "title"),
            description=text(row, "description"),
            tags=texts(row.get("tags")) + texts(row.get("category")),
        ),
        attribution=text(row, "author"),
        source_url=text(row, "download_link"),
        extra=extra | {key: value for key, value in row.items() if key not in _KNOWN},
    )
