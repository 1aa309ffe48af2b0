"""`aj generate`: turn text prompts into sound."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping
from typing import Any

import typer

from audiojourney import config as configuration
from audiojourney.cli import _generate_options as opt
from audiojourney.cli import _options, _ui
from audiojourney.errors import UsageError
from audiojourney.recipes import generate as recipe
from audiojourney.recipes.generate_config import GenerateConfig
from audiojourney.recipes.prompts import gather

EXAMPLES = (
    'aj generate "rain on a tin roof"',
    'aj generate "a dog barking" -n 4 --seed 7 -o dogs/',
    "aj generate - -o out/ < prompts.txt",
    "aj generate --like dogs/a-dog-barking-7.wav --steps 100",
)


def generate(
    ctx: typer.Context,
    prompts: opt.Prompts = None,
    file: opt.PromptFile = None,
    model: opt.Model = None,
    output: opt.Output = None,
    duration_s: opt.Duration = None,
    steps: opt.Steps = None,
    guidance: opt.Guidance = None,
    sampler: opt.Sampler = None,
    negative: opt.Negative = None,
    count: opt.Count = None,
    candidates: opt.Candidates = None,
    keep: opt.Keep = None,
    seed: opt.Seed = None,
    format: opt.Format = None,
    rate_hz: opt.Rate = None,
    loudness_lufs: opt.Loudness = None,
    spectrogram: opt.Spectrogram = None,
    like: opt.Like = None,
    exists: opt.Exists = None,
    force: _options.Force = False,
    no_metadata: opt.NoMetadata = False,
    sidecar: opt.Sidecar = None,
    reproducible: opt.Reproducible = None,
    batch: opt.Batch = None,
    device: _options.Device = None,
    dtype: _options.Dtype = None,
    config: _options.Config = None,
    settings: _options.Settings = None,
    json: _options.Json = False,
    dry_run: _options.DryRun = None,
    print_config: _options.PrintConfig = False,
) -> None:
    """Turn text prompts into sound: one file each, its path on stdout.

    The file carries its prompt, seed, model and settings: `aj info FILE` shows them, --like FILE repeats them.
    """
    # Read when torch is loaded. On a busy machine threads that wait by spinning take minutes for what takes seconds.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    chosen = _chosen(ctx.params)
    if print_config:
        _ui.out(configuration.dump(chosen).rstrip())
        return
    if chosen.output == "-" and (json or sys.stdout.isatty()):
        raise UsageError(f"--output {chosen.output!r} writes a sound to stdout.", "Pipe it, and leave out --json.")
    with _ui.progress("generating", shown=not json) as bar:
        show = _Show(bar, json)
        try:
            recipe.run(chosen, show)
        except KeyboardInterrupt:
            if chosen.seed is None and show.started is not None:
                _ui.say(f"to continue: the same command with --seed {show.started.seed}")
            raise
    if chosen.dry_run:
        _ui.say("dry run: nothing was made.")


def _chosen(options: Mapping[str, Any]) -> GenerateConfig:
    """Build the settings from the options; prompts may come from five places."""
    fields = {field.name for field in dataclasses.fields(GenerateConfig)} - {"prompts"}
    flags = {name: value for name, value in options.items() if name in fields and value is not None}
    if options["no_metadata"]:
        flags["metadata"] = False
    if options["force"]:
        flags["exists"] = "overwrite"
    if options["like"] is not None:
        earlier = recipe.like(options["like"])
        if "model" in flags:
            earlier.pop("model_sha256", None)  # another model is meant to differ
        flags = earlier | flags
    if options["prompts"] or options["file"]:
        flags["prompts"] = gather(options["prompts"] or (), options["file"], _stdin)
    chosen = configuration.resolve(
        GenerateConfig, "generate", flags=flags, settings=options["settings"] or (), file=options["config"]
    )
    if not chosen.prompts and not sys.stdin.isatty():
        chosen = dataclasses.replace(chosen, prompts=gather(["-"], None, _stdin))
    return chosen


def _stdin() -> bytes:
    return sys.stdin.buffer.read()


class _Show:
    """Tells the events of a run."""

    def __init__(self, bar: _ui.Bar | None, json: bool) -> None:
        self.bar, self.json = bar, json
        self.started: recipe.Started | None = None

    def __call__(self, event: recipe.Event) -> None:
        if isinstance(event, recipe.Started):
            self.started = event
            _ui.say(f"{event.model}, seed {event.seed}" + (f", {event.takes} sounds" if event.takes > 1 else ""))
        elif isinstance(event, recipe.Warned):
            _ui.warn(event.text)
        elif isinstance(event, recipe.Step):
            if self.bar is not None:
                self.bar.update(event.done, event.total)
        elif event.data is not None:
            sys.stdout.buffer.write(event.data)
            sys.stdout.buffer.flush()
        elif self.json:
            _ui.out_json(event.to_json())
        else:
            _ui.out(str(event.path))
