"""The one place where an error becomes a sentence and an exit code."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from audiojourney.cli import _ui
from audiojourney.errors import AudioJourneyError, ClipError, MissingError

INTERRUPTED = 130
CLOSED_PIPE = 141
# Typer brings its own click, older ones use the package: the base class is reached by way of a subclass.
_CLICK_ERROR: type[BaseException] = next(
    base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException"
)
_PASS: tuple[type[BaseException], ...] = (typer.Exit, typer.Abort, _CLICK_ERROR)


@contextmanager
def boundary() -> Iterator[None]:
    """End the program with the exit code that belongs to an error raised in the block.

    Raises:
        typer.Exit: with that code, after the error was told.
    """
    try:
        yield
    except _PASS:
        raise
    except KeyboardInterrupt:
        _ui.fail("interrupted; what was finished stays, the same command again does the rest.")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        silence_stdout()
        raise typer.Exit(CLOSED_PIPE) from None
    except Exception as error:  # noqa: BLE001 - the boundary is what everything ends at
        code = tell(error)
        raise typer.Exit(code) from None


def tell(error: Exception) -> int:
    """Say on stderr what went wrong, with the traceback where `AJ_DEBUG` asks for it; return the exit code."""
    if os.environ.get("AJ_DEBUG"):
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, AudioJourneyError):
        _ui.fail(str(error))
        missing = isinstance(error, ClipError) and error.code == "missing_file"
        return MissingError.exit_code if missing else error.exit_code
    if isinstance(error, OSError) and error.strerror:
        _ui.fail(f"{error.filename or 'input or output'}: {error.strerror}.")
        return 1
    if isinstance(error, MemoryError):
        _ui.fail("there is not enough memory; make fewer or shorter sounds at once.")
        return 1
    reason = " ".join(str(error).split())
    _ui.fail(f"{type(error).__name__}: {reason}" if reason else type(error).__name__)
    typer.echo("This was not expected: set AJ_DEBUG=1 for the traceback.", err=True)
    return 1


def silence_stdout() -> None:
    """Send what is left for stdout to nowhere, so that Python's own flush at the end finds no closed pipe."""
    try:
        descriptor = os.open(os.devnull, os.O_WRONLY)
        os.dup2(descriptor, sys.stdout.fileno())
    except (OSError, ValueError):
        pass
