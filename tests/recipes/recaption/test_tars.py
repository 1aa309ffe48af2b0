"""Clips in tar shards: read where they lie."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from tests.recipes.recaption.conftest import rows
from tests.recipes.recaption.double import write_clips


def write_tar(path: str, count: int, first: int = 0, **columns) -> None:
    """Write noises with JSON and text beside them."""
    write_clips(Path("sounds"), 9)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for number in range(first, first + count):
            archive.add(f"sounds/clip-{number:05d}.wav", f"in/{number:03d}.wav")
            row = {"labels": ["noise"], "path": "gone.wav", **columns}
            for name, text in ((f"in/{number:03d}.json", json.dumps(row)), (f"in/{number:03d}.txt", "a noise")):
                info = tarfile.TarInfo(name)
                info.size = len(text)
                archive.addfile(info, io.BytesIO(text.encode()))


def test_a_folder_of_tars_gives_what_their_sounds_give(go):
    write_tar("shards/a-000000.tar", 5)
    write_tar("shards/a-000001.tar", 4, first=5)
    before = {path: path.read_bytes() for path in Path("shards").glob("*.tar")}
    go(inputs=["shards"])
    found = rows("shards/captions.jsonl")
    assert [row["id"] for row in found] == [f"a-{n // 5:06d}/in/{n:03d}" for n in range(9)]
    assert found[0]["file_name"] == "a-000000.tar/in/000.wav"
    assert found[0]["labels"] == ["noise"]
    assert [caption["text"] for caption in found[0]["earlier_captions"]] == ["a noise"]
    go(inputs=["sounds"])
    assert [row["checks"] for row in found] == [row["checks"] for row in rows("sounds/captions.jsonl")]
    assert {path: path.read_bytes() for path in before} == before
    assert go(inputs=["shards"]).status == "unchanged"


def test_several_captions_may_be_a_list_of_texts(go):
    write_tar("a.tar", 1, text=["one", "two"])
    go(inputs=["a.tar"], output="out")
    assert [caption["text"] for caption in rows("out/captions.jsonl")[0]["earlier_captions"]] == ["one", "two"]


@pytest.mark.parametrize("kept", [1500, 3000])
def test_a_tar_that_is_cut_is_said_and_the_rest_is_done(go, kept):
    write_tar("a.tar", 3)
    whole = Path("a.tar").read_bytes()
    Path("a.tar").write_bytes(whole[: 4 * 1536 + kept])
    report = go(inputs=["a.tar"], output="out", max_error_rate=1.0)
    assert report.counts.rows in (1, 2)
    assert rows("out/errors.jsonl")[-1]["code"] == "truncated"


def test_a_tar_that_has_changed_makes_another_run(go):
    from audiojourney.errors import UsageError

    write_tar("a.tar", 3)
    go(inputs=["a.tar"], output="out")
    write_tar("a.tar", 4)
    with pytest.raises(UsageError, match="other clips"):
        go(inputs=["a.tar"], output="out")


def small_tar(path: str, members: list[tuple[str, bytes]]) -> None:
    """Write a tar with these members; None stands for a short noise."""
    write_clips(Path("sounds"), 1)
    noise = Path("sounds/clip-00000.wav").read_bytes()
    with tarfile.open(path, "w") as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data or noise)
            archive.addfile(info, io.BytesIO(data or noise))


@pytest.mark.parametrize(
    "text", [b"[1, 2]", b'["text"]', b"7", b'"word"', b"null", b"{cut", b'{"captions": {"a": 1}}', b"[" * 9999]
)
def test_json_beside_a_sound_that_is_no_row_is_a_failure_of_that_clip_alone(go, text):
    small_tar("a.tar", [("1.wav", b""), ("1.json", text), ("2.wav", b""), ("2.json", b'{"labels": ["noise"]}')])
    report = go(inputs=["a.tar"], output="out")
    assert (report.counts.rows, report.counts.errors) == (1, 1)
    assert [(item["id"], item["code"]) for item in rows("out/errors.jsonl")] == [("a/1", "bad_row")]


def test_tars_behind_one_that_is_cut_are_read_too(go):
    small_tar("a.tar", [("1.wav", b""), ("2.wav", b"")])
    Path("a.tar").write_bytes(Path("a.tar").read_bytes()[:2500])
    small_tar("b.tar", [("1.wav", b"")])
    report = go(inputs=["a.tar", "b.tar"], output="out")
    assert [row["id"] for row in rows("out/captions.jsonl")][-1] == "b/1"
    assert report.counts.errors == 1


def test_a_member_cannot_name_a_file_outside_its_tar(go):
    write_clips(Path("outside"), 1)
    small_tar("a.tar", [("1.wav", b""), ("../outside/clip-00000.wav", b"no sound"), ("/etc/x.wav", b"none either")])
    go(inputs=["a.tar"], output="out", max_error_rate=1.0)
    assert [row["id"] for row in rows("out/captions.jsonl")] == ["a/1"]
    assert len(rows("out/errors.jsonl")) == 2


def test_texts_without_a_sound_are_named(go):
    small_tar("a.tar", [("1.wav", b""), ("2.txt", b"rain"), ("2.json", b"{}")])
    go(inputs=["a.tar"], output="out")
    (failure,) = rows("out/errors.jsonl")
    assert (failure["id"], failure["code"]) == ("a/2", "missing_file") and "2.txt" in failure["reason"]


def test_a_tar_that_went_away_after_it_was_listed_fails_clip_by_clip(go):
    small_tar("a.tar", [("1.wav", b""), ("2.wav", b"")])
    go(inputs=["a.tar"], output="out", shards="1-9")
    jobs = next(Path("out/.recaption").iterdir()) / "part-000000.clips.jsonl"
    from audiojourney.recipes.recaption.decode import hear
    from audiojourney.recipes.recaption.inputs import read_job

    job = read_job(jobs.read_bytes().splitlines()[0], Path("out"))
    assert hear(job, (8000, None)).fault is None
    Path("a.tar").write_bytes(Path("a.tar").read_bytes()[:600])
    assert "the tar holds" in hear(job, (8000, None)).fault.reason
    Path("a.tar").unlink()
    assert hear(job, (8000, None)).fault.code == "missing_file"
