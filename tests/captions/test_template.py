"""Captions by sentence patterns."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiojourney.captions.answers import check_caption
from audiojourney.captions.base import Subject
from audiojourney.captions.names import CaptionerOptions, build_captioner
from audiojourney.captions.nouns import noun_phrase
from audiojourney.captions.template import TemplateCaptioner, TemplateSettings
from audiojourney.data.clip import Clip, Event
from audiojourney.errors import UsageError


@pytest.mark.parametrize(
    ("label", "phrase"),
    [
        ("Dog", "a dog"),
        ("dog bark", "a dog bark"),
        ("Owl", "an owl"),
        ("Ukulele", "a ukulele"),
        ("hour bell", "an hour bell"),
        ("FM radio", "an FM radio"),
        ("TV", "a TV"),
        ("Rain", "rain"),
        ("Rain on surface", "rain on a surface"),
        ("crying_baby", "a crying baby"),
        ("sea waves", "sea waves"),
        ("Vehicle horn, car horn, honking", "a vehicle horn"),
        ("Fire engine, fire truck (siren)", "a fire engine"),
        ("Typing", "typing"),
        ("Church Bell", "a church bell"),
        ("French horn", "a French horn"),
        ("Music of Latin America", "music of Latin America"),
        ("Drum and bass", "drum and bass music"),
        ("Glass", "glass"),
        ("Bus", "a bus"),
        ("a man whispering", "a man whispering"),
        ("(unknown)", "(unknown)"),
    ],
)
def test_noun_phrases(label: str, phrase: str):
    assert noun_phrase(label) == phrase


@given(st.text(max_size=40))
def test_any_label_gives_a_phrase(label: str):
    assert noun_phrase(label) or not label.strip()


ORDER = ("then", "follow", "before", "after", "later", "next", "ending", "preced")


def subject(*labels: str, events: tuple[Event, ...] = (), seed: int = 0) -> Subject:
    """Return a clip with labels or events."""
    return Subject(Clip(path=Path("a.wav"), id="a", labels=labels, events=events), None, seed)


@pytest.fixture(scope="module")
def template() -> TemplateCaptioner:
    return build_captioner("template", CaptionerOptions())


def texts(captioner: TemplateCaptioner, of: Subject, count: int = 1) -> list[str]:
    """Return the captions of one clip."""
    return [caption.text for caption in captioner.caption([of], count)[0].captions]


@given(
    st.lists(st.sampled_from(["Dog", "Rain", "church_bell", "Typing", "Sea waves"]), min_size=1, unique=True),
    st.integers(0, 99),
)
def test_captions_are_sentences_that_name_every_label(labels: list[str], seed: int):
    captioner = TemplateCaptioner(TemplateSettings())
    found = texts(captioner, subject(*labels, seed=seed), 4)
    assert len(found) == len(set(found)) == 4
    for text in found:
        assert (text[0].isupper(), text[-1]) == (True, ".")
        assert all(noun_phrase(label).split()[-1] in text.lower() for label in labels)
        assert check_caption(text).text == text or len(text.split()) < 3
        assert "at the same time" not in text
        assert "only" not in text
    assert found == texts(captioner, subject(*labels, seed=seed), 4)


def test_seeds_give_different_wordings(template: TemplateCaptioner):
    found = {texts(template, subject("dog", "rain", seed=seed))[0] for seed in range(60)}
    assert len(found) > 10


def test_the_order_is_told_only_where_events_show_it(template: TemplateCaptioner):
    rain, dog, bell = Event("rain", 3, 5), Event("dog", 0, 1), Event("bell", 1, 2.5)
    for text in texts(template, subject(events=(rain, dog)), 9):
        assert any(word in text.lower() for word in ORDER)
    for text in texts(template, subject(events=(rain, dog, bell)), 4):
        assert text.index("dog") < text.index("bell") < text.index("rain")
    overlapping = (Event("rain", 0, 5), dog)
    again = (dog, Event("rain", 2, 3), Event("dog", 4, 5))
    for events in (overlapping, again):
        for text in texts(template, subject("rain", "dog", events=events), 9):
            assert not any(word in text.lower() for word in ORDER)


def test_many_labels_are_cut_and_equal_ones_named_once(template: TemplateCaptioner):
    (text,) = texts(template, subject(*"abcdefgh"))
    assert sum(f" {letter}" in text.lower() for letter in "abcdefgh") <= 6
    assert texts(template, subject("Dog", "dog"))[0].lower().count("dog") == 1


def test_clips_without_words_fail_with_a_reason(template: TemplateCaptioner):
    failures = [answer.failure for answer in template.caption([subject(), subject("/m/09x0r")], 1)]
    assert failures[0] == "the clip has no labels"
    assert "'/m/09x0r' is a code" in failures[1]


def test_settings_that_cannot_be_meant():
    with pytest.raises(UsageError, match=r"options.most is 0"):
        build_captioner("template", CaptionerOptions(settings={"most": 0}))
    with pytest.raises(UsageError, match=r"options.mist'.*Did you mean 'most'"):
        build_captioner("template", CaptionerOptions(settings={"mist": 1}))
