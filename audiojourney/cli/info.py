"""`aj info`: say how a sound was made, or what a model is."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from audiojourney.cli import _options, _ui
from audiojourney.recipes.describe import describe

EXAMPLES = ("aj info a-dog-barking-7.wav", "aj info pocket/generator --json")


def info(
    name: Annotated[str, typer.Argument(metavar="FILE|MODEL", help="A sound file, or a model by name or folder.")],
    json: _options.Json = False,
) -> None:
    """Say how a sound was made, or what a model is."""
    show(describe(name), json)


def show(found: dict[str, Any], json: bool) -> None:
    """Print a table of findings; tables in it are printed below it, indented."""
    if json:
        _ui.out_json(found)
        return
    plain = {name: value for name, value in found.items() if not isinstance(value, dict) and value is not None}
    _ui.listing(plain)
    for name, value in found.items():
        if isinstance(value, dict) and value:
            _ui.out(f"{name}:")
            width = max(map(len, value))
            for key, item in value.items():
                _ui.out(f"  {key.ljust(width)}  {item}")
