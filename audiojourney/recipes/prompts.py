"""Prompts from arguments, files and standard input."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiojourney.errors import MissingError, UsageError

# Names under which data sets keep what we call a prompt, the preferred one first.
TEXT_KEYS = ("prompt", "caption", "text")


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """One thing to make a sound of; what is None is taken from the settings of the run.

    Attributes:
        text: the description.
        negative: text to move away from.
        seed: seed of its first sound.
        duration_s: length in seconds.
        id: name of the result, for pairing with other files.
    """

    text: str
    negative: str | None = None
    seed: int | None = None
    duration_s: float | None = None
    id: str | None = None

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise UsageError(f"The prompt {self.text!r} is empty.", 'Say what to hear, such as "rain on a tin roof".')
        if any("\ud800" <= letter <= "\udfff" for letter in self.text):
            raise UsageError(f"The prompt {self.text!r} is not UTF-8 text.")


def gather(arguments: Sequence[str], file: Path | None, stdin: Callable[[], bytes]) -> tuple[Prompt, ...]:
    """Collect prompts from all places.

    Args:
        arguments: prompts as typed; `-` stands for the lines of standard input.
        file: `.txt`, `.csv` or `.jsonl`, or `-`.
        stdin: reads all of standard input; called once at most.

    Raises:
        UsageError: an empty prompt, a faulty line, or no prompt at all.
        MissingError: there is no such file.
    """
    places = [*arguments, *(["-"] if file is not None and str(file) == "-" else [])]
    if places.count("-") > 1:
        raise UsageError(f"Standard input ('-') is asked for {places.count('-')} times; it can be read once.")
    prompts: list[Prompt] = []
    for argument in places:
        prompts += _lines(_text(stdin(), "standard input")) if argument == "-" else [Prompt(text=argument)]
    if file is not None and str(file) != "-":
        prompts += read_prompts(file)
    if not prompts:
        raise UsageError(f"No prompt in {_named(places, file)}.", 'Try: aj generate "rain on a tin roof"')
    return tuple(prompts)


def read_prompts(path: Path) -> list[Prompt]:
    """Read a file of prompts: `.jsonl` and `.csv` with keys, anything else one prompt a line.

    Raises:
        MissingError: there is no such file.
        UsageError: it cannot be read, or one of its lines is faulty.
    """
    if not path.exists():
        raise MissingError(f"There is no prompt file {str(path)!r}.")
    try:
        text = _text(path.read_bytes(), str(path))
    except OSError as error:
        raise UsageError(f"The prompt file {str(path)!r} cannot be read ({error.strerror}).") from error
    reader = {".jsonl": _json_lines, ".csv": _table}.get(path.suffix.lower())
    return reader(text, str(path)) if reader else _lines(text)


def _named(places: Sequence[str], file: Path | None) -> str:
    if file is not None:
        return repr(str(file))
    return "standard input" if "-" in places else "the command"


def _text(data: bytes, where: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{where} is not UTF-8 text (byte {error.start} is {data[error.start]:#04x}).") from error


def _lines(text: str) -> list[Prompt]:
    return [Prompt(text=line.strip()) for line in text.splitlines() if line.strip()]


def _json_lines(text: str, where: str) -> list[Prompt]:
    prompts = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise UsageError(f"{where}, line {number} is no JSON: {error}.") from error
        if isinstance(row, str):
            row = {"prompt": row}
        if not isinstance(row, dict):
            raise UsageError(f"{where}, line {number} holds {row!r}; expected a table with the key 'prompt'.")
        prompts.append(_row(row, f"{where}, line {number}"))
    return prompts


def _table(text: str, where: str) -> list[Prompt]:
    rows = csv.DictReader(io.StringIO(text, newline=""))
    if not set(TEXT_KEYS) & set(rows.fieldnames or ()):
        raise UsageError(f"{where} has the columns {list(rows.fieldnames or ())}; expected one named 'prompt'.")
    try:
        return [_row(row, f"{where}, line {rows.line_num}") for row in rows]
    except csv.Error as error:
        raise UsageError(f"{where}, line {rows.line_num} is no CSV: {error}.") from error


def _row(row: dict[Any, Any], where: str) -> Prompt:
    key = next((key for key in TEXT_KEYS if key in row), None)
    if key is None or not isinstance(row[key], str) or not row[key].strip():
        raise UsageError(f"{where}: the prompt is {row.get(key) if key else None!r}; expected a text.")
    return Prompt(
        text=row[key].strip(),
        negative=_optional(row, "negative", str, where),
        seed=_optional(row, "seed", int, where),
        duration_s=_optional(row, "duration", float, where),
        id=_optional(row, "id", str, where),
    )


def _optional(row: dict[Any, Any], key: str, kind: Callable[[Any], Any], where: str) -> Any:
    value = row.get(key)
    if value is None or value == "":
        return None
    try:
        converted = kind(value)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{where}: {key} is {value!r}; expected {_KINDS[key]}.") from error
    lossy = isinstance(value, bool | float) and kind is int and converted != value
    if lossy or isinstance(value, bool) or (kind is float and not math.isfinite(converted)):
        raise UsageError(f"{where}: {key} is {value!r}; expected {_KINDS[key]}.")
    return converted


_KINDS = {"negative": "a text", "id": "a name", "seed": "a whole number", "duration": "seconds"}
