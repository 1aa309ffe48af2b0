"""`python -m audiojourney.cli.pocket_eval`: measure the quality gates of the pocket models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audiojourney.cli import _options, _ui
from audiojourney.cli._boundary import boundary
from audiojourney.errors import GateError
from audiojourney.recipes.pocket_eval.settings import RESULTS, PocketEvalConfig

DEFAULTS = PocketEvalConfig()
SHOWN = ("gate", "figure", "judge", "asked", "reached", "real", "met")
app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def pocket_eval(
    recordings: Annotated[Path | None, typer.Option(metavar="FOLDER", help="ESC-10 clips with folds.")] = None,
    model: Annotated[str, typer.Option(metavar="NAME", help="Generator: name or folder.")] = DEFAULTS.model,
    per_class: Annotated[int, typer.Option(help="Clips of each class.")] = DEFAULTS.per_class,
    duration: Annotated[float, typer.Option(help="Length of generated clips, seconds.")] = DEFAULTS.duration_s,
    training: Annotated[
        list[Path] | None, typer.Option(metavar="FOLDER", help="Scenes the generator was trained on, for novelty.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option(metavar="GATE", help="Measure this gate; may be repeated.")] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help=f"Page to write; {RESULTS}, or none with --only.", show_default=False),
    ] = None,
    json: _options.Json = False,
) -> None:
    """Measure every quality gate and write docs/results.md and .json; exit code 4 when a gate is missed."""
    with boundary():
        from audiojourney.recipes.pocket_eval import page
        from audiojourney.recipes.pocket_eval.run import run

        config = PocketEvalConfig(
            recordings=recordings,
            model=model,
            per_class=per_class,
            duration_s=duration,
            training=tuple(training or ()),
            only=tuple(only or ()),
            output=output or (None if only else RESULTS),
        )
        report = run(config, _ui.say)
        if json:
            for figure in report.figures:
                _ui.out_json(page.to_json(figure))
        else:
            columns = [page.HEADER.index(name) for name in SHOWN]
            _ui.table(SHOWN, [[page.row(figure)[i] for i in columns] for figure in report.figures])
        for path in report.written:
            _ui.say(f"wrote {path}")
        if report.unmet:
            raise GateError(f"Not met: {', '.join(report.unmet)}.", "The figures say by how much.")


if __name__ == "__main__":
    app()
