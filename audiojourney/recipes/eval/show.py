"""A result as text: aligned columns, CSV, LaTeX."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from audiojourney.recipes.eval.result import Difference, EvalResult, FileRow, MetricRow

HEADER = ("metric", "value", "interval", "n", "network")
CSV_HEADER = ("metric", "value", "low", "high", "n", "better", "network", "weights_hash", "convention", "reason")
DIFFERENCE_HEADER = ("metric", "value", "earlier", "difference", "interval", "note")
_ABSENT = "-"
_LATEX = {"&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}"}
_LATEX |= {"~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "\\": r"\textbackslash{}"}


def number(value: float | None) -> str:
    """Return five digits of a number, or a dash where there is none."""
    return _ABSENT if value is None else f"{value:.5g}"


def metric_cells(row: MetricRow) -> list[str]:
    """Return the cells of a metric under `HEADER`."""
    network = f"{row.network} {row.weights_hash[:8]}".strip()
    return [row.name, number(row.value), _span(row.low, row.high), _counts(row), network or _ABSENT]


def difference_cells(row: Difference) -> list[str]:
    """Return the cells of a difference under `DIFFERENCE_HEADER`."""
    shown = f"{row.difference:+.5g}" if row.difference is not None else _ABSENT
    note = row.note if row.comparable or not row.note else f"not comparable: {row.note}"
    return [row.name, number(row.value), number(row.earlier), shown, _span(row.low, row.high), note]


def file_header(result: EvalResult) -> list[str]:
    """Return the columns of the table of files."""
    return ["id", *score_names(result), "notes"]


def score_names(result: EvalResult) -> list[str]:
    """Return the metrics that any file has a score of, in the order of the metrics."""
    named = {name for row in result.files for name in row.scores}
    order = [row.name for row in result.metrics]
    return sorted(named, key=lambda name: (order.index(name) if name in order else len(order), name))


def file_cells(row: FileRow, names: Sequence[str]) -> list[str]:
    """Return the cells of a file under `file_header`."""
    return [row.id, *(number(row.scores.get(name)) for name in names), "; ".join(row.notes)]


def to_csv(result: EvalResult, *, per_file: bool = False) -> str:
    """Return the metrics as CSV, or with `per_file` the files; an absent number is an empty cell."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    if per_file:
        names = score_names(result)
        writer.writerow(["id", "generated", "reference", "caption", "label", *names, "notes"])
        for row in result.files:
            scores = [_exact(row.scores.get(name)) for name in names]
            writer.writerow(
                [row.id, row.generated, row.reference, row.caption, row.label, *scores, "; ".join(row.notes)]
            )
        return buffer.getvalue()
    writer.writerow(CSV_HEADER)
    for metric in result.metrics:
        numbers = [_exact(metric.value), _exact(metric.low), _exact(metric.high)]
        about = [metric.network, metric.weights_hash, metric.convention.get("convention", ""), metric.reason]
        writer.writerow([metric.name, *numbers, "/".join(map(str, metric.n)), metric.better, *about])
    return buffer.getvalue()


def to_latex(result: EvalResult) -> str:
    """Return the metrics as a `tabular` of LaTeX; arrows say which way is better."""
    lines = [r"\begin{tabular}{lrrr}", r"metric & value & interval & $n$ \\", r"\hline"]
    for row in result.metrics:
        arrow = {"lower": r" $\downarrow$", "higher": r" $\uparrow$"}.get(row.better, "")
        cells = [number(row.value), _span(row.low, row.high), _counts(row)]
        shown = ["--" if cell == _ABSENT else cell.replace("-", "$-$") for cell in cells]
        lines.append(" & ".join([latex(row.name) + arrow, *shown]) + r" \\")
    return "\n".join([*lines, r"\end{tabular}", ""])


def latex(text: str) -> str:
    """Return a text with everything escaped that LaTeX would act upon."""
    return "".join(_LATEX.get(letter, letter) for letter in text)


def _exact(value: float | None) -> str:
    return "" if value is None else repr(value)


def _span(low: float | None, high: float | None) -> str:
    return _ABSENT if low is None or high is None else f"[{number(low)}, {number(high)}]"


def _counts(row: MetricRow) -> str:
    return "/".join(map(str, row.n)) or _ABSENT
