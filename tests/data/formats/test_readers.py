from __future__ import annotations

import json

import pytest

from audiojourney.data.clip import Caption, Event
from audiojourney.data.formats.names import FORMATS, detect_format, load_reader
from audiojourney.errors import MissingError, UsageError
from tests.data.formats.published import (
    DASHED,
    VIDEO,
    laion_members,
    put_sound,
    put_tar,
    put_text,
    read_all,
    sound_bytes,
)


def test_audiocaps_groups_the_captions_of_a_clip(tmp_path):
    rows = ["audiocap_id,youtube_id,start_time,caption"]
    rows += [f'{number},{VIDEO},30,"A dog barks, {number} times"' for number in range(3)]
    rows += [f"7,{DASHED},21,Rain", f"8,{VIDEO},soon,no number", "9,too,few"]
    put_text(tmp_path / "test.csv", "\r\n".join(rows) + "\r\n")
    put_sound(tmp_path / "wavs" / f"Y{VIDEO}.wav")
    clips, failures = read_all("audiocaps", tmp_path)
    assert [clip.id for clip in clips] == [f"audiocaps/{VIDEO}/30000"]
    clip = clips[0]
    assert [caption.text for caption in clip.captions] == [f"A dog barks, {number} times" for number in range(3)]
    assert {(caption.source, caption.kind) for caption in clip.captions} == {("audiocaps", "human")}
    assert (clip.split, clip.start_s, clip.end_s, clip.extra["version"]) == ("test", 30.0, 40.0, "v1")
    assert clip.extra["audiocap_ids"] == ["0", "1", "2"]
    assert sorted(failure.code for failure in failures) == ["bad_row", "bad_row", "missing_file"]
    assert next(f.id for f in failures if f.code == "missing_file") == f"audiocaps/{DASHED}/21000"


def test_audiocaps_repacked_with_five_columns(tmp_path):
    put_text(tmp_path / "val.csv", f"file_name,caption_1,caption_2\nY{VIDEO}.wav,One,Two\n")
    put_sound(tmp_path / f"Y{VIDEO}.wav")
    clips, failures = read_all("audiocaps", tmp_path)
    assert [caption.text for caption in clips[0].captions] == ["One", "Two"]
    assert clips[0].extra["source_id"] == VIDEO
    assert failures == []


def test_clotho_joins_names_that_its_tables_write_differently(tmp_path):
    name = " Rain, on.a  tin roof.wav"
    captions = "file_name,caption_1,caption_2\n" + f'"{name}",Rain falls,Drops\n' + "Odd: name.wav,A,B\nno.wav,x,y\n"
    put_text(tmp_path / "clotho_captions_development.csv", captions)
    metadata = "file_name,keywords,sound_id,sound_link,start_end_samples,manufacturer,license\n"
    metadata += '"Rain, on.a tin roof.wav",rain;tôle,12,http://x,"[44100, 88200]",Zoé,CC0\n'
    put_text(tmp_path / "clotho_metadata_development.csv", metadata, "latin-1")
    put_sound(tmp_path / "development" / name.strip())
    put_sound(tmp_path / "development" / "Odd_ name.wav")
    put_sound(tmp_path / "evaluation" / name.strip())
    clips, failures = read_all("clotho", tmp_path)
    rain, odd = clips
    assert rain.path.parent.name == "development"
    assert rain.metadata.tags == ("rain", "tôle")
    assert (rain.attribution, rain.licence, rain.start_s, rain.end_s) == ("Zoé", "CC0", 1.0, 2.0)
    assert odd.path.name == "Odd_ name.wav"
    assert [failure.id for failure in failures] == ["clotho/development/no.wav"]


AUDIOSET = "# Segments csv\n# num_ytids=2\n# YTID, start_seconds, end_seconds, positive_labels\n"


