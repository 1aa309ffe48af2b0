from __future__ import annotations

import re

import numpy as np
import pytest

from audiojourney.data.scenes import captions, grammar, lexicon
from audiojourney.data.scenes.captions import Placed, describe, sample_description
from audiojourney.data.scenes.concepts import CONCEPTS
from audiojourney.errors import UsageError

CASES = [(relation, count) for relation, count in grammar.PATTERNS]
NAMES = ("dog", "rain", "glass")
LOUD, QUIET = r"\bloud|high volume", r"faint|quiet|low volume|barely"


@pytest.fixture
def telling_names(monkeypatch):
    """A lexicon in which every wording of a concept holds its name in capitals, so that a caption can be read back."""

    def entry(concept: str) -> lexicon.Entry:
        return lexicon.Entry(
            title=f"a {concept.upper()}",
            phrases=tuple(f"{concept.upper()} {letter}" for letter in "uvwxyz"),
            clauses=tuple(f"{concept.upper()} goes {letter}" for letter in "uvwxyz"),
            keywords=(f"{concept.upper()} key",),
            counted=((f"{concept.upper()} event", f"{concept.upper()} events"),),
            attributes={},
        )

    monkeypatch.setattr(lexicon, "entry", entry)


def place(names, **changes) -> list[Placed]:
    return [Placed(concept=name, start_s=0.0, end_s=1.0, level_db=-24.0, **changes) for name in names]


def named(caption: str) -> list[str]:
    """Concepts in the order in which the caption names them (only with `telling_names`)."""
    return [word.lower() for word in re.findall(r"[A-Z_]{3,}", caption)]


def heard_in_order(caption: str) -> list[str]:
    """Concepts in the order of time, read by the plain meaning of before, after and preceded by."""
    names = named(caption)
    text = caption.lower()
    text = text.replace("after that", "").replace("after the other", "")
    backwards = " after " in text or "preceded by" in text or text.startswith("before ")
    if len(names) == 2 and backwards and not text.startswith("after "):
        names.reverse()
    return names


def many(placed, relation, rounds=60):
    return [said for seed in range(rounds) for said in describe(placed, relation, np.random.default_rng(seed))]


@pytest.mark.parametrize(("relation", "count"), CASES)
def test_every_caption_names_every_sound_once_and_no_other(telling_names, relation, count):
    placed = place(NAMES[:count])
    for said in many(placed, relation):
        assert sorted(named(said)) == sorted(NAMES[:count]), said


@pytest.mark.parametrize(("relation", "count"), CASES)
def test_real_captions_hold_a_wording_of_every_sound(relation, count):
    placed = place(NAMES[:count])
    for said in many(placed, relation, rounds=15):
        for name in NAMES[:count]:
            wordings = (*lexicon.phrases(name), *lexicon.clauses(name))
            assert any(wording.lower() in said.lower() for wording in wordings), said


@pytest.mark.parametrize("count", [2, 3])
def test_sequence_captions_tell_the_true_order(telling_names, count):
    said = many(place(NAMES[:count]), "sequence", rounds=120)
    assert {tuple(heard_in_order(caption)) for caption in said} == {NAMES[:count]}
    if count == 2:
        assert any(named(caption) == ["rain", "dog"] for caption in said), "some captions name the later sound first"


def test_background_captions_put_the_background_behind(telling_names):
    for said in many(place(NAMES[:2]), "background", rounds=120):
        text = said.lower()
        front, back = text.index("dog"), text.index("rain")
        if "behind it" in text or " over " in text or "in front of" in text or "louder than" in text:
            assert front < back
        elif "quieter than" in text or "in the background of" in text or " behind " in text:
            assert back < front
        else:
            where = text.index("background")
            assert abs(where - back) < abs(where - front) or "in the foreground" in text, said


@pytest.mark.parametrize(("relation", "count"), CASES)
def test_captions_are_distinct_and_well_formed(relation, count):
    for seed in range(40):
        said = describe(place(NAMES[:count]), relation, np.random.default_rng(seed), 6)
        assert len({caption.rstrip(".").casefold() for caption in said}) == 6
        for caption in said:
            assert "{" not in caption
            assert "  " not in caption
            assert " ," not in caption
            assert caption == caption.strip()
            assert caption.endswith(".") == caption[0].isupper() or not caption[0].isalpha()


def test_counts_are_those_of_the_sound():
    said = many(place(["knock"], attributes={"count": "3"}), "single", rounds=200)
    counted = [caption for caption in said if re.search(r"\b(one|two|three|four|once|twice|times|single)\b", caption)]
    counted = [caption for caption in counted if "one sound" not in caption.lower()]
    assert counted
    assert all("three" in caption.lower() for caption in counted)


