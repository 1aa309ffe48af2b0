"""What the process with the models does with each message; here it is this process."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from audiojourney import config as configuration
from audiojourney.captions.names import CAPTIONERS
from audiojourney.errors import AudioJourneyError, MissingError, UsageError
from audiojourney.recipes.recaption import channel, models
from audiojourney.recipes.recaption.config import RecaptionConfig
from audiojourney.recipes.recaption.folder import Part
from audiojourney.recipes.recaption.inputs import Inputs, job_line
from audiojourney.recipes.recaption.worker import Worker
from tests.recipes.recaption.conftest import rows
from tests.recipes.recaption.double import Stub, write_clips

IDENTITY = {"captioner": "stub@1", "score_name": "clap_stub", "scorer": "stub@1"}


@pytest.fixture
def worker():
    """A worker, and the list of its answers."""
    answers: list[dict] = []

    def make(**settings) -> tuple[Worker, list[dict]]:
        config = configuration.build(RecaptionConfig, {"device": "cpu", "batch": 2, "workers": 1, **settings})
        table = configuration.to_table(config)
        first = {"config": table, "captioners": dict(CAPTIONERS), "scorers": dict(models.SCORERS), "rank": 0}
        # As it comes through the pipe.
        return Worker(json.loads(json.dumps(first)), answers.append), answers

    return make


def laid_out(count: int) -> Part:
    """Write clips and the list of them in a folder of a run."""
    write_clips(Path("data"), count)
    part = Part(Path("data/.recaption/key"), 0)
    part.write_jobs(Inputs(["data"], bytes).jobs())
    return part


def order(part: Part, **fields) -> dict:
    told = {"do": "shard", "number": part.number, "folder": str(part.folder), "key": "key", "identity": IDENTITY}
    return {**told, "earlier": [], "guilty": {}, **fields}


def test_settings_come_through_the_pipe_as_they_were(worker):
    given = {"filter": {"min_words": 2}, "options": {"pause_s": 0.0}, "drop_keywords": ["music"], "batch": "auto"}
    made, _ = worker(**given, output="out.jsonl", clap_threshold=0.4)
    expected = configuration.build(RecaptionConfig, {**given, "output": "out.jsonl", "clap_threshold": 0.4})
    assert made.config == replace(expected, device="cpu", workers=1)


def test_it_names_its_models(worker):
    made, answers = worker()
    made.do({"do": "identity"})
    assert answers == [{"event": "identity", **IDENTITY}]


def test_it_does_a_shard_and_tells_of_each_batch(worker):
    part = laid_out(5)
    made, answers = worker()
    made.do(order(part, guilty={"clip-00003.wav": "signal SIGSEGV"}))
    assert [answer["done"] for answer in answers[:-1]] == [2, 5]
    assert answers[-1]["event"] == "shard"
    assert (answers[-1]["status"], answers[-1]["rows"], answers[-1]["errors"]) == ("done", 4, 1)
    assert json.dumps(answers)  # it can be sent
    assert [row["code"] for row in rows(part.errors)] == ["worker_crash"]
    assert part.read_marker()["rows"] == 4


def test_it_refuses_to_go_on_with_other_weights(worker):
    made, _ = worker()
    with pytest.raises(UsageError, match=r"The captioner is 'stub@1' now.*'stub@0'"):
        made.do(order(laid_out(2), identity={**IDENTITY, "captioner": "stub@0"}))


def test_it_stops_where_it_is_told_to(worker):
    part = laid_out(5)
    made, answers = worker()
    made.stopped.set()
    made.do(order(part))
    assert [(answer["event"], answer["status"]) for answer in answers] == [("shard", "stopped")]
    assert part.read_marker() is None


def test_it_takes_over_rows_of_earlier_runs(worker, monkeypatch):
    part = laid_out(4)
    made, answers = worker()
    made.do(order(part))
    again = Part(Path("data/.recaption/other"), 0)
    again.write_jobs(Inputs(["data"], bytes).jobs())
    monkeypatch.setattr(Stub, "caption", lambda *_: pytest.fail("asked again"))
    made.do(order(again, earlier=[str(part.folder)]))
    assert answers[-1]["fresh"] == 0 and again.rows.read_bytes() == part.rows.read_bytes()


def test_each_clip_on_trial_is_named_before_it_is_touched(worker):
    write_clips(Path("data"), 2)
    write_clips(Path("data"), 1, names="mute-{}.wav")
    made, answers = worker()
    lines = [json.dumps(job_line(job, Path.cwd())) for job in Inputs(["data"], bytes).jobs()]
    made.do({"do": "probe", "folder": str(Path.cwd()), "jobs": lines})
    assert [answer["event"] for answer in answers] == ["begin", "outcome"] * 3 + ["end"]
    assert [answer["id"] for answer in answers[:-1:2]] == [answer["id"] for answer in answers[1::2]]
    assert [answer["failed"] for answer in answers[1::2]] == [False, False, True]


@pytest.mark.parametrize(("given", "nproc", "expected"), [("cuda:1", 4, "cuda:1"), ("auto", 1, "auto")])
def test_a_device_that_was_named_or_is_alone_stays(worker, given, nproc, expected):
    assert worker(device=given, nproc=nproc)[0].config.device == expected


def test_several_workers_share_the_gpus(worker, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    from audiojourney.recipes.recaption.worker import _device

    config = RecaptionConfig(nproc=4)
    assert [_device(config, rank) for rank in range(4)] == ["cuda:0", "cuda:1", "cuda:0", "cuda:1"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert _device(config, 3) == "auto"


@pytest.mark.parametrize("kind", [AudioJourneyError, UsageError, MissingError])
def test_an_error_keeps_its_kind_through_the_pipe(kind):
    message = {"event": "failed", "kind": kind.__name__, "message": "Said.", "hint": "Do."}
    error = channel.raised(message)
    assert type(error) is kind and (error.message, error.hint) == ("Said.", "Do.")


def test_an_error_of_an_unknown_kind_is_a_plain_one():
    error = channel.raised({"event": "failed", "kind": "ClipError", "message": "Said.", "hint": ""})
    assert type(error) is AudioJourneyError


@pytest.mark.parametrize(
    ("status", "name"), [(0, "exit status 0"), (3, "exit status 3"), (-9, "signal SIGKILL"), (-99, "signal 99")]
)
def test_how_a_process_ended_has_a_name(status, name):
    assert channel._name(status) == name


def test_what_a_process_says_that_is_no_message_is_not_listened_to(monkeypatch, tmp_path):
    script = "print('noise'); print('{\"event\": \"cut'); print('{\"event\": \"end\"}'); raise SystemExit('no room')"
    (tmp_path / "chatterbox.py").write_text(script + "\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(channel, "MODULE", "chatterbox")
    heard: list[dict | None] = []
    process = channel.Channel(RecaptionConfig(), heard.append)
    assert process.last_words() == "exit status 1: no room"
    assert heard == [{"event": "end"}, None]
    process.send({"do": "identity"})  # it hears nothing any more
    assert process.close() == 1
