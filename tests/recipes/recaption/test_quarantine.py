"""Which clip ended the process, and when it is not the clips' fault; the processes are imagined here."""

from __future__ import annotations

from pathlib import Path

import pytest

from audiojourney.data.clip import Clip
from audiojourney.errors import AudioJourneyError, MissingError
from audiojourney.recipes.recaption import quarantine
from audiojourney.recipes.recaption.config import RecaptionConfig
from audiojourney.recipes.recaption.inputs import Job

DEADLY = {"d1", "d2"}
Message = quarantine.Message


class Process:
    """A worker that ends at a deadly clip, and fails to start where `broken` says so."""

    started = 0
    broken: Message | None = None

    def __init__(self, config, on_message, rank=0):
        type(self).started += 1
        self.on_message = on_message

    def send(self, message):
        import json

        if self.broken is not None:
            self.on_message(self.broken)
            self.on_message(None)
            return
        for line in message["jobs"]:
            clip_id = json.loads(line)["row"]["id"]
            self.on_message({"event": "begin", "id": clip_id})
            if clip_id in DEADLY:
                self.on_message(None)
                return
            self.on_message({"event": "outcome", "id": clip_id, "item": {"raw": clip_id}, "failed": False})
        self.on_message({"event": "end"})

    def close(self):
        return 0

    def last_words(self):
        return "signal SIGSEGV"


@pytest.fixture
def trial(monkeypatch):
    """Try clips of these ids; returns the outcomes."""
    monkeypatch.setattr(quarantine, "Channel", Process)
    monkeypatch.setattr(Process, "started", 0)
    monkeypatch.setattr(Process, "broken", None)

    def run(*ids: str, stop=lambda: False):
        jobs = [Job(Clip(path=Path(f"{name}.wav"), id=name), name) for name in ids]
        return quarantine.probe(RecaptionConfig(), jobs, stop)

    return run


def test_each_deadly_clip_costs_one_process_and_is_named(trial):
    found = trial("a", "d1", "b", "d2", "c")
    assert [(one.id, one.failed) for one in found] == [
        ("a", False),
        ("d1", True),
        ("b", False),
        ("d2", True),
        ("c", False),
    ]
    assert Process.started == 3
    assert found[1].item["code"] == "worker_crash"
    assert "SIGSEGV" in found[1].item["reason"]


def test_when_no_clip_of_several_passes_the_model_is_to_blame(trial):
    assert len(trial("d1", "d2", "d1")) == 3
    with pytest.raises(AudioJourneyError, match="None of 4 clips"):
        trial("d1", "d2", "d1", "d2")


def test_a_model_that_cannot_be_loaded_is_told_in_its_own_words(trial, monkeypatch):
    told = {"event": "failed", "kind": "MissingError", "message": "No weights.", "hint": "Pull them."}
    monkeypatch.setattr(Process, "broken", told)
    with pytest.raises(MissingError, match=r"No weights\. Pull them"):
        trial("a")
    monkeypatch.setattr(Process, "broken", {"event": "raised", "reason": "ValueError: no"})
    with pytest.raises(AudioJourneyError, match=r"cannot be tried \(ValueError: no"):
        trial("a")


def test_a_wish_to_stop_ends_the_trial(trial):
    assert trial("a", "b", stop=lambda: True) == []
