"""`aj data import`: read a published data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from audiojourney import config as configuration
from audiojourney.cli import _data_options, _options, _ui
from audiojourney.errors import PartialError, UsageError

if TYPE_CHECKING:
    from audiojourney.recipes.data_import import ImportConfig, ImportReport

_FLAGS: tuple[str, ...] = ("output", "audio", "labels", "segments", "exclude_ids", "sounds", "max_duration_s", "limit")
_FLAGS += ("exists", "allow_errors", "strict", "workers", "dry_run")

What = Annotated[
    list[str],
    typer.Argument(metavar="[FORMAT] SOURCE", help="File or folder; its format is found out where it is not named."),
]
Audio = Annotated[
    Path | None, typer.Option("--audio", metavar="DIR", help="Folder of the sounds. [default: that of SOURCE]")
]
Labels = Annotated[
    Path | None,
    typer.Option("--labels", metavar="FILE", help="AudioSet's classes or ontology, to turn codes into words."),
]
Segments = Annotated[
    Path | None, typer.Option("--segments", metavar="PATH", help="AudioSet's tables, to add times and labels by video.")
]
Exclude = Annotated[
    Path | None, typer.Option("--exclude-ids", metavar="FILE", help="Clips to leave out: WavCaps' lists, or ids.")
]
Sounds = Annotated[
    str | None,
    typer.Option("--sounds", metavar="refer|copy", help="Leave the sounds where they are, or copy. [default: refer]"),
]
Longest = Annotated[
    float | None, typer.Option("--max-duration", metavar="S", help="Leave longer clips out. [default: none]")
]
Limit = Annotated[int | None, typer.Option("--limit", metavar="N", help="Stop after N entries. [default: all]")]


def data_import(
    ctx: typer.Context,
    what: What,
    output: _data_options.Output = None,
    audio: Audio = None,
    labels: Labels = None,
    segments: Segments = None,
    exclude_ids: Exclude = None,
    sounds: Sounds = None,
    max_duration_s: Longest = None,
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
    """Read a published data set: metadata.jsonl in OUT, and errors.jsonl with every sound that is not there.

    Formats: audiocaps, clotho, audioset, vggsound, wavcaps, musiccaps, esc50, esc10, fsd50k, laion (tars), autorecap,
    af-audioset, tango, genau, stable-audio, folder.
    """
    from audiojourney.recipes.data_import import ImportConfig, run

    if len(what) > 2:
        raise UsageError(f"A format and a source were expected, not {' '.join(what)!r}.")
    flags = {name: ctx.params[name] for name in _FLAGS} | {"source": Path(what[-1])}
    if len(what) == 2:
        flags["format"] = what[0]
    chosen = configuration.resolve(ImportConfig, "data import", flags=flags, settings=settings or (), file=config)
    if print_config:
        _ui.out(configuration.dump(chosen).rstrip())
        return
    with _ui.progress("clips", shown=not json) as bar:
        report = run(chosen, bar.update if bar else lambda done, total: None)
    _tell(report, chosen, json)


def _tell(report: ImportReport, chosen: ImportConfig, json: bool) -> None:
    if chosen.dry_run:
        _ui.say(f"dry run: {chosen.source} would be read as {report.format}; nothing was written.")
        return
    if json:
        _ui.out_json({"output": str(report.output), "format": report.format, "fresh": report.fresh, **report.counts})
    else:
        _ui.out(str(report.output))
        _ui.say(summary(report, chosen))
    if report.failed > chosen.allow_errors:
        named = report.output.with_name("errors.jsonl")
        raise PartialError(f"{report.failed} entries could not become clips; {named} names each.")


def summary(report: ImportReport, chosen: ImportConfig) -> str:
    """Return what was done, in a sentence."""
    counts = report.counts
    left = "".join(f", {number} {reason}" for reason, number in counts.get("left_out", {}).items())
    if not report.fresh:
        return f"Nothing to do: {counts['clips']} clips are there; --exists overwrite reads {chosen.source} anew."
    missing = counts["failures"].get("missing_file", 0)
    return (
        f"{counts['clips']} clips read as {report.format}, {counts['hours']:.2f} h; "
        f"{missing} sounds missing, {report.failed - missing} other failures{left}."
    )
