"""Writes `docs/cli.md` from the commands themselves: `python -m audiojourney.cli._reference docs/cli.md`."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import typer

from audiojourney import files
from audiojourney.cli._commands import COMMANDS
from audiojourney.cli.app import EXIT_CODES, SHARED_OPTIONS, app

_HEAD = f"""# Commands

Written by `make docs` from the commands; a test compares it with them.

Every command also takes {SHARED_OPTIONS}, before or after its name, and `-h/--help`.

| exit code | meaning |
|---|---|
""" + "".join(f"| {code} | {meaning} |\n" for code, meaning in EXIT_CODES.items())


def reference() -> str:
    """Return the page on all commands, in Markdown."""
    root: Any = typer.main.get_command(app)
    parts = [_HEAD]
    for name, entry in COMMANDS.items():
        command = root.get_command(None, name)
        if entry.module is None:
            parts.append(f"\n## aj {name}\n\n{entry.summary} Not in this version yet.\n")
        else:
            examples = getattr(importlib.import_module(entry.module), "EXAMPLES", ())
            parts += _pages(f"aj {name}", command, level=2, examples=examples)
    return "".join(parts)


def _pages(name: str, command: Any, level: int, examples: Sequence[str] = ()) -> Iterator[str]:
    """Yield the section of a command, then those of the commands in it."""
    yield f"\n{'#' * level} {name}\n\n{_prose(command.help or '')}\n"
    if hasattr(command, "commands"):
        for inner in command.commands.values():
            yield from _pages(f"{name} {inner.name}", inner, level + 1)
        return
    rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
    if rows:
        yield "\n| option | meaning |\n|---|---|\n" + "".join(rows)
    if examples:
        yield "\n```\n" + "\n".join(examples) + "\n```\n"


def _row(parameter: Any) -> str:
    value = parameter.metavar or ""
    if parameter.param_type_name == "argument":
        spelling = f"`{value or parameter.name.upper()}`"
    else:
        spelling = ", ".join(f"`{option}`" for option in sorted(parameter.opts, key=len))
        flag = getattr(parameter, "is_flag", False) or getattr(parameter, "count", False)
        spelling += "" if flag else f" `{value or parameter.name.upper()}`"
    cells = (spelling, " ".join((parameter.help or "").split()))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _prose(text: str) -> str:
    return "\n\n".join(" ".join(part.split()) for part in inspect.cleandoc(text).split("\n\n"))


if __name__ == "__main__":
    files.write_text(Path(sys.argv[1]), reference())
