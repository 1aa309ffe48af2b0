"""JSON that is too long for memory: lines of objects, and arrays read item by item."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from audiojourney.data.finite_json import DECODER, decode
from audiojourney.data.formats.base import Failure, bad_row

_CHUNK_CHARS = 1 << 20
_LARGEST_CHARS = 1 << 24  # an item that is not whole by then is damaged
_GAP = re.compile(r"[\s,]*")

Row = dict[str, Any]


def read_objects(path: Path, key: str = "data") -> Iterator[tuple[int, Row] | Failure]:
    """Yield the objects of a file, each with its number from 1 on.

    Args:
        path: an object a line, with or without a comma behind it; or an array; or an object with an array at `key`.
        key: where the array stands in such an object.

    Yields:
        An object, or the failure of what is none. After damage within an array nothing follows.
    """
    if not path.is_file():
        yield bad_row(path, 0, "there is no such file.")
        return
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        head = file.read(_CHUNK_CHARS)
        start = re.match(r"\s*\[", head) or re.match(rf'\s*\{{[^\[]*?"{re.escape(key)}"\s*:\s*\[', head)
        file.seek(0)
        rows = _array(path, file, start.end()) if start else _lines(path, file)
        for item in rows:
            if isinstance(item, Failure) or isinstance(item[1], dict):
                yield item
            else:
                yield bad_row(path, item[0], f"an object was expected, not {str(item[1])[:40]!r}.")


def read_object(path: Path) -> Row:
    """Return the object that a small file holds.

    Raises:
        ValueError: the file holds no JSON, or something else.
    """
    try:
        value = decode(path.read_bytes().decode("utf-8-sig", errors="replace"))
    except RecursionError as error:
        raise ValueError(f"{path} is nested too deeply") from error
    if not isinstance(value, dict):
        raise ValueError(f"an object was expected, not {str(value)[:40]!r}")
    return value


def text(row: Row, key: str) -> str:
    """Return the text at `key`, without space around it, "" where there is none."""
    value = row.get(key)
    return value.strip() if isinstance(value, str) else ""


def texts_at(row: Row, key: str) -> tuple[str, ...]:
    """Return the texts at `key`, a list of them or one alone, without space around them and without empty ones."""
    value = row.get(key)
    items = value if isinstance(value, list) else [value]
    return tuple(item.strip() for item in items if isinstance(item, str) and item.strip())


def number(row: Row, key: str) -> float | None:
    """Return the number at `key`, or None where there is none, or one that is not finite or below 0."""
    value = row.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        return None
    return float(value)


def _lines(path: Path, file: TextIO) -> Iterator[tuple[int, Any] | Failure]:
    for place, line in enumerate(file, start=1):
        item = line.strip().removesuffix(",")
        if not item:
            continue
        try:
            yield place, DECODER.decode(item)
        except (ValueError, RecursionError) as error:
            yield bad_row(path, place, f"no JSON ({error}).")


def _array(path: Path, file: TextIO, start: int) -> Iterator[tuple[int, Any] | Failure]:
    file.read(start)
    buffer, place, count, step = file.read(_CHUNK_CHARS), 0, 1, _CHUNK_CHARS
    while True:
        place = _GAP.match(buffer, place).end()  # type: ignore[union-attr]  # it matches nothing, too
        if buffer[place : place + 1] == "]":
            return
        try:
            value, end = DECODER.raw_decode(buffer, place)
            whole = True
        except (ValueError, RecursionError):
            whole = False
        if whole:
            yield count, value
            place, count, step = end, count + 1, _CHUNK_CHARS
            continue
        more = file.read(step) if len(buffer) - place < _LARGEST_CHARS else ""
        if not more:
            yield bad_row(path, count, "the file is damaged or cut within this item.")
            return
        buffer, place, step = buffer[place:] + more, 0, 2 * step
