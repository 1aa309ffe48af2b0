"""What the generator is asked for: wordings it was trained on, wordings it never saw, scenes of two sounds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from audiojourney import config as configuration
from audiojourney.data.scenes import lexicon
from audiojourney.data.scenes.concepts import CONCEPTS
from audiojourney.data.scenes.grammar import Relation

ARTICLES = frozenset(("a", "an", "the"))
UNSEEN = "unseen_wordings.yaml"
# Noise seeds of the three sets; within a set they count on by one.
KNOWN_FIRST, UNSEEN_FIRST, PAIRS_FIRST = 0, 100_000, 200_000


@dataclass(frozen=True)
class Order:
    """Clips to generate.

    Attributes:
        prompts: one a clip.
        concepts: what each is meant to sound like.
        first_seed: seed of the first clip; the others count on by one.
        duration_s: length of each.
    """

    prompts: tuple[str, ...]
    concepts: tuple[str, ...]
    first_seed: int
    duration_s: float

    @property
    def seeds(self) -> range:
        """Seed of each clip."""
        return range(self.first_seed, self.first_seed + len(self.prompts))


@dataclass(frozen=True)
class Pair:
    """A scene of two sounds to ask for.

    Attributes:
        prompt: the words.
        first: the sound that comes first, or stands in front.
        second: the other one.
        relation: how they belong together.
    """

    prompt: str
    first: str
    second: str
    relation: Relation


def known(per_class: int, duration_s: float, concepts: Sequence[str] = CONCEPTS) -> Order:
    """Training wordings, as evenly spread over those of a concept as their number allows."""
    chosen = [(name, said) for name in concepts for said in _spread(lexicon.phrases(name), per_class)]
    return Order(tuple(said for _, said in chosen), tuple(name for name, _ in chosen), KNOWN_FIRST, duration_s)


def unseen(duration_s: float) -> Order:
    """Single wordings that were never trained; those that the lexicon has too, but for an article, are left out."""
    given = [(name, said) for name, wordings in _unseen()["single"].items() for said in wordings]
    trained = trained_wordings()
    chosen = [(name, said) for name, said in given if bare(said) not in trained]
    return Order(tuple(said for _, said in chosen), tuple(name for name, _ in chosen), UNSEEN_FIRST, duration_s)


def trained_wordings() -> frozenset[str]:
    """Every noun phrase, clause and keyword that captions are made of, bare."""
    parts = (lexicon.wordings, lexicon.clauses, lexicon.keywords)
    return frozenset(bare(said) for name in CONCEPTS for part in parts for said in part(name))


def bare(text: str) -> str:
    """A wording without capitals, punctuation and articles."""
    return " ".join(word for word in re.findall(r"[a-z]+", text.lower()) if word not in ARTICLES)


def unseen_pairs() -> tuple[Pair, ...]:
    """All scenes of two sounds whose wording no training caption holds."""
    return tuple(Pair(**entry) for entry in _unseen()["scenes"])


def _unseen() -> dict[str, Any]:
    return configuration.load_yaml(configuration.PRESETS / "pocket" / UNSEEN)


def _spread(options: Sequence[str], count: int) -> list[str]:
    if count > len(options):
        return [options[i % len(options)] for i in range(count)]
    return [options[i * len(options) // count] for i in range(count)]
