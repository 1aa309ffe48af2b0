"""Import, export, import: what a form can hold comes back, whatever the words."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiojourney.data.clip import CAPTION_KINDS, Caption, Clip, Event, Metadata
from audiojourney.data.formats.names import detect_format
from audiojourney.data.manifest import read_clips, write_clips
from audiojourney.recipes import data_export, data_import
from audiojourney.recipes.data_verify import VerifyConfig
from audiojourney.recipes.data_verify import run as verify
from tests.data.formats.published import laion_members, put_sound, put_tar, sound_bytes

some = settings(
    max_examples=6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=6)
numbers = st.none() | st.floats(0, 1e6)
captions = st.builds(
    lambda text, source, kind, score: Caption(text, source, kind, score, "" if score is None else "clap"),
    words,
    words | st.just(""),
    st.sampled_from(CAPTION_KINDS),
    st.none() | st.floats(-1, 1),
)


def lists(of, **options):
    return st.lists(of, max_size=3, **options).map(tuple)


clips = st.builds(
    Clip,
    path=st.just(Path("sound.wav")),
    id=words,
    dataset=words | st.just(""),
    split=st.sampled_from(["train", "test", "val"]),
    fold=st.none() | st.integers(0, 9),
    start_s=numbers,
    end_s=numbers,
    labels=lists(words),
    captions=lists(captions, unique_by=lambda caption: caption.text),
    events=lists(st.builds(Event, words, st.floats(0, 9), st.floats(0, 9))),
    metadata=st.builds(
        Metadata, title=words, description=words, tags=lists(words), visual_caption=words, subtitles=words
    ),
    licence=words | st.just(""),
    attribution=words | st.just(""),
    source_url=words | st.just(""),
    extra=st.dictionaries(words.map("x_{}".format), st.integers(0, 9) | words, max_size=2),
)
sets = st.lists(clips, min_size=1, max_size=4, unique_by=lambda clip: clip.id)


def texts(clip):
    return [caption.text for caption in clip.captions]


def everything(clip):
    """All but the place of the sound and what is measured of it."""
    extra = {key: value for key, value in clip.extra.items() if key not in ("sample_rate", "channels")}
    return replace(clip, path=Path(), sha256="", duration_s=None, extra=extra)


# What each form holds of a clip; `None` where the clip is left out of it.
HELD = {
    "audiofolder": everything,
    "webdataset": everything,
    "tango": lambda clip: (sorted(texts(clip)), clip.split) if clip.captions else None,
    "genau": lambda clip: (
        sorted(texts(clip)),
        clip.split,
        clip.start_s,
        clip.end_s,
        clip.metadata.title,
        clip.metadata.description,
        clip.metadata.visual_caption,
    ),
    "stable-audio": lambda clip: (clip.id, texts(clip), clip.labels),
}
FORMATS = {"audiofolder": "folder", "webdataset": "laion"}


def put(folder, wanted):
    """Write a data set of these clips, each with a sound of a length of its own."""
    placed = []
    for number, clip in enumerate(wanted, start=1):
        path = put_sound(folder / "sounds" / f"{number}.wav", seconds=number / 50)
        placed.append(replace(clip, path=path))
    write_clips(folder / "metadata.jsonl", placed)
    return folder


def read(source, out, **fields):
    data_import.run(data_import.ImportConfig(source=source, output=out, workers=1, **fields))
    return read_clips(out)


def by_sound(found, held):
    """What is held of each clip, by the length of its sound, which tells the clips apart in every form."""
    kept = ((round(clip.duration_s * 50), held(clip)) for clip in found)
    return {number: value for number, value in kept if value is not None}


@pytest.mark.parametrize("form", HELD)
@given(wanted=sets)
@some
def test_what_a_form_holds_comes_back(tmp_path, form, wanted):
    if not any(HELD[form](clip) is not None for clip in wanted):
        return
    folder = tmp_path / "run"
    shutil.rmtree(folder, ignore_errors=True)
    before = read(put(folder / "one", wanted), folder / "two")
    config = data_export.ExportConfig(source=folder / "two", output=folder / "out", to=form, workers=1)
    data_export.run(replace(config, shard_clips=2))
    assert detect_format(folder / "out") == FORMATS.get(form, form)
    after = read(folder / "out", folder / "back")
    assert by_sound(after, HELD[form]) == by_sound(before, HELD[form])
    assert sorted(clip.path.read_bytes() for clip in after) == sorted(
        clip.path.read_bytes() for clip in before if HELD[form](clip) is not None
    )
    assert verify(VerifyConfig(source=folder / "back", workers=1), print).problems == {}


@given(wanted=sets)
@some
def test_an_import_of_an_import_changes_nothing(tmp_path, wanted):
    shutil.rmtree(tmp_path / "run", ignore_errors=True)
    once = read(put(tmp_path / "run" / "one", wanted), tmp_path / "run" / "two")
    twice = read(tmp_path / "run" / "two", tmp_path / "run" / "three")
    assert [replace(clip, path=clip.path.resolve()) for clip in twice] == [
        replace(clip, path=clip.path.resolve()) for clip in once
    ]
    assert [everything(clip) for clip in once] == [everything(clip) for clip in wanted]


@pytest.mark.parametrize("form", HELD)
def test_a_moved_export_is_read_where_it_lies_now(tmp_path, form):
    wanted = [
        Clip(path=Path(), id=f"a/{number}", split=split, captions=(Caption(f"rain {number}", "me", "human"),))
        for number, split in enumerate(["train", "train", "test"])
    ]
    source = put(tmp_path / "one", wanted)
    data_export.run(data_export.ExportConfig(source=source, output=tmp_path / "there" / "out", to=form))
    shutil.move(tmp_path / "there", tmp_path / "here")
    shutil.rmtree(source)
    found = read(tmp_path / "here" / "out", tmp_path / "back")
    assert sorted(clip.text for clip in found) == ["rain 0", "rain 1", "rain 2"]
    assert sorted(round(clip.duration_s * 50) for clip in found) == [1, 2, 3]


@pytest.mark.parametrize("form", ["audiofolder", "webdataset"])
def test_a_second_round_gives_the_same_bytes(tmp_path, form):
    wanted = [
        Clip(path=Path(), id=f"{number}", split="train", labels=("雨",), extra={"n": number}) for number in range(3)
    ]
    source, hashes = put(tmp_path / "one", wanted), []
    for number in range(2):
        out = tmp_path / f"out{number}"
        data_export.run(data_export.ExportConfig(source=source, output=out, to=form))
        files = sorted(path for path in out.rglob("*") if path.is_file() and path.name != "dataset.json")
        hashes.append({path.relative_to(out).as_posix(): path.read_bytes() for path in files})
        source = tmp_path / f"back{number}"
        read(out, source)
    assert set(hashes[0]) == set(hashes[1])
    if form == "audiofolder":
        first, second = (table.pop("train/metadata.jsonl") for table in hashes)
        known = [json.loads(line) for line in first.splitlines()]
        again = [json.loads(line) for line in second.splitlines()]
        assert [{key: row[key] for key in old} for row, old in zip(again, known, strict=True)] == known
        assert hashes[0] == hashes[1]


def test_the_tars_of_others_become_tars_of_ours_and_back(tmp_path):
    members = laion_members(1) | laion_members(2) | {"3.wav": sound_bytes(0.3), "3.txt": "schön".encode()}
    put_tar(tmp_path / "tars" / "valid" / "0.tar", members)
    before = read(tmp_path / "tars", tmp_path / "a")
    data_export.run(data_export.ExportConfig(source=tmp_path / "a", output=tmp_path / "b", to="webdataset"))
    after = read(tmp_path / "b", tmp_path / "c")
    assert [everything(clip) for clip in after] == [everything(clip) for clip in before]
    assert [clip.text for clip in after] == ["The sounds of Dog and Door"] * 2 + ["schön"]
    assert {clip.split for clip in after} == {"val"}


def test_sounds_of_splits_that_are_called_alike_stay_apart(tmp_path):
    for number, split in enumerate(("train", "test"), start=1):
        put_sound(tmp_path / "in" / split / "a.wav", seconds=number / 50)
        text = json.dumps({"file_name": "a.wav", "text": split})
        (tmp_path / "in" / split / "metadata.jsonl").write_text(text + "\n", encoding="utf-8")
    assert [clip.id for clip in read_clips(tmp_path / "in")] == ["test/a.wav", "train/a.wav"]
    for form in HELD:
        out = tmp_path / form
        report = data_export.run(data_export.ExportConfig(source=tmp_path / "in", output=out / "out", to=form))
        assert (report.counts["clips"], report.failed) == (2, 0)
        found = read(out / "out", out / "back")
        assert {clip.text: round(clip.duration_s * 50) for clip in found} == {"train": 1, "test": 2}
