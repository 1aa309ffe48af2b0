"""What lies beside an output is known for what it is, whenever a run was killed and whoever else writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audiojourney import files
from audiojourney.errors import AudioJourneyError
from audiojourney.recipes.recaption import merge
from audiojourney.recipes.recaption.stamp import Counts, errors_name, is_ours, read_stamp
from tests.recipes.recaption.conftest import rows
from tests.recipes.recaption.double import write_clips

OUTPUT = Path("data/captions.jsonl")


class Killed(BaseException):
    """The end of the process, as far as what is on the disk goes."""


def some_clips() -> None:
    write_clips(Path("data"), 6)
    Path("data/clip-00002.wav").write_bytes(b"junk")


def names() -> list[str]:
    return sorted(path.name for path in Path("data").iterdir() if path.suffix == ".jsonl")


def write_count(go, monkeypatch, at: int | None, **settings) -> int:
    """Run; the run is killed before its write number `at`. Returns the number of writes."""
    count = 0
    replace = Path.replace

    def replacing(self, target):
        nonlocal count
        count += 1
        if count - 1 == at:
            raise Killed
        return replace(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", replacing)
        go(**settings)
    return count


def test_whichever_write_a_run_is_killed_before_the_next_one_ends_alike(go, monkeypatch):
    some_clips()
    go()
    writes = write_count(go, monkeypatch, None, clap_threshold=0.5)
    expected = {name: Path("data", name).read_bytes() for name in names()}
    assert writes >= 4 and set(expected) == {"captions.jsonl", "errors.jsonl"}
    for at in range(writes):
        go(clap_threshold=0.1)
        with pytest.raises(Killed):
            write_count(go, monkeypatch, at, clap_threshold=0.5)
        assert read_stamp(OUTPUT) is not None
        assert go(clap_threshold=0.5).status in ("judged", "unchanged")
        assert {name: Path("data", name).read_bytes() for name in names()} == expected


def test_a_first_run_that_is_killed_at_the_end_leaves_nothing_that_a_second_one_stumbles_over(go, monkeypatch):
    some_clips()
    go(shards="1-9")
    writes = write_count(go, monkeypatch, None, shards="1/1")
    for back in range(1, min(writes, 5)):
        OUTPUT.unlink()
        for path in (Path("data/errors.jsonl"), *Path("data/.recaption").glob("captions.*")):
            path.unlink()
        total = write_count(go, monkeypatch, None)
        OUTPUT.unlink()
        for path in (Path("data/errors.jsonl"), *Path("data/.recaption").glob("captions.*")):
            path.unlink()
        with pytest.raises(Killed):
            write_count(go, monkeypatch, total - back)
        go()
        assert names() == ["captions.jsonl", "errors.jsonl"]


def test_a_disk_that_is_full_when_the_failures_are_written_leaves_the_output_as_it_was(go, monkeypatch):
    some_clips()
    go(clap_threshold=0.1)
    before = OUTPUT.read_bytes()
    write = files.write_bytes

    def full(path, data):
        if Path(path).name == "errors.jsonl":
            raise AudioJourneyError("no space is left on the disk")
        write(path, data)

    with monkeypatch.context() as patch:
        patch.setattr(merge.files, "write_bytes", full)
        with pytest.raises(AudioJourneyError, match="no space"):
            go(clap_threshold=0.5)
    assert OUTPUT.read_bytes() == before
    assert go(clap_threshold=0.5).status == "judged"


def test_two_runs_that_end_at_once_share_one_list_of_failures(go, monkeypatch):
    some_clips()
    together = merge.announce

    def announce(output, stamp):
        monkeypatch.setattr(merge, "announce", together)
        go(clap_threshold=0.4)  # the other run, from its beginning to its end
        together(output, stamp)

    go(shards="1-9")
    monkeypatch.setattr(merge, "announce", announce)
    go(clap_threshold=0.4)
    assert names() == ["captions.jsonl", "errors.jsonl"]
    assert go(clap_threshold=0.4).status == "unchanged"


def test_a_list_of_failures_that_was_edited_is_not_ours_any_more(go):
    some_clips()
    go()
    errors = Path("data/errors.jsonl")
    assert is_ours(OUTPUT, "errors.jsonl") and errors_name(OUTPUT) == "errors.jsonl"
    errors.write_text("notes of mine\n", encoding="utf-8")
    assert errors_name(OUTPUT) == "captions.errors.jsonl"
    assert go(clap_threshold=0.2).errors == Path("data/captions.errors.jsonl")
    assert errors.read_text(encoding="utf-8") == "notes of mine\n"


def test_a_list_of_failures_under_its_other_name_goes_when_the_plain_name_is_free(go):
    some_clips()
    errors = Path("data/errors.jsonl")
    errors.write_text("of an import\n", encoding="utf-8")
    go()
    assert names() == ["captions.errors.jsonl", "captions.jsonl", "errors.jsonl"]
    errors.unlink()
    assert go(clap_threshold=0.2).errors == errors
    assert names() == ["captions.jsonl", "errors.jsonl"]


@pytest.mark.parametrize("damage", ["{", "[]", '{"request": "x"}', '{"counts": 3}'])
def test_a_damaged_stamp_is_none(go, damage):
    some_clips()
    go()
    assert read_stamp(OUTPUT) is not None
    Path("data/.recaption/captions.jsonl.json").write_text(damage, encoding="utf-8")
    assert read_stamp(OUTPUT) is None


def test_rows_that_are_repaired_or_break_are_told_without_reading_a_sound_again(go):
    write_clips(Path("data"), 4)
    lines = [json.dumps({"file_name": f"clip-{number:05d}.wav"}) for number in range(4)]
    manifest = Path("data/metadata.jsonl")
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert go().counts.errors == 0
    manifest.write_text("\n".join([*lines, '{"labels": []}']) + "\n", encoding="utf-8")
    report = go()
    assert (report.status, report.fresh, report.counts.errors) == ("judged", 0, 1)
    assert [item["id"] for item in rows("data/errors.jsonl")] == ["metadata.jsonl:5"]
    manifest.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert go().counts.errors == 0 and not Path("data/errors.jsonl").exists()


def test_the_mean_of_no_scores_is_none():
    assert Counts().mean_score is None
    assert Counts(score_sum=1.5, scored=3).mean_score == 0.5
