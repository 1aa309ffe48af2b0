"""Examples for models that listen, and the tasks that train scorer and captioner on them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from audiojourney.data.scenes.captions import Slots
from audiojourney.data.scenes.concepts import CONCEPTS
from audiojourney.errors import UsageError
from audiojourney.models.pocket.folders import load_captioner, load_clap
from audiojourney.training.tasks.captioner import (
    NONE,
    PocketCaptionerTask,
    PocketCaptionerTaskConfig,
    slot_loss,
    targets,
)
from audiojourney.training.tasks.clap import PocketClapTask, PocketClapTaskConfig, match, shares
from audiojourney.training.tasks.hearing import Example, Hearing, HearingConfig
from tests.pocket_models import TRUNK, write_data, write_hearing
from tests.training.tasks.test_pocket_tasks import steps

SINGLE = Slots(first="rain", second=None, relation="single")


def two(first: str, second: str, relation: str) -> Slots:
    return Slots(first=first, second=second, relation=relation)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data") / "clips", per_kind=12)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_hearing(tmp_path_factory.mktemp("models") / "hearing")[0].parent / "text")


def test_held_out_clips_are_never_drawn(data: Path) -> None:
    hearing = Hearing.open(HearingConfig(pairs=0.0), [data])
    drawn = {hearing.draw(np.random.default_rng(i), 64).clip for i in range(200)}
    assert drawn.isdisjoint(hearing.held_out) and None not in drawn
    assert {hearing.bank.clips[i].fold for i in hearing.held_out} == {4, None}


def test_the_same_seed_draws_the_same_example(data: Path) -> None:
    hearing = Hearing.open(HearingConfig(), [data])
    one, other = (hearing.draw(np.random.default_rng(3), 128) for _ in range(2))
    assert np.array_equal(one.mel, other.mel) and one.slots == other.slots
    assert one.mel.shape == (128, 64) and np.isfinite(one.mel).all()


def test_pairs_are_what_they_are_said_to_be(data: Path) -> None:
    hearing = Hearing.open(HearingConfig(pairs=1.0), [data])
    relations = set()
    for seed in range(60):
        example = hearing.pair(np.random.default_rng(seed), 320, hearing.pools)
        first, second = (np.flatnonzero(heard).mean() for heard in example.sounding)
        assert {example.slots.first, example.slots.second} == {"rain", "whistle"}
        if example.slots.relation == "sequence":
            assert first < second
            assert _is_tone(example, 0) == (example.slots.first == "whistle")
            assert _is_tone(example, 1) == (example.slots.second == "whistle")
        relations.add(example.slots.relation)
    assert relations == {"together", "background", "sequence"}


def _is_tone(example: Example, part: int) -> bool:
    """Whether that sound, where it is alone, has one bin above all others."""
    alone = example.sounding[part] & ~example.sounding[1 - part]
    spectrum = example.mel[alone].mean(axis=0)
    return bool(np.sort(spectrum)[-1] - np.median(spectrum) > 2.5)


def test_sounds_of_a_kind_meet_only_where_that_is_wanted(data: Path) -> None:
    hearing = Hearing.open(HearingConfig(), [data])
    pools = hearing.pools_of(range(4))
    pools.rendered, pools.recorded = ("rain", "rain_tin", "dog"), ()
    rng = np.random.default_rng(0)
    assert all({"rain", "rain_tin"} != set(pools.two_concepts(rng)) for _ in range(100))
    pools.config = replace(pools.config, alike=1.0)
    assert any({"rain", "rain_tin"} == set(pools.two_concepts(rng)) for _ in range(100))


def test_one_kind_of_sound_is_too_few(data: Path) -> None:
    with pytest.raises(UsageError, match="two known sounds"):
        Hearing.open(HearingConfig(train_folds=(9,)), [_of_one_kind(data)])


def _of_one_kind(data: Path) -> Path:
    lines = (data / "metadata.jsonl").read_text(encoding="utf-8").splitlines()
    manifest = data / "rain.jsonl"
    manifest.write_text("\n".join(line for line in lines if '"rain-' in line), encoding="utf-8")
    return manifest


def test_captions_are_those_of_the_clip_or_new(data: Path) -> None:
    hearing = Hearing.open(HearingConfig(pairs=0.0), [data])
    example = hearing.draw(np.random.default_rng(0), 64)
    said = {hearing.caption(example, np.random.default_rng(i)) for i in range(30)}
    assert f"a {example.slots.first}" in said and len(said) > 5


@pytest.mark.parametrize(
    ("sound", "sentence", "wanted"),
    [
        (SINGLE, SINGLE, 1.0),
        (SINGLE, None, 0.0),
        (SINGLE, replace(SINGLE, first="dog"), 0.0),
        (SINGLE, two("dog", "rain", "sequence"), 0.5),
        (two("dog", "rain", "sequence"), two("dog", "rain", "sequence"), 1.0),
        (two("dog", "rain", "sequence"), two("rain", "dog", "sequence"), 0.6),
        (two("dog", "rain", "together"), two("rain", "dog", "together"), 1.0),
        (two("dog", "rain", "together"), two("dog", "rain", "background"), 0.8),
        (two("dog", "rain", "together"), two("dog", "cat", "together"), 1 / 3),
    ],
)
def test_how_well_a_sentence_fits(sound: Slots, sentence: Slots | None, wanted: float) -> None:
    assert match(sound, sentence) == pytest.approx(wanted)


def test_shares_are_dealt_evenly() -> None:
    assert shares(SINGLE)[CONCEPTS.index("rain")] == 1
    assert shares(two("dog", "rain", "together")).sum() == 1


def test_only_sounds_together_may_be_named_in_either_order() -> None:
    wanted = targets([two("dog", "rain", "together"), two("dog", "rain", "sequence"), None])
    assert wanted["slots"][2].tolist() == [NONE, NONE]
    crossed = 20 * torch.nn.functional.one_hot(wanted["slots"].flip(1), NONE + 1).float()
    each = [
        slot_loss(crossed[i : i + 1], wanted["slots"][i : i + 1], wanted["relation"][i : i + 1], 0.0) for i in (0, 1)
    ]
    assert float(each[0]) < 0.01 and float(each[1]) > 10


def test_the_scorer_learns_and_opens_again(data: Path, text: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    task = PocketClapTask.build(PocketClapTaskConfig(trunk=TRUNK, text=text, crop_s=(1.0, 1.5)), [data])
    batch = task.batch(np.random.default_rng(0), 4)
    assert batch["match"].shape == (4, 12) and batch["match"][0, 0] == 1
    losses = steps(task, 30, size=8)
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    logits, _ = task.module.eval()(batch["mel"], batch["sentences"])
    assert logits[batch["match"] == 1].mean() > logits[batch["match"] == 0].mean() + 0.1
    assert set(task.validate()) >= {"recorded_named", "recorded_ten", "synthesised_matched"}
    task.export(tmp_path)
    again = load_clap(tmp_path)
    mel = torch.randn(1, 100, 64)
    assert torch.allclose(again.hear(mel)[0], task.module.eval().hear(mel)[0], atol=1e-6)


def test_the_captioner_learns_and_opens_again(data: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = PocketCaptionerTaskConfig(trunk=TRUNK, crop_s=(2.0, 3.0), nothing=0.2)
    task = PocketCaptionerTask.build(config, [data])
    batch = task.batch(np.random.default_rng(0), 6)
    length = batch["mel"].shape[1] // TRUNK.stride
    assert batch["frames"].shape == (6, length, NONE) and batch["relation"].max() <= 3
    losses = steps(task, 30, size=8)
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    assert set(task.validate()) >= {"recorded_named", "recorded_both", "any_both"}
    task.export(tmp_path)
    assert load_captioner(tmp_path).config.concepts == CONCEPTS
