"""Rows of a manifest to clips and back.

Written rows have one type a column for ever: texts and lists are always there (empty when unknown), numbers only where
they are known, so that readers which infer types from the first rows are never misled. Read rows may use the names
that other tools give the same things.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audiojourney.data.clip import CAPTION_KINDS, Caption, Clip, Event, Metadata
from audiojourney.data.finite_json import finite

Row = dict[str, Any]
_FILE = ("file_name", "path", "audio_path", "audio_filepath", "location", "wav", "audio")
_TEXTS = {
    "id": ("id",),
    "dataset": ("dataset",),
    "split": ("split",),
    "label_scheme": ("label_scheme",),
    "licence": ("licence", "license"),
    "attribution": ("attribution", "author"),
    "source_url": ("source_url", "url", "source"),
    "sha256": ("sha256",),
}
_META_TEXTS = ("title", "description", "visual_caption", "subtitles")
_NUMBERS = {
    "offset_s": ("audio_offset", "offset"),
    "duration_s": ("duration",),
    "start_s": ("start",),
    "end_s": ("end",),
}
_LABELS = ("labels", "label", "category")
_TAGS = ("tags", "keywords")
_CAPTIONS = ("captions", "caption")
_NUMBERED_CAPTION = re.compile(r"caption_?\d+")


class RowError(ValueError):
    """A row that is no clip; the message names the column and its value."""


def to_clip(row: Mapping[str, Any], folder: Path) -> Clip:
    """Make a clip of a row of a manifest in `folder`.

    Raises:
        RowError: no file name, or a value of the wrong kind.
    """
    left = {key: value for key, value in row.items() if value is not None}
    name = _text(left, _FILE)
    if not name:
        raise RowError(f"no file_name among the columns {', '.join(map(repr, row)) or 'none'}")
    fields: Row = {field: _text(left, keys) for field, keys in _TEXTS.items()}
    fields |= {field: _number(left, keys) for field, keys in _NUMBERS.items()}
    if not fields["id"]:
        fields["id"] = name if fields["offset_s"] is None else f"{name}@{fields['offset_s']:g}"
    meta = {key: _text(left, (key,)) for key in _META_TEXTS}
    return Clip(
        path=folder / name,
        fold=_fold(left),
        labels=_texts(left, _LABELS),
        captions=_captions(left),
        events=_events(left),
        metadata=Metadata(tags=_texts(left, _TAGS), **meta),
        extra=finite(left),
        **fields,
    )


def to_row(clip: Clip, folder: Path) -> Row:
    """Make a row of a clip for a manifest in `folder`; `to_clip` gives the clip back.

    Raises:
        RowError: the sound does not lie within `folder`, so the data set could not be moved.
    """
    if not clip.path.is_relative_to(folder):
        raise RowError(f"{clip.path} does not lie within {folder}")
    row: Row = {"file_name": clip.path.relative_to(folder).as_posix()}
    row |= {keys[0]: getattr(clip, field) for field, keys in _TEXTS.items()}
    row |= {"text": clip.text, "labels": list(clip.labels)}
    row["captions"] = [_drop_none(vars(caption)) for caption in clip.captions]
    row["events"] = [{"label": e.label, "start": e.start_s, "end": e.end_s} for e in clip.events]
    row |= {key: getattr(clip.metadata, key) for key in _META_TEXTS} | {"tags": list(clip.metadata.tags)}
    row |= _drop_none({keys[0]: getattr(clip, field) for field, keys in _NUMBERS.items()} | {"fold": clip.fold})
    return row | {key: value for key, value in clip.extra.items() if key not in row}


def _drop_none(values: Mapping[str, Any]) -> Row:
    return {key: value for key, value in values.items() if value is not None}


def _take(left: Row, keys: tuple[str, ...]) -> tuple[str, Any]:
    """Remove and return the first of the columns that is there, with its name."""
    found = next((key for key in keys if key in left), "")
    return found, left.pop(found) if found else None


def _text(left: Row, keys: tuple[str, ...]) -> str:
    key, value = _take(left, keys)
    if isinstance(value, str) or value is None:
        return value or ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise RowError(f"{key} is a text, not {value!r:.80}")


def _number(left: Row, keys: tuple[str, ...]) -> float | None:
    key, value = _take(left, keys)
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number) or number < 0 or isinstance(value, bool):
        raise RowError(f"{key} is a number from 0 on, not {value!r:.80}")
    return number


def _fold(left: Row) -> int | None:
    value = left.get("fold")
    number = _number(left, ("fold",))
    if number is not None and not number.is_integer():
        raise RowError(f"fold is a whole number, not {value!r:.80}")
    return None if number is None else int(number)


def _texts(left: Row, keys: tuple[str, ...]) -> tuple[str, ...]:
    key, value = _take(left, keys)
    if isinstance(value, str):
        return (value,) if value else ()
    if value is None:
        return ()
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise RowError(f"{key} is a list of texts, not {value!r:.80}")


def _captions(left: Row) -> tuple[Caption, ...]:
    """Collect captions from a list of objects or texts, from one text, and from columns such as `caption_1`."""
    found: list[Caption] = []
    for key in [key for key in left if key in _CAPTIONS or _NUMBERED_CAPTION.fullmatch(key)]:
        value = left.pop(key)
        for item in value if isinstance(value, list) else [value]:
            found.append(_caption(key, item))
    found = [caption for caption in found if caption.text]
    text = _text(left, ("text",))
    if text and all(caption.text != text for caption in found):
        found.insert(0, Caption(text))
    return tuple(found)


def _caption(key: str, item: Any) -> Caption:
    if isinstance(item, str):
        return Caption(item)
    if not isinstance(item, dict) or not isinstance(item.get("text"), str):
        raise RowError(f"{key} holds texts or objects with a text, not {item!r:.80}")
    kind: Any = item.get("kind") or ""
    if kind not in CAPTION_KINDS:
        raise RowError(f"the kind of a caption is one of {', '.join(filter(None, CAPTION_KINDS))}, not {kind!r}")
    left = dict(item)
    score, entailment = (_score(left, name) for name in ("score", "entailment"))
    source, score_name = _text(left, ("source", "model")), _text(left, ("score_name",))
    return Caption(item["text"], source, kind, score, score_name, entailment)


def _score(left: Row, name: str) -> float | None:
    value = left.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
        raise RowError(f"the {name} of a caption is a finite number, not {value!r:.80}")
    return float(value)


def _events(left: Row) -> tuple[Event, ...]:
    _, items = _take(left, ("events",))
    if items is None or items == "":
        return ()
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise RowError(f"events is a list of objects, not {items!r:.80}")
    return tuple(_event(dict(item)) for item in items)


def _event(item: Row) -> Event:
    start, end = _number(item, ("start",)), _number(item, ("end",))
    label = _text(item, ("label",))
    if start is None or end is None or not label:
        raise RowError(f"an event has a label, a start and an end, not {item!r:.80}")
    return Event(label, start, end)
