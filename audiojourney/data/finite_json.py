"""JSON whose numbers are numbers: NaN, infinities and what is too large for a float are read as no value."""

from __future__ import annotations

import json
import math
from typing import Any

_MOST_DIGITS = 300  # a float ends a little beyond


def decode(text: str | bytes) -> Any:
    """Return the value of a JSON text.

    Raises:
        ValueError: it is none.
        RecursionError: it is nested too deeply.
    """
    return json.loads(text, parse_constant=_none, parse_float=_finite, parse_int=_whole)


def finite(value: Any) -> Any:
    """Return a value of JSON with None for each number in it that is not finite, as `1e999` is read by `json`."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _none(name: str) -> None:
    """Return no value for `NaN` and the like."""


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _whole(text: str) -> int | None:
    return int(text) if len(text) <= _MOST_DIGITS else None


DECODER = json.JSONDecoder(parse_constant=_none, parse_float=_finite, parse_int=_whole)
