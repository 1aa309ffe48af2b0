from __future__ import annotations

import json
import shutil

import pytest

from audiojourney.data.manifest import read_clips
from audiojourney.errors import AudioJourneyError, MissingError, UsageError
from audiojourney.recipes.data_import import ImportConfig, run
from tests.data import broken
from tests.data.formats.published import VIDEO, laion_members, put_sound, put_tar, put_text


@pytest.fixture
def source(tmp_path):
    """Ten clips with labels, one of them broken and one not there."""
    folder = tmp_path / "esc"
    rows = ["filename,fold,target,category,esc10,src_file,take"]
    rows += [f"{number}.wav,{1 + number % 5},0,dog,True,{number},A" for number in range(10)]
    put_text(folder / "meta" / "esc50.csv", "\n".join(rows) + "\n")
    for number in range(9):
        put_sound(folder / "audio" / f"{number}.wav", seconds=0.1 + number / 10)
    (folder / "audio" / "8.wav").write_bytes(b"no sound")
    return folder


def failures(folder):
    lines = (folder / "errors.jsonl").read_text(encoding="ascii").splitlines()
    return {row["id"]: row["code"] for row in map(json.loads, lines)}


@pytest.mark.parametrize("sounds", ["refer", "copy"])
@pytest.mark.parametrize("workers", [1, 3])
def test_every_entry_is_a_clip_or_a_named_failure(source, tmp_path, sounds, workers):
    out = tmp_path / "out"
    seen = []
    config = ImportConfig(source=source, output=out, sounds=sounds, workers=workers)
    report = run(config, lambda done, total: seen.append(done))
    clips = read_clips(out)
    assert [clip.id for clip in clips] == [f"esc50/{number}.wav" for number in range(8)]
    assert failures(out) == {"esc50/8.wav": "not_audio", "esc50/9.wav": "missing_file"}
    assert report.failed == 2
    assert (report.format, report.counts["clips"]) == ("esc50", 8)
    assert seen == list(range(1, 11))
    assert all(clip.path.is_file() and clip.sha256 and clip.extra["sample_rate"] == 8000 for clip in clips)
    assert [clip.duration_s for clip in clips] == pytest.approx([0.1 + number / 10 for number in range(8)])
    assert {clip.path.resolve().is_relative_to(out.resolve()) for clip in clips} == {sounds == "copy"}


def test_nothing_is_written_into_the_source(source, tmp_path):
    before = sorted(source.rglob("*"))
    run(ImportConfig(source=source, output=tmp_path / "out"))
    assert sorted(source.rglob("*")) == before


def test_copies_can_be_moved(source, tmp_path):
    run(ImportConfig(source=source, output=tmp_path / "out", sounds="copy"))
    shutil.move(tmp_path / "out", tmp_path / "elsewhere")
    shutil.rmtree(source)
    assert all(clip.path.is_file() for clip in read_clips(tmp_path / "elsewhere"))


def test_the_same_import_is_not_done_again_and_another_is_refused(source, tmp_path):
    put_sound(source / "audio" / "8.wav")
    put_sound(source / "audio" / "9.wav")
    config = ImportConfig(source=source, output=tmp_path / "out")
    assert run(config).fresh
    before = (tmp_path / "out" / "metadata.jsonl").read_bytes()
    again = run(config)
    assert (again.fresh, again.counts["clips"]) == (False, 10)
    other = ImportConfig(source=source, output=tmp_path / "out", limit=2)
    with pytest.raises(UsageError, match="other settings"):
        run(other)
    assert (tmp_path / "out" / "metadata.jsonl").read_bytes() == before
    with pytest.raises(UsageError, match="already"):
        run(ImportConfig(source=source, output=tmp_path / "out", exists="error"))
    forced = ImportConfig(source=source, output=tmp_path / "out", limit=2, exists="overwrite")
    assert run(forced).counts["clips"] == 2


def test_an_import_with_failures_is_tried_again(source, tmp_path):
    config = ImportConfig(source=source, output=tmp_path / "out")
    run(config)
    put_sound(source / "audio" / "8.wav")
    put_sound(source / "audio" / "9.wav")
    assert run(config).failed == 0
    assert not (tmp_path / "out" / "errors.jsonl").exists()


def test_a_folder_with_a_list_of_its_own_is_left_alone(source, tmp_path):
    put_text(tmp_path / "out" / "metadata.jsonl", '{"file_name": "mine.wav"}\n')
    with pytest.raises(UsageError, match="something else"):
        run(ImportConfig(source=source, output=tmp_path / "out"))


