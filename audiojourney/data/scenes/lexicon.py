"""Wordings for every concept, read from `lexicon.yaml` when first asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
import yaml

from audiojourney.data.scenes.concepts import CONCEPTS
from audiojourney.errors import UsageError
from audiojourney.registry import offer

# Fewest noun phrases in all, and of those the fewest that are true of every sound of the concept.
MIN_WORDINGS = 24
MIN_PHRASES = 12
MIN_KEYWORDS = 12
MIN_CLAUSES = 6

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
# Nobody counts the ticks of a clock beyond this.
MOST_COUNTED = 6

# Words that tell how two sounds belong together; inside the name of one sound they would mislead.
RELATION_WORDS = frozenset({"then", "before", "after", "while", "followed", "background", "foreground", "behind"})

# How often a wording uses what is known of this very sound, where something is known.
ATTRIBUTE_SHARE = 0.5
COUNT_SHARE = 0.4


@dataclass(frozen=True, kw_only=True)
class Entry:
    """All wordings of one concept; `lexicon.yaml` says what each field holds."""

    title: str
    phrases: tuple[str, ...]
    clauses: tuple[str, ...]
    keywords: tuple[str, ...]
    counted: tuple[tuple[str, str], ...] = ()
    repeated: tuple[str, ...] = ()
    attributes: Mapping[str, Mapping[str, tuple[str, ...]]]


def parse_lexicon(text: str) -> dict[str, Entry]:
    """Read and check a lexicon.

    Args:
        text: YAML as in `lexicon.yaml`.

    Returns:
        Concept -> wordings, in the order of the text.

    Raises:
        UsageError: a field is unknown or missing, or a concept has too few or unusable wordings.
    """
    return {concept: _parse_entry(concept, fields) for concept, fields in yaml.safe_load(text).items()}


def _parse_entry(concept: str, fields: Mapping[str, Any]) -> Entry:
    unknown = sorted(set(fields) - set(Entry.__dataclass_fields__))
    if unknown:
        raise UsageError(f"lexicon: {concept!r} has unknown fields {unknown}.")
    nested = fields.get("attributes", {})
    try:
        found = Entry(
            title=fields["title"],
            phrases=tuple(fields["phrases"]),
            clauses=tuple(fields["clauses"]),
            keywords=tuple(fields["keywords"]),
            counted=tuple((one, many) for one, many in fields.get("counted", ())),
            repeated=tuple(fields.get("repeated", ())),
            attributes={key: {value: tuple(said) for value, said in of.items()} for key, of in nested.items()},
        )
    except KeyError as missing:
        raise UsageError(f"lexicon: {concept!r} lacks the field {missing}.") from missing
    _check_entry(concept, found)
    return found


def _check_entry(concept: str, found: Entry) -> None:
    enough = (
        ("noun phrases", _all_wordings(found), MIN_WORDINGS),
        ("phrases", found.phrases, MIN_PHRASES),
        ("keywords", found.keywords, MIN_KEYWORDS),
        ("clauses", found.clauses, MIN_CLAUSES),
    )
    for name, listed, least in enough:
        if len(set(listed)) < least:
            raise UsageError(f"lexicon: {concept!r} has {len(set(listed))} different {name}; it needs {least}.")
    for said in (found.title, *_all_wordings(found), *found.clauses, *found.keywords):
        _check_wording(concept, said)


def _check_wording(concept: str, said: object) -> None:
    if not isinstance(said, str) or not said.strip() or "," in said:
        raise UsageError(f"lexicon: {concept!r} has the unusable wording {said!r}; write words without commas.")
    taken = RELATION_WORDS.intersection(said.split())
    if taken:
        raise UsageError(f"lexicon: {concept!r} has the wording {said!r}, but {sorted(taken)} joins two sounds.")


def _all_wordings(found: Entry) -> tuple[str, ...]:
    attributed = [said for of in found.attributes.values() for wordings in of.values() for said in wordings]
    return tuple(dict.fromkeys((*found.phrases, *attributed)))


@lru_cache(maxsize=1)
def _lexicon() -> dict[str, Entry]:
    text = resources.files("audiojourney.data.scenes").joinpath("lexicon.yaml").read_text(encoding="utf-8")
    return parse_lexicon(text)


def concepts() -> tuple[str, ...]:
    """Every concept that has wordings, in the order of the lexicon."""
    return tuple(_lexicon())


def entry(concept: str) -> Entry:
    """All wordings of a concept.

    Raises:
        UsageError: no such concept.
    """
    found = _lexicon().get(concept)
    if found is None:
        raise UsageError(f"There is no sound called {concept!r}.", offer(concept, CONCEPTS))
    return found


def title(concept: str) -> str:
    """Plainest wording of a concept, such as "a dog barking"."""
    return entry(concept).title


def phrases(concept: str) -> tuple[str, ...]:
    """Noun phrases that are true of every sound of the concept."""
    return entry(concept).phrases


def clauses(concept: str) -> tuple[str, ...]:
    """Short sentences that are true of every sound of the concept, such as "a dog barks"."""
    return entry(concept).clauses


def keywords(concept: str) -> tuple[str, ...]:
    """Loose names, tags and sound words that point to the concept."""
    return entry(concept).keywords


def wordings(concept: str) -> tuple[str, ...]:
    """Every noun phrase of a concept, also those that are true of some of its sounds only."""
    return _all_wordings(entry(concept))


def true_phrases(concept: str, attributes: Mapping[str, str]) -> tuple[str, ...]:
    """Noun phrases that tell something of `attributes`; values that no wording is known for are left untold."""
    known = entry(concept).attributes
    return tuple(said for key, value in attributes.items() for said in known.get(key, {}).get(value, ()))


def counted_phrases(concept: str, count: int) -> tuple[str, ...]:
    """Noun phrases that say how many events there are, such as "three knocks" or "a dog barking twice".

    Returns:
        Empty where the concept is not counted, or `count` is not from 1 to 6.
    """
    if not 1 <= count <= MOST_COUNTED:
        return ()
    found = entry(concept)
    if count == 1:
        said = [f"{word} {one}" for one, _ in found.counted for word in ("one", "a single", "just one")]
        return (*said, *(f"{phrase} once" for phrase in found.repeated))
    often = "twice" if count == 2 else f"{NUMBERS[count]} times"
    several = [f"{NUMBERS[count]} {many}" for _, many in found.counted]
    return (*several, *(f"{phrase} {often}" for phrase in found.repeated))


def phrase(concept: str, rng: np.random.Generator, attributes: Mapping[str, str] | None = None) -> str:
    """Draw one noun phrase that is true of a sound.

    Args:
        concept: name of the sound.
        rng: where the choice comes from.
        attributes: what is known of this very sound; `count` is the number of its separate events.
    """
    known = attributes or {}
    counted = counted_phrases(concept, int(known.get("count", 0)))
    if counted and rng.random() < COUNT_SHARE:
        return pick(rng, counted)
    attributed = true_phrases(concept, known)
    if attributed and rng.random() < ATTRIBUTE_SHARE:
        return pick(rng, attributed)
    return pick(rng, phrases(concept))


def pick(rng: np.random.Generator, options: Sequence[str]) -> str:
    """One of the options, each equally likely (`rng.choice` would build an array at every call)."""
    return options[int(rng.integers(len(options)))]


def strangers() -> tuple[str, ...]:
    """Everyday wordings of sounds and things that are none of the concepts."""
    text = (resources.files("audiojourney.data.scenes") / "strangers.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())
