"""Data sets of stable-audio-tools: a configuration that names folders of sounds; captions lie beside the sounds.

There the prompt is made by a Python module that the configuration names. Nothing of it is run here: a JSON of the same
name as the sound is read instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from audiojourney.data.clip import Caption, Clip
from audiojourney.data.formats.base import Failure, Item, Source, bad_row
from audiojourney.data.formats.jsonrows import read_object, text, texts_at
from audiojourney.data.manifest import BadRow, iter_clips
from audiojourney.errors import UsageError

NAME = "stable_audio"
_PROMPTS = ("prompt", "text", "caption", "description")
_MORE, _LABELS = "prompts", "labels"  # as `aj data export` writes them beside the prompt


def detect(path: Path) -> bool:
    """Say whether a file is a configuration of a data set of stable-audio-tools, or a folder holds one."""
    if path.is_dir():
        return any(detect(file) for file in path.glob("*.json"))
    try:
        table = read_object(path) if path.suffix == ".json" and path.stat().st_size < 1 << 20 else {}
    except (OSError, ValueError):
        return False
    return "dataset_type" in table and "datasets" in table


def read(source: Source) -> Iterator[Item]:
    """Yield a clip for each sound of the folders; those marked as rejected are left out.

    Raises:
        UsageError: the sounds are not files here, or the configuration cannot be read.
    """
    configs = [source.path] if source.path.is_file() else sorted(filter(detect, source.path.glob("*.json")))
    for path in configs:
        table = _table(path)
        for entry in table["datasets"]:
            folder = _folder(source, path, entry)
            if folder is None:
                yield bad_row(path, 1, f"the folder of {str(entry)[:80]!r} is not there.")
                continue
            yield from _sounds(folder, str(entry.get("id") or NAME))


def _table(path: Path) -> dict[str, Any]:
    try:
        table = read_object(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read ({error}).") from error
    if table.get("dataset_type") != "audio_dir" or not isinstance(table.get("datasets"), list):
        raise UsageError(f"{path} is of the type {table.get('dataset_type')!r}; only 'audio_dir' can be read.")
    return table


def _folder(source: Source, config: Path, entry: Any) -> Path | None:
    """Return the folder that an entry names; one that has moved is looked for beside the configuration."""
    named = entry.get("path") if isinstance(entry, dict) else None
    if not isinstance(named, str) or not named:
        return None
    places = (Path(named), config.parent / named, config.parent / Path(named).name, source.sounds.folder)
    return next((place for place in places if place.is_dir()), None)


def _sounds(folder: Path, dataset: str) -> Iterator[Item]:
    bad: list[BadRow] = []
    for clip in iter_clips(folder, bad.append):
        yield from _items(clip, dataset)
    yield from (bad_row(row.path, row.line, row.reason) for row in bad)


def _items(clip: Clip, dataset: str) -> Iterator[Item]:
    file = clip.path.with_suffix(".json")
    try:
        row = read_object(file) if file.is_file() else {}
    except (OSError, ValueError) as error:
        yield Failure(clip.id, str(file), "bad_row", f"{error}.")
        return
    if row.get("__reject__"):
        return
    texts = [text for key in (*_PROMPTS, _MORE) for text in texts_at(row, key)]
    captions = tuple(Caption(text, dataset) for text in dict.fromkeys(texts)) or clip.captions
    labels = texts_at(row, _LABELS) if _LABELS in row else clip.labels
    extra = {key: value for key, value in row.items() if key not in (*_PROMPTS, _MORE, _LABELS, "id")}
    yield replace(
        clip,
        id=text(row, "id") or f"{dataset}/{clip.id}",
        dataset=dataset,
        labels=labels,
        captions=captions,
        extra={**clip.extra, **extra},
    )
