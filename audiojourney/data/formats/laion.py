"""Tars of sounds with their JSON: the form of LAION's audio collections, and WebDataset's in general.

Members of a clip share their name up to the first dot: `7.flac` and `7.json` (and `7.txt`). Sounds are unpacked under
names of our own, whatever theirs are.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from audiojourney import files
from audiojourney.data.clip import Caption, Clip, Metadata
from audiojourney.data.finite_json import decode
from audiojourney.data.formats.base import BAD_ROW, DUPLICATE, Failure, Item, Source, bad_row
from audiojourney.data.formats.jsonrows import read_object, text, texts_at
from audiojourney.data.formats.stable_rows import from_stable
from audiojourney.data.formats.stored import filed
from audiojourney.data.formats.tables import tables_in
from audiojourney.data.formats.tars import Member, read_samples
from audiojourney.data.manifest import SOUND_SUFFIXES
from audiojourney.data.rows import to_clip
from audiojourney.data.spool import FirstSeen
from audiojourney.errors import ClipError

NAME = "laion"
_SPLITS = {"train": "train", "valid": "val", "val": "val", "test": "test"}


def detect(path: Path) -> bool:
    """Say whether a file is a tar, or a folder holds some."""
    return path.suffix == ".tar" or (path.is_dir() and next(path.rglob("*.tar"), None) is not None)


def read(source: Source) -> Iterator[Item]:
    """Unpack the sounds of all tars, in the order of their names, and yield a clip for each."""
    seen = FirstSeen()
    for path in tables_in(source.path, ("*.tar",)):
        count = 0
        split, where = _place(source.path, path)
        try:
            for key, members in read_samples(path):
                count += 1
                yield _item(source, f"{where}/{key}", split, members, seen)
        except ClipError as error:
            yield Failure(str(path.name), str(path), error.code, error.reason)
        yield from _count_checked(path, count)


def _place(root: Path, path: Path) -> tuple[str, str]:
    """Return the split that the folders of a tar name, and its own name without suffix below `root`."""
    inner = path.relative_to(root) if root.is_dir() else Path(path.name)
    folders = [*root.parts[-1:], *inner.parts[:-1]]
    split = next((_SPLITS[folder] for folder in reversed(folders) if folder in _SPLITS), "")
    return split, inner.with_suffix("").as_posix()


def _item(source: Source, where: str, split: str, members: list[Member], seen: FirstSeen) -> Item:
    sound = next((member for member in members if f".{member.suffix.rpartition('.')[2]}" in SOUND_SUFFIXES), None)
    if sound is None:
        return Failure(where, where, "missing_file", f"no sound among {', '.join(m.name for m in members)[:200]!r}.")
    try:
        row = _row(members)
        clip = _clip(where, split, row)
    except (ValueError, RecursionError) as error:
        return Failure(where, sound.name, BAD_ROW, f"{error}.")
    if seen.before(clip.id, 0) is not None:  # its sound would take the place of the first one's
        return Failure(clip.id, f"{where}.{sound.suffix}", DUPLICATE, f"the id {clip.id!r} was there before.")
    return _unpacked(source.unpack, clip, sound)


def _row(members: list[Member]) -> dict[str, Any]:
    """Return what the JSON and the text beside a sound say."""
    texts = {member.suffix: member.data.decode("utf-8", errors="replace") for member in members if member.data}
    row = decode(texts["json"]) if "json" in texts else {}
    if not isinstance(row, dict):
        raise ValueError(f"its JSON is an object, not {str(row)[:40]!r}")
    if "txt" in texts:
        row.setdefault("text", texts["txt"].strip())
    return row


def _clip(where: str, split: str, row: dict[str, Any]) -> Clip:
    """Make a clip of a row, its path still to be set."""
    if "more" in row:  # written by `aj data export`
        return to_clip({**from_stable(row), "file_name": where}, Path())
    if "original_data" not in row and "tag" not in row:
        row = {key: value for key, value in row.items() if key != "path"}
        if isinstance(row.get("text"), list):
            row["captions"] = row.pop("text")
        clip = to_clip({"split": split, **row, "file_name": where}, Path())
        return clip if "id" in row else replace(clip, id=f"webdataset/{where}")
    origin = row.get("original_data")
    about: dict[str, Any] = origin if isinstance(origin, dict) else {}
    return Clip(
        path=Path(),
        id=f"{NAME}/{where}",
        dataset=NAME,
        split=split,
        labels=texts_at(row, "tag"),
        captions=tuple(Caption(item, NAME, "raw") for item in texts_at(row, "text")),
        metadata=Metadata(title=text(about, "title"), description=text(about, "description")),
        licence=text(about, "license"),
        attribution=text(about, "uploader"),
        source_url=text(about, "url"),
        extra={"original_data": about} if about else {},
    )


def _unpacked(folder: Path, clip: Clip, sound: Member) -> Clip:
    path = filed(folder, clip, sound.suffix.rpartition(".")[2])
    if not path.is_file() or path.read_bytes() != sound.data:
        files.write_bytes(path, sound.data)
    return replace(clip, path=path, sha256=hashlib.sha256(sound.data).hexdigest())


def _count_checked(path: Path, count: int) -> Iterator[Failure]:
    """Compare the number of clips with `sizes.json` in the folder: a tar that was cut has fewer."""
    sizes = path.with_name("sizes.json")
    if not sizes.is_file():
        return
    try:
        wanted = read_object(sizes).get(path.name)
    except ValueError as error:
        yield bad_row(sizes, 1, f"{error}.")
        return
    if isinstance(wanted, int) and wanted != count:
        yield Failure(path.name, str(path), "wrong_count", f"{count} clips, and sizes.json says {wanted}.")
