from __future__ import annotations

import os
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiojourney.data.clip import Clip
from audiojourney.data.formats.base import Failure
from audiojourney.data.formats.classes import class_names
from audiojourney.data.formats.exclude import read_excluded
from audiojourney.data.formats.sounds import Sounds, stem_of, youtube_names
from audiojourney.data.formats.tables import number, read_table, texts
from audiojourney.errors import MissingError, UsageError
from tests.data.formats.published import VIDEO, put_sound, put_text


def test_rows_of_another_length_are_named(tmp_path):
    path = put_text(tmp_path / "a.csv", 'x,y\n1,2\n\n3\n"4,\n4",5\n6,7,8\n')
    found = list(read_table(path))
    assert [row for row in found if not isinstance(row, Failure)] == [
        (2, {"x": "1", "y": "2"}),
        (6, {"x": "4,\n4", "y": "5"}),
    ]
    assert [row.id for row in found if isinstance(row, Failure)] == ["a.csv:4", "a.csv:7"]


def test_a_quote_that_never_ends_stops_with_a_failure(tmp_path):
    path = put_text(tmp_path / "a.csv", "x,y\n1,2\n" + '"' + "z" * 200_000)
    assert [isinstance(row, Failure) for row in read_table(path)] == [False, True]


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "", "x"])
def test_numbers_begin_at_nought(text):
    with pytest.raises(ValueError, match="start"):
        number({"start": text}, "start")


@given(st.text(max_size=40))
def test_lists_written_as_text_never_fail(text):
    assert all(isinstance(item, str) and item for item in texts(text))


def test_lists_written_as_text():
    assert texts("['a', 'b c']") == ("a", "b c")
    assert texts(["a", 3, None]) == ("a", "3")
    assert texts("one, two") == ("one", "two")
    assert texts("[__import__('os').abort()]") == ("__import__('os').abort()",)
    assert texts(None) == ()


def test_names_are_compared_letter_by_letter(tmp_path):
    put_sound(tmp_path / "a" / "AbC.wav")
    put_sound(tmp_path / "b" / "x.y.flac")
    put_sound(tmp_path / ".hidden" / "h.wav")
    put_text(tmp_path / "notes.txt", "x")
    sounds = Sounds(tmp_path)
    assert sounds.find(["abc"]) is None
    assert sounds.find(["abc", "AbC.mp3"]) == tmp_path / "a" / "AbC.wav"
    assert sounds.find(["x.y"]) == tmp_path / "b" / "x.y.flac"
    assert sounds.find(["x"]) is None
    assert sounds.find(["h"]) is None
    assert sounds.find(["notes"]) is None
    assert sounds.find(["/else/where/AbC.wav"]) == tmp_path / "a" / "AbC.wav"


def test_the_folder_that_is_preferred(tmp_path):
    for folder in ("dev", "eval"):
        put_sound(tmp_path / folder / "1.wav")
    sounds = Sounds(tmp_path)
    assert sounds.find(["1"], within="eval").parent.name == "eval"
    assert sounds.find(["1"], within="test").parent.name == "dev"


def test_accents_and_names_that_are_no_utf8(tmp_path):
    put_sound(tmp_path / (unicodedata.normalize("NFD", "tôle") + ".wav"))
    (tmp_path / os.fsdecode(b"\xff\xfe.wav")).write_bytes(b"x")
    sounds = Sounds(tmp_path)
    assert sounds.find([unicodedata.normalize("NFC", "tôle")]) is not None
    assert sounds.find([os.fsdecode(b"\xff\xfe")]) is not None


def test_names_of_parts_of_videos():
    names = youtube_names(VIDEO, 30.0, 40.0)
    known = (f"{VIDEO}_30", f"Y{VIDEO}", f"{VIDEO}_30000_40000", f"{VIDEO}_000030", f"{VIDEO}_30.000_40.000", VIDEO)
    assert set(known) <= set(names)
    assert names[-1] == VIDEO, "the whole video comes last"
    assert stem_of("a.b.WAV") == "a.b"
    assert stem_of(".wav") == ".wav"


def test_lists_of_classes(tmp_path):
    table = put_text(tmp_path / "c.csv", 'index,mid,display_name\n0,/m/a,"Speech, any"\n')
    pairs = put_text(tmp_path / "c.tsv", "/m/a\tSpeech, any\n")
    tree = put_text(tmp_path / "ontology.json", '[{"id": "/m/a", "name": "Speech, any", "child_ids": []}]')
    lines = put_text(tmp_path / "ontology.jsonl", '{"id": "/m/a", "name": "Speech, any"}\n')
    assert all(class_names(path) == {"/m/a": "Speech, any"} for path in (table, pairs, tree, lines))
    with pytest.raises(MissingError, match="nowhere"):
        class_names(tmp_path / "nowhere.csv")
    with pytest.raises(UsageError, match="no column 'mid'"):
        class_names(put_text(tmp_path / "d.csv", "a,b\n"))
    with pytest.raises(UsageError, match="names no classes"):
        class_names(put_text(tmp_path / "d.json", "{}"))


def test_lists_of_clips_to_leave_out(tmp_path):
    def clip(id: str, source: str, **fields: str) -> Clip:
        return Clip(path=tmp_path / f"{source}.wav", id=id, extra={"source_id": source, **fields})

    parts = put_text(tmp_path / "b.json", f'{{"AudioSet": ["Y{VIDEO}.wav"], "FreeSound": ["123"]}}')
    excluded = read_excluded(parts)
    assert clip("a", VIDEO, part="audioset") in excluded
    assert clip("b", "123", part="freesound") in excluded
    assert clip("c", "123", part="bbc") not in excluded
    ids = read_excluded(put_text(tmp_path / "ids.txt", f"a\n{VIDEO}\n"))
    assert clip("a", "x") in ids
    assert clip("b", VIDEO) in ids
    assert clip("b", "y") not in ids
    with pytest.raises(UsageError, match="other things"):
        read_excluded(put_text(tmp_path / "c.json", '{"a": 1}'))
    with pytest.raises(UsageError, match="no list"):
        read_excluded(put_text(tmp_path / "c.json", "[1,"))
    with pytest.raises(MissingError, match="nowhere"):
        read_excluded(tmp_path / "nowhere")