def test_audioset_reads_lists_behind_a_space(tmp_path):
    rows = AUDIOSET + f'{DASHED}, 30.000, 40.000, "/m/09x0r,/m/04rlf"\n{VIDEO}, 1.000, 2.500, "/m/09x0r"\n'
    path = put_text(tmp_path / "balanced_train_segments.csv", rows)
    put_sound(tmp_path / f"{DASHED}_30000_40000.flac")
    put_sound(tmp_path / f"{VIDEO}.wav")
    clips, failures = read_all("audioset", path, names={"/m/09x0r": "Speech"})
    assert [clip.labels for clip in clips] == [("Speech", "/m/04rlf"), ("Speech",)]
    assert clips[0].extra["mids"] == ["/m/09x0r", "/m/04rlf"]
    assert (clips[0].split, clips[0].label_scheme, clips[1].end_s) == ("train_balanced", "audioset", 2.5)
    assert failures == []


def test_audioset_strong_labels_become_events(tmp_path):
    rows = "segment_id\tstart_time_seconds\tend_time_seconds\tlabel\n"
    rows += f"{VIDEO}_30000\t0.5\t1\t/m/a\n{VIDEO}_30000\t1\t2\t/m/b\n{VIDEO}_30000\t3\t4\t/m/a\nodd\t1\t2\t/m/a\n"
    path = put_text(tmp_path / "audioset_train_strong.tsv", rows)
    put_sound(tmp_path / f"{VIDEO}_30000.wav")
    clips, failures = read_all("audioset", path, names={"/m/a": "A"})
    assert clips[0].events == (Event("A", 0.5, 1.0), Event("/m/b", 1.0, 2.0), Event("A", 3.0, 4.0))
    assert clips[0].labels == ("A", "/m/b")
    assert [failure.code for failure in failures] == ["bad_row"]


def test_audioset_training_list(tmp_path):
    put_sound(tmp_path / "x.flac")
    path = put_text(tmp_path / "train.json", '{"data": [{"wav": "/gone/x.flac", "labels": "/m/a,/t/dd1"}, {"a": 1}]}')
    clips, failures = read_all("audioset", path)
    assert clips[0].labels == ("/m/a", "/t/dd1")
    assert [failure.code for failure in failures] == ["bad_row"]


def test_vggsound_in_both_forms(tmp_path):
    put_text(tmp_path / "vggsound.csv", f'{VIDEO},30,"bee, wasp, etc. buzzing",train\n{DASHED},x,dog,test\n')
    put_text(tmp_path / "test.csv", f"{DASHED}_000012.mp4,dog barking\r\n")
    put_sound(tmp_path / f"{VIDEO}_000030.flac")
    put_sound(tmp_path / f"{DASHED}_000012.flac")
    clips, failures = read_all("vggsound", tmp_path)
    assert [(clip.labels, clip.split, clip.start_s) for clip in clips] == [
        (("bee, wasp, etc. buzzing",), "train", 30.0)
    ]
    assert [failure.code for failure in failures] == ["bad_row"]
    clips, _ = read_all("vggsound", tmp_path / "test.csv")
    assert [(clip.id, clip.labels, clip.split) for clip in clips] == [
        (f"vggsound/{DASHED}/12000", ("dog barking",), "test")
    ]


def test_wavcaps_parses_lists_that_were_written_as_text(tmp_path):
    bad_list = "[" * 5000
    rows = [
        {"id": f"Y{VIDEO}.wav", "caption": "Rain.", "duration": 10, "audio": "wav_path"},
        {"id": "missing", "caption": "x"},
        {"title": "no id"},
    ]
    put_text(tmp_path / "AudioSet_SL" / "as_final.json", json.dumps({"num_captions_per_audio": 1, "data": rows}))
    more = [{"id": "12", "title": "Door", "description": "Heavy.", "author": "x", "tags": "['a', 'b c']"}]
    more += [{"id": "13", "tags": bad_list, "category": "one, two", "download_link": "http://y"}]
    put_text(tmp_path / "FreeSound" / "fsd_final.json", json.dumps({"data": more}, indent=1))
    for name in (f"AS/Y{VIDEO}.flac", "FS/12.flac", "FS/13.flac"):
        put_sound(tmp_path / name)
    clips, failures = read_all("wavcaps", tmp_path)
    rain, door, odd = clips
    assert (rain.id, rain.extra["source_id"], rain.extra["published_duration"]) == (
        f"wavcaps/audioset/{VIDEO}",
        VIDEO,
        10,
    )
    assert rain.captions == (Caption("Rain.", "wavcaps", "llm"),)
    assert (door.metadata.tags, door.metadata.title, door.captions) == (("a", "b c"), "Door", ())
    assert (odd.metadata.tags[-2:], odd.source_url) == (("one", "two"), "http://y")
    assert sorted(failure.code for failure in failures) == ["bad_row", "missing_file"]


