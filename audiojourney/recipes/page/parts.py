"""Parts that several pages share: sections, tables that can be sorted and filtered, facts, warnings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audiojourney.recipes.page.markup import Markup, tag

NOTHING = "–"  # shown where there is no value
UNFOLDED = 3  # warnings that are shown at once


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a table.

    Attributes:
        title: its heading.
        numeric: aligned to the right; sorts from the greatest down at first.
        help: what a pointer that rests on the heading is told.
    """

    title: str
    numeric: bool = False
    help: str = ""


def figure(value: float | None) -> str:
    """Return a number with four digits that count; thousands are set apart."""
    if value is None:
        return NOTHING
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def section(title: str, *children: object, name: str | None = None) -> Markup:
    """Return a part of the page under a heading; `name` is what links in the page lead to."""
    return tag("section", tag("h2", title), *children, id=name)


def notices(texts: Iterable[str], *, title: str = "Warnings") -> Markup:
    """Return warnings in a box of their own, those after the first few folded; or nothing where there are none."""
    items = [tag("li", text) for text in texts]
    if not items:
        return Markup()
    first, further = items[:UNFOLDED], items[UNFOLDED:]
    more = folded(f"{len(further)} more", tag("ul", *further)) if further else None
    return tag("aside", tag("h2", title), tag("ul", *first), more, class_="notice")


def facts(values: Mapping[str, object]) -> Markup:
    """Return names and values side by side; tables in the values are told as `name.key`."""
    rows = [part for name, value in _flat(values) for part in (tag("dt", name), tag("dd", value))]
    return tag("dl", *rows, class_="facts")


def folded(title: str, *children: object, open: bool = False) -> Markup:
    """Return parts that are shown when their title is pressed."""
    return tag("details", tag("summary", title), *children, open=open)


def table(columns: Sequence[object], rows: Iterable[Sequence[object]], *, name: str, title: str = "") -> Markup:
    """Return a table whose rows sort by each of its columns; it scrolls by itself where the page is narrow.

    Args:
        columns: headings, each a `Column` or the title of one.
        rows: cells; numbers are shown by `figure` and sorted in full, None sorts last.
        name: id of the table, unique in the page; `toolbar` filters by it.
        title: what the table is, for those who cannot see the heading above it.
    """
    plain = [column if isinstance(column, Column) else Column(title=str(column)) for column in columns]
    head = tag("tr", *(_heading(column) for column in plain))
    body = [tag("tr", *(_cell(cell, column) for cell, column in zip(row, plain, strict=True))) for row in rows]
    inner = tag("table", tag("thead", head), tag("tbody", *body, data_list=name), id=name)
    return tag("div", inner, class_="wide", role="region", tabindex="0", aria_label=title or name)


def toolbar(
    name: str, count: int, *, what: str, sorts: Mapping[str, str] | None = None, labels: Sequence[str] = ()
) -> Markup:
    """Return a field that filters the list `name`, and where wanted choices of order and of a label.

    Args:
        name: the list's `data-list`.
        count: entries of the list.
        what: what the entries are, in the plural.
        sorts: words for each `data-` key of the entries to sort by; a dash before the key sorts downwards.
        labels: values of the entries' `data-label` to choose from.
    """
    field = tag("input", type="search", data_filters=name, placeholder="any words", autocomplete="off")
    parts = [tag("label", "Find ", field)]
    if labels:
        options = [tag("option", "all", value=""), *(tag("option", label, value=label) for label in labels)]
        parts.append(tag("label", "Label ", tag("select", *options, data_labels=name)))
    if sorts:
        options = [tag("option", words, value=key) for key, words in sorts.items()]
        parts.append(tag("label", "Sort by ", tag("select", *options, data_sorts=name)))
    shown = tag("output", f"{count} {what}", data_count=name, data_what=what, aria_live="polite")
    return tag("div", *parts, shown, class_="toolbar")


def _heading(column: Column) -> Markup:
    kind = "number" if column.numeric else None
    button = tag("button", column.title, type="button", title=column.help or None)
    return tag("th", button, scope="col", class_=kind, aria_sort="none")


def _cell(value: object, column: Column) -> Markup:
    kind = "number" if column.numeric else None
    if value is None:
        return tag("td", NOTHING, class_=kind, data_value="")
    if isinstance(value, int | float) and not isinstance(value, bool):
        return tag("td", figure(value), class_=kind, data_value=repr(value))
    return tag("td", value, class_=kind)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, object]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            yield f"{prefix}{key}", ", ".join(map(str, value)) or NOTHING
        else:
            yield f"{prefix}{key}", NOTHING if value is None or value == "" else value