def test_clips_that_are_not_wanted_are_counted(source, tmp_path):
    ids = put_text(tmp_path / "ids.txt", "3\n")
    config = ImportConfig(
        source=source, output=tmp_path / "out", exclude_ids=ids, min_duration_s=0.15, max_duration_s=0.55
    )
    report = run(config)
    assert report.counts["left_out"] == {"excluded": 1, "too_long": 3, "too_short": 1}
    assert [clip.extra["source_id"] for clip in read_clips(tmp_path / "out")] == ["1", "2", "4"]


def test_one_split(tmp_path):
    put_tar(tmp_path / "tars" / "train" / "0.tar", laion_members(1))
    put_tar(tmp_path / "tars" / "test" / "0.tar", laion_members(2))
    report = run(ImportConfig(source=tmp_path / "tars", output=tmp_path / "out", split="test"))
    assert report.counts["left_out"] == {"other_split": 1}
    (clip,) = read_clips(tmp_path / "out")
    assert clip.path.is_relative_to(tmp_path / "out" / "audio")


def test_parts_of_recordings_lie_within_them(tmp_path):
    intervals = [{"start": 0, "end": 1}, {"start": 1.5, "end": 9}, {"start": 5, "end": 6}]
    path = put_text(tmp_path / "in" / "AutoReCap.json", json.dumps({VIDEO: {"intervals": intervals}}))
    put_sound(tmp_path / "in" / f"{VIDEO}.wav", seconds=2)
    run(ImportConfig(source=path, output=tmp_path / "out"))
    assert [(clip.offset_s, clip.duration_s) for clip in read_clips(tmp_path / "out")] == [(0.0, 1.0), (1.5, 0.5)]
    assert list(failures(tmp_path / "out").values()) == ["out_of_range"]
    run(ImportConfig(source=path, output=tmp_path / "whole", sounds="copy"))
    assert [(clip.offset_s, clip.duration_s) for clip in read_clips(tmp_path / "whole")] == [(None, 1.0), (None, 0.5)]


def test_an_id_that_comes_twice_is_a_failure(tmp_path):
    rows = f"{VIDEO},30,dog,train\n{VIDEO},30,cat,train\n"
    put_text(tmp_path / "in" / "vggsound.csv", rows)
    put_sound(tmp_path / "in" / f"{VIDEO}.wav")
    run(ImportConfig(source=tmp_path / "in", output=tmp_path / "out"))
    assert list(failures(tmp_path / "out").values()) == ["duplicate_id"]


def test_broken_sounds_are_named_by_what_is_wrong(tmp_path):
    kinds = [name for name in broken.BROKEN if len(name) < 100 and "\0" not in name]
    for name in kinds:
        (tmp_path / "in").mkdir(exist_ok=True)
        broken.BROKEN[name][1](tmp_path / "in" / name)
    put_sound(tmp_path / "in" / "good.wav")
    rows = "".join(json.dumps({"file_name": name}) + "\n" for name in [*kinds, "good.wav"])
    put_text(tmp_path / "in" / "metadata.jsonl", rows)
    run(ImportConfig(source=tmp_path / "in", output=tmp_path / "out", sounds="copy"))
    found = failures(tmp_path / "out")
    heard_later = {"nan.wav", "inf.wav", "one_frame.wav", "no_frames.wav", "no_frames.flac", "size_0.wav"}
    heard_later |= {name for name in kinds if name.startswith(("half.", "scratched."))}
    for name in set(kinds) - heard_later:
        assert found[name] == broken.BROKEN[name][0]
    assert "good.wav" not in found


def test_without_any_sound_there_is_nothing_to_write(tmp_path):
    put_text(tmp_path / "in" / "vggsound.csv", f"{VIDEO},30,dog,train\n")
    with pytest.raises(MissingError, match=r"None of the 1 sounds.*--audio"):
        run(ImportConfig(source=tmp_path / "in", output=tmp_path / "out"))
    assert not (tmp_path / "out" / "metadata.jsonl").exists()
    with pytest.raises(MissingError, match="--audio"):
        run(ImportConfig(source=tmp_path / "in", output=tmp_path / "out", audio=tmp_path / "no"))


def test_strict_ends_at_the_first_failure(source, tmp_path):
    with pytest.raises(AudioJourneyError, match=r"8\.wav"):
        run(ImportConfig(source=source, output=tmp_path / "out", strict=True))
    assert not (tmp_path / "out" / "metadata.jsonl").exists()


def test_a_dry_run_writes_nothing(source, tmp_path):
    report = run(ImportConfig(source=source, output=tmp_path / "out", dry_run=True))
    assert report.format == "esc50"
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("field", ["workers", "limit"])
def test_numbers_are_checked(tmp_path, field):
    with pytest.raises(UsageError, match=f"{field} is 0"):
        ImportConfig(source=tmp_path, **{field: 0})
