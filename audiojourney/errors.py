"""Errors that a user may meet, each with the exit code that `aj` ends with."""

from __future__ import annotations

import importlib
from types import ModuleType


class AudioJourneyError(Exception):
    """A failure that can be told in one sentence.

    Args:
        message: what went wrong and with which value.
        hint: what to do next, shown after the message.
    """

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}" if self.hint else self.message


class UsageError(AudioJourneyError):
    """A value, option or configuration that cannot be meant."""

    exit_code = 2


class MissingError(AudioJourneyError):
    """Something needed is absent: weights, an extra, an input."""

    exit_code = 3


class GateError(AudioJourneyError):
    """A measured value did not meet its gate; results were still written."""

    exit_code = 4


class PartialError(AudioJourneyError):
    """The work was finished, but some items failed."""

    exit_code = 5


class ClipError(AudioJourneyError):
    """One clip cannot be used.

    Args:
        code: machine name of the reason, such as `empty_file`.
        message: the reason in words, with the offending value.
        path: the file that was read.
    """

    def __init__(self, code: str, message: str, path: str = "") -> None:
        super().__init__(f"{path}: {message}" if path else message)
        self.code = code
        self.path = path
        self.reason = message


def require(module: str, *, extra: str, feature: str) -> ModuleType:
    """Import an optional package, or say which extra brings it.

    A broken binary package raises OSError or RuntimeError at import, so every error counts as absent.

    Raises:
        MissingError: the package is absent or cannot be loaded.
    """
    try:
        return importlib.import_module(module)
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise MissingError(
            f"{feature} needs the package {module!r}, which cannot be loaded ({reason}).",
            f'Run: pip install "audiojourney[{extra}]"',
        ) from error
