"""From parts to the list: what is kept comes first, and each caption is counted once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiojourney.captions.duplicates import Duplicates
from audiojourney.captions.filters import FilterConfig
from audiojourney.errors import AudioJourneyError
from audiojourney.recipes.recaption.layout import create, find
from audiojourney.recipes.recaption.merge import judged, sound_hash
from tests.recipes.recaption.conftest import rows
from tests.recipes.recaption.double import write_clips

SCORES = st.one_of(st.none(), st.floats(-1, 1))
CAPTIONS = st.lists(st.builds(lambda text, score: {"text": text, "score": score}, st.sampled_from("abc"), SCORES))


@given(CAPTIONS, st.floats(-1, 1), st.integers(1, 4))
def test_what_is_kept_comes_first_and_the_best_of_it_is_the_text(captions, tau, most):
    limits = FilterConfig(clap_threshold=tau, keep_best=most)
    row = judged({"id": "a", "captions": captions}, limits, Duplicates("none"))
    kept = [caption for caption in row["captions"] if caption["kept"]]
    assert row["captions"][: len(kept)] == kept and len(kept) <= most
    assert sorted(map(str, (c["score"] for c in row["captions"]))) == sorted(str(c["score"]) for c in captions)
    scores = [caption["score"] for caption in kept]
    assert scores == sorted(scores, reverse=True) and all(score >= tau for score in scores)
    assert row["text"] == (kept[0]["text"] if kept else "")
    able = [caption["score"] for caption in captions if caption["score"] is not None and caption["score"] >= tau]
    assert scores == sorted(able, reverse=True)[:most]


@given(CAPTIONS, st.floats(-1, 1), st.floats(-1, 1))
def test_a_lower_threshold_keeps_all_that_a_higher_one_does(captions, one, other):
    def kept(tau: float) -> set[int]:
        marked = [{**caption, "number": number} for number, caption in enumerate(captions)]
        row = judged({"id": "a", "captions": marked}, FilterConfig(clap_threshold=tau), Duplicates("none"))
        return {caption["number"] for caption in row["captions"] if caption["kept"]}

    assert kept(max(one, other)) <= kept(min(one, other))


def test_the_same_sound_under_two_names_is_kept_once(go):
    write_clips(Path("data"), 3)
    shutil.copy("data/clip-00001.wav", "data/copy.wav")
    assert go().counts.kept == 4
    report = go(filter={"dedupe": "audio"})
    assert (report.status, report.counts.dropped) == ("judged", {"duplicate_audio": 1})
    assert [row["id"] for row in rows("data/captions.jsonl") if not row["text"]] == ["copy.wav"]


def test_the_hash_of_a_sound_is_that_of_the_row_or_the_file():
    Path("a.wav").write_bytes(b"abc")
    found = sound_hash(Path())
    assert found({"sha256": "77", "file_name": "a.wav"}) == "77"
    assert found({"file_name": "a.wav"}).startswith("ba7816bf")
    assert found({"file_name": "absent.wav"}) == ""


def test_counts_agree_with_the_rows(go):
    write_clips(Path("data"), 12)
    counts = go(candidates=3, keep=1, clap_threshold=0.8).counts
    found = rows("data/captions.jsonl")
    captions = [caption for row in found for caption in row["captions"]]
    assert (counts.rows, counts.captions) == (len(found), len(captions))
    assert counts.kept == sum(caption["kept"] for caption in captions) == counts.captions - sum(counts.dropped.values())
    assert 0 < counts.kept_clips == sum(bool(row["text"]) for row in found) < 12
    kept = [caption["score"] for caption in captions if caption["kept"]]
    assert counts.mean_score == pytest.approx(sum(kept) / len(kept))


def jobs():
    from audiojourney.recipes.recaption.inputs import Inputs

    write_clips(Path("data"), 5)
    return Inputs(["data"], bytes).jobs()


ABOUT = {"request": "r", "settings": {}, "inputs_sha256": "i"}


def test_a_folder_that_was_left_half_made_is_made_anew():
    output = Path("data/captions.jsonl")
    order = create(output, ABOUT, {"captioner": "x"}, jobs(), 2)
    assert order.shards == 3 and find(output, "r") == order
    (order.folder / "run.json").unlink()
    (order.folder / "part-000000.done").write_text("{}", encoding="utf-8")
    assert find(output, "r") is None
    again = create(output, ABOUT, {"captioner": "x"}, jobs(), 2)
    assert again == order and not (order.folder / "part-000000.done").exists()


def test_the_same_run_made_by_another_process_meanwhile_is_taken():
    output = Path("data/captions.jsonl")
    first = create(output, ABOUT, {"captioner": "x"}, jobs(), 2)
    (first.folder / "part-000000.done").write_text("theirs", encoding="utf-8")
    assert create(output, ABOUT, {"captioner": "x"}, jobs(), 2) == first
    assert (first.folder / "part-000000.done").read_text(encoding="utf-8") == "theirs"
    assert [path.name for path in first.folder.parent.iterdir()] == [first.folder.name]


def test_a_folder_that_cannot_take_its_name_is_told(monkeypatch):
    def refuse(self, target):
        raise PermissionError(13, "Permission denied")

    made = jobs()
    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(AudioJourneyError, match=r"cannot be made \(Permission denied\)"):
        create(Path("data/captions.jsonl"), ABOUT, {"captioner": "x"}, made, 2)
    assert list(Path("data/.recaption").iterdir()) == []
