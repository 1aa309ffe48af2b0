"""Looking at archives of clips: tars, whose readers do not notice that one was cut, and Parquet files."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from audiojourney.data.audio import load, probe
from audiojourney.data.formats.base import Failure
from audiojourney.data.formats.tars import Member, read_samples
from audiojourney.data.manifest import SOUND_SUFFIXES, file_sha256, has_list
from audiojourney.errors import ClipError
from audiojourney.recipes.data_record import read_record

Depth = Literal["present", "header", "whole"]
_SUFFIXES = (".tar", ".parquet")
_PARQUET_MARK = b"PAR1"


@dataclass(frozen=True)
class Checked:
    """A clip or an archive that was looked at, and what is wrong with it.

    Attributes:
        problem: None where nothing is.
        hashed: whether its hash was compared.
        kind: what was looked at, "" where that was counted before.
    """

    problem: Failure | None = None
    hashed: bool = False
    kind: Literal["clip", "shard", ""] = "clip"


def shards_in(source: Path) -> list[Path]:
    """Return the archives that are meant: the file itself, or those below a folder that has no list of its own."""
    if source.is_file():
        return [source] if source.suffix in _SUFFIXES else []
    if has_list(source):
        return []
    found = sorted(path for suffix in _SUFFIXES for path in source.rglob(f"*{suffix}") if path.is_file())
    named = [source / row["name"] for row in _listed(source) if row["name"].endswith(_SUFFIXES)]
    return sorted({*found, *named})


def check_shards(source: Path, shards: list[Path], depth: Depth) -> Iterator[Checked]:
    """Look at archives and at the clips in them.

    Yields:
        For each archive and each clip what is wrong with it, or None.
    """
    home = source if source.is_dir() else source.parent
    known = {home / row["name"]: row for row in _listed(home)}
    for path in shards:
        told = known.get(path, {})
        problem = _bytes_problem(path, told, depth)
        hashed = bool(told.get("sha256")) and depth == "whole" and problem is None
        yield Checked(problem, hashed, "shard")
        if path.is_file() and depth != "present":
            with tempfile.TemporaryDirectory() as folder:
                yield from _tar(path, told, depth, Path(folder)) if path.suffix == ".tar" else _parquet(path)


def _listed(folder: Path) -> list[dict[str, Any]]:
    """Return what the record of a data set says of its archives, or else LAION's `sizes.json`."""
    rows = read_record(folder).get("shards")
    if isinstance(rows, list):
        return [row for row in rows if isinstance(row, dict) and isinstance(row.get("name"), str)]
    found = []
    for path in folder.rglob("sizes.json") if folder.is_dir() else ():
        try:
            sizes = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(sizes, dict):
            inner = path.parent.relative_to(folder)
            found += [{"name": (inner / name).as_posix(), "clips": clips} for name, clips in sizes.items()]
    return found


def _bytes_problem(path: Path, told: dict[str, Any], depth: Depth) -> Failure | None:
    if not path.is_file():
        return Failure(path.name, str(path), "missing_file", "the record names it, and it is not there.")
    size = path.stat().st_size
    if isinstance(told.get("bytes"), int) and told["bytes"] != size:
        code = "truncated" if size < told["bytes"] else "other_bytes"
        return Failure(path.name, str(path), code, f"it has {size} bytes, and the record says {told['bytes']}.")
    if depth == "whole" and told.get("sha256") and file_sha256(path) != told["sha256"]:
        return Failure(path.name, str(path), "other_bytes", "its bytes are not those whose hash was taken.")
    return None


def _tar(path: Path, told: dict[str, Any], depth: Depth, folder: Path) -> Iterator[Checked]:
    hashes = _index(path)
    seen: set[str] = set()
    count = 0
    try:
        for key, members in read_samples(path):
            count += 1
            if key in seen:
                told_twice = Failure(f"{path.name}/{key}", str(path), "duplicate_id", "its name was there before.")
                yield Checked(told_twice, kind="")
            seen.add(key)
            problem = _sample_problem(path, key, members, hashes.get(key, ""))
            if problem is None:
                problem = _sound_problem(path, key, members, depth, folder)
            yield Checked(problem, hashed=key in hashes)
    except ClipError as error:
        yield Checked(Failure(path.name, str(path), error.code, error.reason), kind="")
    wanted = told.get("clips")
    if isinstance(wanted, int) and wanted != count:
        yield Checked(
            Failure(path.name, str(path), "wrong_count", f"{count} clips, and {wanted} were written."), kind=""
        )


def _sample_problem(path: Path, key: str, members: list[Member], sha256: str) -> Failure | None:
    where = f"{path.name}/{key}"
    sound = _sound_of(members)
    if sound is None:
        return Failure(where, str(path), "missing_file", "no sound is among its files.")
    if sha256 and hashlib.sha256(sound.data).hexdigest() != sha256:
        return Failure(where, str(path), "other_bytes", "its bytes are not those whose hash was taken.")
    try:
        for member in members:
            if member.suffix == "json":
                json.loads(member.data)
    except (ValueError, RecursionError) as error:
        return Failure(where, str(path), "bad_row", f"its JSON cannot be read ({error}).")
    return None


def _sound_problem(path: Path, key: str, members: list[Member], depth: Depth, folder: Path) -> Failure | None:
    sound = _sound_of(members)
    try:
        if sound is not None:
            _decode(sound.data, sound.suffix, depth, folder)
    except ClipError as error:
        return Failure(f"{path.name}/{key}", str(path), error.code, error.reason)
    return None


def _sound_of(members: list[Member]) -> Member | None:
    return next((member for member in members if f".{member.suffix.rpartition('.')[2]}" in SOUND_SUFFIXES), None)


def _decode(data: bytes, suffix: str, depth: Depth, folder: Path) -> None:
    """Read a sound out of memory by way of a file, as it was before it went into the archive."""
    path = folder / f"sound.{suffix.rpartition('.')[2]}"
    path.write_bytes(data)
    info = probe(path)
    if depth == "whole":
        load(path, info.rate_hz)


def _index(path: Path) -> dict[str, str]:
    """Return the hashes of the sounds of a tar by key, where they were written beside it."""
    index = path.with_name(f"{path.stem}.idx.jsonl")
    try:
        rows = [json.loads(line) for line in index.read_text(encoding="utf-8").splitlines()]
        return {row["key"]: row["sha256"] for row in rows}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _parquet(path: Path) -> Iterator[Checked]:
    """Look at the marks at both ends; what lies between is compared by its hash."""
    with path.open("rb") as file:
        head = file.read(4)
        size = file.seek(0, 2)
        file.seek(max(0, size - 4))
        tail = file.read(4)
    if (head, tail) != (_PARQUET_MARK, _PARQUET_MARK):
        yield Checked(Failure(path.name, str(path), "truncated", "the mark at one of its ends is missing."), kind="")
