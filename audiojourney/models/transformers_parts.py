"""Classes, models and tokenizers of transformers, which takes seconds to import and so is imported when asked for."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from audiojourney.errors import MissingError


def transformers_class(module: str, name: str) -> Any:
    """Import a class of transformers from its own module.

    Args:
        module: its name after `transformers.`.
        name: the class.

    Raises:
        MissingError: transformers, or something that it tries to import, cannot be loaded.
    """
    try:
        return getattr(importlib.import_module(f"transformers.{module}"), name)
    except (ImportError, OSError, RuntimeError, AttributeError) as error:  # a broken torchvision raises any of these
        raise MissingError(f"transformers.{name} cannot be loaded ({error}).", "Run: aj doctor") from error


def read_tokenizer(folder: Path) -> Any:
    """Return the tokenizer in a local folder.

    Raises:
        MissingError: the folder holds none.
    """
    auto = transformers_class("models.auto.tokenization_auto", "AutoTokenizer")
    return read_pretrained(auto, folder, "tokenizer")


def read_pretrained(kind: Any, folder: Path, what: str, **settings: Any) -> Any:
    """Return what a class of transformers reads from a local folder; the network is never asked.

    Args:
        kind: a class with `from_pretrained`.
        folder: the files.
        what: what is read, in words, for the message.
        settings: further arguments, such as `dtype`.

    Raises:
        MissingError: the folder does not hold it.
    """
    quieten()
    try:
        return kind.from_pretrained(str(folder), local_files_only=True, **settings)
    except (OSError, ValueError, ImportError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise MissingError(f"{str(folder)!r} holds no {what} ({reason}).") from error


def quieten() -> None:
    """Switch the progress bars of transformers off: they write even where standard error is no terminal."""
    importlib.import_module("transformers.utils.logging").disable_progress_bar()
