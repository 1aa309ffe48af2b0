from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import runpy
import subprocess
import sys
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from audiojourney.data.formats.export.names import WRITERS
from audiojourney.data.manifest import file_sha256, read_clips
from audiojourney.errors import AudioJourneyError, MissingError, UsageError
from audiojourney.recipes.data_export import ExportConfig, run
from audiojourney.recipes.data_import import ImportConfig
from audiojourney.recipes.data_import import run as import_data
from tests.data.formats.published import put_sound, put_text
from tests.recipes.tones import write_tones

HAS_ARROW = bool(importlib.util.find_spec("pyarrow"))
FORMS = [form for form in WRITERS if form != "parquet" or HAS_ARROW]


@pytest.fixture
def data(tmp_path):
    """Eight clips with captions, labels and licences; two of them of another split."""
    folder = write_tones(tmp_path / "tones", seconds=0.2)
    path = folder / "metadata.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for number, row in enumerate(rows):
        row |= {"id": f"tone/{number}", "split": "test" if number > 5 else "train", "dataset": "tones"}
        row["captions"] = [{"text": f"again, {number}", "kind": "model", "score": 0.4, "score_name": "clap_x"}]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def content_of(clip):
    """What has to survive whatever form a clip is written in."""
    return (clip.labels, [caption.text for caption in clip.captions], file_sha256(clip.path), clip.split)


@pytest.mark.parametrize("form", FORMS)
def test_two_exports_are_equal_whatever_the_workers(data, tmp_path, form):
    for number in (1, 2):
        place = tmp_path / str(number) / "out"
        assert run(ExportConfig(source=data, output=place, to=form, workers=number)).counts["clips"] == 8
    homes = [str(tmp_path / str(number)).encode() for number in (1, 2)]
    one, two = (contents(tmp_path / str(number)) for number in (1, 2))
    assert {k: v.replace(homes[0], b"") for k, v in one.items()} == {
        k: v.replace(homes[1], b"") for k, v in two.items()
    }


@pytest.mark.parametrize(("form", "format"), [("webdataset", "laion"), ("audiofolder", "folder")])
def test_what_is_exported_can_be_imported_again(data, tmp_path, form, format):
    run(ExportConfig(source=data, output=tmp_path / "out", to=form, shard_clips=4))
    import_data(ImportConfig(source=tmp_path / "out", output=tmp_path / "back", format=format))

    def key(clip):
        return clip.id

    before, after = sorted(read_clips(data), key=key), sorted(read_clips(tmp_path / "back"), key=key)
    assert list(map(content_of, after)) == list(map(content_of, before))
    for old, new in zip(before, after, strict=True):
        extra = {name: value for name, value in new.extra.items() if name not in ("sample_rate", "channels")}
        assert replace(new, path=old.path, sha256=old.sha256, extra=extra) == old


@pytest.mark.parametrize("form", ["tango", "genau", "stable-audio"])
def test_lists_of_other_tools_can_be_imported_again(data, tmp_path, form):
    run(ExportConfig(source=data, output=tmp_path / "out", to=form, format="wav"))
    import_data(ImportConfig(source=tmp_path / "out", output=tmp_path / "back", format=form))
    before, after = read_clips(data), read_clips(tmp_path / "back")
    texts = [[sorted(caption.text for caption in clip.captions) for clip in clips] for clips in (before, after)]
    if form == "stable-audio":  # it holds one prompt there, and the others beside it
        texts = [[clip.text for clip in clips] for clips in (before, after)]
    assert sorted(texts[0]) == sorted(texts[1])


def test_tars_have_plain_members_and_say_what_they_hold(data, tmp_path):
    report = run(ExportConfig(source=data, output=tmp_path / "out", to="webdataset", shard_clips=4))
    names = [shard["name"] for shard in report.counts["shards"]]
    assert names == ["test-000000.tar", "train-000000.tar", "train-000001.tar"]
    assert [shard["clips"] for shard in report.counts["shards"]] == [2, 4, 2]
    sizes = json.loads((tmp_path / "out" / "sizes.json").read_text(encoding="utf-8"))
    assert sizes == {"test-000000.tar": 2, "train-000000.tar": 4, "train-000001.tar": 2}
    path = tmp_path / "out" / names[1]
    index = [json.loads(line) for line in path.with_suffix(".idx.jsonl").read_text(encoding="utf-8").splitlines()]
    with tarfile.open(path) as archive:
        members = archive.getmembers()
    assert {(member.mtime, member.uid, member.uname, member.mode) for member in members} == {(0, 0, "", 0o644)}
    assert [member.name.partition(".")[2] for member in members[:3]] == ["wav", "json", "txt"]
    data_bytes = path.read_bytes()
    for row in index:
        sound = data_bytes[row["offset"] : row["offset"] + row["size"]]
        assert hashlib.sha256(sound).hexdigest() == row["sha256"]
    assert all(shard["sha256"] == file_sha256(tmp_path / "out" / shard["name"]) for shard in report.counts["shards"])


