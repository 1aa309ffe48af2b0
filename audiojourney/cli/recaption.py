"""`aj recaption`: captions for clips, scored and judged."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Mapping
from typing import Any

import typer

from audiojourney import config as configuration
from audiojourney.cli import _options, _ui
from audiojourney.cli import _recaption_options as opt
from audiojourney.cli._recaption_display import tell
from audiojourney.recipes.recaption.config import RecaptionConfig

EXAMPLES = (
    "aj recaption --clap-threshold 0.45",
    "aj recaption clips/ --captioner autocap --candidates 5 --keep 3 -o captions.jsonl",
    "aj recaption clips/ --shards 2/8",
)
_LIMITS = {"min_duration": "min_duration_s", "max_duration": "max_duration_s"}


def recaption(
    ctx: typer.Context,
    inputs: opt.Inputs = None,
    output: opt.Output = None,
    captioner: opt.Captioner = None,
    model: opt.Model = None,
    endpoint: opt.Endpoint = None,
    examples: opt.Examples = None,
    candidates: opt.Candidates = None,
    keep: opt.Keep = None,
    clap: opt.Clap = None,
    clap_threshold: opt.Threshold = None,
    drop_keywords: opt.Keywords = None,
    min_duration: opt.MinDuration = None,
    max_duration: opt.MaxDuration = None,
    seed: opt.Seed = None,
    limit: opt.Limit = None,
    shards: opt.Shards = None,
    batch: opt.Batch = None,
    workers: opt.Workers = None,
    nproc: opt.Processes = None,
    engine: opt.Engine = None,
    executor: opt.Executor = None,
    max_error_rate: opt.ErrorRate = None,
    allow_errors: opt.AllowErrors = None,
    strict: opt.Strict = None,
    retry: opt.Retry = None,
    force: _options.Force = False,
    device: _options.Device = None,
    dtype: _options.Dtype = None,
    config: _options.Config = None,
    settings: _options.Settings = None,
    json: _options.Json = False,
    dry_run: _options.DryRun = None,
    print_config: _options.PrintConfig = False,
) -> None:
    """Write captions for audio clips, score them, and say which to keep and why the others not.

    The audio is never changed. The same command again goes on where it was stopped, and does nothing where nothing is
    left; another threshold judges the stored scores anew.
    """
    from audiojourney.recipes.recaption.run import run

    chosen = _chosen(ctx.params)
    if print_config:
        _ui.out(configuration.dump(chosen).rstrip())
        return
    with _ui.progress("captions", shown=not json) as bar:
        report = run(chosen, bar.update if bar else lambda done, total: None, sys.stdin.buffer.read)
    tell(report, chosen, json)


def _chosen(options: Mapping[str, Any]) -> RecaptionConfig:
    """Build the settings from the options."""
    fields = {field.name for field in dataclasses.fields(RecaptionConfig)}
    flags = {name: value for name, value in options.items() if name in fields and value is not None}
    flags["force"] = options["force"] or None
    flags["inputs"] = options["inputs"] or None
    if options["batch"] is not None and options["batch"].isdigit():
        flags["batch"] = int(options["batch"])
    if options["drop_keywords"] is not None:
        flags["drop_keywords"] = [word for word in options["drop_keywords"].split(",") if word.strip()]
    limits = {field: options[name] for name, field in _LIMITS.items() if options[name] is not None}
    if limits:
        flags["filter"] = limits
    return configuration.resolve(
        RecaptionConfig, "recaption", flags=flags, settings=options["settings"] or (), file=options["config"]
    )
