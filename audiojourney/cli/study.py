"""`aj study`: compare sounds by ear."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from audiojourney import config as configuration
from audiojourney.cli import _options, _ui
from audiojourney.cli import _study_options as opt
from audiojourney.errors import PartialError

if TYPE_CHECKING:
    from audiojourney.recipes.study.build import StudyReport
    from audiojourney.recipes.study.score import Share, StudyScore

_MAKE = "make"


class _Group(TyperGroup):
    """A group whose first command needs no name: `aj study a/ b/` is `aj study make a/ b/`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the first command before arguments that begin with none."""
        named = not args or args[0] in self.commands or args[0] in ("-h", "--help")
        return super().parse_args(ctx, args if named else [_MAKE, *args])


app = typer.Typer(cls=_Group, no_args_is_help=True, rich_markup_mode=None)
EXAMPLES = (
    "aj study ours/ theirs/ -o study.html",
    "aj study ours/ theirs/ baseline/ -n 50 --design first --seed 1 -o study.html",
    "aj study score answers-*.json --json",
)


@app.callback()
def _group() -> None:
    """Compare sounds by ear: make a blind test of two or more folders, score the answers.

    `aj study FOLDER FOLDER` is short for `aj study make FOLDER FOLDER`.
    """


@app.command(_MAKE)
def make(
    ctx: typer.Context,
    folders: opt.Folders = None,
    output: opt.Output = None,
    count: opt.Count = None,
    design: opt.Design = None,
    pair: opt.Pair = None,
    captions: opt.Captions = None,
    title: opt.Title = None,
    ties: opt.Ties = None,
    level: opt.Level = None,
    format: opt.Format = None,
    seed: opt.Seed = None,
    force: _options.Force = False,
    config: _options.Config = None,
    settings: _options.Settings = None,
    json: _options.Json = False,
    print_config: _options.PrintConfig = False,
) -> None:
    """Make one page that plays the sounds of each prompt as A and B and asks four questions.

    The page needs no network and names no folder. Listeners save their answers as a file for `aj study score`.
    """
    from audiojourney.recipes.study.build import run
    from audiojourney.recipes.study.config import StudyConfig

    chosen = configuration.resolve(StudyConfig, "study", flags=_flags(ctx.params), settings=settings or (), file=config)
    if print_config:
        _ui.out(configuration.dump(chosen).rstrip())
        return
    with _ui.progress("sounds", shown=not json) as bar:
        report = run(chosen, bar.update if bar else lambda done, total: None)
    _tell_made(report, json)


@app.command("score")
def score(
    files: opt.Files = None,
    level: opt.Interval = None,
    seed: opt.DrawSeed = None,
    json: _options.Json = False,
) -> None:
    """Say which system listeners prefer, how sure that is, and how far they agree.

    Rates leave ties out. Files that hold no answers are named and end with exit code 5, after the result.
    """
    from audiojourney.recipes.study import score as recipe

    flags = {"files": files or [], "level": level, "seed": seed}
    found = recipe.score(
        configuration.build(recipe.ScoreConfig, {key: value for key, value in flags.items() if value is not None})
    )
    for file, twin in found.repeated:
        _ui.warn(f"{file} is left out: {twin} is of the same listener and says as much or more.")
    for file in found.incomplete:
        _ui.warn(f"{file} does not answer every pair.")
    if json:
        _ui.out_json({**configuration.to_table(found), "agreement": recipe.AGREEMENT})
    else:
        _show(found)
    if found.bad:
        told = "; ".join(f"{file}: {reason}" for file, reason in found.bad)
        raise PartialError(f"{len(found.bad)} of {len(files or ())} files were not counted: {told}.")


def _flags(options: Mapping[str, Any]) -> dict[str, Any]:
    fields = ("output", "count", "design", "pair", "captions", "title", "ties", "level", "format", "seed")
    flags = {name: options[name] for name in fields}
    return flags | {"folders": options["folders"] or None, "force": options["force"] or None}


def _tell_made(report: StudyReport, json: bool) -> None:
    for text in report.warnings:
        _ui.warn(text)
    if json:
        _ui.out_json(configuration.to_table(report))
        return
    _ui.out(str(report.output))
    _ui.say(
        f"{report.trials} pairs of {report.prompts} prompts (by {report.pair}), {len(report.systems)} systems, "
        f"{report.size_bytes / 1e6:.1f} MB, study {report.study}."
    )


def _show(found: StudyScore) -> None:
    header = ("first", "second", "question", "first", "tie", "second", "rate", "Wilson", "by clip", "alpha")
    rows = [
        (
            one.first,
            one.second,
            one.criterion,
            one.share.wins,
            one.share.ties,
            one.share.losses,
            *_rates(one.share),
            "-" if one.alpha is None else f"{one.alpha:.2f}",
        )
        for one in found.comparisons
    ]
    _ui.table(header, rows)
    rate, wilson, _ = _rates(found.left)
    _ui.say(
        f"{len(found.listeners)} listeners. rate: wins of the first among votes that are no ties, in percent, with "
        f"intervals; left side preferred in {rate} % {wilson}. alpha: Krippendorff's, nominal."
    )


def _rates(share: Share) -> tuple[str, str, str]:
    """Return the rate and its two intervals in percent."""
    rate = "-" if share.rate is None else f"{100 * share.rate:.1f}"
    told = [
        "-" if interval is None else f"[{100 * interval.low:.1f}, {100 * interval.high:.1f}]"
        for interval in (share.wilson, share.by_clip)
    ]
    return rate, told[0], told[1]
