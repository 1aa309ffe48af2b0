"""`aj models`: list, show and fetch models."""

from __future__ import annotations

from typing import Annotated

import typer

from audiojourney import hub
from audiojourney.cli import _options, _ui
from audiojourney.cli.info import show as show_findings
from audiojourney.recipes.describe import describe_model, list_models

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List, show and fetch models.")
Name = Annotated[str, typer.Argument(metavar="MODEL", help="Name, folder or Hub id.")]


@app.command("list")
def list_(json: _options.Json = False) -> None:
    """List the models that come with the package and those that can be fetched by name."""
    models = list_models()
    if json:
        for model in models:
            _ui.out_json(model)
        return
    rows = [[model[key] if model[key] is not None else "-" for key in model] for model in models]
    _ui.table(("name", "kind", "where", "MB", "license"), rows)


@app.command("show")
def show(name: Name, json: _options.Json = False) -> None:
    """Say what a model is, how it was made, and what its owners allow."""
    show_findings(describe_model(name), json)


@app.command("pull")
def pull(names: Annotated[list[str], typer.Argument(metavar="MODEL...", help="Names or Hub ids.")]) -> None:
    """Fetch models for use without a network; prints the folder of each."""
    for name in names:
        _ui.out(str(hub.resolve_model(name)))
