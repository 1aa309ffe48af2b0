"""Words of speech and music: the cases worked out by hand, and the lists that are shipped."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiojourney.captions.keywords import LISTS, keywords, make, words_of
from audiojourney.errors import MissingError, UsageError

CASES = {
    "kept_speech_music": ("speech", "music"),
    "kept_plus_instruments": ("speech", "music", "instruments"),
    "kept_all_lists": ("speech", "music", "instruments", "vocal"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_lists_keep_what_was_worked_out(case, shared_fixtures):
    folder = shared_fixtures / "transcripts"
    expected = json.loads((folder / "merge_filter.json").read_text(encoding="utf-8"))["keyword_filter"]
    given_lists = json.loads((folder / "keywords.json").read_text(encoding="utf-8"))["lists"]
    names = [{"vocal": "vocal_non_speech"}.get(name, name) for name in CASES[case]]
    given_words = make(word for name in names for word in given_lists[name])
    for search in (keywords(CASES[case]), given_words):
        assert [i for i, text in enumerate(expected["input"]) if not search.find(text)] == expected[case]


@pytest.mark.parametrize("name", LISTS)
def test_lists_hold_each_word_once_in_lower_case(name):
    words = words_of(name)
    assert len(set(words)) == len(words) > 20
    assert all(word == word.casefold().strip() for word in words)


def test_speech_and_music_do_not_share_words_with_the_others():
    speech_music = {*words_of("speech"), *words_of("music")}
    assert speech_music & {*words_of("instruments"), *words_of("vocal"), *words_of("quality")} == set()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("A man TALKS.", "talks"),
        ("talkative parrots", ""),
        ("a hip-hop beat", "hip hop"),
        ("hip, hop", "hip hop"),
        ("a hip beat", ""),
        ("pre_talk", ""),
        ("talk2", ""),
        ("(singing)", "singing"),
        ("an engine hums while typing on a keyboard", ""),
        ("rapping on a door", ""),
        ("keys jingle", ""),
        ("", ""),
    ],
)
def test_whole_words(text, word):
    assert keywords(("speech", "music")).find(text) == word


@pytest.mark.parametrize(
    ("text", "spared"),
    [
        ("Birds are singing", True),
        ("A bird sings in the rain", True),
        ("the song of a whale", True),
        ("a chorus of frogs", True),
        ("people singing and birds chirping", False),
        ("birds chirp and a woman sings", False),
        ("a man sings to a bird", False),
        ("birds and music", False),
    ],
)
def test_animals_may_sing(text, spared):
    assert (keywords(("music",)).find(text) == "") is spared
    assert make(words_of("music"), spare_animals=False).find(text)


@given(
    st.sampled_from([word for name in LISTS for word in words_of(name)]), st.sampled_from(["{}", "A {}!", "x-{}, y"])
)
def test_every_word_of_a_list_is_found(word, frame):
    assert make([word], spare_animals=False).find(frame.format(word.upper())) == word


def test_own_words_and_files(tmp_path):
    path = tmp_path / "own.txt"
    path.write_text("# a comment\nwind\nfire alarm\n\n", encoding="utf-8")
    search = keywords((str(path), "+rain"))
    assert [search.find(text) for text in ("wind", "a fire alarm", "fire", "Rain", "speech")] == [
        "wind",
        "fire alarm",
        "",
        "rain",
        "",
    ]


def test_unknown_lists_and_files_are_told(tmp_path):
    with pytest.raises(UsageError, match=r"'speach'.*'speech'.*\+word"):
        keywords(("speach",))
    with pytest.raises(MissingError, match="absent"):
        keywords((str(tmp_path / "absent.txt"),))
    (tmp_path / "bad.txt").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(UsageError, match="cannot be read"):
        keywords((str(tmp_path / "bad.txt"),))