def test_shards_are_closed_at_their_size(data, tmp_path):
    config = ExportConfig(source=data, output=tmp_path / "out", to="webdataset", shard_bytes=15_000)
    shards = run(config).counts["shards"]
    assert len(shards) > 3
    assert all(shard["bytes"] < 30_000 for shard in shards)


def test_tango_has_a_row_a_caption_and_absolute_paths(data, tmp_path):
    put_sound(data / "mute.wav")
    with (data / "metadata.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"file_name": "mute.wav"}\n')
    report = run(ExportConfig(source=data, output=tmp_path / "out", to="tango"))
    assert report.counts["left_out"] == {"no_caption": 1}
    rows = [json.loads(line) for line in (tmp_path / "out" / "train.json").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 12
    assert all(set(row) == {"dataset", "location", "captions"} and isinstance(row["captions"], str) for row in rows)
    assert all(Path(row["location"]).is_absolute() and Path(row["location"]).is_file() for row in rows)
    config = ExportConfig(source=data, output=tmp_path / "first", to="tango", captions="first")
    assert run(config).counts["clips"] == 8
    assert len((tmp_path / "first" / "train.json").read_text(encoding="utf-8").splitlines()) == 6


def test_genau_has_an_index_of_lists_of_sidecars(data, tmp_path):
    run(ExportConfig(source=data, output=tmp_path / "out", to="genau", name="mine"))
    index = json.loads((tmp_path / "out" / "metadata" / "dataset_root.json").read_text(encoding="utf-8"))
    lists = index["metadata"]["path"]["mine"]
    assert set(lists) == {"train", "val", "test"}
    assert lists["val"] == ""
    names = Path(lists["train"]).read_text(encoding="utf-8").splitlines()
    assert len(names) == 6
    sidecar = Path(index["mine"]) / names[0]
    about = json.loads(sidecar.read_text(encoding="utf-8"))
    assert about["gt_audio_caption"] == ["a tone, number 0"]
    assert about["autocap_caption"] == ["again, 0"]
    assert sidecar.with_suffix(".wav").is_file()


def test_audiocraft_has_a_description_beside_each_sound(data, tmp_path):
    run(ExportConfig(source=data, output=tmp_path / "out", to="audiocraft"))
    rows = [json.loads(line) for line in (tmp_path / "out/test/data.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["duration"] for row in rows] == [0.2, 0.2]
    about = json.loads(Path(rows[0]["path"]).with_suffix(".json").read_text(encoding="utf-8"))
    assert about["description"] == "a tone, number 6"


def test_the_module_for_stable_audio_gives_a_prompt(data, tmp_path):
    run(ExportConfig(source=data, output=tmp_path / "out", to="stable-audio"))
    table = json.loads((tmp_path / "out" / "train.json").read_text(encoding="utf-8"))
    entry = table["datasets"][0]
    prompt = runpy.run_path(entry["custom_metadata_module"])["get_custom_metadata"]
    sound = next(Path(entry["path"]).rglob("*.wav"))
    answer = prompt({"path": str(sound)}, None)
    assert answer["prompt"].startswith(("a tone, number", "again"))
    assert answer["__reject__"] is False


def test_parts_are_cut_and_sounds_encoded_anew(data, tmp_path):
    rows = '{"file_name": "0.wav", "id": "a", "audio_offset": 0.05, "duration": 0.1}\n'
    put_text(data / "parts.jsonl", rows)
    config = ExportConfig(source=data / "parts.jsonl", output=tmp_path / "out", to="audiofolder")
    assert run(config).counts["clips"] == 1
    (clip,) = read_clips(tmp_path / "out")
    assert (clip.offset_s, clip.path.suffix) == (None, ".flac")
    assert clip.duration_s == pytest.approx(0.1)
    config = ExportConfig(source=data, output=tmp_path / "ogg", to="audiofolder", format="ogg", rate_hz=8000)
    run(config)
    assert {clip.path.suffix for clip in read_clips(tmp_path / "ogg")} == {".ogg"}


def test_what_cannot_be_read_is_named(data, tmp_path):
    (data / "2.wav").write_bytes(b"junk")
    (data / "3.wav").unlink()
    with (data / "metadata.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"no": "file"}\n')
    report = run(ExportConfig(source=data, output=tmp_path / "out", to="webdataset"))
    lines = (tmp_path / "out" / "errors.jsonl").read_text(encoding="ascii").splitlines()
    assert [json.loads(line)["code"] for line in lines] == ["not_audio", "missing_file", "bad_row"]
    assert (report.counts["clips"], report.failed) == (6, 3)


def test_an_export_is_whole_or_absent(data, tmp_path):
    (data / "7.wav").unlink()
    with pytest.raises(AudioJourneyError, match="tone/7"):
        run(ExportConfig(source=data, output=tmp_path / "x" / "out", to="webdataset", strict=True))
    assert list((tmp_path / "x").iterdir()) == []


def test_an_earlier_export_stays_until_the_next_is_whole(data, tmp_path):
    config = ExportConfig(source=data, output=tmp_path / "out", to="webdataset")
    run(config)
    before = contents(tmp_path / "out")
    assert not run(config).fresh
    with pytest.raises(UsageError, match="other settings"):
        run(replace(config, captions="first"))
    (data / "7.wav").unlink()
    with pytest.raises(AudioJourneyError):
        run(replace(config, captions="first", exists="overwrite", strict=True))
    assert contents(tmp_path / "out") == before
    run(replace(config, to="tango", exists="overwrite"))
    assert not list((tmp_path / "out").glob("*.tar"))


def test_a_folder_of_other_files_is_left_alone(data, tmp_path):
    put_text(tmp_path / "out" / "thesis.txt", "years of work")
    for exists in ("skip", "overwrite"):
        with pytest.raises(UsageError, match="no exported data set"):
            run(ExportConfig(source=data, output=tmp_path / "out", to="tango", exists=exists))
    with pytest.raises(UsageError, match="no exported data set"):
        run(ExportConfig(source=data, output=data, to="tango", exists="overwrite"))
    with pytest.raises(UsageError, match="is a file"):
        run(ExportConfig(source=data, output=tmp_path / "out" / "thesis.txt", to="tango"))


def test_wrong_wishes(data, tmp_path):
    with pytest.raises(UsageError, match="webdataset"):
        run(ExportConfig(source=data, output=tmp_path / "out", to="webdatase"))
    with pytest.raises(UsageError, match="--format"):
        ExportConfig(source=data, output=tmp_path / "out", to="tango", rate_hz=8000)
    with pytest.raises(UsageError, match="shard_clips is 0"):
        ExportConfig(source=data, output=tmp_path / "out", to="tango", shard_clips=0)
    with pytest.raises(MissingError, match="nowhere"):
        run(ExportConfig(source=tmp_path / "nowhere", output=tmp_path / "out", to="tango"))


@pytest.mark.skipif(HAS_ARROW, reason="pyarrow is here")
def test_without_pyarrow_the_cure_is_named(data, tmp_path):
    with pytest.raises(MissingError, match=r"audiojourney\[parquet\]"):
        run(ExportConfig(source=data, output=tmp_path / "out", to="parquet"))
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.network
def test_other_readers_open_what_is_written(data, tmp_path):
    """Needs an index of packages: `datasets` and `webdataset` are installed into an environment of their own."""
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    root = Path(__file__).resolve().parents[2]
    packages = ["datasets", "webdataset", "pyarrow", "soundfile", "soxr", "typer", "rich", "pyyaml"]
    subprocess.run([python, "-m", "pip", "install", "-q", *packages], check=True)
    environment = {**os.environ, "PYTHONPATH": str(root), "HF_HOME": str(tmp_path / "hf")}
    for form in ("parquet", "webdataset"):
        command = [python, "-m", "audiojourney", "data", "export", data, "--to", form, "-o", tmp_path / form]
        subprocess.run([*command, "--shard-clips", "3"], check=True, env=environment)
    script = f"""
import datasets, json, webdataset
rows = datasets.load_dataset("parquet", data_files={{"train": "{tmp_path}/parquet/train-*.parquet"}})["train"]
assert isinstance(rows.features["audio"], datasets.Audio), rows.features
assert len(rows) == 6 and rows[0]["audio"]["bytes"][:4] == b"RIFF" and rows[0]["text"] == "a tone, number 0"
assert rows[5]["captions"][1]["score"] == 0.4
samples = list(webdataset.WebDataset("{tmp_path}/webdataset/train-{{000000..000001}}.tar", shardshuffle=False))
assert [json.loads(sample["json"])["text"] for sample in samples] == [f"a tone, number {{i}}" for i in range(6)]
"""
    subprocess.run([python, "-c", script], check=True, env=environment)
