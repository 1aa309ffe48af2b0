"""The quirks of published lists that were counted in them, one by one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiojourney.data.clip import Clip
from audiojourney.data.formats.base import Failure, Failures, bad_row
from audiojourney.data.formats.classes import class_names, named
from audiojourney.data.formats.exclude import Excluded, read_excluded
from audiojourney.data.formats.jsonrows import texts_at
from audiojourney.data.formats.names import detect_format
from audiojourney.data.formats.sounds import Sounds, stem_of, youtube_names
from audiojourney.data.formats.tables import codes, first_line, number, tables_in, texts
from audiojourney.data.spool import Counts, Kept
from audiojourney.errors import MissingError, UsageError
from tests.data.formats.published import DASHED, VIDEO, put_sound, put_tar, put_text, read_all, sound_bytes

HEAD = "audiocap_id,youtube_id,start_time,caption\n"


@pytest.mark.parametrize(
    "name",
    [
        f"{VIDEO}.wav",
        f"Y{VIDEO}.flac",
        f"{VIDEO}_30.wav",
        f"Y{VIDEO}_30.wav",
        f"{VIDEO}_30000_40000.flac",
        f"{VIDEO}_30000.wav",
        f"{VIDEO}_30.000_40.000.wav",
        f"Y{VIDEO}_30.000_40.000.flac",
        f"{VIDEO}_30_40.wav",
        f"{VIDEO}_000030.wav",
        f"{VIDEO}_30.0.wav",
    ],
)
def test_every_name_that_tools_give_is_found(tmp_path, name):
    put_sound(tmp_path / "deep" / "er" / name)
    assert Sounds(tmp_path).find(youtube_names(VIDEO, 30, 40)).name == name


def test_the_most_exact_name_wins_and_capitals_count(tmp_path):
    for name in (f"{VIDEO}.wav", f"{VIDEO}_30000_40000.wav", f"{VIDEO.lower()}_30000_40000.wav", f"{VIDEO}_30.wav"):
        put_sound(tmp_path / name)
    assert Sounds(tmp_path).find(youtube_names(VIDEO, 30, 40)).name == f"{VIDEO}_30000_40000.wav"
    assert Sounds(tmp_path).find([VIDEO.upper()]) is None


@given(st.text(max_size=8))
def test_only_suffixes_of_sounds_are_taken_off(name):
    assert stem_of(f"{name}x.wav") == f"{name}x"
    assert stem_of(f"{name}x.FLAC") == f"{name}x"
    assert stem_of(f"{name}.jpeg") == f"{name}.jpeg"


@pytest.mark.parametrize(
    ("end", "folder", "version"), [("\r\n", "dataset", "v1"), ("\n", "dataset", ""), ("\n", "dataset2.0", "v2")]
)
def test_the_version_of_audiocaps_is_told_by_its_line_ends_or_folder(tmp_path, end, folder, version):
    text = f"{HEAD}1,{DASHED},30,Rain\n".replace("\n", end)
    path = put_text(tmp_path / folder / "train.csv", text)
    put_sound(tmp_path / folder / f"Y{DASHED}.wav")
    (clip,), _ = read_all("audiocaps", path)
    assert (clip.extra["version"], clip.text, clip.start_s) == (version, "Rain", 30.0)


def test_captions_of_audiocaps_need_not_follow_each_other(tmp_path):
    rows = [f"{place},{video},0,{place}" for place, video in enumerate([VIDEO, DASHED, VIDEO, DASHED, VIDEO])]
    path = put_text(tmp_path / "val.csv", HEAD + "\n".join(rows))
    put_sound(tmp_path / f"{VIDEO}.wav")
    put_sound(tmp_path / f"{DASHED}.wav")
    clips, _ = read_all("audiocaps", path)
    assert [[caption.text for caption in clip.captions] for clip in clips] == [["0", "2", "4"], ["1", "3"]]


def test_other_tables_among_those_of_audiocaps_are_bad(tmp_path):
    put_text(tmp_path / "train.csv", HEAD)
    put_text(tmp_path / "test.csv", "a,b\n1,2\n")
    clips, (failure,) = read_all("audiocaps", tmp_path)
    assert (clips, failure.code) == ([], "bad_row")
    assert "a, b" in failure.reason


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_metadata_of_clotho_in_both_delimiters(tmp_path, delimiter):
    put_text(tmp_path / "clotho_captions_dcase.csv", "file_name,caption_1\n a: b.wav,x\n")
    cells = ["file_name", "keywords", "sound_id", "start_end_samples", "license"]
    values = [" a_ b.wav", "one", "12", '"[0, 44100]"' if delimiter == "," else "[0, 44100]", "CC0"]
    text = delimiter.join(cells) + "\n" + delimiter.join(values) + "\n"
    put_text(tmp_path / "clotho_metadata_dcase.csv", text, "latin-1")
    put_sound(tmp_path / "a_ b.wav")
    (clip,), failures = read_all("clotho", tmp_path)
    assert (clip.end_s, clip.licence, clip.extra["source_id"], failures) == (1.0, "CC0", "12", [])


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("eval_segments.csv", "eval"),
        ("balanced_train_segments.csv", "train_balanced"),
        ("unbalanced_train_segments.csv", "train_unbalanced"),
        ("my_segments.csv", "train"),
    ],
)
def test_parts_of_audioset_go_by_the_names_of_tables(tmp_path, name, split):
    put_text(tmp_path / name, f'# a\n# b\n# c\n{DASHED}, 0.000, 10.000, "/m/a,/t/b"\n')
    put_sound(tmp_path / f"{DASHED}.wav")
    assert detect_format(tmp_path) == "audioset"
    (clip,), _ = read_all("audioset", tmp_path)
    assert (clip.split, clip.labels) == (split, ("/m/a", "/t/b"))


@pytest.mark.parametrize("times", ["-1.0, 2.0", "x, 2.0", "nan, 2.0", "0.0, inf", "1.0, "])
def test_times_of_audioset_that_are_none(tmp_path, times):
    path = put_text(tmp_path / "eval_segments.csv", f'{VIDEO}, {times}, "/m/a"\n')
    clips, failures = read_all("audioset", path)
    assert (clips, [failure.code for failure in failures]) == ([], ["bad_row"])


def test_strong_labels_of_audioset_without_their_columns(tmp_path):
    path = put_text(tmp_path / "audioset_strong.tsv", "segment_id\tlabel\nx_0\t/m/a\n")
    clips, (failure,) = read_all("audioset", path)
    assert (clips, failure.code) == ([], "bad_row")


@pytest.mark.parametrize("text", ["['a', 'b']", '["a", "b"]', "a, b", "[a, b]", "('a', 'b'", "[a, b"])
def test_lists_that_were_written_as_text(text):
    assert [item.strip("( ") for item in texts(text)][-1] == "b"
    assert len(texts(text)) == 2


@pytest.mark.parametrize("value", [None, 3, {}, "", "[]", [None, {}], "[" * 90_000])
def test_what_is_no_list_of_texts_is_empty_or_itself(value):
    assert texts(value) in ((), ("[" * 90_000,))
    assert texts_at({"key": value}, "key") in ((), (str(value),))


def test_small_helpers_of_tables(tmp_path):
    assert codes(" a, ,b ,") == ("a", "b")
    assert number({"x": " 1.5 "}, "x") == 1.5
    for cell in ("", "-1", "nan", "inf", "1e999", "one"):
        with pytest.raises(ValueError, match="x is a number from 0 on"):
            number({"x": cell}, "x")
    assert first_line(put_text(tmp_path / "a.csv", "# 1\n# 2\nrow\r\n")) == "row"
    assert first_line(tmp_path) == first_line(tmp_path / "absent") == ""
    put_text(tmp_path / "b" / "a.csv", "")
    assert [path.parent.name for path in tables_in(tmp_path, ("a.csv", "*.csv"))] == [tmp_path.name, "b"]
    with pytest.raises(MissingError, match=r"\*\.tsv"):
        tables_in(tmp_path, ("*.tsv",))


def test_names_of_classes_in_all_their_forms(tmp_path):
    forms = {
        "class_labels_indices.csv": 'index,mid,display_name\n0,/m/a,"Speech, male"\n1,/m/b,\n',
        "mid_to_display_name.tsv": "/m/a\tSpeech, male\n/m/b\tx\ty\n",
        "ontology.json": json.dumps([{"id": "/m/a", "name": "Speech, male"}, {"id": "/m/b"}]),
        "ontology.jsonl": json.dumps({"id": "/m/a", "name": "Speech, male"}) + "\n",
    }
    for name, text in forms.items():
        assert class_names(put_text(tmp_path / name, text)) == {"/m/a": "Speech, male"}, name
    assert named(("/m/a", "/m/z"), {"/m/a": "x"}) == ("x", "/m/z")
    with pytest.raises(UsageError, match="names no classes"):
        class_names(put_text(tmp_path / "o.json", "[]"))
    with pytest.raises(UsageError, match="no column 'mid'"):
        class_names(put_text(tmp_path / "o.csv", "a\n1\n"))
    with pytest.raises(MissingError, match="absent"):
        class_names(tmp_path / "absent.csv")


def test_ids_are_excluded_where_they_are_meant(tmp_path):
    lists = {"AudioSet": [f"Y{VIDEO}.wav"], "FreeSound": ["12", 13]}
    excluded = read_excluded(put_text(tmp_path / "x.json", json.dumps(lists)))

    def clip(source, part="", **fields):
        return Clip(path=tmp_path / "s.wav", id="i", extra={"source_id": source, "part": part}, **fields)

    assert clip(VIDEO, "audioset") in excluded
    assert clip(VIDEO, dataset="audioset") in excluded
    assert clip("12", "freesound") in excluded
    assert clip("13", "freesound") in excluded
    assert clip("12", "soundbible") not in excluded
    assert clip("12", "audioset") not in excluded
    anywhere = read_excluded(put_text(tmp_path / "x.txt", "\ufeffs.wav\n"))
    assert clip("any") in anywhere
    assert clip("any") not in Excluded(frozenset(), {})


def test_failures_and_kept_values_come_in_order():
    failures, kept, counts = Failures(), Kept(), Counts()
    given_ones = [bad_row(Path("a"), line, "why \udcff") for line in range(3)]
    for failure in given_ones:
        failures.append(failure)
        kept.append([failure.id])
        counts.add("all", 2)
    assert list(failures) == given_ones
    assert list(failures) == given_ones, "twice"
    assert all(isinstance(failure, Failure) for failure in failures)
    assert list(kept) == [[failure.id] for failure in given_ones]
    assert (counts.of("all"), counts.of("none"), counts.spread()) == (6, 0, {6: 1})


def test_members_of_tars_in_capitals_and_with_several_dots(tmp_path):
    members = {"A.WAV": sound_bytes(), "A.JSON": b'{"text": ["x", ""], "tag": "Dog"}', "b.mix.wav": sound_bytes()}
    members |= {"b.json": b"[1]", "c.txt": b"only words", "d.wav": sound_bytes(), "d.txt": b" said \xff"}
    clips, failures = read_all("laion", put_tar(tmp_path / "t.tar", members))
    assert [(clip.id, clip.text, clip.labels) for clip in clips] == [
        ("laion/t/A", "x", ("Dog",)),
        ("webdataset/t/d", "said \ufffd", ()),
    ]
    assert [(failure.id, failure.code) for failure in failures] == [("t/b", "bad_row"), ("t/c", "missing_file")]


@pytest.mark.parametrize("sizes", ['{"t.tar": 5}', "{", "[]"])
def test_sizes_beside_tars_are_compared(tmp_path, sizes):
    put_tar(tmp_path / "t.tar", {"a.wav": sound_bytes()})
    put_text(tmp_path / "sizes.json", sizes)
    clips, (failure,) = read_all("laion", tmp_path)
    assert len(clips) == 1
    assert failure.code == ("wrong_count" if sizes.startswith('{"') else "bad_row")


def test_words_for_tags_and_ids_that_are_numbers(tmp_path):
    put_sound(tmp_path / "7.flac")
    rows = [{"id": 7, "tags": "['a', 'b']", "category": "nature, rain", "author": "me"}, {"id": ""}, {"id": None}]
    put_text(tmp_path / "bbc_final.json", json.dumps({"data": rows}))
    clips, failures = read_all("wavcaps", tmp_path)
    assert (clips[0].id, clips[0].metadata.tags) == ("wavcaps/bbc/7", ("a", "b", "nature", "rain"))
    assert clips[0].captions == ()
    assert len(failures) == 2
