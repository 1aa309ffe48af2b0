"""Words that tell that a caption is about speech or music, and whether a caption has one of them.

The AutoReCap pipeline drops captions with words of speech and of music; its own list was not published. The lists here
are ours (`keywords.yaml`): `speech` and `music` stand for that step, `instruments` and `vocal` (yells, laughter) go
further, and `quality` names bad recordings.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from audiojourney.config import load_yaml
from audiojourney.errors import MissingError, UsageError
from audiojourney.registry import offer

LISTS = ("speech", "music", "instruments", "vocal", "quality")
_FILE = Path(__file__).with_name("keywords.yaml")
_WORD = re.compile(r"\w+")
_BETWEEN = frozenset({"is", "are", "of", "the", "a", "s", "many", "small"})
_REACH = 3  # words between an animal and its song, at most

Phrase = tuple[str, ...]


@dataclass(frozen=True)
class Keywords:
    """Words and phrases to look for.

    Attributes:
        words: single words, in lower case.
        phrases: phrases by their first word, each as its words.
        spare_animals: do not count "sing" beside the name of an animal.
    """

    words: frozenset[str]
    phrases: Mapping[str, tuple[Phrase, ...]] = field(default_factory=dict)
    spare_animals: bool = True

    def find(self, text: str) -> str:
        """Return the first of the words or phrases that `text` has as a whole, or "".

        Case does not matter; the character before and after must not be a letter, a digit or an underscore.
        """
        tokens = _WORD.findall(text.casefold())
        return next(self._hits(tokens), "")

    def _hits(self, tokens: list[str]) -> Iterator[str]:
        for place, token in enumerate(tokens):
            if token in self.words and not (self.spare_animals and _of_animal(tokens, place)):
                yield token
            for phrase in self.phrases.get(token, ()):
                if tuple(tokens[place : place + len(phrase)]) == phrase:
                    yield " ".join(phrase)


def keywords(entries: Iterable[str]) -> Keywords:
    """Return what a list of names stands for.

    Args:
        entries: names of `LISTS`, text files with a word or phrase a line, and words of one's own written as `+word`.

    Raises:
        UsageError: a name is none of these.
        MissingError: there is no such file.
    """
    return _keywords(tuple(entries))


def words_of(name: str) -> tuple[str, ...]:
    """Return the words and phrases of one of `LISTS`.

    Raises:
        UsageError: there is no list of that name.
    """
    if name not in LISTS:
        hint = f"{offer(name, LISTS)} A word of your own is written as +word, a file by its path."
        raise UsageError(f"There is no keyword list {name!r}.", hint)
    return tuple(word for family in _table()[name] for word in family)


def make(words: Iterable[str], *, spare_animals: bool = True) -> Keywords:
    """Return the search for these words and phrases."""
    phrases = {tuple(_WORD.findall(word.casefold())) for word in words} - {()}
    longer: dict[str, tuple[Phrase, ...]] = {}
    for phrase in sorted(phrase for phrase in phrases if len(phrase) > 1):
        longer[phrase[0]] = (*longer.get(phrase[0], ()), phrase)
    return Keywords(frozenset(phrase[0] for phrase in phrases if len(phrase) == 1), longer, spare_animals)


@functools.lru_cache(maxsize=32)
def _keywords(entries: tuple[str, ...]) -> Keywords:
    return make(word for entry in entries for word in _expand(entry))


def _expand(entry: str) -> tuple[str, ...]:
    if entry.startswith("+"):
        return (entry[1:],)
    path = Path(entry)
    if path.suffix or len(path.parts) > 1:
        return _words_in(path)
    return words_of(entry)


def _words_in(path: Path) -> tuple[str, ...]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise MissingError(f"There is no file of keywords {str(path)!r}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The file of keywords {str(path)!r} cannot be read ({error}).") from error
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))


def _of_animal(tokens: list[str], place: int) -> bool:
    """Say whether the word at `place` is a form of "sing" that an animal nearby does."""
    singers, sung = _animals()
    if tokens[place] not in sung:
        return False
    before = reversed(tokens[max(0, place - _REACH) : place])
    after = tokens[place + 1 : place + 1 + _REACH]
    return _reaches(before, singers) or _reaches(after, singers)


def _reaches(tokens: Iterable[str], wanted: frozenset[str]) -> bool:
    """Say whether one of `wanted` comes before any word that is no mere link."""
    return next((token for token in tokens if token not in _BETWEEN), "") in wanted


@functools.cache
def _animals() -> tuple[frozenset[str], frozenset[str]]:
    table = _table()
    return frozenset(word for family in table["singers"] for word in family), frozenset(table["sung"])


@functools.cache
def _table() -> dict[str, Any]:
    return load_yaml(_FILE)
