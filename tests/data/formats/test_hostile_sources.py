"""Data sets as they are met: damaged, linked, with names and numbers that nobody meant."""

from __future__ import annotations

import json
import os

import pytest

from audiojourney.data.formats.names import detect_format
from audiojourney.data.formats.sounds import Sounds, is_there
from audiojourney.data.formats.tables import header, read_table
from audiojourney.errors import MissingError, UsageError
from tests.data.formats.published import (
    DASHED,
    VIDEO,
    put_sound,
    put_tar,
    put_text,
    read_all,
    sound_bytes,
)

HUGE = "9" * 400


def codes_of(failures):
    return [failure.code for failure in failures]


def test_a_row_that_is_too_long_costs_that_row_only(tmp_path):
    rows = f'{VIDEO},30,dog,train\nabc,1,"{"x" * 200_000}",train\n{DASHED},3,cat,test\n'
    path = put_text(tmp_path / "vggsound.csv", rows)
    put_sound(tmp_path / f"{VIDEO}.wav")
    put_sound(tmp_path / f"{DASHED}.wav")
    clips, failures = read_all("vggsound", path)
    assert [clip.labels for clip in clips] == [("dog",), ("cat",)]
    assert codes_of(failures) == ["bad_row"]
    assert "field larger" in failures[0].reason


def test_a_quote_that_is_never_closed_does_not_take_the_rest_of_the_table(tmp_path):
    rows = [f'{VIDEO},30,"dog,train'] + [f"{number:011d},3,cat,test" for number in range(9000)]
    path = put_text(tmp_path / "t.csv", "\n".join(rows) + "\n")
    found = list(read_table(path, ("video", "start", "label", "split")))
    assert sum(isinstance(item, tuple) for item in found) > 2000
    assert isinstance(found[-1], tuple)
    assert found[-1][1]["video"] == f"{8999:011d}"


def test_the_names_of_columns_are_those_that_rows_are_read_by(tmp_path):
    path = put_text(tmp_path / "clotho_captions_x.csv", "# a,b\nfile_name,caption_1\nx.wav,y\n")
    assert header(path) == ["# a", "b"]
    with pytest.raises(UsageError, match="no column 'file_name'"):
        read_all("clotho", path)
    put_text(path, "\n\n file_name , caption_1\nx.wav,y\n")
    put_sound(tmp_path / "x.wav")
    assert header(path) == ["file_name", "caption_1"]
    assert read_all("clotho", path)[0][0].text == "y"


@pytest.mark.parametrize("content", [b"", b"\n\n", b'"' * 200_000])
def test_tables_without_names_of_columns_have_none(tmp_path, content):
    (tmp_path / "a.csv").write_bytes(content)
    assert [cell for cell in header(tmp_path / "a.csv") if cell.strip('"')] == []
    assert header(tmp_path / "absent.csv") == []


@pytest.mark.parametrize("number", ["1e999", "NaN", "-Infinity", HUGE])
def test_numbers_without_end_are_no_value(tmp_path, number):
    put_sound(tmp_path / "7.wav")
    path = put_text(tmp_path / "sb_final.json", f'{{"data": [{{"id": "7", "duration": {number}, "odd": {number}}}]}}')
    clips, failures = read_all("wavcaps", path)
    assert clips[0].extra["odd"] is None
    assert "published_duration" not in clips[0].extra
    assert failures == []
    put_sound(tmp_path / "g" / "a.wav")
    put_text(tmp_path / "g" / "a.json", f'{{"autocap_caption": "x", "start": {number}, "odd": [{number}]}}')
    (clip,), _ = read_all("genau", tmp_path / "g")
    assert (clip.start_s, clip.extra["odd"]) == (None, [None])