def test_musiccaps_aspects_survive_stray_brackets(tmp_path):
    head = "ytid,start_s,end_s,audioset_positive_labels,aspect_list,caption,"
    head += "author_id,is_balanced_subset,is_audioset_eval\n"
    rows = f'{VIDEO},30,40,"/m/04rlf,/m/0342h","[\'slow tempo\', ""it\'s live""]",A slow piece.,4,False,True\n'
    rows += f"{DASHED},0,10,/m/04rlf,\"['loud', [broken\",Loud.,4,False,False\n"
    path = put_text(tmp_path / "musiccaps-public.csv", head + rows)
    put_sound(tmp_path / f"{VIDEO}.wav")
    put_sound(tmp_path / f"{DASHED}.wav")
    clips, failures = read_all("musiccaps", path)
    assert clips[0].metadata.tags == ("slow tempo", "it's live")
    assert "loud" in clips[1].metadata.tags
    assert [clip.split for clip in clips] == ["test", "train"]
    assert failures == []


ESC = "filename,fold,target,category,esc10,src_file,take\n"


def test_esc_is_joined_by_its_table(tmp_path):
    rows = "1-1-A-0.wav,1,0,dog,True,1,A\n1-2-B-5.wav,2,5,cat_purr,False,2,B\n1-3-B-5.wav,x,5,cat,False,2,B\n"
    put_text(tmp_path / "meta" / "esc50.csv", ESC + rows)
    put_sound(tmp_path / "audio" / "1-1-A-0.wav")
    put_sound(tmp_path / "audio" / "1-2-B-5.wav")
    clips, failures = read_all("esc50", tmp_path)
    assert [(clip.labels, clip.fold, clip.licence) for clip in clips] == [
        (("dog",), 1, "CC-BY-3.0"),
        (("cat purr",), 2, "CC-BY-NC-3.0"),
    ]
    assert [failure.code for failure in failures] == ["bad_row"]
    assert [clip.labels for clip in read_all("esc10", tmp_path)[0]] == [("dog",)]


def test_fsd50k_keeps_what_the_makers_said(tmp_path):
    truth = tmp_path / "FSD50K.ground_truth"
    put_text(truth / "dev.csv", 'fname,labels,mids,split\n007,"Bark,Domestic_animals","/m/a,/m/b",val\n')
    put_text(truth / "eval.csv", "fname,labels,mids\n9,Bark,/m/a\n")
    about = {"007": {"title": "Rex", "description": "big", "tags": ["dog"], "license": "CC0", "uploader": "me"}}
    put_text(tmp_path / "FSD50K.metadata" / "dev_clips_info_FSD50K.json", json.dumps(about))
    put_sound(tmp_path / "FSD50K.dev_audio" / "007.wav")
    put_sound(tmp_path / "FSD50K.eval_audio" / "9.wav")
    (dev, test), failures = read_all("fsd50k", tmp_path)
    assert (dev.id, dev.split, dev.labels) == ("fsd50k/007", "val", ("Bark", "Domestic animals"))
    assert (dev.metadata.title, dev.metadata.tags, dev.licence, dev.attribution) == ("Rex", ("dog",), "CC0", "me")
    assert (test.split, test.path.parent.name) == ("test", "FSD50K.eval_audio")
    assert failures == []


