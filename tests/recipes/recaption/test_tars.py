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
