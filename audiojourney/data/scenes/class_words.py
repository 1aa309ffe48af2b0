"""The words by which a caption names a sound, and whether it does."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources

import yaml

from audiojourney.data.scenes.concepts import CONCEPTS
from audiojourney.errors import UsageError
from audiojourney.registry import offer

BEGINNING = "-"  # ends an entry that stands for every word that begins so


@lru_cache(maxsize=1)
def _table() -> dict[str, tuple[str, ...]]:
    text = resources.files("audiojourney.data.scenes").joinpath("class_words.yaml").read_text(encoding="utf-8")
    return {concept: tuple(words) for concept, words in yaml.safe_load(text).items()}


def class_words(concept: str) -> tuple[str, ...]:
    """The words that name a concept, as they stand in `class_words.yaml`.

    Raises:
        UsageError: no such concept.
    """
    if concept not in _table():
        raise UsageError(f"There is no sound called {concept!r}.", offer(concept, CONCEPTS))
    return _table()[concept]


def first_mention(caption: str, concept: str) -> int | None:
    """Where a caption first names a concept, in letters from its beginning, or None where it does not."""
    found = _pattern(concept).search(caption.lower())
    return None if found is None else found.start()


def names(caption: str, concept: str) -> bool:
    """Whether a caption names a concept."""
    return first_mention(caption, concept) is not None


@lru_cache(maxsize=128)
def _pattern(concept: str) -> re.Pattern[str]:
    """Any of the words of a concept."""
    return re.compile("|".join(_word(entry) for entry in class_words(concept)))


def _word(entry: str) -> str:
    if entry.endswith(BEGINNING):
        return rf"\b{re.escape(entry.removesuffix(BEGINNING))}"
    return rf"\b{re.escape(entry)}\b"
