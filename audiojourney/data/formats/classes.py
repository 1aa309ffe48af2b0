"""Words for the codes of AudioSet's classes, read from any of the lists that are published with it."""

from __future__ import annotations

from pathlib import Path

from audiojourney.data.formats.base import Failure
from audiojourney.data.formats.jsonrows import read_objects
from audiojourney.data.formats.tables import read_table, require_columns
from audiojourney.errors import MissingError, UsageError


def class_names(path: Path) -> dict[str, str]:
    """Return the name of each code.

    Args:
        path: `class_labels_indices.csv`, `mid_to_display_name.tsv`, `ontology.json`, or the ontology as JSON lines.

    Raises:
        MissingError: there is no such file.
        UsageError: it is none of these.
    """
    if not path.is_file():
        raise MissingError(f"There is no list of classes {str(path)!r}.")
    if path.suffix == ".tsv":
        rows = read_table(path, ("mid", "display_name"), delimiter="\t")
    elif path.suffix == ".csv":
        require_columns(path, ("mid", "display_name"))
        rows = read_table(path)
    else:
        found = [row[1] for row in read_objects(path) if not isinstance(row, Failure)]
        return _checked(path, {str(row.get("id", "")): str(row.get("name", "")) for row in found})
    return _checked(path, {row[1]["mid"]: row[1]["display_name"] for row in rows if not isinstance(row, Failure)})


def named(codes: tuple[str, ...], names: dict[str, str]) -> tuple[str, ...]:
    """Return the words for codes; a code without one stays."""
    return tuple(names.get(code, code) for code in codes)


def _checked(path: Path, names: dict[str, str]) -> dict[str, str]:
    names = {code: name for code, name in names.items() if code and name}
    if not names:
        raise UsageError(f"{path} names no classes.", "Give class_labels_indices.csv or ontology.json of AudioSet.")
    return names
