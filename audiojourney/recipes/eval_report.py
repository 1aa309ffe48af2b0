"""`aj eval --report`: one page with the metrics, and the sounds to look at and to listen to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audiojourney import files
from audiojourney.recipes.eval.result import EvalResult, FileRow, MetricRow
from audiojourney.recipes.eval_report_samples import REPORT, ReportConfig, Samples, collect
from audiojourney.recipes.page import charts, parts
from audiojourney.recipes.page.document import document, header
from audiojourney.recipes.page.markup import Markup, tag
from audiojourney.recipes.page.parts import Column

_STYLE = Path(__file__).parent / "page" / "report.css"
_FEW = 10  # values below which a histogram shows nothing


@dataclass(frozen=True, kw_only=True)
class ReportSummary:
    """What a report shows.

    Attributes:
        path: the page.
        samples: clips that can be heard in it.
        files: clips that were measured.
        size_bytes: size of the page.
        unreadable: clips that were to be shown and could not be read, with the reason.
    """

    path: Path
    samples: int
    files: int
    size_bytes: int
    unreadable: tuple[str, ...]


def write_report(result: EvalResult, path: Path, config: ReportConfig = REPORT) -> ReportSummary:
    """Write the page of an evaluation, whole or not at all.

    Args:
        result: what was measured; its sounds are read where it says they are.
        path: the page; an earlier one is replaced.
        config: how much is shown.

    Raises:
        AudioJourneyError: the page cannot be written.
    """
    samples = collect(result, config)
    page = document(f"Evaluation of {_named(result)}", _body(result, samples, config), styles=[_STYLE], kind="report")
    data = page.encode("utf-8")
    files.write_bytes(path, data)
    return ReportSummary(
        path=path,
        samples=len(samples.cards),
        files=len(result.files),
        size_bytes=len(data),
        unreadable=samples.unreadable,
    )


def _named(result: EvalResult) -> str:
    return result.generated or "captions"


def _body(result: EvalResult, samples: Samples, config: ReportConfig) -> list[Markup]:
    against = f"against {result.reference}" if result.reference else ""
    release = result.versions.get("audiojourney", "")
    told = [f"{len(result.files):,} clips", against, f"audiojourney {release}" if release else ""]
    return [
        header(f"Evaluation of {_named(result)}", " · ".join(filter(None, told))),
        parts.notices([*result.warnings, *samples.unreadable]),
        _metrics(result.metrics),
        *_classes(result.classes),
        *_extremes(samples),
        *_labels(result),
        *_samples(result, samples),
        *_files(result, samples, config),
        _settings(result),
    ]


def _metrics(rows: Sequence[MetricRow]) -> Markup:
    columns = [
        "Metric",
        Column(title="Value", numeric=True),
        Column(title="Interval", help="where the value would fall again; how it was found stands below"),
        Column(title="N", numeric=True, help="clips of the reference and of the generated side, or pairs"),
        "Better",
        "Network",
        "Remarks",
    ]
    body = [
        (tag("strong", row.name), row.value, _interval(row), _counts(row), row.better, _network(row), _remarks(row))
        for row in rows
    ]
    conventions = {row.name: _convention(row) for row in rows if _convention(row)}
    below = parts.folded("Conventions that the values depend on", parts.facts(conventions)) if conventions else None
    return parts.section("Metrics", parts.table(columns, body, name="metrics", title="Metrics"), below)


def _interval(row: MetricRow) -> Markup:
    if row.low is None or row.high is None:
        return tag("span", parts.NOTHING)
    return tag("span", f"{parts.figure(row.low)} to {parts.figure(row.high)}", class_="range", title=row.interval)


def _counts(row: MetricRow) -> str:
    return " / ".join(f"{count:,}" for count in row.n) or parts.NOTHING


def _network(row: MetricRow) -> Markup:
    if not row.network:
        return tag("span", parts.NOTHING)
    mark = f" {row.weights_hash[:8]}" if row.weights_hash else ""
    return tag("span", row.network, tag("code", mark) if mark else None, title=row.weights_hash or None)


def _remarks(row: MetricRow) -> Markup:
    told = [row.reason, *row.warnings]
    return tag("span", *(tag("span", text, class_="remark") for text in told if text))


def _convention(row: MetricRow) -> dict[str, Any]:
    return {**row.convention, **({"interval": row.interval} if row.interval else {})}


def _classes(rows: Sequence[Mapping[str, Any]]) -> Iterator[Markup]:
    """Yield the table of a classifier, a row a class."""
    if not rows:
        return
    keys = list(dict.fromkeys(key for row in rows for key in row))
    numeric = {key: any(isinstance(row.get(key), int | float) for row in rows) for key in keys}
    columns = [Column(title=key.replace("_", " "), numeric=numeric[key]) for key in keys]
    body = [[row.get(key) for key in keys] for row in rows]
    bar = parts.toolbar("classes", len(rows), what="classes")
    yield parts.section("Classes", bar, parts.table(columns, body, name="classes", title="Classes"))


def _labels(result: EvalResult) -> Iterator[Markup]:
    """Yield the mean of each score over the clips of each label."""
    groups: dict[str, list[FileRow]] = {}
    for row in result.files:
        groups.setdefault(row.label, []).append(row)
    names = _score_names(result)
    if set(groups) <= {""} or not names:
        return
    columns = ["Label", Column(title="Clips", numeric=True), *(Column(title=name, numeric=True) for name in names)]
    body = [
        (label or "(none)", len(rows), *(_mean(rows, name) for name in names)) for label, rows in sorted(groups.items())
    ]
    bar = parts.toolbar("labels", len(groups), what="labels")
    note = tag("p", "Means over the clips of a label, without those that have no value.", class_="soft")
    yield parts.section("Labels", note, bar, parts.table(columns, body, name="labels", title="Labels"))


def _mean(rows: Sequence[FileRow], name: str) -> float | None:
    values = [value for value in (row.scores.get(name) for row in rows) if value is not None]
    return float(np.mean(values)) if values else None


def _score_names(result: EvalResult) -> list[str]:
    return list(dict.fromkeys(name for row in result.files for name in row.scores))


def _extremes(samples: Samples) -> Iterator[Markup]:
    """Yield the clips at both ends of the score that ranks them, and how it is spread."""
    if not samples.ranked_by:
        return
    name, higher = samples.ranked_by, samples.higher_is_better
    lists = [
        tag("div", tag("h3", f"{words} by {name}"), tag("ol", *(_entry(row, samples) for row in rows)), class_="end")
        for words, rows in (("Best", samples.best), ("Worst", samples.worst))
    ]
    spread = [charts.histogram(samples.spread, what=f"{name}, clip by clip")] if len(samples.spread) >= _FEW else []
    note = f"{name}: {'higher' if higher else 'lower'} is better. Over {len(samples.spread):,} clips that have a value."
    yield parts.section("Best and worst", tag("p", note, class_="soft"), tag("div", *lists, class_="ends"), *spread)


def _entry(row: FileRow, samples: Samples) -> Markup:
    """Return a line on one clip: a button that plays it where it is in the page, its score, its words."""
    place = samples.places.get(row.id)
    words = row.caption or row.id
    link = tag("a", words, href=f"#{place}") if place else tag("span", words)
    play = tag("button", "Play", type="button", class_="play", data_plays=f"{place}-generated") if place else None
    score = tag("span", parts.figure(row.scores[samples.ranked_by]), class_="score")
    return tag("li", play, score, link)


def _samples(result: EvalResult, samples: Samples) -> Iterator[Markup]:
    if not samples.cards:
        return
    names = _score_names(result)
    sorts = {"place": "id"}
    for number, name in enumerate(names):
        sorts |= {f"-s{number}": f"{name}, from high", f"s{number}": f"{name}, from low"}
    labels = sorted(label for label in Counter(row.label for row in samples.shown) if label)
    bar = parts.toolbar("samples", len(samples.cards), what="samples", sorts=sorts, labels=labels)
    cards = tag("ol", *samples.cards, class_="cards", data_list="samples")
    yield parts.section("Samples", tag("p", samples.told, class_="soft"), bar, cards, name="samples")


def _files(result: EvalResult, samples: Samples, config: ReportConfig) -> Iterator[Markup]:
    """Yield a row for each file; after `config.rows` of them the page says that it stops."""
    if not result.files:
        return
    names = _score_names(result)
    columns = ["Clip", "Label", "Caption", *(Column(title=name, numeric=True) for name in names), "Notes"]
    rows = result.files[: config.rows]
    body = [
        (_link(row, samples), row.label, row.caption, *(row.scores.get(name) for name in names), "; ".join(row.notes))
        for row in rows
    ]
    left = len(result.files) - len(rows)
    note = tag("p", f"The first {len(rows):,} of {len(result.files):,} clips, by id.", class_="soft") if left else None
    bar = parts.toolbar("files", len(rows), what="clips")
    table = parts.table(columns, body, name="files", title="Clips")
    yield parts.section("Clip by clip", note, bar, table)


def _link(row: FileRow, samples: Samples) -> Markup:
    place = samples.places.get(row.id)
    return tag("a", row.id, href=f"#{place}") if place else tag("span", row.id)


def _settings(result: EvalResult) -> Markup:
    shown = {"generated": result.generated, "reference": result.reference, **result.settings}
    return parts.section(
        "How it was measured",
        parts.folded("Settings", parts.facts(shown)),
        parts.folded("Releases", parts.facts(result.versions)) if result.versions else None,
    )
