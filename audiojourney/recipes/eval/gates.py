"""Conditions such as `fad_vggish>2.5` that a result must not meet."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import isfinite

from audiojourney.errors import UsageError
from audiojourney.metrics.names import NAMES, parse_name
from audiojourney.metrics.text.suite import NAMES as CAPTION_NAMES
from audiojourney.recipes.eval.classes import NAMES as CLASS_NAMES
from audiojourney.recipes.eval.result import EvalResult

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}
_FORM = re.compile(r"\s*(\w+)\s*(>=|<=|>|<)\s*([-+.\deE]+)\s*")


@dataclass(frozen=True)
class Gate:
    """A condition under which a result fails.

    Attributes:
        name: full name of a metric.
        sign: one of > < >= <=.
        limit: what its value is held against.
    """

    name: str
    sign: str
    limit: float

    def __str__(self) -> str:
        return f"{self.name}{self.sign}{self.limit:g}"


def parse_gate(text: str) -> Gate:
    """Read a condition.

    Raises:
        UsageError: another form, no such metric, or a name without its network.
    """
    match = _FORM.fullmatch(text)
    if not match:
        raise UsageError(f"--fail-if {text!r} is no condition.", 'Write it like "fad_vggish>2.5", with > < >= or <=.')
    name, sign, number = match.groups()
    if name not in (*NAMES, *CAPTION_NAMES, *CLASS_NAMES):
        parse_name(name)
    try:
        limit = float(number)
    except ValueError:
        limit = float("nan")
    if not isfinite(limit):
        raise UsageError(f"--fail-if {text!r}: {number!r} is no number.")
    return Gate(name, sign, limit)


def unmet(gates: Sequence[Gate], result: EvalResult) -> list[str]:
    """Return a sentence for each condition that holds, or that cannot be checked since there is no value."""
    told = []
    for gate in gates:
        row = result.metric(gate.name)
        if row is None:
            measured = ", ".join(metric.name for metric in result.metrics if metric.value is not None) or "nothing"
            told.append(f"{gate} cannot be checked: {gate.name} was not measured ({measured} was)")
        elif row.value is None:
            told.append(f"{gate} cannot be checked: {row.reason}")
        elif _OPERATORS[gate.sign](row.value, gate.limit):
            told.append(f"{gate.name} is {row.value:.6g}, {gate.sign} {gate.limit:g}")
    return told
