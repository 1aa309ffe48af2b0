"""What an evaluation found, and the JSON file that keeps it. Its keys are stable: `VERSION` counts their changes."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audiojourney import config as configuration
from audiojourney import files
from audiojourney.errors import AudioJourneyError, MissingError, UsageError

VERSION = 1
_MARK = "aj_eval"


@dataclass(frozen=True, kw_only=True)
class MetricRow:
    """One measured number, or the reason why there is none.

    Attributes:
        name: full name with the network: `fad_vggish`, never `fad`.
        value: the number, or None; never a number that is not finite.
        low: lower end of the interval, or None where there is none.
        high: upper end of the interval.
        interval: how the interval was found: level, method, draws, seed; empty without one.
        n: clips behind it: (reference, generated), or (pairs,), or (generated,).
        better: "lower", "higher", or "" where neither is.
        convention: the choices the number depends on, such as splits and direction.
        network: checkpoint that measured, such as `vggish-10086976.pth`; empty where none did.
        weights_hash: SHA-256 of its weights in hexadecimal; empty where no network measured.
        reason: why there is no value; empty where there is one.
        warnings: what a reader must know before comparing.
    """

    name: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    interval: str = ""
    n: tuple[int, ...] = ()
    better: str = ""
    convention: Mapping[str, Any] = field(default_factory=dict)
    network: str = ""
    weights_hash: str = ""
    reason: str = ""
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.value is None and not self.reason:
            raise AudioJourneyError(f"The metric {self.name!r} has neither a value nor a reason for having none.")
        numbers = [number for number in (self.value, self.low, self.high) if number is not None]
        if not all(map(math.isfinite, numbers)):
            raise AudioJourneyError(f"The metric {self.name!r} came out as {numbers}, which is no result.")


@dataclass(frozen=True, kw_only=True)
class FileRow:
    """One generated sound, with its partner where it has one.

    Attributes:
        id: name that both sides share, or that of the generated sound.
        generated: its sound file as it was named; "" where captions alone are measured.
        reference: sound file of its partner, or "".
        caption: the prompt, or the caption that is measured.
        label: first label of the partner or of itself, or "".
        scores: value of each metric that has one a clip; None where this clip has none.
        notes: what is odd about it, such as "silent" or "too short for vggish".
    """

    id: str
    generated: str = ""
    reference: str = ""
    caption: str = ""
    label: str = ""
    scores: Mapping[str, float | None] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A metric beside its value in an earlier result.

    Attributes:
        name: full name.
        value: now, or None.
        earlier: then, or None.
        difference: now minus then, or None.
        low: lower end of the interval of the difference over common clips, or None.
        high: its upper end.
        comparable: whether both were measured alike: weights, convention, numbers of clips.
        note: what differs, or "".
    """

    name: str
    value: float | None = None
    earlier: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    comparable: bool = True
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class EvalResult:
    """All that an evaluation found.

    Attributes:
        metrics: in the order in which they are shown.
        files: a row for each generated clip, in the order of ids.
        warnings: what a reader must know of the whole, with counts.
        differences: to the result named by `--compare`.
        classes: a row for each class of a classifier: name, clips, average precision, AUC, accuracy.
        settings: what was asked for, as `aj eval --print-config` shows it.
        versions: releases of this package and of those that decide digits.
        generated: what was measured, as it was named.
        reference: what it was measured against, or "".
    """

    metrics: tuple[MetricRow, ...] = ()
    files: tuple[FileRow, ...] = ()
    warnings: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    classes: tuple[Mapping[str, Any], ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    generated: str = ""
    reference: str = ""

    def metric(self, name: str) -> MetricRow | None:
        """Return the row of a metric by its full name, or None."""
        return next((row for row in self.metrics if row.name == name), None)

    def table(self, *, per_file: bool = True) -> dict[str, Any]:
        """Return plain values for JSON, with or without the rows of files."""
        table = {_MARK: VERSION, **configuration.to_table(self)}
        return table if per_file else {key: value for key, value in table.items() if key != "files"}

    def write(self, path: Path) -> None:
        """Write the JSON file, whole or not at all; names of files that are no UTF-8 become JSON escapes."""
        files.write_text(path, json.dumps(self.table(), indent=2, allow_nan=False) + "\n")


def read_result(path: Path) -> EvalResult:
    """Read a file that `EvalResult.write` wrote; keys of later versions are ignored.

    Raises:
        MissingError: there is no such file.
        UsageError: it holds something else.
        AudioJourneyError: it cannot be read.
    """
    if not path.is_file():
        raise MissingError(f"There is no result file {str(path)!r}.", "Write one with: aj eval ... -o result.json")
    try:
        table = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_number)
    except (OSError, UnicodeDecodeError) as error:
        raise AudioJourneyError(f"The result file {str(path)!r} cannot be read ({error}).") from error
    except ValueError as error:
        raise UsageError(f"{str(path)!r} is no JSON ({error}).", "Name a file that aj eval -o wrote.") from error
    if not isinstance(table, dict) or _MARK not in table:
        raise UsageError(f"{str(path)!r} is no result of aj eval: it has no key {_MARK!r}.")
    kinds = {"metrics": MetricRow, "files": FileRow, "differences": Difference}
    lists = {key: _rows(cls, table.get(key, []), f"{path}.{key}") for key, cls in kinds.items()}
    return configuration.build(EvalResult, _known(EvalResult, table) | lists, str(path))


def _rows(cls: type, rows: Any, where: str) -> list[dict[str, Any]]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UsageError(
            f"{where} is {str(rows)[:40]!r}; expected a list of tables.", "Name a file that aj eval -o wrote."
        )
    return [_known(cls, row) for row in rows]


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no result")


def _known(cls: type, table: Mapping[str, Any]) -> dict[str, Any]:
    names = {field.name for field in dataclasses.fields(cls)}
    return {key: value for key, value in table.items() if key in names}
