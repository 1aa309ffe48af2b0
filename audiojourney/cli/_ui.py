"""What the user sees: results on stdout, talk on stderr, a bar only on a terminal."""

from __future__ import annotations

import json
import os
import sys
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.progress import Progress

BAR_AFTER_S = 1.0
LINE_EVERY_S = 60.0


@dataclass
class Mode:
    """How much is said; set once by the options of `aj` itself."""

    quiet: bool = False
    verbose: int = 0
    bar: Bar | None = None


mode = Mode()


def configure(*, quiet: bool, verbose: int, no_color: bool, offline: bool) -> None:
    """Take over the options that every command understands."""
    mode.quiet, mode.verbose, mode.bar = quiet, verbose, None
    if no_color:
        os.environ["NO_COLOR"] = "1"
    if offline:
        os.environ["AJ_OFFLINE"] = os.environ["HF_HUB_OFFLINE"] = "1"
    if not verbose and not os.environ.get("AJ_DEBUG"):
        warnings.simplefilter("ignore")


def out(text: str) -> None:
    """Write one line of result to stdout, at once."""
    with _bar_hidden():
        typer.echo(text)
        sys.stdout.flush()


def out_json(value: object) -> None:
    """Write one result as a line of JSON to stdout; figures that are not finite become null."""
    out(json.dumps(_finite(value), ensure_ascii=False, allow_nan=False))


def say(text: str) -> None:
    """Tell the user something on stderr, unless he asked for quiet."""
    if not mode.quiet:
        with _bar_hidden():
            typer.echo(text, err=True)


def warn(text: str) -> None:
    """Warn the user on stderr, unless he asked for quiet."""
    say(f"aj: warning: {text}")


def fail(text: str) -> None:
    """Tell the user on stderr what went wrong, whatever he asked for."""
    with _bar_hidden():
        typer.echo(f"aj: {text}", err=True)


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Write aligned columns to stdout, plain, so that they can be cut and searched."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    for row in cells:
        out("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def listing(values: Mapping[str, object]) -> None:
    """Write `name  value` lines to stdout."""
    width = max((len(name) for name in values), default=0)
    for name, value in values.items():
        out(f"{name.ljust(width)}  {value}")


class Bar:
    """Progress on stderr: a bar on a terminal from `BAR_AFTER_S` on, else a line every `LINE_EVERY_S`."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.live: Progress | None = None
        self._start = self._said = time.monotonic()
        self._terminal = sys.stderr.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"

    def update(self, done: int, total: int | None) -> None:
        """Show that `done` of `total` is done; None where nobody knows the total."""
        now = time.monotonic()
        if self._terminal:
            if self.live is None and now - self._start >= BAR_AFTER_S:
                self.live = _rich_bar(self.what)
            if self.live is not None:
                self.live.update(self.live.task_ids[0], completed=done, total=total)
        elif now - self._said >= LINE_EVERY_S:
            self._said = now
            say(f"{self.what}: {done}" if total is None else f"{self.what}: {done} of {total}")

    def close(self) -> None:
        """Take the bar away."""
        if self.live is not None:
            self.live.stop()


@contextmanager
def progress(what: str, *, shown: bool = True) -> Iterator[Bar | None]:
    """Give a bar for the length of the block, or None where none is wanted (`--quiet`, `--json`)."""
    if mode.quiet or not shown:
        yield None
        return
    mode.bar = Bar(what)
    try:
        yield mode.bar
    finally:
        mode.bar.close()
        mode.bar = None


def _rich_bar(what: str) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # stdout may be a file or a pipe: rich must leave it alone.
    bar = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False)
    bar.add_task(what, total=None)
    bar.start()
    return bar


@contextmanager
def _bar_hidden() -> Iterator[None]:
    live = mode.bar.live if mode.bar else None
    if live is None:
        yield
        return
    live.stop()
    try:
        yield
    finally:
        live.start()


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if abs(value) < float("inf") else None
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
