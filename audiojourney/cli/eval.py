"""`aj eval`: measure generated sounds, captions or classifiers."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer

from audiojourney import config as configuration
from audiojourney.cli import _eval_options as opt
from audiojourney.cli import _options, _ui
from audiojourney.errors import GateError, MissingError, PartialError
from audiojourney.recipes.eval.settings import CLASSES, FAMILIES, TEXTS, EvalConfig

if TYPE_CHECKING:
    from audiojourney.recipes.eval.run import EvalReport

EXAMPLES = (
    "aj eval generated/ reference/",
    'aj eval generated/ reference/ --fad --fail-if "fad_vggish>2.5" -o result.json',
    "aj eval pocket/generator reference/ --clap --compare result.json",
    "aj eval captions.jsonl reference.jsonl --caption --format latex",
)
_SWITCHES = (*FAMILIES, TEXTS, CLASSES)


def eval(
    ctx: typer.Context,
    generated: opt.Generated = None,
    reference: opt.Reference = None,
    fad: opt.Fad = False,
    fd: opt.Fd = False,
    is_: opt.Is = False,
    kl: opt.Kl = False,
    clap: opt.Clap = False,
    kad: opt.Kad = False,
    prdc: opt.Prdc = False,
    fad_inf: opt.FadInf = False,
    caption: opt.Caption = False,
    classification: opt.Classification = False,
    metric: opt.Metric = None,
    embedding: opt.Embedding = None,
    clap_model: opt.ClapModel = None,
    convention: opt.Convention = None,
    captions: opt.Captions = None,
    pair: opt.Pair = None,
    allow_missing: opt.AllowMissing = None,
    rate_check: opt.RateCheck = None,
    on_error: opt.OnError = None,
    limit: opt.Limit = None,
    intervals: opt.Intervals = None,
    seed: opt.Seed = None,
    duration_s: opt.Duration = None,
    per_file: opt.PerFile = None,
    cache: opt.Cache = None,
    save_stats: opt.SaveStats = None,
    reference_stats: opt.ReferenceStats = None,
    fail_if: opt.FailIf = None,
    compare: opt.Compare = None,
    output: opt.Output = None,
    report: opt.Report = None,
    force: _options.Force = False,
    format: opt.Format = None,
    workers: opt.Workers = None,
    device: _options.Device = None,
    config: _options.Config = None,
    settings: _options.Settings = None,
    json: _options.Json = False,
    dry_run: _options.DryRun = None,
    print_config: _options.PrintConfig = False,
) -> None:
    """Measure generated sounds against reference sounds, captions against captions, or a classifier against labels.

    Without the name of a metric, all that can be measured are. Metrics are named after their network; where its weights
    cannot be had, the shipped one stands in, under its own name.
    """
    # Read when torch is loaded. On a busy machine threads that wait by spinning take minutes for what takes seconds.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    chosen = _chosen(ctx.params)
    if print_config:
        _ui.out(configuration.dump(chosen).rstrip())
        return
    from audiojourney.recipes.eval import run as recipe

    if chosen.dry_run:
        _ui.say(f"dry run: {recipe.plan(chosen)}.")
        return
    as_json = chosen.format == "json"
    with _ui.progress("measuring", shown=not as_json) as bar:

        def tell(event: recipe.Event) -> None:
            """Show a warning, or how far it is."""
            if isinstance(event, recipe.Warned):
                _ui.warn(event.text)
            elif bar is not None:
                bar.update(event.done, event.total)

        found = recipe.run(chosen, tell)
    _show(found, chosen)
    for path in found.written:
        _ui.say(f"wrote {path}")
    _end(found)


def _chosen(options: Mapping[str, Any]) -> EvalConfig:
    """Build the settings from the options; each family of metrics has a switch of its own."""
    fields = {field.name for field in dataclasses.fields(EvalConfig)} - {"metrics", "clap"}
    flags = {name: value for name, value in options.items() if name in fields and value is not None}
    asked = [name for name in _SWITCHES if options["is_" if name == "is" else name]]
    asked += options["metric"] or []
    if asked:
        flags["metrics"] = asked
    if options["clap_model"] is not None:
        flags["clap"] = options["clap_model"]
    if options["force"]:
        flags["exists"] = "overwrite"
    if options["json"]:
        flags["format"] = "json"
    return configuration.resolve(
        EvalConfig, "eval", flags=flags, settings=options["settings"] or (), file=options["config"]
    )


def _show(found: EvalReport, chosen: EvalConfig) -> None:
    """Write the result to stdout in the form that was asked for."""
    from audiojourney.recipes.eval import run as recipe
    from audiojourney.recipes.eval import show

    result = found.result
    if chosen.format == "json":
        _ui.out_json(recipe.to_json(found, per_file=chosen.per_file))
    elif chosen.format == "csv":
        _ui.out(show.to_csv(result, per_file=chosen.per_file).rstrip("\n"))
    elif chosen.format == "latex":
        _ui.out(show.to_latex(result).rstrip("\n"))
    else:
        _ui.table(show.HEADER, [show.metric_cells(row) for row in result.metrics])
        if result.differences:
            _ui.out("")
            _ui.table(show.DIFFERENCE_HEADER, [show.difference_cells(row) for row in result.differences])
        if chosen.per_file:
            names = show.score_names(result)
            _ui.out("")
            _ui.table(show.file_header(result), [show.file_cells(row, names) for row in result.files])
    told: dict[str, list[str]] = {}
    for row in result.metrics:
        for text in (row.reason,) if row.value is None else row.warnings:
            told.setdefault(text, []).append(row.name)
    for text, names in told.items():
        _ui.say(f"{', '.join(names)}: {text}")


def _end(found: EvalReport) -> None:
    """End with the exit code of what did not go well, after everything was written.

    Raises:
        GateError: a gate was not met.
        MissingError: what was asked for by name has no value.
        PartialError: files could not be used.
    """
    if found.unmet:
        raise GateError(f"{'; '.join(found.unmet).rstrip('.')}.")
    if found.missing:
        raise MissingError(f"Not measured: {'; '.join(found.missing).rstrip('.')}.")
    if found.failed:
        raise PartialError(f"{found.failed} files could not be used; the others were measured.")
