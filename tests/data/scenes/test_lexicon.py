from __future__ import annotations

import numpy as np
import pytest

from audiojourney.data.scenes import lexicon
from audiojourney.data.scenes.catalogue import SOURCES
from audiojourney.data.scenes.concepts import CONCEPTS, ESC10_CONCEPTS, GROUPS, RECORDED, group_of
from audiojourney.errors import UsageError

# Values in the middle, and those that the concept's name says already, need no words.
UNWORDED = {("rain_tin", "surface"), ("horse", "pace")}
MIDDLE = {"medium", "no"}

ENTRY = """
bang:
  title: a bang
  phrases: [{phrases}]
  clauses: [it bangs a, it bangs b, it bangs c, it bangs d, it bangs e, it bangs f]
  keywords: [k1, k2, k3, k4, k5, k6, k7, k8, k9, k10, k11, k12]
"""


def entry_text(*extra: str, count: int = 24) -> str:
    return ENTRY.format(phrases=", ".join([*(f"a bang number {index}" for index in range(count)), *extra]))


@pytest.mark.parametrize("concept", CONCEPTS)
def test_every_concept_has_many_wordings(concept):
    assert len(lexicon.wordings(concept)) >= 24
    assert set(lexicon.phrases(concept)) <= set(lexicon.wordings(concept))
    assert len(set(lexicon.keywords(concept))) >= 12
    assert lexicon.title(concept) in lexicon.wordings(concept)


def test_lexicon_and_catalogue_list_the_same_concepts_in_the_same_order():
    assert len(CONCEPTS) == 49
    assert lexicon.concepts() == CONCEPTS
    assert tuple(SOURCES) == CONCEPTS[: len(SOURCES)]
    assert CONCEPTS[len(SOURCES) :] == tuple(RECORDED)
    for name, source in SOURCES.items():
        assert (source.name, source.group) == (name, group_of(name))
        assert name in GROUPS[source.group]
    assert set(ESC10_CONCEPTS.values()) <= set(CONCEPTS)


def test_no_noun_phrase_or_clause_names_two_concepts():
    owner: dict[str, str] = {}
    for concept in CONCEPTS:
        for said in (*lexicon.wordings(concept), *lexicon.clauses(concept)):
            assert owner.setdefault(said.casefold(), concept) == concept


@pytest.mark.parametrize("name", SOURCES)
def test_every_attribute_that_a_source_renders_has_words(name):
    known = lexicon.entry(name).attributes
    for seed in range(6):
        rendered = SOURCES[name].render(np.random.default_rng(seed), 24_000, 8_000)
        for key, value in rendered.attributes.items():
            if key == "count":
                assert lexicon.entry(name).counted, f"{name} is counted, but the lexicon has no words for its events"
            elif (name, key) not in UNWORDED and value not in MIDDLE:
                assert value in known.get(key, {}), f"{name}: {key}={value}"


def test_an_attribute_is_worded_only_when_it_is_true():
    small = set(lexicon.entry("dog").attributes["size"]["small"])
    rng = np.random.default_rng(0)
    unknown = {lexicon.phrase("dog", rng) for _ in range(400)}
    large = {lexicon.phrase("dog", rng, {"size": "large"}) for _ in range(400)}
    puppies = {lexicon.phrase("dog", rng, {"size": "small"}) for _ in range(400)}
    assert unknown == set(lexicon.phrases("dog"))
    assert not small & large
    assert small <= puppies


def test_counts_are_told_in_words():
    assert "three knocks" in lexicon.counted_phrases("knock", 3)
    assert "a dog barking twice" in lexicon.counted_phrases("dog", 2)
    assert {"one sneeze", "a single sneeze", "someone sneezing once"} <= set(lexicon.counted_phrases("sneeze", 1))
    assert lexicon.counted_phrases("knock", 7) == ()
    assert lexicon.counted_phrases("knock", 0) == ()
    assert lexicon.counted_phrases("rain", 3) == ()


def test_an_attribute_without_words_is_left_untold():
    rng = np.random.default_rng(0)
    said = {lexicon.phrase("dog", rng, {"size": "gigantic", "breed": "poodle"}) for _ in range(200)}
    assert said == set(lexicon.phrases("dog"))


def test_unknown_concept_shows_the_name():
    with pytest.raises(UsageError, match="'dgo'"):
        lexicon.phrases("dgo")
    with pytest.raises(UsageError, match="'dgo'"):
        group_of("dgo")


def test_parse_lexicon_reads_what_is_written():
    (concept, found), *rest = lexicon.parse_lexicon(entry_text()).items()
    assert (concept, rest) == ("bang", [])
    assert (found.title, found.phrases[0], len(found.phrases)) == ("a bang", "a bang number 0", 24)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (entry_text(count=23), "23 different noun phrases"),
        (entry_text("'bang, bang'"), "'bang, bang'"),
        (entry_text("a bang before noon"), "before"),
        (entry_text("17"), "17"),
        (entry_text().replace("  title: a bang\n", ""), "'title'"),
        (entry_text() + "  colour: red\n", "colour"),
        (entry_text().replace(", k12", ""), "11 different keywords"),
    ],
)
def test_a_bad_lexicon_is_named(text, complaint):
    with pytest.raises(UsageError, match="'bang'") as caught:
        lexicon.parse_lexicon(text)
    assert complaint in str(caught.value)
