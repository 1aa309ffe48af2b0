"""The shipped captioner, with random weights, and how it words what it heard."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from audiojourney.captions import pocket, pocket_wording
from audiojourney.captions.base import Captioner, Subject
from audiojourney.captions.keywords import keywords
from audiojourney.captions.names import CaptionerOptions
from audiojourney.captions.pocket_wording import plain_clauses, plain_phrases
from audiojourney.data.clip import Clip
from audiojourney.data.scenes.captions import Slots
from audiojourney.data.scenes.class_words import first_mention, names
from audiojourney.data.scenes.concepts import CONCEPTS
from audiojourney.errors import MissingError, UsageError
from audiojourney.models.pocket.captioner import NEVER, Answers, PocketCaptioner, PocketCaptionerConfig, positions
from audiojourney.models.pocket.folders import load_captioner
from audiojourney.models.pocket.trunk import SoundTrunk
from tests.pocket_models import TRUNK, write_hearing


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_hearing(tmp_path_factory.mktemp("models") / "hearing")[1]


@pytest.fixture(scope="module")
def captioner(folder: Path) -> pocket.PocketCaptions:
    return pocket.build(CaptionerOptions(model=str(folder), device="cpu"))


def subject(seconds: float, seed: int, level: float = 0.3) -> Subject:
    wave = level * np.random.default_rng(seed).standard_normal(int(16_000 * seconds)).astype(np.float32)
    return Subject(Clip(path=Path(f"{seed}.wav"), id=str(seed)), wave, seed)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_it_is_a_captioner_and_says_which_weights_wrote(captioner: pocket.PocketCaptions) -> None:
    assert isinstance(captioner, Captioner)
    assert captioner.name.startswith("captioner@") and captioner.sample_rate_hz == 16_000


def test_captions_are_different_and_do_not_depend_on_the_batch(captioner: pocket.PocketCaptions) -> None:
    subjects = [subject(seconds, i) for i, seconds in enumerate((0.3, 1.0, 5.0, 30.0))]
    together = captioner.caption(subjects, 4)
    assert together == [captioner.caption([one], 4)[0] for one in reversed(subjects)][::-1]
    for answer in together:
        texts = [caption.text for caption in answer.captions]
        assert len(texts) == len(set(texts)) == 4 and not answer.failure and answer.raw
        assert {(c.kind, c.source) for c in answer.captions} == {("model", captioner.name)}


def test_another_seed_words_the_same_meaning_otherwise(captioner: pocket.PocketCaptions) -> None:
    one = subject(3.0, 1)
    other = Subject(one.clip, one.wave, 99)
    first, second = captioner.caption([one, other], 3)
    assert first.raw == second.raw and first.captions != second.captions


def test_silence_is_called_silence_and_no_sound_is_a_failure(captioner: pocket.PocketCaptions) -> None:
    silent, deaf = captioner.caption([subject(2.0, 1, level=0.0), Subject(Clip(path=Path("a"), id="a"), None, 0)], 2)
    assert silent.raw == "silence" and len(silent.captions) == 2
    assert deaf.captions == () and "no sound" in deaf.failure


def test_unknown_settings_and_models_are_refused(folder: Path) -> None:
    with pytest.raises(UsageError, match="doubtfull"):
        pocket.build(CaptionerOptions(model=str(folder), settings={"doubtfull": 0.1}))
    with pytest.raises(MissingError, match="nowhere"):
        pocket.build(CaptionerOptions(model=str(folder / "nowhere")))


@pytest.mark.parametrize("relation", ["together", "background", "sequence"])
def test_the_first_sound_is_told_first_and_both_are_named(relation: str) -> None:
    slots = Slots(first="dog", second="helicopter", relation=relation)  # type: ignore[arg-type]
    said = pocket_wording.word(slots, rng(), 30)
    assert len(said) == 30
    for text in said:
        first, second = first_mention(text, "dog"), first_mention(text, "helicopter")
        assert first is not None and second is not None and first < second


def test_no_wording_is_taken_for_speech_or_music() -> None:
    dropped = keywords(("speech", "music"))
    said = [text for name in CONCEPTS for text in (*plain_phrases(name), *plain_clauses(name))]
    said += [*pocket_wording.SILENCE, *pocket_wording.NOTHING_KNOWN, *pocket_wording.DOUBTFUL]
    assert [text for text in said if dropped.find(text)] == []


def test_doubt_and_the_unknown_are_said() -> None:
    single = Slots(first="cow", second=None, relation="single")
    doubtful = pocket_wording.word(single, rng(), 8, doubtful=True)
    assert all(names(text, "cow") and re.search("like|may|perhaps|possibly|resembles", text, re.I) for text in doubtful)
    assert not any("perhaps" in text for text in pocket_wording.word(single, rng(), 30))
    assert "cow" not in " ".join(pocket_wording.word(None, rng(), 5))


def test_fewer_captions_come_where_there_are_no_more_wordings() -> None:
    assert 1 < len(pocket_wording.silence(rng(), 50)) <= len(pocket_wording.SILENCE)


def network(concepts: int = 3) -> PocketCaptioner:
    names_ = tuple("abcdef"[:concepts])
    config = PocketCaptionerConfig(concepts=names_, trunk=TRUNK, width=16, depth=1, heads=2, naming=0.0)
    return PocketCaptioner(replace(config, prior=(0.0, 0.0, 0.0, 0.0), pitches=(0,))).eval()


def test_meanings_that_contradict_themselves_are_ruled_out() -> None:
    net = network()
    answers = net(torch.randn(2, 96, 64))
    scores = net.scores(answers)
    assert scores.shape == (2, 4, 4, 4)
    assert (scores[:, 0, :, :3] < NEVER / 2).all() and (scores[:, 0, :, 3] > NEVER / 2).all()
    for relation in (1, 2, 3):
        assert (scores[:, relation].diagonal(dim1=1, dim2=2) < NEVER / 2).all()
        assert (scores[:, relation, 3] < NEVER / 2).all() and (scores[:, relation, :, 3] < NEVER / 2).all()


def test_sounds_together_have_no_order_others_have() -> None:
    net = network()
    slots = torch.tensor([[[0.0, 5.0, 0.0, 0.0], [0.0, 0.0, 5.0, 0.0]]])
    nothing = torch.zeros(1, 3)

    def best(relation: int) -> tuple[int, int]:
        answers = Answers(slots, 9.0 * torch.eye(4)[None, relation], torch.zeros(1, 2, 3), nothing)
        scores = net.scores(answers)[0, relation]
        return divmod(int(scores.argmax()), 4)

    assert best(3) == (1, 2)
    together = net.scores(Answers(slots, torch.zeros(1, 4), torch.zeros(1, 2, 3), nothing))[0, 1]
    assert torch.equal(together, together.T) and best(1) == (1, 2)


def test_a_prior_shifts_the_choice_of_the_relation() -> None:
    net = network()
    answers = net(torch.randn(1, 96, 64))
    before = net.scores(answers)
    net.config = replace(net.config, prior=(0.0, 0.0, 2.0, 0.0))
    assert torch.allclose(net.scores(answers)[0] - before[0], torch.tensor([0.0, 0.0, 2.0, 0.0])[:, None, None])


def test_a_clip_is_understood_at_several_pitches(monkeypatch: pytest.MonkeyPatch) -> None:
    net, mel, heard = network(), torch.arange(64.0).expand(1, 96, 64), []
    monkeypatch.setattr(net.trunk, "maps", lambda x: heard.append(x) or SoundTrunk.maps(net.trunk, x))
    net.config = replace(net.config, pitches=(-1, 0, 2))
    with torch.inference_mode():
        net.understand(mel)
    assert heard[0][:, 30, 5].tolist() == [6, 5, 3]


def test_positions_are_those_within_the_clip() -> None:
    short, long = positions(10, torch.device("cpu")), positions(20, torch.device("cpu"))
    assert torch.allclose(short.mean(dim=0), long.mean(dim=0), atol=0.02)
    assert not torch.allclose(short[0], short[-1])


def test_a_saved_captioner_opens_as_it_was(folder: Path) -> None:
    assert load_captioner(folder).config.concepts == ("rain", "whistle")
    with pytest.raises(MissingError, match="pocket-captioner"):
        load_captioner(folder.parent / "clap")
