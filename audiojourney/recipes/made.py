"""Lists made from other files by settings: made once, found done the next time, never replaced unasked.

Beside `name.jsonl` lies `name.report.json`: what it was made of, by which settings, and what came of it. The report is
written just before the list takes its place and holds its hash, so that a list is known by it or not at all, whenever a
run is killed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiojourney import __version__, files
from audiojourney.config import to_table
from audiojourney.data.manifest import file_sha256
from audiojourney.errors import UsageError


@dataclass(frozen=True)
class Making:
    """A list that is to be made.

    Attributes:
        output: the list.
        settings: all that its content depends on, besides the inputs.
        inputs: names of the inputs and what tells their content.
    """

    output: Path
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]

    @property
    def report(self) -> Path:
        """Where the report lies."""
        return self.output.with_name(f"{self.output.stem}.report.json")

    @property
    def errors(self) -> Path:
        """Where failed items are named: `errors.jsonl`, unless there is one that is not of this list."""
        own = _read(self.report).get("errors_list")
        if isinstance(own, str) and Path(own).name == own:
            return self.output.with_name(own)
        shared = self.output.with_name("errors.jsonl")
        return self.output.with_name(f"{self.output.stem}.errors.jsonl") if shared.exists() else shared

    @property
    def key(self) -> str:
        """Hash of settings, inputs and version; equal keys give equal lists."""
        whole = [to_table(self.settings), dict(self.inputs), __version__]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode("utf-8")).hexdigest()

    def earlier(self, *, force: bool = False) -> dict[str, Any] | None:
        """Return the report where the list is there already, made in the same way, else None.

        Raises:
            UsageError: a list is there that was made in another way, and `force` is not set.
        """
        if force or not self.output.exists():
            return None
        report = _read(self.report)
        if report.get("output_sha256") != file_sha256(self.output):
            why = "it is not known how"
        elif report["key"] == self.key:
            return report
        else:
            why = _difference(report, self)
        raise UsageError(f"{self.output} is there and was made in another way: {why}.", "Use -o, or --force.")

    def record(self, rows: Path, errors: Path | None, counts: Mapping[str, Any]) -> None:
        """Write the report.

        Args:
            rows: the finished list, still under another name.
            errors: where failed items are named; None without any.
            counts: what came of it.
        """
        whole: dict[str, Any] = {"key": self.key, "version": __version__, "output_sha256": file_sha256(rows)}
        whole |= {"errors_list": errors.name if errors else None, "settings": to_table(self.settings)}
        files.write_json(self.report, {**whole, "inputs": dict(self.inputs), "counts": dict(counts)})

    def name_errors(self, errors: list[dict[str, Any]]) -> Path | None:
        """Write which items failed and return where; without any, the list of an earlier run is removed."""
        path = self.errors
        if errors:
            text = "".join(json.dumps(error, ensure_ascii=False) + "\n" for error in errors)
            files.write_bytes(path, text.encode("utf-8", errors="backslashreplace"))
            return path
        if _read(self.report).get("errors_list"):
            path.unlink(missing_ok=True)
        return None


def _read(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def _difference(report: Mapping[str, Any], making: Making) -> str:
    """Say which settings differ, or else that the inputs or the version do."""
    before, now = _flat(report.get("settings")), _flat(to_table(making.settings))
    changed = [name for name in now if before.get(name) != now[name]]
    if changed:
        return ", ".join(f"{name} was {before.get(name)!r} and is {now[name]!r}" for name in changed)
    if report.get("inputs") != dict(making.inputs):
        return "its inputs have changed"
    return f"by version {report.get('version')!r}"


def _flat(table: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(table, Mapping):
        return {name: table}
    return {key: value for inner in table for key, value in _flat(table[inner], str(inner)).items()}
