"""`aj data segments`: ambient clips by the subtitles of videos."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from audiojourney import config as configuration
from audiojourney.cli import _options, _ui
from audiojourney.errors import PartialError, UsageError

if TYPE_CHECKING:
    from audiojourney.recipes.segments.config import SegmentsConfig
    from audiojourney.recipes.segments.run import SegmentsReport

_WHOLE = ("output", "videos", "media", "force", "merge")
_CUT = {"min_s": "min_ms", "chunk_s": "chunk_ms", "padding_s": "padding_ms"}

Inputs = Annotated[
    list[Path] | None, typer.Argument(metavar="INPUT", help="Folders, transcripts. [default: transcripts]")
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="PATH", help="[default: segments.jsonl beside the input]")
]
Videos = Annotated[
    Path | None, typer.Option("--videos", metavar="FILE", help="List of all videos: id and duration in seconds.")
]
Languages = Annotated[
    str | None, typer.Option("--language", metavar="LIST", help="Of the transcripts; any takes all. [default: en]")
]
Media = Annotated[
    str | None,
    typer.Option("--media", metavar="NAME", help="Sound of a video that is not there yet. [default: {video_id}.wav]"),
]
Minimum = Annotated[
    float | None, typer.Option("--min", metavar="S", help="Segments and rests are longer than this. [default: 1]")
]
Chunk = Annotated[float | None, typer.Option("--chunk", metavar="S", help="Longest clip. [default: 10]")]
Padding = Annotated[
    float | None, typer.Option("--padding", metavar="S", help="Kept free around each subtitle. [default: 0]")
]
Timing = Annotated[
    str | None,
    typer.Option("--timing", metavar="line|word", help="What counts as spoken: shown lines or words. [default: line]"),
]
Labels = Annotated[
    bool, typer.Option("--ignore-sound-labels", help="Cues such as [door slams] are no subtitles.", show_default=False)
]
AfterMusic = Annotated[
    bool, typer.Option("--drop-after-music", help="Leave out what follows a music label.", show_default=False)
]
Merge = Annotated[bool | None, typer.Option("--merge", help="INPUT is captioned: join neighbours with equal captions.")]
Keywords = Annotated[
    str | None,
    typer.Option("--drop-keywords", metavar="LIST", help="With --merge: drop captions with words of these lists."),
]


def data_segments(
    ctx: typer.Context,
    inputs: Inputs = None,
    output: Output = None,
    videos: Videos = None,
    language: Languages = None,
    media: Media = None,
    min_s: Minimum = None,
    chunk_s: Chunk = None,
    padding_s: Padding = None,
    timing: Timing = None,
    ignore_sound_labels: Labels = False,
    drop_after_music: AfterMusic = False,
    merge: Merge = None,
    drop_keywords: Keywords = None,
    force: _options.Force = False,
    config: _options.Config = None,
    settings: _options.Settings = None,
    json: _options.Json = False,
    print_config: _options.PrintConfig = False,
) -> None:
    """List the stretches of videos without subtitle as clips of at most 10 s, by their transcripts alone.

    Reads WebVTT, SRT, json3, srv1 and srv3. Videos without transcript are discarded, with the reason. A run that was
    killed is continued by the same command; a finished one is not done again.
    """
    from audiojourney.recipes.segments.run import run

    chosen = _chosen(ctx.params)
    if print_config:
        _ui.out(configuration.dump(chosen).rstrip())
        return
    with _ui.progress("transcripts", shown=not json) as bar:
        report = run(chosen, bar.update if bar else lambda done, total: None)
    _tell(report, chosen, json)
    if report.errors is not None:
        raise PartialError(f"{report.counts['errors']} files or rows could not be used: {report.errors}.")


def _chosen(options: Mapping[str, Any]) -> SegmentsConfig:
    """Build the settings from the options."""
    from audiojourney.recipes.segments.config import SegmentsConfig

    flags: dict[str, Any] = {name: options[name] or None for name in _WHOLE} | {"inputs": options["inputs"] or None}
    cut: dict[str, Any] = {
        name: _milliseconds(option, options[option]) for option, name in _CUT.items() if options[option] is not None
    }
    cut |= {name: True for name in ("ignore_sound_labels", "drop_after_music") if options[name]}
    cut |= {"timing": options["timing"]} if options["timing"] is not None else {}
    if cut:
        flags["cut"] = cut
    if options["language"] is not None:
        names = [name.strip() for name in options["language"].split(",") if name.strip()]
        flags["languages"] = [] if names == ["any"] else names
    if options["drop_keywords"] is not None:
        flags["drop_keywords"] = [name.strip() for name in options["drop_keywords"].split(",") if name.strip()]
    return configuration.resolve(
        SegmentsConfig, "data", flags=flags, settings=options["settings"] or (), file=options["config"]
    )


def _milliseconds(option: str, seconds: float) -> int:
    if not math.isfinite(seconds):
        raise UsageError(f"--{option.removesuffix('_s')} is {seconds}; expected a number of seconds.")
    return round(1000 * seconds)


def _tell(report: SegmentsReport, chosen: SegmentsConfig, json: bool) -> None:
    counts = report.counts
    if json:
        paths = {
            name: None if path is None else str(path)
            for name, path in (("discarded_list", report.discarded), ("errors_list", report.errors))
        }
        status = "skipped" if report.again else "written"
        _ui.out_json({"status": status, "output": str(report.output), **paths, **counts})
        return
    _ui.out(str(report.output))
    if chosen.merge:
        _ui.say(
            f"{counts['clips_before']} clips were joined to {counts['clips_joined']}; {counts['clips']} of them, "
            f"{counts['hours']:.2f} h, are kept."
        )
    else:
        _ui.say(
            f"{counts['clips']} clips, {counts['hours']:.2f} h, from {counts['segments']} segments of "
            f"{counts['videos_used']} of {counts['videos']} videos; {counts['clips_after_music']} clips follow music."
        )
        if counts["gapless"]:
            _ui.say(f"{counts['gapless']} transcripts leave no pauses between their cues, so they show none.")
        unknown = counts["videos_of_unknown_length"]
        if unknown:
            _ui.say(f"{unknown} videos are of unknown length: what follows their last cue is left out (see --videos).")
    if counts["discarded"]:
        told = ", ".join(f"{reason} {count}" for reason, count in counts["discarded"].items())
        _ui.say(f"discarded: {told}; named in {report.discarded}")
    if report.again:
        _ui.say("it was there already, made in the same way; nothing was done.")
