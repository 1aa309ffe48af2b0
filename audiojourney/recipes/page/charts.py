"""Small drawings in SVG: they take the colours of the page and scale with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from audiojourney.errors import UsageError
from audiojourney.recipes.page.markup import Markup, tag
from audiojourney.recipes.page.parts import Column, figure, table

_WIDTH, _HEIGHT, _FOOT = 480, 140, 22
_BINS = 24


def bars(values: Mapping[str, float], *, name: str, what: str, unit: str = "") -> Markup:
    """Return a table of names, numbers and bars as long as the numbers, which are 0 or more.

    Args:
        values: a number for each name, in the order in which they are shown.
        name: id of the table.
        what: heading of the names.
        unit: heading of the numbers.
    """
    longest = max(values.values(), default=0) or 1
    rows = [(key, value, bar(value / longest)) for key, value in values.items()]
    columns = [what, Column(title=unit or "count", numeric=True), Column(title="")]
    return table(columns, rows, name=name, title=what)


def bar(share: float) -> Markup:
    """Return a bar that fills a share, between 0 and 1, of the width it is given."""
    filled = tag("rect", width=f"{100 * min(1.0, max(0.0, share)):.2f}", height="10")
    return tag("svg", filled, class_="bar", viewBox="0 0 100 10", preserveAspectRatio="none", aria_hidden="true")


def histogram(values: Sequence[float], *, what: str, bins: int = _BINS) -> Markup:
    """Return how many values lie where, as columns over an axis.

    Args:
        values: finite numbers.
        what: the quantity and its unit, below the axis.
        bins: number of columns.

    Raises:
        UsageError: there is no value, or one is not finite.
    """
    numbers = np.asarray(values, np.float64)
    if not numbers.size or not np.isfinite(numbers).all():
        raise UsageError(f"{numbers.size} values of {what!r}, not all finite or none at all, have no histogram.")
    counts, edges = np.histogram(numbers, bins=bins)
    step, tallest = _WIDTH / bins, counts.max()
    columns = [_column(number, int(count), step, tallest, edges) for number, count in enumerate(counts) if count]
    ends = ((0, "start", edges[0]), (_WIDTH / 2, "middle", (edges[0] + edges[-1]) / 2), (_WIDTH, "end", edges[-1]))
    ticks = [tag("text", figure(float(at)), x=f"{x:g}", y=_HEIGHT + 16, text_anchor=side) for x, side, at in ends]
    line = tag("line", x1=0, x2=_WIDTH, y1=_HEIGHT, y2=_HEIGHT)
    told = f"{what}: {numbers.size} values from {figure(float(numbers.min()))} to {figure(float(numbers.max()))}"
    drawn = tag("svg", *columns, line, *ticks, viewBox=f"0 0 {_WIDTH} {_HEIGHT + _FOOT}", role="img", aria_label=told)
    return tag("figure", drawn, tag("figcaption", what), class_="histogram")


def _column(number: int, count: int, step: float, tallest: int, edges: np.ndarray) -> Markup:
    height = max(1.5, count / tallest * (_HEIGHT - 4))
    told = f"{figure(float(edges[number]))} to {figure(float(edges[number + 1]))}: {count}"
    place = {"x": f"{number * step + 0.5:.2f}", "y": f"{_HEIGHT - height:.2f}"}
    return tag("rect", tag("title", told), width=f"{step - 1:.2f}", height=f"{height:.2f}", **place)
