"""`aj filter`: keep caption/audio pairs by score, keyword, length."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from audiojourney import config as configuration
from audiojourney.cli import _filter_options as opt
from audiojourney.cli import _options, _ui
from audiojourney.errors import PartialError, UsageError

if TYPE_CHECKING:
    from audiojourney.recipes.filter.config import FilterRunConfig
    from audiojourney.recipes.filter.run import FilterReport

EXAMPLES = (
    "aj filter data/ --clap-threshold 0.45",
    "aj filter data/ --sweep 0.35,0.40,0.45,0.50",
    "aj filter data/ --drop-keywords speech,music --min-duration 3 --dropped data/dropped.jsonl",
    "aj filter xl.jsonl --preset autorecap-mq-l -o mq-l.jsonl",
)
# Options that are limits, by the name of the setting in `rules`.
_RULES = (
    "clap_threshold",
    "keep_best",
    "entailment_threshold",
    "min_words",
    "max_words",
    "min_duration_s",
    "max_duration_s",
    "min_level_db",
    "max_clipped",
    "dedupe",
    "unscored",
)
_LISTS = ("drop_keywords", "keep_labels")
_WHOLE = ("output", "dropped", "score", "clap", "batch", "device", "dtype", "dry_run")


def filter(
    ctx: typer.Context,
    inputs: opt.Inputs = None,
    output: opt.Output = None,
    dropped: opt.Dropped = None,
    preset: opt.Preset = None,
    clap_threshold: opt.Threshold = None,
    keep_best: opt.Keep = None,
    drop_keywords: opt.Keywords = None,
    keep_labels: opt.Labels = None,
    entailment_threshold: opt.Entailment = None,
    min_duration_s: opt.MinDuration = None,
    max_duration_s: opt.MaxDuration = None,
    min_words: opt.MinWords = None,
    max_words: opt.MaxWords = None,
    min_level_db: opt.MinLevel = None,
    max_clipped: opt.MaxClipped = None,
    dedupe: opt.Dedupe = None,
    unscored: opt.Unscored = None,
    sweep: opt.Sweep = None,
    score: opt.Score = None,
    clap: opt.Clap = None,
    batch: opt.Batch = None,
    device: _options.Device = None,
    dtype: _options.Dtype = None,
    force: _options.Force = False,
    config: _options.Config = None,
    settings: _options.Settings = None,
    json: _options.Json = False,
    dry_run: _options.DryRun = None,
    print_config: _options.PrintConfig = False,
) -> None:
    """Keep the captions that meet the limits; sounds are not touched, scores stay, every drop has a reason.

    INPUT is what `aj recaption` wrote (of a folder its captions.jsonl) or any manifest. Verdicts of an earlier run
    stand unless the limit that dropped a caption is given anew. The same command again does nothing.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # read when torch is loaded, which --score does
    from audiojourney.recipes.filter.run import run

    chosen = _chosen(ctx.params)
    if print_config:
        _ui.out(configuration.dump(chosen).rstrip())
        return
    with _ui.progress("filtering", shown=not json) as bar:
        report = run(chosen, bar.update if bar else lambda done, total: None)
    if chosen.sweep:
        _show_sweep(report, json)
    else:
        _tell(report, json)
    names = report.counts["score_names"]
    if len(names) > 1:
        told = ", ".join(f"{name} ({count})" for name, count in names.items())
        _ui.warn(f"scores of different scorers do not compare: {told}.")
    if report.errors:
        where = f": {report.errors_path}" if report.errors_path else ""
        raise PartialError(f"{report.errors} rows or clips could not be used{where}.")


def _chosen(options: Mapping[str, Any]) -> FilterRunConfig:
    """Build the settings from the options."""
    from audiojourney.recipes.filter.config import FilterRunConfig, preset

    flags: dict[str, Any] = {name: options[name] for name in _WHOLE}
    flags["inputs"] = options["inputs"] or None
    flags["force"] = options["force"] or None
    rules = {name: options[name] for name in _RULES if options[name] is not None}
    rules |= {name: _split(options[name]) for name in _LISTS if options[name] is not None}
    if rules:
        flags["rules"] = rules
    if options["sweep"] is not None:
        flags["sweep"] = [_threshold(text) for text in _split(options["sweep"]) or [options["sweep"]]]
    return configuration.resolve(
        FilterRunConfig,
        "filter",
        flags=flags,
        settings=options["settings"] or (),
        file=options["config"],
        preset=preset(options["preset"]) if options["preset"] else None,
    )


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _threshold(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise UsageError(f"--sweep names {text!r}; expected numbers such as 0.35,0.40,0.45.") from error


def _tell(report: FilterReport, json: bool) -> None:
    counts = report.counts
    if json:
        paths = {"output": report.output, "dropped": report.dropped, "errors_file": report.errors_path}
        status = "planned" if report.output is None else "skipped" if report.again else "written"
        _ui.out_json({"status": status, **{name: _path(path) for name, path in paths.items()}, **counts})
        return
    if report.output is None:
        _ui.say("dry run: nothing was written.")
    else:
        _ui.out(str(report.output))
    seen, kept = counts["seen"], counts["kept"]
    share = f" ({kept['clips'] / seen['clips']:.1%})" if seen["clips"] else ""
    _ui.say(
        f"{kept['clips']} of {seen['clips']} clips are kept{share}: {kept['captions']} of {seen['captions']} captions, "
        f"{kept['hours']:.2f} of {seen['hours']:.2f} h"
        + ("." if counts["mean_score"] is None else f", mean score {counts['mean_score']:.3f}.")
    )
    if counts["dropped_clips"]:
        amounts = (f"{code} {amount['clips']}" for code, amount in counts["dropped_clips"].items())
        _ui.say(f"clips dropped: {', '.join(amounts)}")
    if report.again:
        _ui.say("it was there already, made in the same way; nothing was done.")


def _path(path: Path | None) -> str | None:
    return None if path is None else str(path)


def _show_sweep(report: FilterReport, json: bool) -> None:
    if json:
        for level in report.sweep:
            _ui.out_json(level)
        return
    rows = [
        (
            f"{level['threshold']:g}",
            level["clips"],
            level["captions"],
            "-" if level["share"] is None else f"{level['share']:.1%}",
            f"{level['hours']:.2f}",
            "-" if level["mean_score"] is None else f"{level['mean_score']:.3f}",
        )
        for level in report.sweep
    ]
    _ui.table(("threshold", "clips", "captions", "share", "hours", "mean score"), rows)
    for level in report.sweep:
        _ui.out(f"\njust above {level['threshold']:g}:")
        for example in level["examples"]:
            _ui.out(f"  {example['score']:.3f}  {example['text']}  ({example['clip']})")
