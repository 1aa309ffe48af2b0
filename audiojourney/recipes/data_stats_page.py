"""The page of `aj data stats`: figures, histograms and a word cloud, in one file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from audiojourney.recipes.page.charts import bars
from audiojourney.recipes.page.document import document, header
from audiojourney.recipes.page.markup import Markup, tag
from audiojourney.recipes.page.parts import Column, facts, figure, section, table
from audiojourney.recipes.word_cloud import HEIGHT, WIDTH, lay_out

_STYLE = Path(__file__).parent / "data_stats.css"
_HIGH, _WIDE, _FOOT = 140, 480, 22
_WIDEST = 48  # of a column
_FONT = 12  # size of texts in drawings
HISTOGRAMS = {
    "duration_s": "Length of clips, seconds",
    "caption_words": "Words in a caption",
    "segments_per_recording": "Clips cut from one recording",
}
_FACTS = {
    "clips": "clips",
    "hours": "hours",
    "recordings": "recordings",
    "captions": "captions",
    "clips_with_captions": "clips with captions",
    "vocabulary": "different words",
    "words": "words",
    "clips_of_unknown_length": "clips of unknown length",
    "bad_rows": "rows that are no clips",
}
_TABLES = {
    "labels": "Labels",
    "splits": "Splits",
    "datasets": "Data sets",
    "caption_sources": "Sources of captions",
    "licences": "Licences",
    "sample_rates": "Sample rates, Hz",
}


def stats_page(stats: Mapping[str, Any]) -> str:
    """Return the page for what `audiojourney.recipes.data_stats.run` returned."""
    figures = facts({words: _shown(stats[name]) for name, words in _FACTS.items()})
    drawings = [_histogram(stats["histograms"][name], what) for name, what in HISTOGRAMS.items()]
    parts = [
        header("Data set", stats["source"]),
        section("In figures", figures, _summaries(stats)),
        section("Histograms", tag("div", *drawings, class_="charts")),
    ]
    if stats["top_words"]:
        cloud, words = _cloud(dict(stats["content_words"])), dict(stats["top_words"])
        parts.append(section("Words of the captions", cloud, bars(words, name="words", what="Word")))
    parts += [
        section(title, bars(stats[name], name=name, what=title)) for name, title in _TABLES.items() if stats.get(name)
    ]
    return document("Data set", parts, styles=[_STYLE], kind="stats")


def _summaries(stats: Mapping[str, Any]) -> Markup:
    names = {**HISTOGRAMS, "captions_per_clip": "Captions of a clip"}
    keys = ("n", "mean", "min", "p5", "p50", "p95", "max")
    columns = ["", *(Column(title=key, numeric=True) for key in keys)]
    rows = [[what, *(stats[name][key] for key in keys)] for name, what in names.items()]
    return table(columns, rows, name="summaries", title="Summaries")


def _histogram(bins: Sequence[tuple[float, float, int]], what: str) -> Markup:
    """Return columns over an axis, one for each bin."""
    if not bins:
        return tag("figure", tag("p", "none"), tag("figcaption", what), class_="histogram")
    step, tallest = min(_WIDEST, _WIDE / len(bins)), max(count for _, _, count in bins)
    columns = [_column(place * step, step, bin, tallest) for place, bin in enumerate(bins) if bin[2]]
    ends = ((0, "start", bins[0][0]), (step * len(bins), "end" if len(bins) > 1 else "start", bins[-1][1]))
    ticks = [tag("text", figure(at), x=x, y=_HIGH + 16, text_anchor=side) for x, side, at in ends]
    line = tag("line", x1=0, x2=_WIDE, y1=_HIGH, y2=_HIGH)
    told = f"{what}: from {figure(bins[0][0])} to {figure(bins[-1][1])}, at most {tallest} in a column"
    drawn = tag("svg", *columns, line, *ticks, viewBox=f"0 0 {_WIDE} {_HIGH + _FOOT}", role="img", aria_label=told)
    return tag("figure", drawn, tag("figcaption", what), class_="histogram")


def _column(x: float, step: float, bin: tuple[float, float, int], tallest: int) -> Markup:
    low, high, count = bin
    height = max(1.5, count / tallest * (_HIGH - 4))
    gap = min(1.0, step / 4)
    told = tag("title", f"{figure(low)} to {figure(high)}: {count}")
    place = {"x": f"{x + gap / 2:.2f}", "y": f"{_HIGH - height:.2f}"}
    return tag("rect", told, width=f"{step - gap:.2f}", height=f"{height:.2f}", **place)


def _cloud(counts: Mapping[str, int]) -> Markup:
    words = [
        tag(
            "text",
            tag("title", f"{word.text}: {word.count}"),
            word.text,
            # The page's style sheet outranks the attribute for the size of the font.
            transform=f"translate({word.x:.1f} {word.y:.1f}) scale({word.size / _FONT:.3f})",
        )
        for word in lay_out(counts.items())
    ]
    told = f"Word cloud of {len(words)} words"
    return tag("svg", *words, viewBox=f"0 0 {WIDTH} {HEIGHT}", class_="cloud", role="img", aria_label=told)


def _shown(value: object) -> str:
    return figure(value) if isinstance(value, int | float) else str(value)
