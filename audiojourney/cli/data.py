"""`aj data`: make and look after data sets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audiojourney import config as configuration
from audiojourney.cli import _options, _ui
from audiojourney.cli.data_export import data_export
from audiojourney.cli.data_import import data_import
from audiojourney.cli.data_segments import data_segments
from audiojourney.cli.data_stats import data_stats
from audiojourney.cli.data_verify import data_verify

if TYPE_CHECKING:
    from audiojourney.recipes.scenes import ScenesConfig, ScenesReport

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Make and look after data sets.")

# Options of `aj data scenes` that are settings of a scene.
_SCENE = ("duration_s", "rate_hz")
_WHOLE = ("output", "count", "seed", "workers", "exists", "dry_run")

Output = Annotated[Path, typer.Argument(metavar="OUT", help="Folder of the data set.")]
Count = Annotated[int | None, typer.Option("-n", "--count", metavar="N", help="Number of scenes. [default: 1000]")]
Seed = Annotated[int | None, typer.Option("--seed", metavar="INT", help="Other seeds, other scenes. [default: 0]")]
Duration = Annotated[float | None, typer.Option("--duration", metavar="S", help="Seconds a scene. [default: 10.24]")]
Rate = Annotated[int | None, typer.Option("--rate", metavar="HZ", help="Sample rate. [default: 16000]")]
Workers = Annotated[int | None, typer.Option("--workers", metavar="N", help="Processes. [default: 2]")]
Exists = Annotated[
    str | None,
    typer.Option("--exists", metavar="skip|overwrite|error", help="Scenes are there already. [default: skip]"),
]


app.command("import")(data_import)
app.command("export")(data_export)
app.command("segments")(data_segments)
app.command("verify")(data_verify)
app.command("stats")(data_stats)


@app.callback()
def _group() -> None:
    """Make and look after data sets."""


@app.command("scenes")
def scenes(
    ctx: typer.Context,
    output: Output,
    count: Count = None,
    seed: Seed = None,
    duration_s: Duration = None,
    rate_hz: Rate = None,
    workers: Workers = None,
    exists: Exists = None,
    config: _options.Config = None,
    settings: _options.Settings = None,
    json: _options.Json = False,
    dry_run: _options.DryRun = None,
    print_config: _options.PrintConfig = False,
) -> None:
    """Synthesise labelled, captioned sound scenes: FLAC files and a metadata.jsonl in OUT.

    The same command again makes what is missing; a larger -n adds scenes.
    """
    from audiojourney.recipes.scenes import run

    chosen = _chosen(ctx.params)
    if print_config:
        _ui.out(configuration.dump(chosen).rstrip())
        return
    with _ui.progress("scenes", shown=not json) as bar:
        report = run(chosen, bar.update if bar else lambda done, total: None)
    _tell(report, chosen, json)


def _chosen(options: Mapping[str, Any]) -> ScenesConfig:
    """Build the settings from the options."""
    from audiojourney.recipes.scenes import ScenesConfig

    flags: dict[str, Any] = {name: options[name] for name in _WHOLE}
    scene = {name: options[name] for name in _SCENE if options[name] is not None}
    if scene:
        flags["scene"] = scene
    return configuration.resolve(
        ScenesConfig, "data", flags=flags, settings=options["settings"] or (), file=options["config"]
    )


def _tell(report: ScenesReport, chosen: ScenesConfig, json: bool) -> None:
    if json:
        _ui.out_json(
            {
                "output": str(report.output),
                "scenes": report.made + report.kept,
                "made": report.made,
                "kept": report.kept,
                "hours": report.hours,
                "seed": report.seed,
            }
        )
    elif chosen.dry_run:
        _ui.say(f"dry run: {chosen.count} scenes, seed {chosen.seed}, would be in {chosen.output}; nothing was made.")
    else:
        _ui.out(str(report.output / "metadata.jsonl"))
        _ui.say(f"{report.made} scenes made, {report.kept} were there: {report.hours:.2f} h, seed {report.seed}.")
