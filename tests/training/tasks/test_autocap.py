"""Both stages of AutoCap: what they train, that they go on where they were stopped, and their examples."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from audiojourney import config as configuration
from audiojourney.captions.base import Subject
from audiojourney.captions.names import CaptionerOptions, build_captioner
from audiojourney.data.bank import open_bank
from audiojourney.data.clip import Caption, Clip
from audiojourney.errors import MissingError, UsageError
from audiojourney.models.autocap.metadata import ByteTokenizer
from audiojourney.models.autocap.network import IGNORED
from audiojourney.models.autocap.sound import RATE_HZ
from audiojourney.recipes.adapt import recipe_of
from audiojourney.recipes.train import build_task, run
from audiojourney.recipes.train_config import TrainConfig, resolve
from audiojourney.training.settings import LoopConfig
from audiojourney.training.tasks.autocap import AutoCapTaskConfig
from audiojourney.training.tasks.autocap_examples import Example, SpecAugment, caption_labels, draw, keep_mask, mixed
from tests.models.official_layout import laion_state, tiny_clap
from tests.recipes.tones import write_tones

FAST = ("loop.device=cpu", "loop.threads=1", "loop.steps=3", "seconds=0.5", "loop.batch=2")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tones(tmp_path_factory.mktemp("data") / "clips", seconds=0.7)


def stage1(clips: Path, output: Path, *settings: str) -> TrainConfig:
    return resolve(
        "pretrain", preset="tiny/autocap", flags={"data": [clips], "output": output}, settings=(*FAST, *settings)
    )


def stage2(clips: Path, output: Path, init: Path, *settings: str) -> TrainConfig:
    flags = {"data": [clips], "output": output, "init": str(init)}
    base = recipe_of(str(init))
    return resolve("finetune", preset="tiny/autocap-stage2", base=base, flags=flags, settings=(*FAST, *settings))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "final" / "model.safetensors")


@pytest.fixture(scope="module")
def first(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the first stage."""
    place = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AJ_HOME", str(place / "home"))
        run(stage1(clips, place / "one"))
    return place / "one"