@pytest.mark.parametrize(
    ("level_db", "true", "false"),
    [
        (-10.0, r"\bloud|high volume", r"faint|quiet|low volume|barely"),
        (-40.0, r"faint|quiet|low volume|barely", r"\bloud|high vol"),
    ],
)
def test_loudness_is_told_as_it_is(telling_names, level_db, true, false):
    placed = [Placed(concept="dog", start_s=0, end_s=1, level_db=level_db)]
    said = many(placed, "single")
    assert any(re.search(true, caption, re.I) for caption in said)
    assert not any(re.search(false, caption, re.I) for caption in said)


def test_a_middle_level_is_not_told(telling_names):
    assert not any(re.search("loud|faint|quiet|volume", caption, re.I) for caption in many(place(["dog"]), "single"))


def test_distance_is_told_as_it_is(telling_names):
    far = many(place(["dog"], attributes={"distance": "far"}), "single")
    near = many(place(["dog"], attributes={"distance": "near"}), "single")
    untold = many(place(["dog"]), "single")
    far_words, near_words = "distan|far|long way", "near|close"
    assert any(re.search(far_words, said) for said in far)
    assert any(re.search(near_words, said) for said in near)
    assert not any(re.search(near_words, said) for said in far)
    assert not any(re.search(far_words, said) for said in near)
    assert not any(re.search(f"{far_words}|{near_words}", said) for said in untold)


def test_only_far_sounds_are_put_in_the_distance_inside_longer_captions(telling_names):
    dog, rain = place(["dog"], attributes={"distance": "far"}) + place(["rain"])
    said = many([dog, rain], "sequence")
    assert any("DOG" in caption and "in the distance" in caption for caption in said)
    assert not any(re.search(r"RAIN \w (in the distance|far away|heard from)", caption) for caption in said)


def test_distance_is_told_once():
    thunder, dog = place(["thunder"], attributes={"distance": "far"}) + place(["dog"])
    words = r"distant|distance|far-?away|far away|far off|long way|horizon"
    for said in (*many([thunder], "single"), *many([thunder, dog], "sequence")):
        assert len(re.findall(words, said, re.I)) <= 1, said


def test_same_generator_state_gives_the_same_captions():
    first, again = (describe(place(NAMES), "together", np.random.default_rng(5)) for _ in range(2))
    other = describe(place(NAMES), "together", np.random.default_rng(6))
    assert first == again != other


@pytest.mark.parametrize(("relation", "count"), [("single", 2), ("sequence", 1), ("together", 4)])
def test_a_scene_without_pattern_is_refused(relation, count):
    with pytest.raises(UsageError, match=f"{count} sounds in the relation '{relation}'"):
        describe(place(CONCEPTS[:count]), relation, np.random.default_rng(0))


def test_asking_for_too_many_captions_is_refused(telling_names, monkeypatch):
    monkeypatch.setattr(captions, "MAX_TRIES", 2)
    with pytest.raises(UsageError, match="of 400 different captions"):
        describe(place(["dog"]), "single", np.random.default_rng(0), 400)


def test_sampled_descriptions_mean_what_their_slots_say(telling_names):
    rng = np.random.default_rng(3)
    seen = set()
    for _ in range(1500):
        said, slots = sample_description(rng)
        expected = [slots.first] if slots.second is None else [slots.first, slots.second]
        found = named(said)
        assert (slots.relation == "single") == (slots.second is None)
        if slots.relation == "sequence":
            found = heard_in_order(said)
        if slots.relation == "background":
            found, expected = sorted(found), sorted(expected)
        assert found == expected, (said, slots)
        seen |= set(expected)
    assert seen == set(CONCEPTS)


def test_sampled_descriptions_cover_keywords_and_attributes():
    rng = np.random.default_rng(4)
    drawn = [sample_description(rng) for _ in range(8000)]
    said: dict[str, set[str]] = {concept: set() for concept in CONCEPTS}
    for caption, slots in drawn:
        if slots.relation == "single":
            said[slots.first].add(caption.rstrip(".").casefold())
    keywords = [keyword in said[concept] for concept in CONCEPTS for keyword in lexicon.keywords(concept)]
    assert np.mean(keywords) > 0.3
    attributed = [
        any(wording in caption for caption in said[concept])
        for concept in CONCEPTS
        for wording in set(lexicon.wordings(concept)) - set(lexicon.phrases(concept))
    ]
    assert np.mean(attributed) > 0.3
    shares = {relation: np.mean([slots.relation == relation for _, slots in drawn]) for relation in grammar.RELATIONS}
    assert shares == pytest.approx(dict(zip(grammar.RELATIONS, captions.RELATION_WEIGHTS, strict=True)), abs=0.03)
