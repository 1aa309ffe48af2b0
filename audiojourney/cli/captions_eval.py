"""`python -m audiojourney.cli.captions_eval`: measure the shipped captioner and scorer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from audiojourney.cli import _options, _ui
from audiojourney.cli._boundary import boundary
from audiojourney.errors import GateError
from audiojourney.recipes.captions_eval.settings import CaptionsEvalConfig

DEFAULTS = CaptionsEvalConfig()
app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


@app.command()
def captions_eval(
    recordings: Annotated[Path | None, typer.Option(metavar="FOLDER", help="ESC-10 clips with folds.")] = None,
    fold: Annotated[int, typer.Option(help="Fold that is heard.")] = DEFAULTS.fold,
    captioner: Annotated[str, typer.Option(metavar="NAME", help="Captioner: name or folder.")] = DEFAULTS.captioner,
    scorer: Annotated[str, typer.Option(metavar="NAME", help="Scorer: name or folder.")] = DEFAULTS.scorer,
    mixtures: Annotated[int, typer.Option(help="Clips of each kind of mixture.")] = DEFAULTS.mixtures,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Page to write; none is written without.")
    ] = None,
    json: _options.Json = False,
) -> None:
    """Measure every gate of captioner and scorer; exit code 4 when one is missed."""
    with boundary():
        from audiojourney.recipes.captions_eval import run as recipe
        from audiojourney.recipes.pocket_eval import page

        config = CaptionsEvalConfig(
            recordings=recordings, fold=fold, captioner=captioner, scorer=scorer, mixtures=mixtures, output=output
        )
        report = recipe.run(config, _ui.say)
        if json:
            for figure in report.figures:
                _ui.out_json(page.to_json(figure))
        else:
            _ui.table(recipe.COLUMNS, recipe.rows(report.figures))
        for path in report.written:
            _ui.say(f"wrote {path}")
        if report.unmet:
            raise GateError(f"Not met: {', '.join(report.unmet)}.", "The figures say by how much.")


if __name__ == "__main__":
    app()
