"""Decoding, one batch, and the row of each of its clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiojourney.captions.base import Answer
from audiojourney.captions.names import CaptionerOptions
from audiojourney.data.audio import load
from audiojourney.data.clip import Caption, Clip
from audiojourney.recipes.recaption.decode import Decoder, Heard, hear, in_order, measure
from audiojourney.recipes.recaption.inputs import Job
from audiojourney.recipes.recaption.models import Models
from audiojourney.recipes.recaption.step import Spent, is_out_of_memory, outcomes
from tests.recipes.recaption.double import Scorer, Stub, write_clips

RATE_HZ = 44_100


def job(path: str, **fields) -> Job:
    return Job(Clip(path=Path(path), id=path, **fields), "0f")


def stereo(path: str, seconds: float = 0.5) -> None:
    wave = np.random.default_rng(0).uniform(-0.5, 0.5, (int(seconds * RATE_HZ), 2))
    soundfile.write(path, wave, RATE_HZ)


@pytest.mark.parametrize("fields", [{}, {"offset_s": 0.1, "duration_s": 0.2}])
def test_a_sound_is_heard_as_it_is_read_at_each_rate(fields):
    stereo("a.wav")
    heard = hear(job("a.wav", **fields), (16_000, 32_000))
    part = (fields.get("offset_s"), fields.get("duration_s"))
    assert np.array_equal(heard.captioner, load("a.wav", 16_000, *part))
    assert np.array_equal(heard.scorer, load("a.wav", 32_000, *part))
    assert heard.checks["duration_s"] == pytest.approx(fields.get("duration_s", 0.5))


def test_who_does_not_listen_gets_nothing():
    stereo("a.wav")
    heard = hear(job("a.wav"), (None, 16_000))
    assert heard.captioner is None
    assert heard.scorer is not None
    assert hear(job("absent.wav"), (None, None)) == Heard(job("absent.wav"))


def test_a_sound_that_cannot_be_read_is_a_fault_with_a_code():
    Path("a.wav").write_bytes(b"junk")
    assert hear(job("a.wav"), (16_000, None)).fault.code == "not_audio"
    assert hear(job("absent.wav"), (16_000, None)).fault.code == "missing_file"
    soundfile.write("one.wav", np.ones(1), RATE_HZ)
    assert hear(job("one.wav"), (8_000, None)).fault.code == "too_short"


def test_levels_and_clipping():
    wave = np.array([1.0, -1.0, 0.5, -0.5], dtype=np.float32)
    assert measure(wave, 2) == {"peak_db": 0.0, "rms_db": -2.04, "clipped": 0.5, "duration_s": 2.0}
    assert measure(np.zeros(4, dtype=np.float32), 4)["rms_db"] == -120.0


def test_threads_give_clips_in_their_order():
    write_clips(Path(), 12)
    jobs = [job(f"clip-{number:05d}.wav") for number in range(12)]
    with Decoder((8_000, None), 4) as decoder:
        heard = list(in_order(decoder.start(jobs)))
    assert [one.job for one in heard] == jobs
    assert all(one.seconds > 0 for one in heard)


class Says:
    """A captioner that gives fixed answers."""

    name, kind, sample_rate_hz = "says@1", "llm", None

    def __init__(self, *answers: Answer) -> None:
        self.answers = answers

    def caption(self, subjects, count):
        return list(self.answers)[: len(subjects)]


def stored(*answers: Answer, scorer=None):
    batch = [Heard(job(f"{number}.wav"), scorer=np.zeros(8, np.float32)) for number in range(len(answers))]
    return outcomes(batch, Models(Says(*answers), scorer, False), 1, 0, Spent())


def test_an_answer_becomes_a_row_with_what_the_captioner_left_out():
    (one,) = stored(Answer((Caption("a dog"),), raw="A DOG"))
    assert not one.failed
    assert one.item["captions"] == [{"text": "a dog", "source": "says@1", "kind": "llm", "score_name": ""}]
    assert (one.item["raw"], one.item["input"], one.item["checks"]) == ("A DOG", "0f", {})


def test_a_refusal_becomes_a_failure_with_its_words():
    one, other = stored(Answer(failure="refused", raw="I cannot"), Answer())
    assert (one.failed, one.item["reason"], one.item["raw"]) == (True, "refused", "I cannot")
    assert (other.failed, other.item["code"]) == (True, "no_caption")


@pytest.mark.parametrize("score", [float("nan"), float("inf")])
def test_a_score_that_is_no_number_is_a_failure(monkeypatch, score):
    monkeypatch.setattr(Scorer, "score", lambda self, waves, texts: [[score] for _ in waves])
    (one,) = stored(Answer((Caption("a dog"),)), scorer=Scorer())
    assert (one.failed, one.item["code"]) == (True, "bad_score")


def test_scores_are_taken_clip_by_clip_on_a_cpu_and_at_once_on_a_gpu(monkeypatch):
    sizes: list[int] = []
    score = Scorer.score
    monkeypatch.setattr(Scorer, "score", lambda self, w, t: sizes.append(len(w)) or score(self, w, t))
    batch = [Heard(job(f"{n}.wav"), np.ones(80, np.float32), np.ones(40, np.float32)) for n in range(3)]
    found = []
    for on_gpu in (False, True):
        models = Models(Stub(CaptionerOptions()), Scorer(), on_gpu)
        found.append(outcomes(batch, models, 2, 0, Spent()))
    assert sizes == [1, 1, 1, 3]
    assert found[0] == found[1]


def test_lack_of_memory_is_known_by_its_names():
    import torch

    assert is_out_of_memory(MemoryError())
    assert is_out_of_memory(torch.OutOfMemoryError("x"))
    assert is_out_of_memory(RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"))
    assert not is_out_of_memory(RuntimeError("shape mismatch"))
