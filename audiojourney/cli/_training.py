"""What `aj pretrain` and `aj finetune` share: options, display, what is said at the end."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audiojourney import config as configuration
from audiojourney.cli import _ui

if TYPE_CHECKING:
    from audiojourney.recipes.rehearsal import Rehearsal
    from audiojourney.recipes.train_config import TrainConfig
    from audiojourney.training.loop import LoopReport

LOOP = ("steps", "batch", "accumulate", "lr", "seed", "device", "dtype")
RUN = ("data", "output", "init", "lora_rank", "nproc", "exists", "dry_run")
INTERRUPTED = 130

Preset = Annotated[str | None, typer.Option("--preset", metavar="NAME", help="What to train; see --list-presets.")]
Data = Annotated[
    list[Path] | None, typer.Option("--data", metavar="PATH", help="Folder or manifest of clips; may be repeated.")
]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="RUN", help="Run folder.")]
Steps = Annotated[int | None, typer.Option("--steps", metavar="N", help="Updates in all. [default: preset]")]
Batch = Annotated[int | None, typer.Option("--batch", metavar="N", help="Examples of a process. [default: preset]")]
Accumulate = Annotated[
    int | None, typer.Option("--accumulate", metavar="N", help="Batches of an update. [default: preset]")
]
Rate = Annotated[float | None, typer.Option("--lr", metavar="X", help="Learning rate. [default: preset]")]
Seed = Annotated[int | None, typer.Option("--seed", metavar="INT", help="Seed of everything. [default: preset]")]
Processes = Annotated[int | None, typer.Option("--nproc", metavar="N", help="Processes on this machine. [default: 1]")]
Exists = Annotated[
    str | None,
    typer.Option("--exists", metavar="error|overwrite", help="A run of other settings is there. [default: error]"),
]
ListPresets = Annotated[bool, typer.Option("--list-presets", help="Show the presets and stop.")]


def choose(verb: str, options: Mapping[str, Any], base: Mapping[str, Any] | None = None) -> TrainConfig:
    """Build the settings from the options."""
    from audiojourney.recipes.train_config import resolve

    return resolve(
        verb,
        preset=options["preset"],
        file=options["config"],
        flags={name: options.get(name) or None for name in RUN},
        loop_flags={name: options[name] for name in LOOP},
        settings=options["settings"] or (),
        base=base,
    )


def work(config: TrainConfig, *, json: bool, print_config: bool) -> None:
    """Show the settings, rehearse or train, as was asked."""
    if print_config:
        table = config.table()
        table.pop("nproc")
        _ui.out(configuration.dump({**table, "data": config.data, "output": config.output}).rstrip())
    elif config.dry_run:
        from audiojourney.recipes.rehearsal import rehearse

        _show_rehearsal(rehearse(config), json)
    else:
        from audiojourney.cli._training_display import Display
        from audiojourney.recipes.train import run

        shown = not json and not _ui.mode.quiet
        _tell(run(config, partial(Display, config.task, shown)), config, json)


def _show_rehearsal(found: Rehearsal, json: bool) -> None:
    """Print what a run would need."""
    if json:
        _ui.out_json(found.to_json())
        return
    _ui.listing(
        {
            "data": f"{found.clips:,} clips" + ("" if found.hours is None else f", {found.hours:.2f} h"),
            "parameters": f"{found.parameters:,}, trained: {found.trainable:,}",
            "discriminator": f"{found.adversary:,}",
            "memory": f"about {found.memory_mb:,.0f} MB a process: weights and optimiser {found.weights_mb:,.0f} MB, "
            f"activations {found.activations_mb:,.0f} MB",
            "steps": f"{found.steps:,}, {found.examples:,} examples",
            **{f"batch.{name}": shape for name, shape in found.batch.items()},
        }
    )
    _ui.say("dry run: nothing was written.")


def _tell(report: LoopReport, config: TrainConfig, json: bool) -> None:
    """Print where the model is, or how to go on.

    Raises:
        typer.Exit: the run was interrupted.
    """
    final = report.run / "final"
    if json:
        told = {"run": str(report.run), "step": report.step, "steps": report.steps, "status": report.reason}
        more = {"loss": report.loss, "wall_s": report.wall_s, "world_size": report.world_size}
        _ui.out_json({**told, **more, "model": str(final) if report.reason == "finished" else None})
    elif report.reason == "finished":
        _ui.out(str(final))
        if config.task.endswith("/generator"):
            _ui.say(f'Hear it: aj generate "..." --model {report.run}')
    if report.reason != "finished":
        _ui.say(f"{report.reason} at step {report.step} of {report.steps}; the same command goes on from there.")
    if report.reason == "interrupted":
        raise typer.Exit(INTERRUPTED)
