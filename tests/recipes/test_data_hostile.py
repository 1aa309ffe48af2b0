"""Runs over data sets that are odd, half there, or meant to be somewhere odd."""

from __future__ import annotations

import json
import os

import pytest

from audiojourney.data.manifest import has_list, iter_clips, read_clips
from audiojourney.errors import AudioJourneyError, MissingError, UsageError
from audiojourney.recipes import data_export, data_import, data_record, data_stats, data_verify
from audiojourney.recipes.data_export import ExportConfig
from audiojourney.recipes.data_import import ImportConfig
from audiojourney.recipes.data_verify import VerifyConfig
from tests.data.formats.published import VIDEO, laion_members, put_sound, put_tar, put_text


@pytest.fixture
def data(tmp_path):
    """Three captioned clips of two splits."""
    rows = []
    for number in range(3):
        put_sound(tmp_path / "data" / f"{number}.wav", seconds=0.1 + number / 10)
        rows.append({"file_name": f"{number}.wav", "id": str(number), "text": "rain", "split": f"s {number % 2}"})
    put_text(tmp_path / "data" / "metadata.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "data"


def errors_of(folder):
    path = folder / "errors.jsonl"
    return [json.loads(line)["code"] for line in path.read_text(encoding="ascii").splitlines()]


def test_a_tar_beside_a_list_does_not_hide_the_list(data):
    put_tar(data / "backup.tar", laion_members(1))
    (data / "1.wav").unlink()
    found = []
    report = data_verify.run(VerifyConfig(source=data), found.append)
    assert (report.clips, report.shards, [problem.code for problem in found]) == (3, 0, ["missing_file"])
    (data / "metadata.jsonl").unlink()
    assert data_verify.run(VerifyConfig(source=data), found.append).shards == 1


@pytest.mark.parametrize("place", ["metadata.jsonl", "metadata.csv", "train/metadata.jsonl"])
def test_whether_a_folder_is_read_by_a_list(tmp_path, place):
    put_sound(tmp_path / "train" / "a.wav")
    put_text(tmp_path / ".hidden" / "metadata.jsonl", "{}")
    assert not has_list(tmp_path)
    put_text(tmp_path / place, "")
    assert has_list(tmp_path)


def test_two_clips_of_one_id_are_not_written_over_each_other(tmp_path):
    for number, split in enumerate(("a", "b")):
        put_sound(tmp_path / "in" / split / "x.wav", seconds=0.1 + number)
        put_text(tmp_path / "in" / split / "metadata.jsonl", '{"file_name": "x.wav", "id": "same", "text": "t"}\n')
    for form in ("tango", "audiofolder", "webdataset"):
        report = data_export.run(ExportConfig(source=tmp_path / "in", output=tmp_path / form, to=form))
        assert (report.counts["clips"], report.counts["failures"]) == (1, {"duplicate_id": 1})
        assert errors_of(tmp_path / form) == ["duplicate_id"]


def test_an_export_goes_to_where_a_link_leads(data, tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk")
    data_export.run(ExportConfig(source=data, output=tmp_path / "out", to="webdataset"))
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "disk" / "dataset.json").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "disk", "out"]


def test_a_link_that_leads_nowhere_yet_is_filled(data, tmp_path):
    (tmp_path / "out").symlink_to("later")
    data_export.run(ExportConfig(source=data, output=tmp_path / "out", to="tango"))
    assert (tmp_path / "later" / "s_0.json").is_file()
    assert (tmp_path / "out").is_symlink()


@pytest.mark.parametrize("output", [".", "..", "../here"])
def test_the_folder_that_one_is_in_is_not_put_in_place(data, tmp_path, monkeypatch, output):
    (tmp_path / "up" / "here" / "in").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "up" / "here" if output == "../here" else tmp_path / "up" / "here" / "in")
    config = ExportConfig(source=data, output=data_export.Path(output), to="tango")
    with pytest.raises(UsageError, match=r"you are in it|holds files"):
        data_export.run(config)
    assert (tmp_path / "up" / "here" / "in").is_dir()