def changed(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    assert before.keys() == after.keys()
    return {name for name in before if not torch.equal(before[name], after[name])}


def test_the_first_stage_trains_what_leads_into_bart(clips: Path, first: Path, tmp_path: Path):
    before = {name: value.clone() for name, value in build_task(stage1(clips, tmp_path)).module.state_dict().items()}
    after = weights(first)
    moved = changed({name: before[name] for name in after}, after)
    assert moved and not [name for name in moved if name.startswith(("bart.", "htsat."))]
    parts = {name.partition(".")[0] for name in moved}
    assert parts == {"queries", "qformer", "audio_in", "audio_norm", "audio_out", "positions", "special"}


def test_the_second_stage_trains_bart_but_not_its_words(clips: Path, first: Path, tmp_path: Path):
    report = run(stage2(clips, tmp_path / "two", first))
    assert report.reason == "finished"
    moved = changed(weights(first), weights(tmp_path / "two"))
    assert "bart.model.shared.weight" not in moved and not [name for name in moved if name.startswith("htsat.")]
    assert {"bart.model.encoder.layers.0.fc1.weight", "bart.model.decoder.layers.1.fc2.weight", "queries"} <= moved


def test_the_released_settings_train_more(clips: Path, first: Path, tmp_path: Path):
    run(stage2(clips, tmp_path / "two", first, "train_words=true", "train_fc1=true"))
    moved = changed(weights(first), weights(tmp_path / "two"))
    assert "bart.model.shared.weight" in moved
    heard = {name for name in moved if name.startswith("htsat.")}
    assert heard and all(".intermediate.dense." in name for name in heard)


def test_chunks_join_to_one_run(clips: Path, first: Path, tmp_path: Path):
    for number, config in enumerate((stage1(clips, tmp_path / "a"), stage2(clips, tmp_path / "a", first))):
        whole, joined = tmp_path / f"whole{number}", tmp_path / f"parts{number}"
        run(dataclasses.replace(config, output=whole))
        chunk = dataclasses.replace(config, output=joined, loop=dataclasses.replace(config.loop, stop_after_s=1e-6))
        reports = [run(chunk) for _ in range(3)]
        assert (reports[0].step, reports[-1].reason) == (1, "finished")
        assert changed(weights(whole), weights(joined)) == set()


def test_a_trained_captioner_captions(first: Path):
    lines = (first / "samples" / "00000003-captions.txt").read_text(encoding="utf-8").split("\t")
    assert lines[0] == "0.wav"
    writer = build_captioner("autocap", CaptionerOptions(model=str(first), device="cpu", settings={"longest": 8}))
    wave = np.random.default_rng(0).normal(size=9000).astype(np.float32)
    assert writer.caption([Subject(Clip(path=Path("x"), id="x"), wave, 0)], 1)[0].captions


def test_the_audio_encoder_measures_while_it_is_trained_with(clips: Path, tmp_path: Path):
    task = build_task(stage1(clips, tmp_path))
    task.module.train()
    assert not any(module.training for module in task.module.htsat.modules())
    assert task.module.bart.training and task.module.qformer.training


def test_loss_reads_sound_caption_and_metadata(clips: Path, tmp_path: Path):
    task = build_task(stage1(clips, tmp_path, "mix=0", "spec_augment=null"))
    task.module.eval()
    batch = task.batch(np.random.default_rng(0), 2)
    assert batch["mel"].shape == (2, 51, 64) and "keep" not in batch and "clap_wave" not in batch
    with torch.no_grad():
        for parameter in task.module.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    other = {"mel": batch["mel"] + 9, "ids": batch["ids"] * 0 + 77, "labels": batch["labels"].clamp(min=9)}
    changes = [{}, *({name: value} for name, value in other.items())]
    with torch.no_grad():
        losses = {float(task.loss({**batch, **change}, torch.Generator(), 0)[0]) for change in changes}
    assert len(losses) == 4


def test_clap_is_heard_but_neither_trained_nor_kept(clips: Path, tmp_path: Path):
    torch.save(laion_state(tiny_clap()), tmp_path / "clap.pt")
    width = tiny_clap().config.projection_dim
    settings = (f"model.clap={tmp_path / 'clap.pt'}", f"model.network.clap_width={width}", "loop.steps=1")
    config = stage1(clips, tmp_path / "run", *settings)
    task = build_task(config)
    batch = task.batch(np.random.default_rng(0), 2)
    task.module.eval()
    with torch.no_grad():
        loss = float(task.loss(batch, torch.Generator(), 0)[0])
        assert float(task.loss({**batch, "clap_wave": batch["clap_wave"].flip(0)}, torch.Generator(), 0)[0]) != loss
    run(config)
    assert not [name for name in weights(tmp_path / "run") if "clap_model" in name or "logit_scale" in name]
    table = configuration.load_yaml(tmp_path / "run" / "final" / "config.yaml")
    assert table["model"]["clap"] == str(tmp_path / "clap.pt")


def test_one_of_several_captions_is_drawn(clips: Path):
    bank = open_bank([clips], RATE_HZ)
    captions = (Caption("one"), Caption("two"), Caption("three"))
    many = dataclasses.replace(bank, clips=tuple(dataclasses.replace(c, captions=captions) for c in bank.clips))
    drawn = [draw(many, 0, 8000, np.random.default_rng(seed)) for seed in range(30)]
    assert {example.caption for example in drawn} == {"one", "two", "three"}
    assert len({example.wave.tobytes() for example in drawn}) > 20, "of another part each time"
    assert draw(many, 0, 8000, np.random.default_rng(0)).caption == drawn[0].caption


def test_labels_begin_end_and_are_cut():
    labels = caption_labels(["ab", "abcdefgh"], ByteTokenizer(), 6)
    assert labels.tolist() == [[0, 101, 102, 2, IGNORED, IGNORED], [0, 101, 102, 103, 104, 2]]


def test_stripes():
    shape, counts = (200, 100, 64), []
    keep = keep_mask(shape, SpecAugment(), np.random.default_rng(0))
    assert set(keep.unique().tolist()) == {0.0, 1.0}
    for row in keep:
        frames, bins = (row.sum(1) == 0).sum(), (row.sum(0) == 0).sum()
        assert frames < 2 * 64 and bins < 2 * 8
        assert torch.equal(row, (row.sum(1) > 0).float()[:, None] * (row.sum(0) > 0).float()), "whole stripes only"
        counts.append((int(frames), int(bins)))
    assert np.mean(counts, axis=0)[0] == pytest.approx(50, abs=8) and np.mean(counts, axis=0)[1] == pytest.approx(
        7, abs=1
    )
    assert not torch.equal(keep[0], keep[1])
    assert (keep_mask((2, 5, 4), SpecAugment(), np.random.default_rng(0)) >= 0).all(), "wider than the log-mel"


def test_mixtures():
    first = Example(np.array([1.0] * 100 + [-1.0] * 100, np.float32), "A dog barks.", {"title": "t"})
    second = Example(np.array([1.0, -1.0] * 100, np.float32), "Rain falls.", {"title": "u"})
    shares: dict[str, list[float]] = {}
    for seed in range(20):
        out = mixed(first, second, np.random.default_rng(seed))
        low, high = np.sort(np.abs(out.wave))[[0, -1]]  # both sounds against each other, and together
        shares.setdefault(out.caption, []).append((1 - low / high) / 2)
        assert high == pytest.approx(0.5, abs=1e-3) and out.metadata == {"title": "t"}
    even, faint = shares.pop("A dog barks and rain falls"), shares.pop("A dog barks and rain falls in the background")
    assert not shares and even == pytest.approx([0.5] * len(even), abs=1e-3)
    assert 0.2 <= min(faint) < max(faint) <= 0.4


def test_what_cannot_be_meant_is_refused(clips: Path, tmp_path: Path):
    with pytest.raises(UsageError, match=r"seconds is 11.0"):
        build_task(stage1(clips, tmp_path, "seconds=11"))
    with pytest.raises(MissingError, match="are not on this machine"):
        build_task(resolve("pretrain", preset="autocap/stage1", flags={"data": [clips], "output": tmp_path}))


@pytest.mark.parametrize(("stage", "rate", "bart"), [("stage1", 1e-4, False), ("stage2", 1e-5, True)])
def test_the_presets_are_those_of_the_paper(stage: str, rate: float, bart: bool):
    table = configuration.load_preset(f"autocap/{stage}")
    loop = configuration.build(LoopConfig, table["loop"])
    assert (loop.lr, loop.batch, loop.clip_norm, loop.warmup * 10, loop.betas) == (
        rate,
        128,
        2.0,
        loop.steps,
        (0.9, 0.999),
    )
    kept = {key: value for key, value in table.items() if key not in ("task", "loop")}
    task = configuration.build(AutoCapTaskConfig, kept)
    assert (task.train_bart, task.train_words, task.train_fc1) == (bart, False, False)
