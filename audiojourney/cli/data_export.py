"""`aj data export`: write clips the way another tool reads them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audiojourney import config as configuration
from audiojourney.cli import _data_options, _options, _ui
from audiojourney.errors import PartialError

if TYPE_CHECKING:
    from audiojourney.recipes.data_export import ExportConfig, ExportReport

_FLAGS = ("source", "output", "to", "format", "rate_hz", "captions", "shard_clips", "limit")
_OTHERS = ("exists", "allow_errors", "strict", "workers", "dry_run")

To = Annotated[
    str | None,
    typer.Option(
        "--to", metavar="FORM", help="audiofolder, webdataset, parquet, tango, genau, audiocraft or stable-audio."
    ),
]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="OUT", help="Folder that is written, whole.")]
Format = Annotated[
    str | None,
    typer.Option("--format", metavar="keep|flac|wav|ogg", help="Encode sounds anew. [default: keep; genau: wav]"),
]
Rate = Annotated[int | None, typer.Option("--rate", metavar="HZ", help="Sample rate. [default: that of the source]")]
Captions = Annotated[
    str | None, typer.Option("--captions", metavar="all|first", help="Captions of a clip. [default: all]")
]
ShardClips = Annotated[
    int | None, typer.Option("--shard-clips", metavar="N", help="Most clips in an archive. [default: 1000]")
]
Limit = Annotated[int | None, typer.Option("--limit", metavar="N", help="Stop after N clips. [default: all]")]


def data_export(
    ctx: typer.Context,
    source: _data_options.Data = None,
    to: To = None,
    output: Output = None,
    format: Format = None,
    rate_hz: Rate = None,
    captions: Captions = None,
    shard_clips: ShardClips = None,
    limit: Limit = None,
    exists: _data_options.Exists = None,
    allow_errors: _data_options.AllowErrors = None,
    strict: _data_options.Strict = None,
    workers: _data_options.Workers = None,
    config: _options.Config = None,
    settings: _options.Settings = None,
    json: _options.Json = False,
    dry_run: _options.DryRun = None,
    print_config: _options.PrintConfig = False,
) -> None:
    """Write clips for other tools: OUT is there when it is whole; sounds that cannot be read are in its errors.jsonl.

    Equal clips give equal tars.
    """
    from audiojourney.recipes.data_export import ExportConfig, run

    flags = {name: ctx.params[name] for name in (*_FLAGS, *_OTHERS)}
    chosen = configuration.resolve(ExportConfig, "data export", flags=flags, settings=settings or (), file=config)
    if print_config:
        _ui.out(configuration.dump(chosen).rstrip())
        return
    with _ui.progress("clips", shown=not json) as bar:
        report = run(chosen, bar.update if bar else lambda done, total: None)
    _tell(report, chosen, json)


def _tell(report: ExportReport, chosen: ExportConfig, json: bool) -> None:
    if chosen.dry_run:
        _ui.say(f"dry run: {chosen.source} would be written to {chosen.output} as {chosen.to}; nothing was written.")
        return
    counts = report.counts
    if json:
        _ui.out_json({"output": str(report.output), "fresh": report.fresh, **counts})
    else:
        _ui.out(str(report.output))
        left = "".join(f", {number} {reason}" for reason, number in counts["left_out"].items())
        shards = f" in {len(counts['shards'])} shards" if counts["shards"] else ""
        done = "written" if report.fresh else "were there"
        _ui.say(f"{counts['clips']} clips {done}{shards}, {counts['hours']:.2f} h; {report.failed} failed{left}.")
    if report.failed > chosen.allow_errors:
        told = f"{report.failed} clips could not be written; {report.output / 'errors.jsonl'} names each."
        raise PartialError(told)
