"""GenAu's layout: a sound and, beside it, a JSON of the same name; lists of them hang together by absolute paths."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from audiojourney.data.clip import Caption, CaptionKind, Clip, Metadata
from audiojourney.data.formats.base import Failure, Item, Source, bad_row
from audiojourney.data.formats.jsonrows import number, read_object, text
from audiojourney.data.formats.sounds import is_there
from audiojourney.data.formats.tables import texts
from audiojourney.errors import MissingError

NAME = "genau"
ROOT = "dataset_root.json"
# The names that GenAu tries for captions, in its order, and who wrote those.
CAPTION_KEYS: dict[str, CaptionKind] = {
    "audiocaps_gt_captions": "human",
    "gt_caption": "human",
    "gt_captions": "human",
    "caption": "",
    "gt_audio_caption": "human",
    "autocap_caption": "model",
    "wavcaps_caption": "llm",
}
_SEEN = "panda70m_caption_0000"  # by a model that writes <unk> for words that it lacks
_MARKS = {*CAPTION_KEYS, "video_caption", _SEEN} - {"caption"}
_OWN = {"id", "title", "description", "url", "start", "end", "video_caption", "keywords", "tags", "wav", "path"}
_LOOKED_AT = 20


def detect(path: Path) -> bool:
    """Say whether a file is GenAu's index, or a folder holds sounds with its JSON beside them."""
    if path.name == ROOT:
        return True
    if not path.is_dir():
        return False
    if (path / "metadata" / ROOT).is_file() or (path / ROOT).is_file():
        return True
    for _, file in zip(range(_LOOKED_AT), _sidecars(path), strict=False):
        row = _row(file)
        if not isinstance(row, Failure) and _MARKS & set(row):
            return True
    return False


def read(source: Source) -> Iterator[Item]:
    """Yield a clip for each JSON that the index lists, or that lies below the folder."""
    index = source.path if source.path.name == ROOT else _index(source.path)
    if index is None:
        if not source.path.is_dir():
            raise MissingError(f"{source.path} is no folder of GenAu's.", f"Give a folder or its {ROOT}.")
        for file in _sidecars(source.path):
            yield _item(source, file, source.path, split="")
        return
    yield from _listed(source, index)


def _index(folder: Path) -> Path | None:
    return next((path for path in (folder / "metadata" / ROOT, folder / ROOT) if path.is_file()), None)


def _listed(source: Source, index: Path) -> Iterator[Item]:
    """Follow the index; folders that have moved are looked for beside it."""
    try:
        table = read_object(index)
        lists = table["metadata"]["path"]
        places = [(key, split, Path(name)) for key in lists for split, name in lists[key].items() if name]
        folders = {key: Path(table[key]) for key in lists}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        yield bad_row(index, 1, f"it is no index of GenAu's ({error}).")
        return
    for key, split, name in places:
        listing = name if name.is_file() else index.parent / name.name
        folder = folders[key] if folders[key].is_dir() else source.sounds.folder
        if not listing.is_file():
            yield bad_row(index, 1, f"the list {str(name)!r} of {key!r} is not there.")
            continue
        with listing.open(encoding="utf-8-sig", errors="replace") as lines:
            for line in lines:
                if line.strip():
                    yield _item(source, folder / line.strip(), folder, split)


def _item(source: Source, file: Path, folder: Path, split: str) -> Item:
    row = _row(file)
    if isinstance(row, Failure):
        return row
    name = file.relative_to(folder).with_suffix("").as_posix() if file.is_relative_to(folder) else file.stem
    known = {*_OWN, *CAPTION_KEYS}
    fields: dict[str, Any] = {
        "dataset": NAME,
        "split": split,
        "start_s": number(row, "start"),
        "end_s": number(row, "end"),
        "captions": tuple(_captions(row)),
        "metadata": Metadata(
            title=text(row, "title"),
            description=text(row, "description"),
            tags=texts(row.get("keywords")) + texts(row.get("tags")),
            visual_caption=text(row, "video_caption") or text(row, _SEEN).replace("<unk>", "").strip(),
        ),
        "source_url": text(row, "url"),
        # The length told there is that of the whole video.
        "extra": {key: value for key, value in row.items() if key not in known and key != "duration"},
    }
    fields["extra"] |= {"source_id": text(row, "id") or file.stem}
    told = text(row, "wav")
    places = (*_sounds_beside(file), *((file.parent / told,) if told else ()))
    sound = next(filter(is_there, places), None)
    id = f"{NAME}/{name}"
    if sound is not None:
        return Clip(path=sound, id=id, **fields)
    return source.item(id, [file.stem, *((told,) if told else ())], **fields)


def _captions(row: dict[str, Any]) -> Iterator[Caption]:
    for key, kind in CAPTION_KEYS.items():
        value = row.get(key)
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str) and item.strip():
                yield Caption(item.strip(), key, kind)


def _row(file: Path) -> dict[str, Any] | Failure:
    try:
        return read_object(file)
    except (OSError, ValueError) as error:
        return bad_row(file, 1, f"{error}.")


def _sidecars(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*.json")) if next(_sounds_beside(path), None))


def _sounds_beside(file: Path) -> Iterator[Path]:
    suffixes = (".wav", ".flac", ".mp3", ".ogg")
    return (path for path in (file.with_suffix(suffix) for suffix in suffixes) if path.is_file())
