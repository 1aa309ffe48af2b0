"""CSV tables as data sets publish them: with or without a header line, in several encodings, damaged here and there."""

from __future__ import annotations

import ast
import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from audiojourney.data.formats.base import Failure, bad_row
from audiojourney.errors import MissingError, UsageError

Cells = dict[str, str]
_LITERAL_CHARS = 20_000  # longer literals are text, not lists


def read_table(
    path: Path, columns: Sequence[str] = (), *, delimiter: str = ",", spaced: bool = False, optional: int = 0
) -> Iterator[tuple[int, Cells] | Failure]:
    """Yield line numbers and cells by column, one row after another.

    Args:
        path: UTF-8 file; bytes that are not, as in Clotho's metadata, are read as Latin-1.
        columns: names of the columns of a table without a header line.
        delimiter: what stands between cells.
        spaced: cells begin after a space, and lines that begin with `#` are comments, as in AudioSet.
        optional: so many of the last columns may be absent.

    Yields:
        A row, or the failure of one with another number of cells.
    """
    with path.open("rb") as file:
        lines = (_decoded(line, first=number == 0) for number, line in enumerate(file))
        kept = (line for line in lines if not (spaced and line.startswith("#")))
        reader = csv.reader(kept, delimiter=delimiter, skipinitialspace=spaced)
        names = list(columns)
        for cells in _whole_rows(reader):
            if isinstance(cells, csv.Error):
                yield bad_row(path, reader.line_num, f"no CSV ({cells}).")
            elif not names:
                names = [cell.strip() for cell in cells]
            elif len(names) - optional <= len(cells) <= len(names):
                yield reader.line_num, dict(zip(names, cells, strict=False))
            elif cells:
                yield bad_row(path, reader.line_num, f"{len(names)} cells were expected, not {len(cells)}.")


def _whole_rows(reader: Iterator[list[str]]) -> Iterator[list[str] | csv.Error]:
    """Yield the rows of a CSV reader, and the error of one that is too long; what follows it is read on."""
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield error
        else:
            yield cells


def first_line(path: Path) -> str:
    """Return the first line of a text file that is no comment, without its end, "" where there is none."""
    try:
        with path.open("rb") as file:
            lines = (_decoded(line, first=number == 0) for number, line in zip(range(4), file, strict=False))
            return next((line.rstrip("\r\n") for line in lines if not line.startswith("#")), "")
    except OSError:
        return ""


def header(path: Path) -> list[str]:
    """Return the cells of the first line of a CSV file, as `read_table` takes them for the names of columns."""
    try:
        with path.open("rb") as file:
            lines = (_decoded(line, first=number == 0) for number, line in enumerate(file))
            cells = next(filter(None, csv.reader(lines)), [])
    except (OSError, csv.Error):
        return []
    return [cell.strip() for cell in cells]


def tables_in(source: Path, patterns: Iterable[str]) -> list[Path]:
    """Return the tables that a user means: the file itself, or those below a folder that fit a pattern, sorted.

    Raises:
        MissingError: there is none.
    """
    patterns = tuple(patterns)
    if source.is_file():
        return [source]
    found = sorted({path for pattern in patterns for path in source.rglob(pattern) if path.is_file()})
    if not found:
        raise MissingError(f"{source} holds none of {', '.join(patterns)}.", "Give the folder of the data set.")
    return found


def number(cells: Cells, column: str) -> float:
    """Return the number in a cell.

    Raises:
        ValueError: it holds none from 0 on.
    """
    text = cells.get(column, "")
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise ValueError(f"{column} is a number from 0 on, not {text!r}.")
    return value


def codes(text: str) -> tuple[str, ...]:
    """Split a list of codes or words at its commas."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def texts(value: Any) -> tuple[str, ...]:
    """Return the texts of a list, also of one that was written as Python text, such as `"['a', 'b']"`."""
    if isinstance(value, str) and value.lstrip().startswith("[") and len(value) <= _LITERAL_CHARS:
        try:
            value = ast.literal_eval(value.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            value = value.strip(" []")
    if isinstance(value, str):
        value = value.split(",")
    if not isinstance(value, list | tuple):
        return ()
    found = (str(item).strip(" \t'\"") for item in value if isinstance(item, str | int | float))
    return tuple(item for item in found if item)


def require_columns(path: Path, wanted: Iterable[str]) -> None:
    """Check the header line of a table.

    Raises:
        UsageError: a column is not there.
    """
    found = header(path)
    missing = [column for column in wanted if column not in found]
    if missing:
        raise UsageError(f"{path} has no column {missing[0]!r}; it has {', '.join(found)[:200]!r}.")


def _decoded(line: bytes, first: bool) -> str:
    try:
        return line.decode("utf-8-sig" if first else "utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")
