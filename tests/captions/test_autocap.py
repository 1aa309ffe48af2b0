"""AutoCap as a captioner."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from audiojourney import config as configuration
from audiojourney.captions.autocap import AutoCapCaptioner, AutoCapSettings, build
from audiojourney.captions.base import Captioner, Subject
from audiojourney.captions.names import CaptionerOptions, build_captioner
from audiojourney.data.clip import Clip, Metadata
from audiojourney.errors import MissingError, UsageError
from audiojourney.model_folder import write_model
from audiojourney.models.autocap.metadata import ByteTokenizer
from audiojourney.models.autocap.model import KIND, AutoCapModel, AutoCapParts, open_autocap
from audiojourney.models.autocap.official import untied
from audiojourney.models.autocap.search import Hypothesis
from audiojourney.models.autocap.sound import RATE_HZ, SAMPLES
from tests.models.autocap.tiny import CONFIG, tiny_network

NO_CLAP = configuration.build(type(CONFIG), configuration.to_table(CONFIG) | {"clap_width": None})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "mine"
    parts = AutoCapParts(network=NO_CLAP, tokenizer="bytes", clap=None)
    write_model(folder, {"kind": KIND, "model": parts}, untied(tiny_network(NO_CLAP)))
    return folder


class Numbers(ByteTokenizer):
    """Shows every token, where bytes at random would mostly be no text."""

    def decode(self, tokens: Sequence[int]) -> str:
        return " ".join(map(str, tokens))


@pytest.fixture(scope="module")
def model() -> AutoCapModel:
    return AutoCapModel(tiny_network(NO_CLAP), Numbers(), None)


def captioner(model: AutoCapModel, **settings: object) -> AutoCapCaptioner:
    return AutoCapCaptioner(model, "tiny", AutoCapSettings(longest=12, **settings))


def subject(number: int, title: str = "", samples: int = 9000) -> Subject:
    wave = np.random.default_rng(number).normal(size=samples).astype(np.float32)
    return Subject(Clip(path=Path("x.wav"), id=str(number), metadata=Metadata(title=title)), wave, seed=number)


@pytest.mark.parametrize("method", ["beam", "sample"])
def test_captions_do_not_depend_on_the_batch(model: AutoCapModel, method: str):
    writer = captioner(model, method=method)
    subjects = [subject(1, "a long title of a clip"), subject(2), subject(3, "x", SAMPLES + 5000), subject(4)]
    together = writer.caption(subjects, 3)
    assert [writer.caption([one], 3)[0] for one in subjects] == together
    assert writer.caption(subjects[::-1], 3) == together[::-1]
    assert all(1 <= len(answer.captions) <= 3 for answer in together)
    for answer in together:
        assert len({caption.text for caption in answer.captions}) == len(answer.captions)
        assert {(caption.source, caption.kind) for caption in answer.captions} == {("tiny", "model")}


def test_samples_follow_the_seed_of_the_clip(model: AutoCapModel):
    one = subject(1)
    other = Subject(one.clip, one.wave, seed=2)
    first, second, again = captioner(model, method="sample").caption([one, other, one], 2)
    assert first == again != second
    first, second = captioner(model).caption([one, other], 2)
    assert first == second, "a beam search draws nothing"


def test_more_captions_than_beams(model: AutoCapModel):
    assert len(captioner(model, beams=1).caption([subject(1)], 4)[0].captions) == 4
    assert len(captioner(model, beams=4).caption([subject(1)], 1)[0].captions) == 1


def test_metadata_is_read_unless_told_otherwise(model: AutoCapModel):
    def written(title: str, **settings: bool) -> tuple:
        return captioner(model, **settings).caption([subject(1, title)], 3)[0].captions

    assert written("a cat") != written("rain on a roof")
    assert written("a cat", use_metadata=False) == written("", use_metadata=False) == written("")


def test_a_long_clip_is_heard_where_its_seed_says(model: AutoCapModel, monkeypatch: pytest.MonkeyPatch):
    heard: list[np.ndarray] = []
    monkeypatch.setattr(model, "captions", lambda waves, *rest: heard.extend(waves) or [[Hypothesis(0.0, (5,))]])
    long = subject(1, samples=3 * SAMPLES)
    for seed in (1, 1, 2):
        captioner(model).caption([Subject(long.clip, long.wave, seed)], 1)
    assert np.array_equal(heard[0], heard[1]) and not np.array_equal(heard[0], heard[2])
    assert {wave.shape for wave in heard} == {(SAMPLES,)}


@pytest.mark.parametrize(
    ("wave", "failure"),
    [(None, "no sound"), (np.zeros(100), "100 samples are too few"), (np.full(999, np.inf), "999 samples are not fin")],
)
def test_a_clip_that_cannot_be_heard_has_a_reason(model: AutoCapModel, wave: np.ndarray | None, failure: str):
    bad = Subject(subject(1).clip, None if wave is None else wave.astype(np.float32), 0)
    writer = captioner(model)
    first, second, third = writer.caption([subject(1), bad, subject(2)], 2)
    assert failure in second.failure and not second.captions
    assert [first, third] == writer.caption([subject(1), subject(2)], 2)
    assert writer.caption([bad], 1)[0].failure == second.failure


def test_a_model_that_says_nothing_is_told(model: AutoCapModel, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(Numbers, "decode", lambda self, tokens: " ")
    answer = captioner(model).caption([subject(1)], 1)[0]
    assert not answer.captions and "said nothing" in answer.failure
    with pytest.raises(UsageError, match="0 captions"):
        captioner(model).caption([subject(1)], 0)


def test_a_folder_opens_by_name(folder: Path, model: AutoCapModel):
    options = CaptionerOptions(model=str(folder), device="cpu", settings={"beams": 2, "longest": 12})
    built = build_captioner("autocap", options)
    assert isinstance(built, Captioner) and (built.name, built.sample_rate_hz) == ("autocap:mine", RATE_HZ)
    built.model.tokenizer = Numbers()
    found = [caption.text for caption in built.caption([subject(1)], 2)[0].captions]
    expected = captioner(model, beams=2).caption([subject(1)], 2)[0].captions
    assert found == [caption.text for caption in expected]


def test_half_precision_runs(folder: Path):
    built = build(CaptionerOptions(model=str(folder), device="cpu", dtype="bf16", settings={"longest": 8}))
    assert built.caption([subject(1), subject(2)], 1)[1].captions


def test_absent_weights_are_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("HF_HUB_OFFLINE")
    with pytest.raises(MissingError, match=r"'autocap-full' are not on this machine and the network is switched off"):
        build(CaptionerOptions(device="cpu", offline=True))


def test_settings_and_models_that_do_not_fit(folder: Path, tmp_path: Path):
    with pytest.raises(UsageError, match=r"no setting 'settings.beam'. Did you mean 'beams'"):
        build(CaptionerOptions(model=str(folder), device="cpu", settings={"beam": 2}))
    write_model(tmp_path / "other", {"kind": "pocket-text", "model": {}}, {})
    with pytest.raises(MissingError, match="'pocket-text' model"):
        open_autocap(tmp_path / "other")
