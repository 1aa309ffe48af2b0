"""`aj data stats`: a data set in figures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from audiojourney import config as configuration
from audiojourney.cli import _data_options, _options, _ui
from audiojourney.errors import UsageError

_FLAGS = ("source", "top", "split")
_SUMMARIES = {
    "duration_s": "length, s",
    "caption_words": "words a caption",
    "captions_per_clip": "captions a clip",
    "segments_per_recording": "clips a recording",
}
_COUNTS = ("clips", "hours", "recordings", "captions", "clips_with_captions", "vocabulary", "clips_of_unknown_length")
_LISTS = ("splits", "datasets", "labels", "caption_sources", "licences", "sample_rates")
_SHOWN = 8
_BARS = " ▁▂▃▄▅▆▇█"

Top = Annotated[int | None, typer.Option("--top", metavar="N", help="Words and labels to name. [default: 50]")]
Split = Annotated[str | None, typer.Option("--split", metavar="NAME", help="Clips of this split. [default: all]")]
Html = Annotated[Path | None, typer.Option("--html", metavar="PAGE", help="Write a page with pictures as well.")]


def data_stats(
    ctx: typer.Context,
    source: _data_options.Data = None,
    top: Top = None,
    split: Split = None,
    html: Html = None,
    force: _options.Force = False,
    config: _options.Config = None,
    settings: _options.Settings = None,
    json: _options.Json = False,
    print_config: _options.PrintConfig = False,
) -> None:
    """Count clips, hours, captions, words and labels of DATA; histograms of lengths and of clips a recording."""
    from audiojourney import files
    from audiojourney.recipes.data_stats import StatsConfig, run

    flags = {name: ctx.params[name] for name in _FLAGS}
    chosen = configuration.resolve(StatsConfig, "data stats", flags=flags, settings=settings or (), file=config)
    if print_config:
        _ui.out(configuration.dump(chosen).rstrip())
        return
    if html is not None and html.exists() and not force:
        raise UsageError(f"{html} exists.", "Name another page, or add --force.")
    with _ui.progress("clips", shown=not json) as bar:
        stats = run(chosen, bar.update if bar else lambda done, total: None)
    if html is not None:
        from audiojourney.recipes.data_stats_page import stats_page

        files.write_text(html, stats_page(stats))
        _ui.say(f"The page is {html}.")
    if json:
        _ui.out_json(stats)
    else:
        _show(stats)
    if stats["bad_rows"]:
        _ui.say(f"{stats['bad_rows']} rows are no clips and were not counted: aj data verify {stats['source']}")


def _show(stats: Mapping[str, Any]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    figures = Table("", *("n", "mean", "min", "p5", "p50", "p95", "max"), "", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for column in figures.columns:
        column.no_wrap = True
    for column in figures.columns[1:8]:
        column.justify = "right"
    for name, words in _SUMMARIES.items():
        row = stats[name]
        spread = _sparks([count for _, _, count in stats["histograms"].get(name, [])])
        figures.add_row(words, *(_figure(row[key]) for key in ("n", "mean", "min", "p5", "p50", "p95", "max")), spread)
    _ui.listing({name.replace("_", " "): _figure(stats[name]) for name in _COUNTS})
    console = Console()
    console.print(figures)
    lists = {name.replace("_", " "): _listed(stats.get(name) or {}) for name in _LISTS if stats.get(name)}
    said = [f"{word} {count}" for word, count in stats["content_words"][: 2 * _SHOWN]]
    _ui.listing(lists | ({"words": ", ".join(said)} if said else {}))


def _listed(counts: Mapping[str, int]) -> str:
    shown = ", ".join(f"{name} {count}" for name, count in list(counts.items())[:_SHOWN])
    return shown + (f", and {len(counts) - _SHOWN} more" if len(counts) > _SHOWN else "")


def _sparks(counts: list[int]) -> str:
    counts = [sum(counts[place : place + 2]) for place in range(0, len(counts), 2)]
    tallest = max(counts, default=0) or 1
    return "".join(_BARS[-(-count * (len(_BARS) - 1) // tallest)] for count in counts)


def _figure(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