def test_times_and_scores_without_end_are_bad_or_absent(tmp_path):
    intervals = f'[{{"start": 0, "end": {HUGE}}}, {{"start": 0, "end": 1, "text": "a", "CLAP_SIM": {HUGE}}}]'
    path = put_text(tmp_path / "AutoReCap.json", f'{{"{VIDEO}": {{"intervals": {intervals}}}}}')
    put_sound(tmp_path / f"{VIDEO}_001.wav")
    clips, failures = read_all("autorecap", path)
    assert (clips[0].text, clips[0].captions[0].score) == ("a", None)
    assert codes_of(failures) == ["bad_row"]


@pytest.mark.parametrize("id", ["\ud800x", "a\0b", "x" * 5000, "../../etc/passwd", "%s", "雨", "'; DROP TABLE sounds"])
def test_odd_ids_are_missing_sounds_and_nothing_worse(tmp_path, id):
    put_sound(tmp_path / "1.wav")
    path = put_text(tmp_path / "sb_final.json", json.dumps({"data": [{"id": id}, {"id": "1"}]}))
    clips, failures = read_all("wavcaps", path)
    assert [clip.extra["source_id"] for clip in clips] == ["1"]
    assert codes_of(failures) == ["missing_file"]


@pytest.mark.parametrize("location", ["\ud800.wav", "a\0b.wav", "x" * 5000 + ".wav", ".", ""])
def test_odd_locations_are_missing_sounds(tmp_path, location):
    row = {"dataset": "d", "location": location, "captions": "c"}
    _, failures = read_all("tango", put_text(tmp_path / "test_x.json", json.dumps(row)))
    assert codes_of(failures) == ["missing_file"]


def test_no_name_is_an_error(tmp_path):
    assert not is_there(tmp_path / ("x" * 5000))
    assert not is_there(tmp_path / "a\0b")
    assert not is_there(tmp_path)
    assert is_there(put_sound(tmp_path / "a.wav"))


def test_the_intervals_of_a_video_in_two_rows_are_numbered_through(tmp_path):
    rows = [{VIDEO: {"intervals": [{"start": at, "end": at + 1, "text": f"at {at}"}]}} for at in (0, 5, 9)]
    rows.insert(1, {DASHED: {"intervals": [{"start": 2, "end": 3}]}})
    path = put_text(tmp_path / "AutoReCapXL.json", "\n".join(map(json.dumps, rows)))
    for name in (f"{VIDEO}_000", f"{VIDEO}_001", f"{VIDEO}_002", f"{DASHED}_000"):
        put_sound(tmp_path / f"{name}.wav")
    clips, _ = read_all("autorecap", path)
    assert [(clip.path.stem, clip.text) for clip in clips] == [
        (f"{VIDEO}_000", "at 0"),
        (f"{DASHED}_000", ""),
        (f"{VIDEO}_001", "at 5"),
        (f"{VIDEO}_002", "at 9"),
    ]


@pytest.mark.parametrize("absolute", [True, False])
def test_a_list_of_tangos_may_lie_far_from_its_sounds(tmp_path, absolute):
    sound = put_sound(tmp_path / "far" / "a.wav")
    location = str(sound) if absolute else "../far/a.wav"
    path = put_text(tmp_path / "lists" / "test_x.json", json.dumps({"location": location, "captions": "c"}))
    clips, failures = read_all("tango", path)
    assert [clip.path.resolve() for clip in clips] == [sound.resolve()]
    assert failures == []


def test_the_place_that_a_list_tells_comes_before_a_sound_of_that_name(tmp_path):
    right = put_sound(tmp_path / "b" / "a.wav")
    put_sound(tmp_path / "a" / "a.wav")
    path = put_text(tmp_path / "test_x.json", json.dumps({"location": "b/a.wav", "captions": "c"}))
    assert read_all("tango", path)[0][0].path == right


