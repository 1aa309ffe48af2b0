"""Files of captions: a sentence, or several, for each id."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from audiojourney.data.manifest import read_clips
from audiojourney.errors import MissingError, UsageError
from audiojourney.metrics.rows import listed

_IDS = ("id", "file_name", "audio_id", "audiocap_id", "path", "audio")
_TEXTS = ("caption", "captions", "text", "prediction", "prompt")
_NUMBERED = re.compile(r"caption_?\d+")


def read_texts(path: Path) -> dict[str, tuple[str, ...]]:
    """Read captions by id: a data folder, `.jsonl`, `.csv`, `.tsv`, or `.json` with a table of ids or a list of rows.

    Captions that a filter has not kept (`"kept": false`) are left out. An id of several rows has the captions of all.

    Raises:
        MissingError: there is no such file.
        UsageError: it cannot be read, or a row has no id or no caption.
    """
    if not path.exists():
        raise MissingError(f"There is no file of captions {str(path)!r}.")
    if path.is_dir():
        return {clip.id: tuple(caption.text for caption in clip.captions) for clip in read_clips(path)}
    found: dict[str, list[str]] = {}
    for where, row in read_rows(path):
        name = next((str(row[key]) for key in _IDS if row.get(key) not in (None, "")), "")
        if not name:
            raise UsageError(f"{where} has no id among the keys {', '.join(map(repr, row))}.", f"Use {_IDS[0]!r}.")
        found.setdefault(name, []).extend(_captions(row))
    empty = [name for name, texts in found.items() if not texts]
    if empty:
        raise UsageError(f"{len(empty)} ids in {str(path)!r} have no caption: {listed(empty)}.")
    if not found:
        raise UsageError(f"{str(path)!r} holds {len(found)} captions.")
    return {name: tuple(texts) for name, texts in found.items()}


def read_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the rows of a table with the place of each, for messages.

    Raises:
        UsageError: it cannot be read, or holds something else than rows.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{str(path)!r} cannot be read as text ({error}).") from error
    kind = path.suffix.lower()
    if kind in (".csv", ".tsv"):
        rows = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t" if kind == ".tsv" else ",")
        yield from ((f"{path}, line {rows.line_num}", {str(k): v for k, v in row.items()}) for row in rows)
    elif kind == ".json":
        yield from _json(path, text)
    else:
        for number, line in enumerate(text.splitlines(), 1):
            if line.strip():
                yield f"{path}, line {number}", _object(line, f"{path}, line {number}")


def is_captions(path: Path) -> bool:
    """Say whether a file holds captions alone: rows, none of which names a sound that exists."""
    if not path.is_file() or path.suffix.lower() not in (".json", ".jsonl", ".csv", ".tsv"):
        return False
    names = ("file_name", "path", "audio_path", "location", "wav", "audio")
    try:
        rows = [row for _, row in read_rows(path)]
    except UsageError:
        return False
    return not any((path.parent / str(row[key])).exists() for row in rows for key in names if row.get(key))


def _json(path: Path, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    loaded = _loaded(text, str(path))
    if isinstance(loaded, dict):
        loaded = [{"id": name, "captions": value} for name, value in loaded.items()]
    for number, row in enumerate(loaded if isinstance(loaded, list) else [loaded], 1):
        if not isinstance(row, dict):
            raise UsageError(f"{path}, row {number} is {str(row)[:40]!r}; expected a table.")
        yield f"{path}, row {number}", row


def _object(line: str, where: str) -> dict[str, Any]:
    row = _loaded(line, where)
    if not isinstance(row, dict):
        raise UsageError(f"{where} is {str(row)[:40]!r}; expected a table.")
    return row


def _loaded(text: str, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where} is no JSON: {error}.") from error


def _captions(row: Mapping[str, Any]) -> list[str]:
    """Return the captions of a row; a sentence that two of its keys hold is one, in a list it counts as it stands."""
    found: list[str] = []
    for key in [key for key in row if key in _TEXTS or _NUMBERED.fullmatch(key)]:
        value = row[key]
        texts = [_text(item) for item in (value if isinstance(value, list) else [value])]
        # A captioner that said nothing said "", which scores 0; an empty numbered column is no caption.
        here = [text for text in texts if text is not None and (text or key in _TEXTS)]
        found += [text for text in here if _NUMBERED.fullmatch(key) or text not in found]
    return found


def _text(item: Any) -> str | None:
    """Return a caption, or None of one that a filter has not kept."""
    if isinstance(item, dict):
        item = item.get("text") if item.get("kept") is not False else None
    return item if isinstance(item, str) else None
