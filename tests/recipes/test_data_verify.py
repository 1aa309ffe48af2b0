from __future__ import annotations

import json
import shutil

import pytest

from audiojourney.data.manifest import file_sha256
from audiojourney.errors import MissingError, UsageError
from audiojourney.recipes.data_export import ExportConfig
from audiojourney.recipes.data_export import run as export
from audiojourney.recipes.data_verify import VerifyConfig, run
from tests.data import broken
from tests.data.formats.published import laion_members, put_tar, put_text
from tests.recipes.tones import write_tones


@pytest.fixture
def data(tmp_path):
    """Eight clips, their hashes and lengths in the list."""
    folder = write_tones(tmp_path / "tones", seconds=0.2)
    path = folder / "metadata.jsonl"
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    lines = [json.dumps(row | {"sha256": file_sha256(folder / row["file_name"])}) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def problems(source, **settings):
    """Return the report and the codes by id."""
    found = []
    report = run(VerifyConfig(source=source, **settings), found.append)
    assert sum(report.problems.values()) == len(found)
    return report, {problem.id: problem.code for problem in found}


def test_a_whole_data_set_has_no_problem(data):
    report, found = problems(data)
    assert found == {}
    assert (report.clips, report.hashed, report.shards) == (8, 8, 0)


@pytest.mark.parametrize("workers", [1, 3])
def test_each_problem_is_named(data, workers):
    (data / "0.wav").unlink()
    shutil.copy(data / "2.wav", data / "1.wav")
    (data / "3.wav").write_bytes((data / "3.wav").read_bytes()[:3000])
    (data / "4.wav").write_bytes(broken.wav(bytes(16_000), channels=1, rate_hz=16_000))
    with (data / "metadata.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"no": 1}\n{"file_name": "5.wav", "id": "5.wav"}\n')
    before = {path: path.read_bytes() for path in data.rglob("*")}
    report, found = problems(data, workers=workers)
    assert found == {
        "0.wav": "missing_file",
        "1.wav": "other_bytes",
        "3.wav": "other_length",
        "4.wav": "other_length",
        "metadata.jsonl:9": "bad_row",
        "metadata.jsonl:10": "bad_row",
    }
    assert report.clips == 10
    assert {path: path.read_bytes() for path in data.rglob("*")} == before


def test_how_closely_it_is_looked(data):
    shutil.copy(data / "2.wav", data / "1.wav")
    (data / "3.wav").write_bytes(b"junk")
    (data / "4.wav").unlink()
    assert problems(data, depth="present")[1] == {"4.wav": "missing_file"}
    assert problems(data, depth="header")[1] == {"3.wav": "not_audio", "4.wav": "missing_file"}
    assert set(problems(data, depth="whole")[1]) == {"1.wav", "3.wav", "4.wav"}


def test_sounds_are_decoded(tmp_path):
    for name in ("scratched.flac", "half.ogg", "nan.wav"):
        broken.BROKEN[name][1](tmp_path / name)
    found = problems(tmp_path)[1]
    assert found == {name: broken.BROKEN[name][0] for name in ("scratched.flac", "half.ogg", "nan.wav")}


def test_parts_have_to_lie_within_their_sounds(data):
    rows = [{"file_name": "0.wav", "audio_offset": 0.1, "duration": length} for length in (0.1, 0.5)]
    put_text(data / "parts.jsonl", "".join(json.dumps(row | {"id": str(row["duration"])}) + "\n" for row in rows))
    assert problems(data / "parts.jsonl")[1] == {"0.5": "other_length"}


@pytest.fixture
def tars(data, tmp_path):
    """The same clips in three tars."""
    export(ExportConfig(source=data, output=tmp_path / "tars", to="webdataset", shard_clips=3))
    return tmp_path / "tars"


def test_whole_tars_have_no_problem(tars):
    report, found = problems(tars)
    assert found == {}
    assert (report.clips, report.shards, report.hashed) == (8, 3, 11)


@pytest.mark.parametrize("size", [0, 700, 4096, 9000])
def test_a_cut_tar_is_noticed_with_and_without_its_record(tars, size):
    path = tars / "train-000001.tar"
    path.write_bytes(path.read_bytes()[:size])
    report, found = problems(tars)
    assert report.problems["truncated"] == 2, "its size differs, and it ends early"
    assert report.problems["wrong_count"] == 1
    assert all(id.startswith("train-000001") for id in found)
    assert problems(path)[0].problems["truncated"] >= 1
    (tars / "dataset.json").unlink()
    assert problems(tars)[0].problems == {"truncated": 1, "wrong_count": 1}, "sizes.json is left"


def test_one_changed_byte_of_a_sound_is_noticed(tars):
    path = tars / "train-000000.tar"
    row = json.loads(path.with_suffix(".idx.jsonl").read_text(encoding="utf-8").splitlines()[1])
    data = bytearray(path.read_bytes())
    data[row["offset"] + 100] ^= 1
    path.write_bytes(data)
    _, found = problems(tars)
    assert found == {"train-000000.tar": "other_bytes", f"train-000000.tar/{row['key']}": "other_bytes"}


def test_a_tar_that_is_gone(tars):
    (tars / "train-000002.tar").unlink()
    assert problems(tars)[1] == {"train-000002.tar": "missing_file"}


def test_foreign_tars(tmp_path):
    members = laion_members(1) | {"2.json": b"{}", "3.flac": b"junk", "3.json": b"{}"}
    members |= {"4.flac": laion_members(1)["1.flac"], "4.json": b"[no json"}
    path = put_tar(tmp_path / "x.tar", members)
    found = problems(path)[1]
    assert found == {"x.tar/2": "missing_file", "x.tar/3": "not_audio", "x.tar/4": "bad_row"}
    put_tar(path, {"1.flac": members["1.flac"], "2.flac": members["1.flac"], "1.json": b"{}"})
    assert problems(path)[0].problems == {"duplicate_id": 1, "missing_file": 1}


def test_parquet_without_pyarrow_is_looked_at_from_outside(tmp_path):
    path = put_text(tmp_path / "a.parquet", "PAR1 something PAR1")
    assert problems(path)[1] == {}
    put_text(path, "PAR1 someth")
    assert problems(path)[1] == {"a.parquet": "truncated"}


def test_nothing_to_look_at(tmp_path):
    with pytest.raises(MissingError, match="nowhere"):
        problems(tmp_path / "nowhere")
    with pytest.raises(MissingError, match="nothing to look at"):
        problems(tmp_path)
    with pytest.raises(UsageError, match="workers is 0"):
        VerifyConfig(workers=0)


def test_the_first_clips_only(data):
    (data / "7.wav").unlink()
    report, found = problems(data, limit=3)
    assert (report.clips, found) == (3, {})
