"""The words by which captions name sounds."""

from __future__ import annotations

import pytest

from audiojourney.captions.pocket_wording import plain_clauses, plain_phrases
from audiojourney.data.scenes import lexicon
from audiojourney.data.scenes.class_words import class_words, first_mention, names
from audiojourney.data.scenes.concepts import CONCEPTS
from audiojourney.errors import UsageError


def test_every_concept_has_words_and_its_title_has_one() -> None:
    assert all(class_words(name) for name in CONCEPTS)
    assert [name for name in CONCEPTS if not names(lexicon.title(name), name)] == []


def test_every_concept_has_wordings_that_name_it() -> None:
    assert min(len(plain_phrases(name)) for name in CONCEPTS) >= 8
    assert min(len(plain_clauses(name)) for name in CONCEPTS) >= 3


@pytest.mark.parametrize(
    ("caption", "concept", "named"),
    [
        ("Raindrops on leaves", "rain", True),
        ("a train passing", "rain", False),
        ("a sea-side walk", "sea_waves", True),
        ("a season of change", "sea_waves", False),
        ("fireworks in the sky", "fire", False),
        ("a fire crackling", "fire", True),
        ("a cockroach", "rooster", False),
        ("cock-a-doodle-doo", "rooster", True),
    ],
)
def test_whole_words_and_beginnings(caption: str, concept: str, named: bool) -> None:
    assert names(caption, concept) is named


def test_the_first_mention_is_a_place() -> None:
    assert first_mention("a dog, then a dog", "dog") == 2
    assert first_mention("a dog", "cat") is None


def test_an_unknown_concept_is_refused() -> None:
    with pytest.raises(UsageError, match="'dgo'"):
        class_words("dgo")