def test_laion_tars_are_unpacked_under_names_of_our_own(tmp_path):
    members = laion_members(1) | laion_members(2)
    members |= {"../../evil.flac": sound_bytes(format="FLAC"), "../../evil.json": b'{"text": []}'}
    members |= {"3.json": b"{}", "4.flac": sound_bytes(format="FLAC"), "4.json": b"[not json"}
    put_tar(tmp_path / "train" / "x0.tar", members)
    put_text(tmp_path / "train" / "sizes.json", '{"x0.tar": 512}')
    clips, failures = read_all("laion", tmp_path)
    assert len(clips) == 3
    assert all(clip.path.is_relative_to(tmp_path / "unpacked") and clip.path.is_file() for clip in clips)
    assert clips[0].labels == ("Dog", "Door")
    assert (clips[0].split, clips[0].text, clips[0].metadata.title) == ("train", "The sounds of Dog and Door", "t1")
    assert sorted(failure.code for failure in failures) == ["bad_row", "missing_file", "wrong_count"]
    assert not list(tmp_path.parent.glob("evil*"))


def test_a_cut_tar_gives_what_precedes_the_cut(tmp_path):
    path = put_tar(tmp_path / "x.tar", laion_members(1) | laion_members(2))
    path.write_bytes(path.read_bytes()[:4000])
    clips, failures = read_all("laion", path)
    assert len(clips) == 1
    assert [failure.code for failure in failures] == ["truncated"]


def test_autorecap_takes_own_files_or_parts_of_the_video(tmp_path):
    intervals = [
        {"start": 1.25, "end": 3, "text": "rain falls", "CLAP_SIM": 0.47},
        {"start": 4, "end": 5, "text": None},
    ]
    lines = [json.dumps({VIDEO: {"intervals": intervals}}) + ","]
    lines += [json.dumps({DASHED: {"intervals": [{"start": 0, "end": 2, "text": "wind"}, {"start": 5, "end": 5}]}})]
    lines += ['{"x": {"gaps": []}}', "{cut"]
    path = put_text(tmp_path / "AutoReCapXL-HQ.json", "\n".join(lines))
    put_sound(tmp_path / "000000" / f"{VIDEO}_000.wav")
    put_sound(tmp_path / "videos" / f"{DASHED}.wav", seconds=6)
    clips, failures = read_all("autorecap", path)
    own, part = clips
    assert own.captions == (Caption("rain falls", "autorecap", "model", 0.47, "clap_autorecap"),)
    assert (own.offset_s, own.start_s, own.id) == (None, 1.25, f"autorecap/{VIDEO}/1250")
    assert (part.offset_s, part.duration_s, part.captions[0].score) == (0.0, 2.0, None)
    assert sorted(failure.code for failure in failures) == ["bad_row", "bad_row", "bad_row", "missing_file"]


def test_the_first_line_of_autorecap_is_read(tmp_path):
    path = put_text(tmp_path / "AutoReCap.json", json.dumps({VIDEO: {"intervals": [{"start": 0, "end": 1}]}}))
    put_sound(tmp_path / f"{VIDEO}_000.wav")
    assert len(read_all("autorecap", path)[0]) == 1


@pytest.mark.parametrize("shape", ["lines", "array"])
def test_af_audioset_collects_captions_and_joins_times(tmp_path, shape):
    rows = [
        {"ytid": VIDEO, "caption": "a"},
        {"ytid": DASHED, "caption": "b"},
        {"ytid": VIDEO, "caption": "c"},
        {"x": 1},
    ]
    text = json.dumps(rows) if shape == "array" else "\n".join(map(json.dumps, rows))
    path = put_text(tmp_path / "AF-AudioSet.json", text)
    segments = put_text(tmp_path / "eval_segments.csv", AUDIOSET + f'{VIDEO}, 30.000, 40.000, "/m/a"\n')
    put_sound(tmp_path / f"{VIDEO}_30000.wav")
    put_sound(tmp_path / f"Y{DASHED}.wav")
    clips, failures = read_all("af-audioset", path, segments=segments)
    assert [[caption.text for caption in clip.captions] for clip in clips] == [["a", "c"], ["b"]]
    assert (clips[0].start_s, clips[0].split, clips[0].labels, clips[1].start_s) == (30.0, "eval", ("/m/a",), None)
    assert [failure.code for failure in failures] == ["bad_row"]


