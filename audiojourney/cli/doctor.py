"""`aj doctor`: check the installation."""

from __future__ import annotations

import dataclasses

import typer

from audiojourney.cli import _options, _ui
from audiojourney.recipes.doctor import examine

EXAMPLES = ("aj doctor", "aj doctor --json")


def doctor(json: _options.Json = False) -> None:
    """Check the installation: every package is loaded, so it takes a while. Ends with 1 where something is broken."""
    checks = examine()
    if json:
        _ui.out_json([dataclasses.asdict(check) for check in checks])
    else:
        _ui.table(("what", "status", "detail"), [dataclasses.astuple(check) for check in checks])
    broken = [check.name for check in checks if check.status == "broken"]
    if broken:
        _ui.fail(f"broken: {', '.join(broken)}.")
        raise typer.Exit(1)
