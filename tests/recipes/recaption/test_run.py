"""Whole runs: what is written, what is not done again, what is refused."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

import audiojourney
from audiojourney.data.manifest import read_clips
from audiojourney.errors import AudioJourneyError, MissingError, UsageError
from audiojourney.recipes.recaption import models
from audiojourney.recipes.recaption.folder import Part
from tests.recipes.recaption.conftest import rows
from tests.recipes.recaption.double import Stub, write_clips

OUTPUT = Path("data/captions.jsonl")
ERRORS = Path("data/errors.jsonl")


@pytest.fixture
def built(monkeypatch) -> list[Stub]:
    """The captioners that are built from now on."""
    made: list[Stub] = []
    start = Stub.__init__
    monkeypatch.setattr(Stub, "__init__", lambda self, options: (start(self, options), made.append(self))[0])
    return made


def state(folder: str = "data") -> dict[str, str]:
    """Hashes of all files of a folder but those of the run."""
    files = [path for path in Path(folder).iterdir() if path.is_file()]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_folder_gets_captions_with_scores_and_verdicts(go):
    write_clips(Path("data"), 20)
    before = state()
    report = go(clap_threshold=0.45)
    assert report.status == "written"
    assert (report.counts.rows, report.fresh, report.shards) == (20, 20, (3, 3))
    assert state().items() >= before.items()
    found = rows(OUTPUT)
    assert [row["id"] for row in found] == [f"clip-{number:05d}.wav" for number in range(20)]
    for row in found:
        caption = row["captions"][0]
        assert caption["kept"] == (caption["score"] >= 0.45)
        assert caption["reason"] == "" if caption["kept"] else caption["reason"].startswith("score")
        assert (caption["source"], caption["score_name"]) == ("stub@1", "clap_stub")
        assert row["text"] == (caption["text"] if caption["kept"] else "")
        assert set(row["checks"]) == {"peak_db", "rms_db", "clipped", "duration_s"}
    assert report.counts.kept == sum(row["captions"][0]["kept"] for row in found)
    clips = read_clips(OUTPUT)
    assert [clip.captions[0].text for clip in clips] == [row["captions"][0]["text"] for row in found]
    assert all(clip.path.is_file() for clip in clips)


def test_the_same_again_does_nothing_and_another_threshold_reads_no_sound(go, built):
    write_clips(Path("data"), 10)
    go(clap_threshold=0.45)
    written = OUTPUT.stat().st_mtime_ns
    built.clear()
    models._loaded.clear()
    assert go(clap_threshold=0.45).status == "unchanged"
    assert OUTPUT.stat().st_mtime_ns == written
    report = go(clap_threshold=0.7)
    assert (report.status, report.fresh) == ("judged", 0)
    assert all(caption["kept"] == (caption["score"] >= 0.7) for row in rows(OUTPUT) for caption in row["captions"])
    assert built == []
    assert go(clap_threshold=0.45).status == "judged"


def test_a_lost_output_is_written_anew_from_what_is_stored(go):
    write_clips(Path("data"), 10)
    go()
    kept = OUTPUT.read_bytes()
    OUTPUT.unlink()
    assert go().fresh == 0
    assert OUTPUT.read_bytes() == kept


def test_a_damaged_part_is_done_again(go):
    write_clips(Path("data"), 10)
    go()
    kept = OUTPUT.read_bytes()
    OUTPUT.unlink()
    damaged = sorted(Path("data/.recaption").rglob("part-000001.jsonl"))[0]
    damaged.write_bytes(damaged.read_bytes()[:-5])
    assert go().fresh == 5
    assert OUTPUT.read_bytes() == kept


@pytest.mark.parametrize("other", [{"seed": 1}, {"keep": 2}, {"limit": 5}])
def test_other_settings_want_force_or_another_place(go, other):
    write_clips(Path("data"), 10)
    go()
    kept = OUTPUT.read_bytes()
    with pytest.raises(UsageError, match="--force"):
        go(**other)
    assert OUTPUT.read_bytes() == kept
    go(**other, output="elsewhere")
    assert OUTPUT.read_bytes() == kept
    go(**other, force=True)
    assert OUTPUT.read_bytes() != kept


def test_what_somebody_else_wrote_is_not_replaced(go):
    write_clips(Path("data"), 2)
    OUTPUT.write_text("mine\n", encoding="utf-8")
    with pytest.raises(UsageError, match="exists"):
        go()
    assert OUTPUT.read_text(encoding="utf-8") == "mine\n"
    go(force=True)
    OUTPUT.write_bytes(OUTPUT.read_bytes() + b"\n")
    with pytest.raises(UsageError, match="exists"):
        go(clap_threshold=0.3)


def test_force_takes_over_the_rows_of_clips_that_are_as_they_were(go):
    write_clips(Path("data"), 10)
    go()
    earlier = rows(OUTPUT)
    write_clips(Path("data"), 1, names="new-{}.wav")
    Path("data/clip-00003.wav").unlink()
    with pytest.raises(UsageError, match="other clips"):
        go()
    report = go(force=True)
    assert (report.fresh, report.counts.rows) == (1, 10)
    assert [row for row in rows(OUTPUT) if row["id"] != "new-0.wav"] == earlier[:3] + earlier[4:]


def test_force_on_the_very_same_run_does_it_all_again(go):
    write_clips(Path("data"), 10)
    go()
    assert go(force=True).fresh == 10


def test_neither_batches_threads_shards_nor_processes_change_a_byte(go):
    write_clips(Path("data"), 30)
    Path("data/clip-00007.wav").write_bytes(b"junk")
    expected = None
    for number, settings in enumerate(
        [{"batch": 1}, {"batch": 7, "workers": 4}, {"batch": "auto", "shard_clips": 100}, {"shard_clips": 3}]
    ):
        go(output=f"out{number}/captions.jsonl", candidates=3, keep=2, **settings)
        found = [Path(f"out{number}", name).read_bytes() for name in ("captions.jsonl", "errors.jsonl")]
        expected = expected or found
        assert found == expected


def test_candidates_are_ranked_and_the_best_are_kept(go):
    write_clips(Path("data"), 6)
    go(candidates=5, keep=2)
    for row in rows(OUTPUT):
        scores = [caption["score"] for caption in row["captions"] if caption["kept"]]
        assert len(scores) == 2
        assert scores == sorted(scores, reverse=True)
        assert min(scores) >= max(caption["score"] for caption in row["captions"] if not caption["kept"])
    assert go(candidates=5, keep=4).status == "judged"


def test_without_a_scorer_the_first_is_kept(go):
    write_clips(Path("data"), 3)
    go(candidates=3, keep=1, clap="none")
    assert all([caption["kept"] for caption in row["captions"]] == [True, False, False] for row in rows(OUTPUT))
    assert all("score" not in caption for row in rows(OUTPUT) for caption in row["captions"])


def test_bad_clips_are_named_and_the_rest_is_done(go):
    write_clips(Path("data"), 40)
    for number in (3, 17):
        Path(f"data/clip-{number:05d}.wav").write_bytes(b"junk")
    write_clips(Path("data"), 1, names="mute-{}.wav")
    report = go()
    assert (report.counts.rows, report.counts.errors, report.errors) == (38, 3, ERRORS)
    found = {item["id"]: (item["stage"], item["code"]) for item in rows(ERRORS)}
    junk = ("decode", "not_audio")
    assert found == {"clip-00003.wav": junk, "clip-00017.wav": junk, "mute-0.wav": ("caption", "no_caption")}


def test_retry_does_what_failed_and_nothing_else(go, monkeypatch):
    write_clips(Path("data"), 10)
    write_clips(Path("data"), 1, names="mute-{}.wav")
    go()
    assert go().status == "unchanged"
    assert go(retry=True).fresh == 1
    assert ERRORS.is_file()
    monkeypatch.setattr(Stub, "name", "stub@1")
    monkeypatch.setattr(Stub, "_one", lambda self, subject, count, one=Stub._one: one(self, audible(subject), count))
    report = go(retry=True)
    assert (report.fresh, report.counts.rows, report.counts.errors) == (1, 11, 0)
    assert not ERRORS.exists()


def audible(subject):
    from dataclasses import replace

    return replace(subject, clip=replace(subject.clip, id=subject.clip.id.replace("mute", "loud")))


def test_too_many_failures_fail_the_shard_and_a_wider_limit_takes_it(go):
    write_clips(Path("data"), 8)
    for number in range(5):
        Path(f"data/clip-{number:05d}.wav").write_bytes(b"junk")
    with pytest.raises(AudioJourneyError, match="5 of 8 clips of shard 0"):
        go()
    assert not OUTPUT.exists()
    report = go(max_error_rate=0.7)
    assert (report.fresh, report.counts.rows, report.counts.errors) == (0, 3, 5)


def test_strict_ends_at_the_first_failure(go):
    write_clips(Path("data"), 8)
    Path("data/clip-00002.wav").write_bytes(b"junk")
    with pytest.raises(AudioJourneyError, match="clip-00002"):
        go(strict=True)
    with pytest.raises(AudioJourneyError, match="clip-00002"):
        go(strict=True)
    assert go().counts.errors == 1


@pytest.mark.parametrize("before", [False, True])
def test_what_strict_says_is_a_sentence(go, before):
    write_clips(Path("data"), 3)
    write_clips(Path("data"), 1, names="mute-{}.wav")
    if before:
        go()
    with pytest.raises(AudioJourneyError) as caught:
        go(strict=True, retry=before)
    assert caught.value.message == "mute-0.wav: nothing to say."


def test_strict_refuses_rows_that_are_no_clips(go):
    write_clips(Path("data"), 1)
    Path("data/metadata.jsonl").write_text('{"file_name": "clip-00000.wav"}\n{"labels": []}\n', encoding="utf-8")
    with pytest.raises(AudioJourneyError, match=r"jsonl:2: no file_name among the columns 'labels'\. Without"):
        go(strict=True)
    assert not OUTPUT.exists()


def test_parts_of_the_shards_and_whoever_ends_last_writes(go):
    write_clips(Path("data"), 40)
    first = go(shards="1/2")
    assert (first.status, first.fresh, first.shards) == ("waiting", 24, (3, 5))
    assert not OUTPUT.exists()
    assert go(shards="1/2").fresh == 0
    last = go(shards="2/2")
    assert (last.status, last.fresh) == ("written", 16)
    assert len(rows(OUTPUT)) == 40


def test_progress_ends_at_the_number_of_clips():
    write_clips(Path("data"), 10)
    told: list[tuple[int, int]] = []
    audiojourney.recaption("data", isolate=False, batch=4, on_progress=lambda *pair: told.append(pair))
    assert told == [(4, 10), (8, 10), (10, 10)]


def test_a_batch_that_does_not_fit_is_halved_and_that_is_remembered(go, built):
    write_clips(Path("data"), 40)
    go(batch="auto", options={"largest": 3}, shard_clips=20)
    assert built[0].batches[:3] == [8, 4, 2]
    assert set(built[0].batches[3:]) == {2}
    assert len(rows(OUTPUT)) == 40


def test_a_fixed_batch_that_does_not_fit_is_said_and_a_clip_that_does_not_is_a_failure(go):
    write_clips(Path("data"), 8)
    with pytest.raises(AudioJourneyError, match="8 clips at once"):
        go(batch=8, options={"largest": 3})
    report = go(batch="auto", options={"largest": 0}, max_error_rate=1.0, output="all")
    assert (report.counts.rows, report.counts.errors) == (0, 8)
    assert {item["code"] for item in rows("all/errors.jsonl")} == {"out_of_memory"}


def test_a_captioner_that_does_not_listen_needs_no_sound(go, monkeypatch):
    write_clips(Path("data"), 3)
    Path("data/clip-00001.wav").write_bytes(b"junk")
    monkeypatch.setattr(Stub, "sample_rate_hz", None)
    monkeypatch.setattr(Stub, "_one", lambda self, subject, count: text_only(self, subject))
    assert go(clap="none").counts.rows == 3


def text_only(stub, subject):
    from audiojourney.captions.base import Answer
    from audiojourney.data.clip import Caption

    assert subject.wave is None
    return Answer((Caption("of its record", stub.name, "rule"),))


def test_earlier_captions_and_columns_stay(go):
    write_clips(Path("data"), 1)
    given = {"file_name": "clip-00000.wav", "id": "one", "labels": ["dog"], "captions": ["a dog"], "own": 7}
    Path("data/metadata.jsonl").write_text(json.dumps(given) + "\n", encoding="utf-8")
    go()
    row = rows(OUTPUT)[0]
    assert (row["id"], row["labels"], row["own"]) == ("one", ["dog"], 7)
    assert [caption["text"] for caption in row["earlier_captions"]] == ["a dog"]


def test_a_dry_run_leaves_no_trace(go):
    write_clips(Path("data"), 4)
    report = go(dry_run=True)
    assert (report.status, report.clips) == ("planned", 4)
    assert not Path("data/.recaption").exists()


def test_a_missing_data_folder_is_said(go):
    with pytest.raises(MissingError, match="'data'"):
        go()


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"output": "data/list.csv"}, "list.csv"),
        ({"inputs": ["data/in.jsonl"], "output": "data/in.jsonl"}, "input as well"),
        ({"inputs": ["data", "."]}, "-o"),
    ],
)
def test_an_output_that_cannot_be_meant_is_refused(go, settings, told):
    write_clips(Path("data"), 1)
    Path("data/in.jsonl").write_text('{"file_name": "clip-00000.wav"}\n', encoding="utf-8")
    with pytest.raises(UsageError, match=told):
        go(**settings)


def test_failures_of_others_keep_their_file(go):
    write_clips(Path("data"), 4)
    Path("data/clip-00001.wav").write_bytes(b"junk")
    ERRORS.write_text("of an import\n", encoding="utf-8")
    assert go().errors == Path("data/captions.errors.jsonl")
    assert ERRORS.read_text(encoding="utf-8") == "of an import\n"


def test_other_weights_do_not_go_on_with_stored_rows(go, monkeypatch):
    write_clips(Path("data"), 10)
    go(shards="1/2")
    models._loaded.clear()
    monkeypatch.setattr(Stub, "name", "stub@2")
    with pytest.raises(UsageError, match="'stub@2'"):
        go()


def test_a_wish_to_stop_ends_after_the_batch_and_the_rest_comes_later(monkeypatch):
    import os
    import signal

    write_clips(Path("data"), 20)
    answer = Stub.caption
    calls: list[int] = []

    def caption(self, subjects, count):
        calls.append(len(subjects))
        if len(calls) == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return answer(self, subjects, count)

    monkeypatch.setattr(Stub, "caption", caption)
    settings = {"isolate": False, "batch": 2}
    report = audiojourney.recaption("data", **settings)
    assert (report.status, report.fresh, report.done) == ("incomplete", 6, 6)
    assert not OUTPUT.exists()
    report = audiojourney.recaption("data", **settings)
    assert (report.status, report.fresh, report.counts.rows) == ("written", 14, 20)


def test_a_watched_process_does_suspects_alone_and_knows_who_is_guilty(go, monkeypatch):
    from audiojourney import config as configuration
    from audiojourney.recipes.recaption.config import RecaptionConfig
    from audiojourney.recipes.recaption.shard import Work, process_shard

    write_clips(Path("data"), 6)
    go(shards="1-9")
    folder = next(Path("data/.recaption").iterdir())
    Part(folder, 0).set_flight(["clip-00001.wav", "clip-00004.wav"])
    config = configuration.build(RecaptionConfig, {"batch": 3, "workers": 1})
    told: list[list[str]] = []
    set_flight = Part.set_flight
    monkeypatch.setattr(Part, "set_flight", lambda self, ids: (told.append(list(ids)), set_flight(self, ids))[1])
    guilty = {"clip-00004.wav": "signal SIGSEGV"}
    work = Work(config, folder, "key", lambda: models.load_models(config), watched=True, guilty=guilty)
    report = process_shard(work, 0)
    assert (report.rows, report.errors, report.fresh) == (5, 1, 5)
    assert told[0] == ["clip-00001.wav"]
    assert {clip for ids in told[1:] for clip in ids} == {f"clip-{n:05d}.wav" for n in (0, 2, 3, 5)}
    assert "SIGSEGV" in Part(folder, 0).errors.read_text(encoding="utf-8")


def test_a_stray_list_of_clips_at_work_is_tried_singly(go, monkeypatch):
    write_clips(Path("data"), 6)
    go(shards="1-9")  # no such shard: the run is laid out, nothing is done
    folder = next(Path("data/.recaption").iterdir())
    Part(folder, 0).set_flight(["clip-00001.wav", "clip-00004.wav"])
    tried: list[str] = []

    def probe(config, jobs, stop):
        from audiojourney.recipes.recaption.step import failure

        tried.extend(job.clip.id for job in jobs)
        return [failure(job.clip.id, "worker", "worker_crash", "ended") for job in jobs]

    monkeypatch.setattr("audiojourney.recipes.recaption.quarantine.probe", probe)
    report = go(shards="1/1")
    assert tried == ["clip-00001.wav", "clip-00004.wav"]
    assert (report.counts.rows, report.counts.errors) == (4, 2)