def test_half_an_export_that_was_killed_is_begun_anew(data, tmp_path):
    put_text(tmp_path / ".out.part" / "old.tar", "half")
    put_text(tmp_path / ".out.old" / "dataset.json", "{}")
    data_export.run(ExportConfig(source=data, output=tmp_path / "out", to="webdataset"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "out"]
    assert not (tmp_path / "out" / "old.tar").exists()


@pytest.mark.parametrize("form", ["audiofolder", "webdataset", "tango", "genau", "audiocraft", "stable-audio"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_a_run_that_is_broken_off_leaves_nothing(data, tmp_path, form, error):
    def stop(done, total):
        if done == 2:
            raise error

    with pytest.raises(error):
        data_export.run(ExportConfig(source=data, output=tmp_path / "out", to=form), stop)
    with pytest.raises(error):
        data_import.run(ImportConfig(source=data, output=tmp_path / "list"), stop)
    assert [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_relative_to(data)] == []


def test_an_import_that_is_broken_off_leaves_the_earlier_list(data, tmp_path):
    config = ImportConfig(source=data, output=tmp_path / "out", exists="overwrite")
    data_import.run(config)
    before = {path: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        data_import.run(config, stop)
    assert {path: path.read_bytes() for path in (tmp_path / "out").iterdir()} == before


@pytest.mark.parametrize("run", ["import", "export"])
def test_folders_that_cannot_be_written_are_named(data, tmp_path, run):
    put_text(tmp_path / "file", "x")
    place = tmp_path / "file" / "out"
    with pytest.raises(AudioJourneyError, match="file"):
        if run == "import":
            data_import.run(ImportConfig(source=data, output=place))
        else:
            data_export.run(ExportConfig(source=data, output=place, to="tango"))
    assert (tmp_path / "file").read_text(encoding="utf-8") == "x"


def test_names_with_anything_in_them(tmp_path):
    names = [
        "a b.wav",
        " lead.wav",
        "dash-.wav",
        "-x.wav",
        "q'\".wav",
        "tab\t.wav",
        "line\n.wav",
        "雨.wav",
        "a.b.c.wav",
    ]
    names += ["a.b.c.wav", "#1.wav", "100%.wav", "{x}.wav", "UP.WAV", os.fsdecode(b"r\xe4in.wav")]
    for name in names:
        put_sound(tmp_path / "in" / "x.wav").rename(tmp_path / "in" / name)
    data_import.run(ImportConfig(source=tmp_path / "in", output=tmp_path / "out"))
    assert {clip.id for clip in read_clips(tmp_path / "out")} == set(names)
    assert all(clip.path.is_file() for clip in read_clips(tmp_path / "out"))
    for form in ("webdataset", "audiofolder"):
        config = ExportConfig(source=tmp_path / "out", output=tmp_path / form, to=form)
        assert data_export.run(config).failed == 0
        data_import.run(ImportConfig(source=tmp_path / form, output=tmp_path / f"{form}-back"))
        assert {clip.id for clip in read_clips(tmp_path / f"{form}-back")} == set(names)


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ('{"file_name": "0.wav", "duration": %s}' % ("9" * 400), "duration"),
        ('{"file_name": "0.wav", "id": "z", "captions": [{"text": "x", "score": %s}]}' % ("9" * 400), "score"),
    ],
)
def test_numbers_beyond_all_floats_are_bad_rows_told_in_short(data, row, told):
    put_text(data / "rows.jsonl", row + "\n")
    bad = []
    assert list(iter_clips(data / "rows.jsonl", bad.append)) == []
    assert told in bad[0].reason
    assert len(bad[0].reason) < 200


def test_unknown_columns_with_such_numbers_are_kept_as_nothing(data, tmp_path):
    row = '{"file_name": "0.wav", "id": "z", "text": "x", "odd": 1e999, "deep": {"a": [1e999, 2]}}\n'
    put_text(data / "metadata.jsonl", row)
    data_import.run(ImportConfig(source=data, output=tmp_path / "out"))
    (clip,) = read_clips(tmp_path / "out")
    assert "odd" not in clip.extra, "what is null is no value"
    assert clip.extra["deep"] == {"a": [None, 2]}
    for form in ("webdataset", "audiofolder"):
        data_export.run(ExportConfig(source=data, output=tmp_path / form, to=form))


@pytest.mark.parametrize(
    "fields",
    [
        {"max_duration_s": float("nan")},
        {"max_duration_s": -3.0},
        {"max_duration_s": 1.0, "min_duration_s": 2.0},
        {"min_duration_s": float("nan")},
        {"min_duration_s": -1.0},
        {"allow_errors": -1},
    ],
)
def test_lengths_that_leave_nothing_are_refused(fields):
    with pytest.raises(UsageError, match=next(iter(fields))):
        ImportConfig(source=data_export.Path("x"), **fields)


def test_hidden_and_half_written_sounds_are_no_clips(tmp_path):
    put_sound(tmp_path / "in" / "a.wav")
    put_sound(tmp_path / "in" / ".a.wav")
    put_sound(tmp_path / "in" / ".work" / "b.wav")
    data_import.run(ImportConfig(source=tmp_path / "in", output=tmp_path / "out"))
    assert [clip.id for clip in read_clips(tmp_path / "out")] == ["a.wav"]


def test_a_cut_last_row_is_left_out_and_the_others_stay(data, tmp_path):
    with (data / "metadata.jsonl").open("ab") as file:
        file.write(b'{"file_name": "2.w')
    report = data_import.run(ImportConfig(source=data, output=tmp_path / "out"))
    assert (report.counts["clips"], report.failed) == (3, 0)


FOREIGN = ["", "[]", "{", '{"settings": 3}', '{"settings": "to"}', '{"settings": {"to": "me"}}', '{"audiojourney": 1}']


@pytest.mark.parametrize("record", FOREIGN)
def test_folders_with_records_of_others_are_left_alone(data, tmp_path, record):
    put_text(tmp_path / "out" / "dataset.json", record)
    assert data_record.read_record(tmp_path / "out") == (json.loads(record) if record.startswith('{"') else {})
    for exists in ("skip", "overwrite", "error"):
        config = ExportConfig(source=data, output=tmp_path / "out", to="tango", exists=exists)
        with pytest.raises(UsageError, match="no exported data set"):
            data_export.run(config)
    assert (tmp_path / "out" / "dataset.json").read_text(encoding="utf-8") == record


def test_statistics_of_a_list_without_clips(tmp_path):
    put_text(tmp_path / "x.jsonl", '{"no": 1}\n')
    for source in (tmp_path / "x.jsonl", tmp_path):
        with pytest.raises(MissingError, match="holds no clip"):
            data_stats.run(data_stats.StatsConfig(source=source))


def test_what_is_excluded_is_not_looked_at(tmp_path):
    put_text(tmp_path / "in" / "vggsound.csv", f"{VIDEO},30,dog,train\nmissing____,1,cat,train\n")
    put_sound(tmp_path / "in" / f"{VIDEO}.wav")
    lists = {"array.json": json.dumps([VIDEO]), "text.txt": f"\n {VIDEO} \n", "names.txt": f"{VIDEO}.wav"}
    for name, text in lists.items():
        ids = put_text(tmp_path / name, text)
        with pytest.raises(MissingError, match="1 sounds"):
            data_import.run(ImportConfig(source=tmp_path / "in", output=tmp_path / name[:-4], exclude_ids=ids))
    for name, text in {"bad.json": "{", "odd.json": '{"AudioSet": 3}'}.items():
        with pytest.raises(UsageError, match=name):
            data_import.run(
                ImportConfig(source=tmp_path / "in", output=tmp_path / "o", exclude_ids=put_text(tmp_path / name, text))
            )
    with pytest.raises(MissingError, match="no list of ids"):
        data_import.run(ImportConfig(source=tmp_path / "in", output=tmp_path / "o", exclude_ids=tmp_path / "no"))
