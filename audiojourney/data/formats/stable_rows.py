"""Rows whose columns have one type for ever, for readers that infer types from the first rows.

`datasets` and Arrow take the type of a column from the first rows that they see: a number that is absent there, or a
list that is empty, spoils what follows. So every column is always there; numbers that may be unknown, events and
columns of other origin go into one text, `more`, as JSON.
"""

from __future__ import annotations

import json
from typing import Any

from audiojourney.data.finite_json import decode
from audiojourney.data.rows import Row

CAPTION_TEXTS = ("text", "source", "kind", "score_name")
_LISTS = ("labels", "tags")
_TEXTS = ("id", "dataset", "split", "label_scheme", "licence", "attribution", "source_url", "text")
_META = ("title", "description", "visual_caption", "subtitles")
TEXT_COLUMNS = (*_TEXTS, *_META)


def to_stable(row: Row, *, duration_s: float, rate_hz: int, channels: int, sha256: str) -> Row:
    """Return the columns of a clip for a sound of these measures; `from_stable` gives the row back.

    The score of a caption counts only where its `score_name` says what measured it, or is not 0.

    Args:
        row: a row of a manifest, as `audiojourney.data.rows.to_row` makes it; its `file_name` is left out.
        duration_s: length of the sound.
        rate_hz: its sample rate.
        channels: its number of channels.
        sha256: hash of its bytes.
    """
    stable: Row = {column: row.get(column, "") for column in TEXT_COLUMNS}
    stable |= {column: list(row.get(column, ())) for column in _LISTS}
    stable["captions"] = [
        {name: caption.get(name, "") for name in CAPTION_TEXTS} | {"score": float(caption.get("score", 0.0))}
        for caption in row.get("captions", ())
    ]
    stable |= {"duration": float(duration_s), "sample_rate": rate_hz, "channels": channels, "sha256": sha256}
    left = {key: value for key, value in row.items() if key not in stable and key not in ("file_name", "audio_offset")}
    return stable | {"more": json.dumps(left, ensure_ascii=False, sort_keys=True)}


def from_stable(stable: Row) -> Row:
    """Return the row that `to_stable` was given, with the measures of the sound in it.

    Raises:
        ValueError: `more` holds no JSON object.
    """
    row = {key: value for key, value in stable.items() if key not in ("more", "captions", "sample_rate", "channels")}
    more = decode(stable["more"]) if stable.get("more") else {}
    if not isinstance(more, dict):
        raise ValueError(f"'more' is a JSON object, not {str(more)[:40]!r}")
    captions = stable.get("captions")
    row["captions"] = [_caption(caption) for caption in captions] if isinstance(captions, list) else []
    return more | row


def _caption(stable: Any) -> Any:
    if not isinstance(stable, dict):
        return stable
    unknown = not stable.get("score_name") and not stable.get("score")
    return {key: value for key, value in stable.items() if key != "score" or not unknown}
