"""Captions measured against reference captions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from audiojourney.errors import MissingError, UsageError
from audiojourney.metrics.base import Interval, Result
from audiojourney.metrics.intervals import bootstrap_interval
from audiojourney.metrics.rows import listed
from audiojourney.metrics.text.suite import caption_metrics
from audiojourney.recipes.eval.result import FileRow, MetricRow
from audiojourney.recipes.eval.rows import metric_row
from audiojourney.recipes.eval.settings import EvalConfig
from audiojourney.recipes.eval.texts import read_texts

MEANS = ("rouge_l", "cider_d")  # corpus values that are means over items


def measure_captions(
    config: EvalConfig, generated: str, reference: str, warn: Callable[[str], None]
) -> tuple[list[MetricRow], list[FileRow]]:
    """Measure the first caption of each id of `generated` against all captions of that id in `reference`.

    Raises:
        MissingError: a file is absent, or no reference is named.
        UsageError: ids differ and are not allowed to.
    """
    if not reference:
        raise MissingError(f"The captions {generated!r} need reference captions.", "aj eval CAPTIONS REFERENCE")
    written = {name: texts for name, texts in read_texts(Path(generated).expanduser()).items() if texts}
    candidates = {name: texts[0] for name, texts in written.items()}
    several = [name for name, texts in written.items() if len(texts) > 1]
    if several:
        warn(f"{len(several)} ids have several captions, of which the first is measured: {listed(several)}")
    references = {name: texts for name, texts in read_texts(Path(reference).expanduser()).items() if texts}
    candidates, references = _common(candidates, references, config.allow_missing, warn)
    names = sorted(candidates)[: config.limit]
    found = caption_metrics({name: candidates[name] for name in names}, {name: references[name] for name in names})
    items = [_per_item(result) for result in found]
    rows = [metric_row(result, _interval(result, config), "higher") for result in found]
    scores = [(result.name, values) for result, values in zip(found, items, strict=True) if values]
    files = [
        FileRow(id=name, caption=candidates[name], scores={metric: values[i] for metric, values in scores})
        for i, name in enumerate(names)
    ]
    return rows, files


def _common(
    candidates: Mapping[str, str],
    references: Mapping[str, tuple[str, ...]],
    allow_missing: bool,
    warn: Callable[[str], None],
) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    common = [name for name in references if name in candidates]
    lacking = [name for name in references if name not in candidates]
    further = [name for name in candidates if name not in references]
    if not common:
        raise UsageError(f"No id is on both sides ({listed(further)}; {listed(lacking)}).")
    for names, told in ((lacking, "ids of the reference have no caption"), (further, "captions have no reference")):
        if names and not allow_missing:
            raise UsageError(f"{len(names)} {told}: {listed(names)}.", "--allow-missing measures the common ones.")
        if names:
            warn(f"{len(names)} {told} and were left out: {listed(names)}")
    return {name: candidates[name] for name in common}, {name: references[name] for name in common}


def _per_item(result: Result) -> list[float | None]:
    return [] if result.per_item is None else [None if value is None else float(value) for value in result.per_item]


def _interval(result: Result, config: EvalConfig) -> Interval | None:
    if not config.intervals or result.name not in MEANS or not result.per_item:
        return None
    try:
        return bootstrap_interval([value for value in result.per_item if value is not None], seed=config.seed)
    except UsageError:
        return None  # too few items
