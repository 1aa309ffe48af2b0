"""`audio-flamingo` and `qwen2-audio` as captioners."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from audiojourney.captions import flamingo, qwen
from audiojourney.captions.audio_lm import AudioLMCaptioner, AudioLMSettings
from audiojourney.captions.base import Captioner, Subject
from audiojourney.captions.names import CaptionerOptions, build_captioner
from audiojourney.data.clip import Clip
from audiojourney.errors import MissingError, UsageError
from audiojourney.models.audio_lm import AudioLanguageModel
from tests.models.audio_lms import save_flamingo, save_qwen


class Speaker:
    """Answers by seed, in place of a model."""

    sample_rate_hz, revision = 100, "abc"

    def __init__(self, *texts: str) -> None:
        self.texts, self.calls, self.heard = texts, [], []

    def answer(self, inputs: dict, seeds: list[list[int]], sampling: Any) -> list[list[str]]:
        self.calls.append([len(seeds), len(seeds[0])])
        return [[self.texts[seed % len(self.texts)] for seed in some] for some in seeds]


def captioner(speaker: Speaker, **settings: object) -> AudioLMCaptioner:
    def ask(model: Speaker, waves: list[np.ndarray], prompt: str) -> dict:
        model.heard += waves
        assert prompt == "What?"
        return {}

    settings = AudioLMSettings(prompt="What?", **settings)
    return AudioLMCaptioner("some", speaker, "one", ask, settings)  # type: ignore[arg-type]


def subject(seed: int, samples: int | None = 50) -> Subject:
    wave = None if samples is None else np.arange(samples, dtype=np.float32)
    return Subject(Clip(path=Path("x"), id=str(seed)), wave, seed)


CAPTIONS = tuple(f"A dog barks {word} in the yard" for word in ("twice", "loudly", "softly", "again", "often"))


def test_captions_do_not_depend_on_the_batch():
    subjects = [subject(seed) for seed in range(7)]
    together = captioner(Speaker(*CAPTIONS), rows=9).caption(subjects, 3)
    assert [captioner(Speaker(*CAPTIONS)).caption([one], 3)[0] for one in subjects] == together
    assert {len(answer.captions) for answer in together} <= {1, 2, 3}
    assert together[0].captions[0].source == "some:one@abc" and together[0].captions[0].kind == "model"
    assert set(together[0].raw.splitlines()) == {caption.text for caption in together[0].captions}


def test_captions_follow_the_seed_of_the_clip():
    answers = captioner(Speaker(*CAPTIONS)).caption([subject(seed) for seed in (1, 2, 3, 1)], 2)
    assert answers[0] == answers[3] and len({answer.raw for answer in answers}) > 1


def test_rows_bound_what_is_drawn_at_once():
    speaker = Speaker(*CAPTIONS)
    captioner(speaker, rows=10).caption([subject(seed) for seed in range(7)], 4)
    assert speaker.calls == [[2, 4]] * 3 + [[1, 4]]
    captioner(speaker := Speaker(*CAPTIONS), rows=2).caption([subject(1)], 20)
    assert speaker.calls == [[1, 20]]


def test_what_is_no_caption_is_left_out():
    mixed = captioner(Speaker("I'm sorry, I cannot hear it.", "Caption: Rain falls on leaves.")).caption(
        [subject(1)], 20
    )
    assert [caption.text for caption in mixed[0].captions] == ["Rain falls on leaves."]
    none = captioner(Speaker("", "No.")).caption([subject(1)], 4)[0]
    assert not none.captions and none.failure.startswith("no answer is a caption: the first is ")
    long = captioner(Speaker("a long rain of many words"), most_words=4).caption([subject(1)], 1)[0]
    assert "is too long (6 words)" in long.failure


def test_a_clip_that_cannot_be_heard_has_a_reason():
    broken = Subject(subject(1).clip, np.array([0.0, np.nan]), 1)
    answers = captioner(Speaker(*CAPTIONS)).caption([subject(1, None), subject(2), broken, subject(3, 0)], 1)
    assert [answer.failure for answer in answers] == [
        "no sound was given",
        "",
        "1 samples are not finite numbers",
        "the sound is empty",
    ]
    assert answers[1].captions


def test_a_long_clip_is_heard_where_its_seed_says():
    speaker = Speaker(*CAPTIONS)
    for seed in (1, 1, 2):
        captioner(speaker, longest_s=0.5).caption([subject(seed, 900)], 1)
    first, same, other = speaker.heard
    assert len(first) == 50 and np.array_equal(first, same) and not np.array_equal(first, other)


@pytest.mark.parametrize("wrong", [{"top_p": 0.0}, {"rows": 0}, {"longest_s": 31.0}, {"temperature": -1.0}])
def test_settings_out_of_range_are_refused(wrong: dict):
    name, value = next(iter(wrong.items()))
    with pytest.raises(UsageError, match=f"{name} (is )?{value}"):
        captioner(Speaker(), **wrong)
    with pytest.raises(UsageError, match="0 captions"):
        captioner(Speaker()).caption([], 0)


@pytest.mark.parametrize(("name", "save"), [("audio-flamingo", save_flamingo), ("qwen2-audio", save_qwen)])
def test_tiny_models_answer(tmp_path: Path, name: str, save: Any):
    folder = save(tmp_path / "Tiny-Instruct")
    options = CaptionerOptions(model=str(folder), device="cpu", settings={"max_tokens": 6, "longest_s": 1})
    built = build_captioner(name, options)
    assert isinstance(built, Captioner)
    assert (built.name, built.sample_rate_hz) == (f"{name}:Tiny-Instruct", 16_000)
    noise = Subject(subject(0).clip, np.random.default_rng(0).normal(size=30_000).astype(np.float32), 3)
    answer = built.caption([noise], 2)[0]
    assert answer.captions or "no answer is a caption" in answer.failure
    assert answer.raw


def test_how_qwen_is_asked(tmp_path: Path):
    base, instruct = save_qwen(tmp_path / "Qwen2-Audio-7B"), save_qwen(tmp_path / "Qwen2-Audio-7B-Instruct")

    def build(folder: Path, **settings: object) -> AudioLMCaptioner:
        return qwen.build(CaptionerOptions(model=str(folder), device="cpu", settings=settings))

    assert (build(base).ask, build(base).settings.prompt) == (qwen.continue_caption, qwen.BEGINNING)
    assert (build(instruct).ask, build(instruct).settings.prompt) == (AudioLanguageModel.chat, qwen.QUESTION)
    assert (build(base, chat=True, prompt="Say").ask, build(base, prompt="Say").settings.prompt) == (
        AudioLanguageModel.chat,
        "Say",
    )
    with pytest.raises(UsageError, match="Did you mean 'top_k'"):
        build(base, topk=1)


@pytest.mark.parametrize(("builder", "name"), [(flamingo.build, flamingo.MODEL), (qwen.build, qwen.MODEL)])
def test_absent_weights_are_told(builder: Any, name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("HF_HUB_OFFLINE")
    with pytest.raises(
        MissingError, match=f"{name}' are not on this machine and the network is switched off"
    ) as caught:
        builder(CaptionerOptions(device="cpu", offline=True))
    assert caught.value.exit_code == 3


def test_absent_weights_are_told_before_transformers_is_imported():
    code = (
        "import sys\n"
        "from audiojourney.captions.names import CaptionerOptions, build_captioner\n"
        "from audiojourney.errors import MissingError\n"
        "for name in ('audio-flamingo', 'qwen2-audio', 'autocap'):\n"
        "    try:\n"
        "        build_captioner(name, CaptionerOptions(device='cpu', offline=True))\n"
        "    except MissingError:\n"
        "        print('transformers' in sys.modules)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=dict(os.environ), check=True)
    assert run.stdout.split() == ["False"] * 3