@pytest.mark.parametrize("named", ["ids", "keys"])
def test_the_first_of_two_clips_of_one_id_keeps_its_sound(tmp_path, named):
    first, second = sound_bytes(0.1), sound_bytes(0.5)
    about = b'{"id": "same"}' if named == "ids" else b"{}"
    other = "2" if named == "ids" else "1"
    members = {"1.wav": first, "1.json": about, "between.wav": first, f"{other}.WAV": second, f"{other}.JSON": about}
    clips, failures = read_all("laion", put_tar(tmp_path / "x.tar", members))
    assert [clip.path.read_bytes() for clip in clips] == [first, first]
    assert codes_of(failures) == ["duplicate_id"]


def test_tars_that_are_cut_anywhere_never_give_half_a_sound(tmp_path):
    whole = sound_bytes(0.1)
    path = put_tar(tmp_path / "x.tar", {f"{number}.wav": whole for number in range(3)})
    data = path.read_bytes()
    for size in range(0, len(data), 701):
        path.write_bytes(data[:size])
        clips, failures = read_all("laion", path)
        assert all(clip.path.read_bytes() == whole for clip in clips)
        assert codes_of(failures) == (["truncated"] if size < 3 * 2560 + 512 else []), size


def test_sounds_behind_links_to_folders_are_found(tmp_path):
    sound = put_sound(tmp_path / "far" / "deep" / f"{VIDEO}.wav")
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "audio").symlink_to(tmp_path / "far")
    (tmp_path / "far" / "back").symlink_to(tmp_path / "set")  # leads in a circle
    found = Sounds(tmp_path / "set").find([VIDEO])
    assert found is not None
    assert found.resolve() == sound
    assert found.is_relative_to(tmp_path / "set")


def test_links_that_lead_nowhere_are_passed_over_until_they_are_read(tmp_path):
    (tmp_path / f"{VIDEO}.wav").symlink_to("nowhere.wav")
    (tmp_path / "folder").symlink_to("nowhere")
    assert Sounds(tmp_path).find([VIDEO]) == tmp_path / f"{VIDEO}.wav"
    assert Sounds(tmp_path).find(["absent"]) is None


def test_names_that_are_no_utf8_are_found_and_kept(tmp_path):
    name = os.fsdecode(b"r\xe4in.wav")
    put_sound(tmp_path / name)
    assert Sounds(tmp_path).find([name]) == tmp_path / name
    assert Sounds(tmp_path).find([os.fsdecode(b"r\xe4in")]) == tmp_path / name


def test_accents_in_one_letter_or_two_are_the_same_name(tmp_path):
    put_sound(tmp_path / "Zoe\u0301.wav")
    assert Sounds(tmp_path).find(["Zo\u00e9.wav"]) is not None


def test_json_of_genaus_names_a_sound_that_lies_elsewhere(tmp_path):
    sound = put_sound(tmp_path / "flacs" / "b.flac")
    put_sound(tmp_path / "json" / "a.wav")
    put_text(tmp_path / "json" / "a.json", '{"wavcaps_caption": "beside"}')
    put_text(tmp_path / "json" / "b.json", json.dumps({"wavcaps_caption": "rain", "wav": str(sound)}))
    put_text(tmp_path / "json" / "c.json", json.dumps({"wavcaps_caption": "moved", "wav": "/gone/a.wav"}))
    put_text(tmp_path / "list.txt", "a.json\nb.json\nc.json\n")
    index = {"set": str(tmp_path / "json"), "metadata": {"path": {"set": {"train": str(tmp_path / "list.txt")}}}}
    path = put_text(tmp_path / "dataset_root.json", json.dumps(index))
    clips, failures = read_all("genau", path)
    assert {clip.text: clip.path.name for clip in clips} == {"beside": "a.wav", "rain": "b.flac", "moved": "a.wav"}
    assert failures == []


def test_words_that_a_model_lacked_are_no_part_of_what_is_seen(tmp_path):
    put_sound(tmp_path / "a.wav")
    put_text(tmp_path / "a.json", '{"panda70m_caption_0000": "<unk> a dog <unk>", "caption": "x"}')
    assert read_all("genau", tmp_path)[0][0].metadata.visual_caption == "a dog"


