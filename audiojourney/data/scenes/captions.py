"""Captions that are true of a scene, and endless training captions without any scene.

`describe` words sounds that were placed in a scene. `sample_description` draws a caption together with its meaning, so
that a text model can be trained without rendering audio. Both use the patterns of `grammar` and the wordings of
`lexicon`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from audiojourney.data.scenes import grammar, lexicon
from audiojourney.data.scenes.concepts import CLOSE_UP, CONCEPTS
from audiojourney.data.scenes.grammar import PATTERNS, RELATIONS, Relation
from audiojourney.data.scenes.lexicon import pick
from audiojourney.errors import UsageError

# Levels in dB re full scale while a sound lasts: it may be called loud from the first on, faint below the other.
LOUD_DB = -16.0
QUIET_DB = -32.0

# Shares of captions that say more than which sounds there are.
LOUDNESS_SHARE = 0.3
DISTANCE_SHARE = 0.3
SUFFIX_SHARE = 0.25
SENTENCE_SHARE = 0.3

# What `distance` may be, and the patterns that say so.
DISTANCES = {"near": grammar.NEAR, "far": grammar.FAR}

# Tries before giving up on one more caption that differs from the others.
MAX_TRIES = 50

# Shares used by `sample_description`, in the order of RELATIONS.
RELATION_WEIGHTS = (0.4, 0.2, 0.2, 0.2)
KEYWORD_SHARE = 0.2
KEYWORD_JOINTS = (", ", " and ", " ", " with ", " + ")
VALUE_SHARE = 0.8
COUNT_SHARE = 0.4
DISTANCE_KNOWN_SHARE = 0.4


@dataclass(frozen=True, kw_only=True)
class Placed:
    """One sound in a scene.

    Attributes:
        concept: name of the sound.
        start_s: first moment at which it sounds, in seconds from the start of the scene.
        end_s: last moment at which it sounds.
        level_db: root mean square over its events, in dB re full scale.
        role: "background" behind the sounds with the role "foreground".
        attributes: what is true of this very sound; `distance` is "near" or "far" where it can be told.
    """

    concept: str
    start_s: float
    end_s: float
    level_db: float
    role: Literal["foreground", "background"] = "foreground"
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Slots:
    """Meaning of a caption.

    Attributes:
        first: the sound that comes first in time, or stands in the foreground, or is named first when both are equal.
        second: the other sound; None for a single one.
        relation: how they belong together.
    """

    first: str
    second: str | None
    relation: Relation


def describe(placed: Sequence[Placed], relation: Relation, rng: np.random.Generator, count: int = 4) -> tuple[str, ...]:
    """Word a scene in several ways.

    Args:
        placed: one to three sounds; for "sequence" in the order of time, for "background" with the background last.
        relation: how the sounds belong together.
        rng: where the choices come from.
        count: number of captions.

    Returns:
        `count` captions that differ in more than capitals; all are true of the scene.

    Raises:
        UsageError: no pattern words so many sounds in this relation, or they do not give so many different captions.
    """
    if (relation, len(placed)) not in PATTERNS:
        raise UsageError(f"No caption pattern for {len(placed)} sounds in the relation {relation!r}.")
    found: dict[str, str] = {}
    for _ in range(MAX_TRIES * count):
        said = _one_caption(_reordered(placed, relation, rng), relation, rng)
        found.setdefault(said, _finish(said, rng))
        if len(found) == count:
            return tuple(found.values())
    concepts = [sound.concept for sound in placed]
    raise UsageError(f"Found only {len(found)} of {count} different captions for {concepts}.")


def sample_description(rng: np.random.Generator) -> tuple[str, Slots]:
    """Draw a caption and its meaning, for training a text model without audio.

    Besides the patterns of scenes it writes bare keywords, as people who search do.
    """
    relation = RELATIONS[int(rng.choice(len(RELATIONS), p=RELATION_WEIGHTS))]
    chosen = rng.choice(len(CONCEPTS), 1 if relation == "single" else 2, replace=False)
    first, *others = (CONCEPTS[int(index)] for index in chosen)
    slots = Slots(first=first, second=others[0] if others else None, relation=relation)
    if relation in ("single", "together") and rng.random() < KEYWORD_SHARE:
        words = [pick(rng, lexicon.keywords(concept)) for concept in (first, *others)]
        return _finish(pick(rng, KEYWORD_JOINTS).join(words), rng), slots
    placed = [_imagine(concept, rng) for concept in (first, *others)]
    return _finish(_one_caption(placed, relation, rng), rng), slots


def _imagine(concept: str, rng: np.random.Generator) -> Placed:
    """A sound that was never rendered, so anything that the lexicon can say of it may be true."""
    attributes: dict[str, str] = {}
    # A value with many wordings comes up as often as they are many, so that all wordings are drawn about equally.
    known = lexicon.entry(concept).attributes
    values = [(key, value) for key, of in known.items() for value, said in of.items() for _ in said]
    if values and rng.random() < VALUE_SHARE:
        attributes = dict([values[int(rng.integers(len(values)))]])
    if rng.random() < COUNT_SHARE:
        attributes["count"] = str(rng.integers(1, lexicon.MOST_COUNTED + 1))
    if concept not in CLOSE_UP and rng.random() < DISTANCE_KNOWN_SHARE:
        attributes.setdefault("distance", pick(rng, ("near", "far")))
    return Placed(
        concept=concept, start_s=0.0, end_s=1.0, level_db=float(rng.uniform(-40.0, -8.0)), attributes=attributes
    )


def _one_caption(placed: Sequence[Placed], relation: Relation, rng: np.random.Generator) -> str:
    patterns = PATTERNS[relation, len(placed)]
    if relation != "single":
        return _fill(pick(rng, patterns), placed, rng, suffixes=relation != "background")
    (sound,) = placed
    telling = _telling_patterns(sound, rng)
    return _fill(pick(rng, telling), [_untold(sound)], rng) if telling else _fill(pick(rng, patterns), placed, rng)


def _reordered(placed: Sequence[Placed], relation: Relation, rng: np.random.Generator) -> list[Placed]:
    """Sounds that are equal in time and in weight may be named in any order."""
    equals = {"together": len(placed), "background": len(placed) - 1}.get(relation, 0)
    order = [*rng.permutation(equals), *range(equals, len(placed))]
    return [placed[int(index)] for index in order]


def _telling_patterns(sound: Placed, rng: np.random.Generator) -> tuple[str, ...]:
    """Patterns that say how loud or how far the sound is; empty where neither is told."""
    told: tuple[str, ...] = ()
    if sound.level_db >= LOUD_DB or sound.level_db < QUIET_DB:
        told = grammar.LOUD if sound.level_db >= LOUD_DB else grammar.QUIET
        told = told if rng.random() < LOUDNESS_SHARE else ()
    distance = sound.attributes.get("distance")
    if not told and distance in DISTANCES and rng.random() < DISTANCE_SHARE:
        told = DISTANCES[distance]
    return told


def _fill(pattern: str, placed: Sequence[Placed], rng: np.random.Generator, suffixes: bool = False) -> str:
    words = {}
    for letter, sound in zip("abc", placed, strict=False):
        if f"{{{letter}}}" in pattern:
            words[letter] = _noun_phrase(sound, rng, suffixes)
        else:
            words[letter.upper()] = pick(rng, lexicon.clauses(sound.concept))
    return pattern.format(**words)


def _noun_phrase(sound: Placed, rng: np.random.Generator, suffixes: bool) -> str:
    if suffixes and sound.attributes.get("distance") == "far" and rng.random() < SUFFIX_SHARE:
        suffix = pick(rng, grammar.FAR_SUFFIXES)
        return f"{lexicon.phrase(sound.concept, rng, _untold(sound).attributes)} {suffix}"
    return lexicon.phrase(sound.concept, rng, sound.attributes)


def _untold(sound: Placed) -> Placed:
    """The sound without its distance, so that nothing is called distant twice."""
    return replace(sound, attributes={key: value for key, value in sound.attributes.items() if key != "distance"})


def _finish(said: str, rng: np.random.Generator) -> str:
    """Some captions become sentences with a capital and a full stop."""
    return f"{said[0].upper()}{said[1:]}." if rng.random() < SENTENCE_SHARE else said
