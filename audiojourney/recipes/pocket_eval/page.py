"""Writes the figures as a page and as JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from audiojourney import files
from audiojourney.recipes.pocket_eval.figures import Figure
from audiojourney.recipes.pocket_eval.method import METHOD
from audiojourney.recipes.pocket_eval.settings import HELD_OUT_FOLD

BEGIN = "<!-- Written by `make pocket-eval`; what stands between these two lines is replaced by it. -->"
END = "<!-- End of what `make pocket-eval` writes. -->"
TITLE = "# Results\n"
HEADER = ("gate", "figure", "judge", "asked", "reached", "95 %", "real", "chance", "N", "seeds", "met")

# Gate, key among the details of its figures, heading of the column of single classes.
CLASS_COLUMNS = (
    ("named", "made", "named right"),
    ("named", "real", "real"),
    ("wordings", "made", "unseen wordings"),
)


def write(output: Path, figures: Sequence[Figure], gates: Sequence[str], facts: Mapping[str, Any]) -> tuple[Path, Path]:
    """Write the page, keeping what others wrote around it, and a JSON file of the same name.

    Raises:
        AudioJourneyError: a file cannot be written.
    """
    beside = output.with_suffix(".json")
    files.write_json(beside, {**facts, "figures": [to_json(figure) for figure in figures]})
    old = output.read_text(encoding="utf-8") if output.is_file() else TITLE
    files.write_text(output, splice(old, section(figures, gates, facts)))
    return output, beside


def to_json(figure: Figure) -> dict[str, Any]:
    """Return a figure as a table of plain values; what is no number becomes null."""
    table = {**asdict(figure), "asked": figure.asked, "interval": figure.interval, "met": figure.met}
    return {key: _finite(value) for key, value in table.items()}


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def splice(page: str, text: str, begin: str = BEGIN, end: str = END) -> str:
    """Put `text` between the two marks of a page, or at its end where it has none."""
    marked = f"{begin}\n\n{text.strip()}\n\n{end}"
    start, stop = page.find(begin), page.find(end)
    if start < 0 or stop < start:
        return f"{page.rstrip()}\n\n{marked}\n"
    return page[:start] + marked + page[stop + len(end) :]


def section(figures: Sequence[Figure], gates: Sequence[str], facts: Mapping[str, Any]) -> str:
    """Return the part of the page that `make pocket-eval` owns."""
    told = [
        "## Pocket models",
        _verdict(figures, gates),
        f"Model `{facts['model']}`, weights `{facts['weights']}`. {_held_out(facts['hold_out'])}",
        table(HEADER, _rows(figures, gates)),
        *_classes(figures),
        METHOD.format(**facts),
    ]
    return "\n\n".join(told)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float | None) -> str:
    """Return a figure in three digits, or a dash."""
    return "-" if value is None or not math.isfinite(value) else f"{value:.3g}"


def _held_out(fold: Any) -> str:
    """Whether the model says that it kept away from the recordings that the strict judge knows."""
    if fold == HELD_OUT_FOLD:
        return f"It was trained without the recordings of fold {fold}."
    if fold is None:
        return (
            "It was trained on all recordings, so the strict judge shares some with it: these figures are flattering."
        )
    return f"Recordings held out from its training: {fold}; the strict judge asks for fold {HELD_OUT_FOLD}."


def _verdict(figures: Sequence[Figure], gates: Sequence[str]) -> str:
    missed = [gate for gate in gates if any(figure.gate == gate and figure.failed for figure in figures)]
    unmeasured = [gate for gate in gates if not any(figure.gate == gate for figure in figures)]
    said = f"Gates missed: {', '.join(missed)}." if missed else "Every gate that was measured is met."
    return f"{said} Not measured: {', '.join(unmeasured)}." if unmeasured else said


def _rows(figures: Sequence[Figure], gates: Sequence[str]) -> list[list[str]]:
    """One row a figure, and one for each gate that was not measured."""
    rows = []
    for gate in gates:
        own = [figure for figure in figures if figure.gate == gate]
        rows += [row(figure) for figure in own] or [[gate, "not measured", *["-"] * (len(HEADER) - 2)]]
    return rows


def row(figure: Figure) -> list[str]:
    """Return a figure as the cells of `HEADER`."""
    interval = figure.interval
    chance = number(figure.chance) + (f" ({figure.chance_of})" if figure.chance is not None else "")
    return [
        figure.gate,
        figure.what,
        figure.judge or "-",
        figure.asked or "-",
        number(figure.reached),
        f"{interval[0]:.2f}-{interval[1]:.2f}" if interval else "-",
        number(figure.real),
        chance,
        str(figure.clips) if figure.clips else "-",
        figure.seeds or "-",
        verdict(figure),
    ]


def verdict(figure: Figure) -> str:
    """Return whether the bound is kept; in brackets where the gate does not hang on the line."""
    if figure.met is None:
        return "-"
    said = "yes" if figure.met else "no"
    return said if figure.counts else f"({said})"


def _classes(figures: Sequence[Figure]) -> list[str]:
    """The table of single classes, from what the figures say beside their value."""
    columns = {
        f"{title}, {figure.judge}": figure.detail[key]
        for gate, key, title in CLASS_COLUMNS
        for figure in figures
        if figure.gate == gate and key in figure.detail
    }
    confused: Mapping[str, Mapping[str, int]] = next((f.detail["named"] for f in figures if "named" in f.detail), {})
    if not columns:
        return []
    concepts = sorted({concept for shares in columns.values() for concept in shares})
    rows = [
        [concept, *(number(shares.get(concept)) for shares in columns.values()), _taken_for(confused.get(concept, {}))]
        for concept in concepts
    ]
    return ["### Each class", table(("class", *columns, "taken for (strict)"), rows)]


def _taken_for(named: Mapping[str, int]) -> str:
    ranked = sorted(named.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
    return ", ".join(f"{name} {count}" for name, count in ranked) or "-"