def test_bad_rows_of_a_folder_of_stable_audio_are_told(tmp_path):
    put_sound(tmp_path / "in" / "0.wav")
    put_text(tmp_path / "in" / "metadata.jsonl", '{"file_name": "0.wav"}\n{"nope": 1}\n')
    table = {"dataset_type": "audio_dir", "datasets": [{"id": "m", "path": "in"}]}
    clips, failures = read_all("stable-audio", put_text(tmp_path / "c.json", json.dumps(table)))
    assert [clip.id for clip in clips] == ["m/0.wav"]
    assert [failure.id for failure in failures] == ["metadata.jsonl:2"]


def test_what_lies_beside_a_sound_of_stable_audio(tmp_path):
    put_sound(tmp_path / "in" / "dog" / "0.wav")
    about = {"id": "mine", "prompt": " a ", "prompts": ["a", "b", 3, " "], "labels": ["x"], "bpm": 3}
    put_text(tmp_path / "in" / "dog" / "0.json", json.dumps(about))
    put_sound(tmp_path / "in" / "cat" / "1.wav")
    put_sound(tmp_path / "in" / "cat" / "2.wav")
    put_text(tmp_path / "in" / "cat" / "2.json", "[1]")
    table = {"dataset_type": "audio_dir", "datasets": [{"path": "in"}]}
    clips, failures = read_all("stable-audio", put_text(tmp_path / "c.json", json.dumps(table)))
    told, plain = sorted(clips, key=lambda clip: clip.labels[0], reverse=True)
    assert (told.id, told.labels, told.extra) == ("mine", ("x",), {"bpm": 3})
    assert [caption.text for caption in told.captions] == ["a", "b"]
    assert (plain.id, plain.labels, plain.captions) == ("stable_audio/cat/1.wav", ("cat",), ())
    assert codes_of(failures) == ["bad_row"]


def test_a_format_without_its_source_is_understood(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingError, match="esc50 is a format; name its source"):
        detect_format(tmp_path.relative_to(tmp_path) / "esc50")


@pytest.mark.parametrize("format", ["audiocaps", "clotho", "audioset", "vggsound", "musiccaps", "esc50"])
@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_tables_in_other_encodings_are_read_or_refused(tmp_path, format, encoding):
    heads = {
        "audiocaps": "audiocap_id,youtube_id,start_time,caption\n1,{v},0,x\n",
        "clotho": "file_name,caption_1\n{v}.wav,x\n",
        "audioset": '{v}, 0.000, 1.000, "/m/a"\n',
        "vggsound": "{v},0,dog,train\n",
        "musiccaps": "ytid,start_s,end_s,audioset_positive_labels,aspect_list,caption\n{v},0,1,/m/a,[],x\n",
        "esc50": "filename,fold,target,category\n{v}.wav,1,0,dog\n",
    }
    put_sound(tmp_path / f"{VIDEO}.wav")
    path = put_text(tmp_path / "a.csv", heads[format].replace("{v}", VIDEO), encoding)
    try:
        clips, failures = read_all(format, path)
    except UsageError as error:
        clips, failures = [], [error]
    assert bool(clips) == (encoding == "utf-8-sig")
    assert bool(failures) == (encoding == "utf-16")


@pytest.mark.parametrize(
    ("name", "split"), [("val.json", "val"), ("valid_x.json", "val"), ("dev.json", ""), ("test_subset.json", "test")]
)
def test_lists_of_tangos_are_found_whatever_their_split_is_called(tmp_path, name, split):
    put_sound(tmp_path / "a.wav")
    put_text(tmp_path / name, json.dumps({"location": "a.wav", "captions": "c"}))
    put_text(tmp_path / "dataset.json", '{"settings": {}}')
    assert detect_format(tmp_path) == "tango"
    clips, failures = read_all("tango", tmp_path)
    assert [clip.split for clip in clips] == [split]
    assert failures == []