def test_tango_keeps_the_order_of_its_lists(tmp_path):
    names = [f"{VIDEO}_30", f"{DASHED}_0", "third"]
    rows = [{"dataset": "audiocaps", "location": f"/gone/{name}.wav", "captions": f"of {name}"} for name in names]
    rows += [{"dataset": "audiocaps", "location": f"/gone/{names[0]}.wav", "captions": "again", "labels": "/m/a"}]
    rows += [{"location": 3}]
    path = put_text(tmp_path / "test_subset.json", "\n".join(map(json.dumps, rows)))
    for name in names:
        put_sound(tmp_path / "wavs" / f"{name}.wav")
    clips, failures = read_all("tango", path)
    assert [clip.path.stem for clip in clips] == names
    assert [caption.text for caption in clips[0].captions] == [f"of {names[0]}", "again"]
    assert {clip.split for clip in clips} == {"test"}
    assert [failure.code for failure in failures] == ["bad_row"]


def test_genau_reads_sidecars_with_any_of_its_names_for_captions(tmp_path):
    put_sound(tmp_path / "000000" / f"{VIDEO}_001.wav")
    about = {"id": VIDEO, "title": "T", "start": 1, "end": 2, "duration": 900, "autocap_caption": "rain"}
    about |= {"gt_audio_caption": ["one", "two"], "video_caption": "a roof", "keywords": ["wet"], "view_count": 3}
    put_text(tmp_path / "000000" / f"{VIDEO}_001.json", json.dumps(about))
    (clip,), failures = read_all("genau", tmp_path)
    assert [(caption.text, caption.kind) for caption in clip.captions] == [
        ("one", "human"),
        ("two", "human"),
        ("rain", "model"),
    ]
    assert (clip.metadata.visual_caption, clip.metadata.tags, clip.start_s) == ("a roof", ("wet",), 1.0)
    assert clip.extra == {"view_count": 3, "source_id": VIDEO}, "the length told is that of the whole video"
    assert failures == []


def test_genau_follows_an_index_whose_folders_have_moved(tmp_path):
    put_sound(tmp_path / "moved" / "a.wav")
    put_text(tmp_path / "moved" / "a.json", '{"gt_caption": "rain"}')
    lists = {"set": {"train": "/gone/set_train.txt", "val": "", "test": "/gone/absent.txt"}}
    index = put_text(tmp_path / "dataset_root.json", json.dumps({"set": "/gone", "metadata": {"path": lists}}))
    put_text(tmp_path / "set_train.txt", "a.json\nb.json\n")
    clips, failures = read_all("genau", index, audio=tmp_path / "moved")
    assert [(clip.text, clip.split) for clip in clips] == [("rain", "train")]
    assert [failure.code for failure in failures] == ["bad_row", "bad_row"]


def test_stable_audio_reads_sidecars_and_runs_nothing(tmp_path):
    put_sound(tmp_path / "sounds" / "a.wav")
    put_sound(tmp_path / "sounds" / "b.wav")
    put_text(tmp_path / "sounds" / "a.json", '{"prompt": "rain", "__reject__": false, "bpm": 3}')
    put_text(tmp_path / "sounds" / "b.json", '{"prompt": "no", "__reject__": true}')
    module = put_text(tmp_path / "evil.py", "raise SystemExit('run')")
    entry = {"id": "mine", "path": "/gone/sounds", "custom_metadata_module": str(module)}
    table = {"dataset_type": "audio_dir", "datasets": [entry, {"id": 3}]}
    path = put_text(tmp_path / "config.json", json.dumps(table))
    clips, failures = read_all("stable-audio", path)
    assert [(clip.id, clip.text, clip.extra["bpm"]) for clip in clips] == [("mine/a.wav", "rain", 3)]
    assert len(failures) == 1
    put_text(path, '{"dataset_type": "s3", "datasets": []}')
    with pytest.raises(UsageError, match="'s3'"):
        read_all("stable-audio", path)


