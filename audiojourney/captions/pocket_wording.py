"""Puts what the pocket captioner heard into words.

The patterns and wordings are those of the synthesiser's captions, but for three choices that suit a reader who was not
there: a sound is called by a word that names it ("rain falling", never "wet weather"), by none that a filter would take
for speech or music, and what comes first, or stands in front, is told first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from audiojourney.captions.keywords import keywords
from audiojourney.data.scenes import class_words, lexicon
from audiojourney.data.scenes.captions import Slots
from audiojourney.data.scenes.grammar import PATTERNS
from audiojourney.data.scenes.lexicon import pick

SILENCE = ("silence", "nothing can be heard", "no sound at all", "complete silence", "a silent recording", "quiet")
NOTHING_KNOWN = (
    *("an indistinct noise", "a steady noise", "background noise", "noise of no clear origin"),
    *("an unclear sound", "a hiss of noise", "a noisy recording"),
)
# For a sound that was not heard clearly; {a} is a noun phrase.
DOUBTFUL = (
    *("a sound like {a}", "what may be {a}", "perhaps {a}", "possibly {a}", "something like {a}"),
    *("a sound that resembles {a}", "faintly, what may be {a}", "{a}, perhaps", "it sounds like {a}"),
)
SENTENCE_SHARE = 0.5
TRIES = 50

# Lists of keywords by which captions are dropped; "the whisper of raindrops" is no speech.
MISLEADING = ("speech", "music")

# Told in an order or with a claim that a reader may take otherwise.
LEFT_OUT = frozenset({"{a} and {b} in the background", "only {a}", "nothing but {a}", "one sound: {a}"})


def word(slots: Slots | None, rng: np.random.Generator, count: int, *, doubtful: bool = False) -> list[str]:
    """Word a meaning in up to `count` different ways.

    Args:
        slots: what was heard; None where nothing known was.
        rng: where the choices come from.
        count: captions wanted; fewer come back when there are no more wordings.
        doubtful: say that it may be so, of a single sound.
    """
    if slots is None:
        return drawn(lambda: pick(rng, NOTHING_KNOWN), rng, count)
    if slots.second is None and doubtful:
        return drawn(lambda: pick(rng, DOUBTFUL).format(a=pick(rng, plain_phrases(slots.first))), rng, count)
    return drawn(lambda: _told(slots, rng), rng, count)


def silence(rng: np.random.Generator, count: int) -> list[str]:
    """Say in up to `count` ways that nothing can be heard."""
    return drawn(lambda: pick(rng, SILENCE), rng, count)


def drawn(draw: Callable[[], str], rng: np.random.Generator, count: int) -> list[str]:
    """Draw until there are `count` captions that differ in more than capitals; some become sentences."""
    found: dict[str, str] = {}
    for _ in range(TRIES * count):
        if len(found) == count:
            break
        said = draw()
        sentence = rng.random() < SENTENCE_SHARE
        found.setdefault(said, f"{said[0].upper()}{said[1:]}." if sentence else said)
    return list(found.values())


@lru_cache(maxsize=64)
def plain_phrases(concept: str) -> tuple[str, ...]:
    """Noun phrases that are true of every sound of a concept and name it."""
    return _naming(lexicon.phrases(concept), concept)


@lru_cache(maxsize=64)
def plain_clauses(concept: str) -> tuple[str, ...]:
    """Short sentences that are true of every sound of a concept and name it."""
    return _naming(lexicon.clauses(concept), concept)


@lru_cache(maxsize=8)
def patterns(relation: str, count: int) -> tuple[str, ...]:
    """Patterns of the grammar that name the first sound first."""
    known = next(found for (name, number), found in PATTERNS.items() if (name, number) == (relation, count))
    return tuple(p for p in known if p not in LEFT_OUT and (count == 1 or _in_order(p)))


def _in_order(pattern: str) -> bool:
    lower = pattern.lower()
    return lower.index("{a}") < lower.index("{b}")


def _told(slots: Slots, rng: np.random.Generator) -> str:
    concepts = [name for name in (slots.first, slots.second) if name is not None]
    pattern = pick(rng, patterns(slots.relation, len(concepts)))
    words = {}
    for letter, concept in zip("ab", concepts, strict=False):
        words[letter] = pick(rng, plain_phrases(concept))
        words[letter.upper()] = pick(rng, plain_clauses(concept))
    return pattern.format(**words)


def _naming(options: Sequence[str], concept: str) -> tuple[str, ...]:
    elsewhere = keywords(MISLEADING)
    return tuple(said for said in options if class_words.names(said, concept) and not elsewhere.find(said))
