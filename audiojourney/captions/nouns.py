"""Labels of data sets to noun phrases: "Dog" to "a dog", "Rain" to "rain", "Horn, honking" to "a horn".

English articles follow the sound of the next word and whether a thing can be counted; a table next to this file holds
what no rule can know.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from audiojourney import config

TABLE = Path(__file__).with_name("nouns.yaml")
_ARTICLES = ("a", "an", "the", "some", "several", "two", "three", "many", "someone", "somebody", "people")
_PREPOSITIONS = (" of ", " on ", " in ", " with ", " at ", " from ", " by ", " for ", " or ", " and ")
_LONG_U = ("uni", "use", "usu", "uku", "ute", "eu", "one", "once")
_SILENT_H = ("hour", "honest", "honour", "honor", "heir")
_VOWEL_LETTERS = "AEFHILMNORSX"  # that begin with a vowel when spelled out
_NO_PLURAL = ("ss", "us", "is", "gas")


@dataclass(frozen=True, kw_only=True)
class Nouns:
    """What the rules know of words; `nouns.yaml` says what each field holds."""

    uncountable: frozenset[str]
    things: frozenset[str]
    proper: frozenset[str]
    genres: frozenset[str]
    phrases: dict[str, str]


@cache
def _nouns() -> Nouns:
    table = config.load_yaml(TABLE)
    return Nouns(phrases=table.pop("phrases"), **{key: frozenset(words) for key, words in table.items()})


def noun_phrase(label: str) -> str:
    """Return a label as a noun phrase that fits into a sentence.

    Of several names with commas between them the first is taken; what stands in brackets is left out.
    """
    known = _nouns()
    words = _lowered(re.sub(r"\([^)]*\)", " ", label.replace("_", " ")).split(",")[0])
    if not words:
        return " ".join(label.split())
    if words.lower() in known.phrases:
        return known.phrases[words.lower()]
    if words.lower() in known.genres:
        return f"{words} music"
    if words.split()[0].lower() in _ARTICLES or not _is_counted(_head(words)):
        return words
    return f"{_article(words)} {words}"


def _lowered(label: str) -> str:
    """Return a label without capitals but those of abbreviations and proper names."""
    words = label.split()
    title_case = len(words) > 1 and all(word[0].isupper() for word in words)
    return " ".join(
        word if _keeps_capital(word, first=number == 0, title_case=title_case) else word.lower()
        for number, word in enumerate(words)
    )


def _keeps_capital(word: str, first: bool, title_case: bool) -> bool:
    if len(word) > 1 and word.isupper():
        return True
    return word in _nouns().proper or not (first or title_case)


def _head(words: str) -> str:
    """Return the word that the others say something of: the last one before a preposition."""
    for preposition in _PREPOSITIONS:
        words = words.split(preposition)[0]
    return words.split()[-1].lower()


def _is_counted(head: str) -> bool:
    """Say whether a singular article fits: the word is neither a plural, nor an activity, nor a substance."""
    known = _nouns()
    if head in known.things:
        return True
    plural = head.endswith("s") and not head.endswith(_NO_PLURAL)
    return not (plural or head.endswith("ing") or head in known.uncountable)


def _article(words: str) -> str:
    first = words.split()[0]
    if len(first) > 1 and first.isupper():
        vowel = first[0] in _VOWEL_LETTERS
    else:
        vowel = first[0].lower() in "aeiou" and not first.lower().startswith(_LONG_U)
        vowel = vowel or first.lower().startswith(_SILENT_H)
    return "an" if vowel else "a"