def test_plain_folders_and_lists(tmp_path):
    put_sound(tmp_path / "dog" / "a.wav")
    assert read_all("folder", tmp_path)[0][0].labels == ("dog",)
    put_text(tmp_path / "metadata.jsonl", '{"file_name": "dog/a.wav", "text": "bark"}\n{"no": 1}\n{"file_name": "b"}\n')
    clips, failures = read_all("folder", tmp_path)
    assert [clip.text for clip in clips] == ["bark", ""]
    assert [failure.id for failure in failures] == ["metadata.jsonl:2"]


SAMPLES = {
    "clotho": {"clotho_captions_development.csv": "file_name,caption_1\n"},
    "fsd50k": {"FSD50K.ground_truth/dev.csv": "fname,labels,mids,split\n"},
    "esc50": {"meta/esc50.csv": ESC},
    "musiccaps": {
        "musiccaps-public.csv": "ytid,start_s,end_s,audioset_positive_labels,aspect_list,caption,author_id\n"
    },
    "audiocaps": {"train.csv": "audiocap_id,youtube_id,start_time,caption\n"},
    "audioset": {"eval_segments.csv": AUDIOSET},
    "vggsound": {"train.csv": f"{VIDEO}_000030.mp4,dog\n"},
    "wavcaps": {"BBC/bbc_final.json": '{"data": []}'},
    "autorecap": {"AutoReCapXL.json": json.dumps({VIDEO: {"intervals": []}})},
    "af-audioset": {"AF-AudioSet.json": json.dumps({"ytid": VIDEO, "caption": "x"})},
    "tango": {"train_x.json": json.dumps({"dataset": "x", "location": "x.wav", "captions": "x"})},
    "stable-audio": {"x.json": json.dumps({"dataset_type": "audio_dir", "datasets": []})},
    "laion": {"train/0.tar": ""},
    "genau": {"metadata/dataset_root.json": "{}"},
    "folder": {"metadata.jsonl": "{}"},
}


@pytest.mark.parametrize("format", SAMPLES)
def test_formats_are_found_out(tmp_path, format):
    for name, text in SAMPLES[format].items():
        put_text(tmp_path / name, text)
    assert detect_format(tmp_path) == format


def test_every_format_has_a_sample_here():
    assert {name for name, known in FORMATS.items() if known.function == "read"} == set(SAMPLES)
    assert all(callable(load_reader(name)) for name in FORMATS)


def test_single_files_are_found_out(tmp_path):
    alone = {"af-audioset": "list.json", "tango": "list.json", "autorecap": "list.jsonl", "audiocaps": "any.csv"}
    for format, name in alone.items():
        text = next(iter(SAMPLES[format].values()))
        assert detect_format(put_text(tmp_path / format / name, text)) == format
    rows = put_text(tmp_path / "any" / "mine.csv", f'{VIDEO}, 30.000, 40.000, "/m/a"\n')
    assert detect_format(rows) == "audioset"


def test_unknown_sources_are_refused(tmp_path):
    with pytest.raises(MissingError, match="nowhere"):
        detect_format(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="no known format"):
        detect_format(put_text(tmp_path / "a.bin", "x"))
    with pytest.raises(UsageError, match="audiocaps"):
        load_reader("audiocap")


@pytest.mark.parametrize("format", [name for name in FORMATS if name not in ("folder", "laion", "genau")])
@pytest.mark.parametrize("junk", [b"", b"\xff\xfe\x00junk\n\x00,\x01\n", b'"' * 999, b"[" * 9999, b"{\n" * 99])
def test_junk_gives_failures_or_one_sentence(tmp_path, format, junk):
    path = tmp_path / "junk.json"
    path.write_bytes(junk)
    for name in (path, path.rename(tmp_path / "junk.csv")):
        if not name.exists():
            continue
        try:
            assert read_all(format, name)[0] == []
        except (UsageError, MissingError) as error:
            assert "junk" in str(error)
