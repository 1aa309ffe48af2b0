"""The tasks that train the pocket models, each on a few noises and tones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from audiojourney.data.bank import open_bank
from audiojourney.data.features import open_features
from audiojourney.data.folds import split
from audiojourney.errors import MissingError, UsageError
from audiojourney.models.load import load_generator
from audiojourney.models.pocket.autoencoder import MelAutoencoderConfig
from audiojourney.models.pocket.folders import load_autoencoder, load_listener, load_text, load_vocoder
from audiojourney.models.pocket.pipeline import PocketGeneratorConfig
from audiojourney.models.pocket.vocoder import SpectralVocoderConfig
from audiojourney.models.pocket.words import WordTable
from audiojourney.training.base import Trainable
from audiojourney.training.tasks.autoencoder import AutoencoderConfig, AutoencoderTask
from audiojourney.training.tasks.generator import GeneratorConfig, GeneratorTask
from audiojourney.training.tasks.listener import ListenerTask, ListenerTaskConfig
from audiojourney.training.tasks.text import TextConfig, TextTask
from audiojourney.training.tasks.vocoder import VocoderConfig, VocoderTask
from tests.pocket_models import word_table, write_data, write_models


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_data(tmp_path_factory.mktemp("data") / "clips")


def steps(task: Trainable, count: int, size: int = 4, lr: float = 3e-3) -> list[float]:
    """Train for a few steps and return the losses."""
    optimizer = torch.optim.AdamW(task.module.parameters(), lr)
    losses = []
    for step in range(count):
        batch = task.batch(np.random.default_rng(step), size)
        loss, _ = task.loss(batch, torch.Generator().manual_seed(step), step)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses


def test_a_bank_holds_the_clips_and_remembers_them(data: Path, isolated_home: Path) -> None:
    bank = open_bank([data], 16_000)
    assert len(bank) == 24 and bank.wave(3).shape == (32_000,)
    again = open_bank([data], 16_000)
    assert again.key == bank.key and np.array_equal(again.wave(5), bank.wave(5))
    assert open_bank([data], 8_000).wave(3).shape == (16_000,)


def test_crops_are_padded_with_silence(data: Path) -> None:
    crop = open_bank([data], 16_000).crop(0, 40_000, np.random.default_rng(0))
    assert crop.shape == (40_000,) and np.abs(crop[:32_000]).max() > 0.1 and not crop[32_000:].any()


def test_unreadable_clips_are_left_out_and_no_clips_are_an_error(tmp_path: Path) -> None:
    folder = write_data(tmp_path / "clips")
    (folder / "rain-0.wav").write_bytes(b"no sound")
    assert len(open_bank([folder], 16_000)) == 23
    (tmp_path / "empty").mkdir()
    with pytest.raises(MissingError, match="empty"):
        open_bank([tmp_path / "empty"], 16_000)


def test_features_are_computed_once(data: Path) -> None:
    bank, calls = open_bank([data], 16_000), []

    def encode(wave: np.ndarray) -> np.ndarray:
        calls.append(len(wave))
        return np.abs(wave).reshape(-1, 160).mean(axis=1, keepdims=True)

    first = open_features(bank, encode, "level")
    again = open_features(bank, encode, "level")
    assert len(calls) == 24 and len(again) == 24
    assert np.allclose(first[2], encode(bank.wave(2)), atol=1e-3)
    assert first.saved > 0.99


def test_recordings_split_by_fold_and_the_rest_by_number(data: Path) -> None:
    bank = open_bank([data], 16_000)
    train, held = split(bank, 4)
    assert {bank.clips[i].fold for i in held} <= {4, None} and 4 not in {bank.clips[i].fold for i in train}
    assert sorted(train + held) == list(range(24))
    assert any(bank.clips[i].fold is None for i in held)
    assert split(bank, None)[0] == list(range(24))


def test_autoencoder_starts_from_components_and_improves(data: Path, tmp_path: Path) -> None:
    config = AutoencoderConfig(
        model=MelAutoencoderConfig(channels=8, width=16, depth=1), crop_frames=64, component_crops=32
    )
    task = AutoencoderTask.build(config, [data])
    before = task.validate()["l1"]
    steps(task, 80, lr=5e-4)
    assert task.validate()["l1"] < before
    task.export(tmp_path)
    loaded = load_autoencoder(tmp_path)
    mel = task.batch(np.random.default_rng(0), 8)["mel"]
    assert 0.5 < float(loaded.encode(mel).std()) < 2


def test_vocoder_learns(data: Path, tmp_path: Path) -> None:
    config = VocoderConfig(model=SpectralVocoderConfig(width=16, depth=1, noise=4), crop_frames=32)
    task = VocoderTask.build(config, [data])
    before = task.validate()["energy"]
    steps(task, 25)
    assert task.validate()["energy"] < before
    task.export(tmp_path)
    assert load_vocoder(tmp_path).config == config.model


def test_listener_tells_noise_from_tones(data: Path, tmp_path: Path) -> None:
    config = ListenerTaskConfig(widths=(8, 8, 8, 8), crop_s=1.0, mixup=0.2)
    task = ListenerTask.build(config, [data])
    steps(task, 200, size=8)
    assert task.validate() == {"recorded": 1.0, "synthesised": 1.0}
    assert not task.module.training or task.module.dropout.p > 0
    task.export(tmp_path)
    assert load_listener(tmp_path).config.classes == ("rain", "whistle")


def test_mixed_examples_have_mixed_targets(data: Path) -> None:
    task = ListenerTask.build(ListenerTaskConfig(widths=(8, 8, 8, 8), crop_s=1.0, mixup=1.0), [data])
    target = task.batch(np.random.default_rng(0), 32)["target"]
    assert torch.allclose(target.sum(dim=1), torch.ones(32))
    assert ((target > 0.02) & (target < 0.98)).any()


def test_text_learns_the_grammar_and_knows_what_it_is_not(tmp_path: Path) -> None:
    task = TextTask(TextConfig(width=32, depth=1), WordTable.load(word_table(tmp_path)))
    losses = steps(task, 40, size=32)
    assert np.mean(losses[-5:]) < 0.9 * losses[0]
    batch = task.batch(np.random.default_rng(0), 400)
    unknown = batch["slots"][:, 0] == len(task.module.config.concepts) + 1
    assert 0.08 < float(unknown.float().mean()) < 0.22
    assert (batch["relation"][unknown] == -100).all()
    task.export(tmp_path)
    assert load_text(tmp_path).config == task.module.config


def test_text_needs_one_word_table(data: Path) -> None:
    with pytest.raises(UsageError, match="word table"):
        TextTask.build(TextConfig(), [data])


@pytest.fixture
def generator(data: Path, tmp_path: Path) -> Callable[..., GeneratorTask]:
    models = write_models(tmp_path / "models").parent
    sizes = {"width": 32, "depth": 1, "heads": 2}
    parts = {name: str(models / name) for name in ("text", "autoencoder", "vocoder", "listener")}

    def make(**settings: float) -> GeneratorTask:
        model = PocketGeneratorConfig(**parts, sizes=sizes, steps=2)
        return GeneratorTask.build(GeneratorConfig(model=model, frames=(16, 32), **settings), [data])

    return make


def test_generator_learns_and_its_folder_makes_sound(generator: Callable[..., GeneratorTask], tmp_path: Path) -> None:
    task = generator()
    before = task.validate()["loss"]
    steps(task, 30)
    assert task.validate()["loss"] < before
    task.export(tmp_path)
    assert load_generator(tmp_path).defaults.steps == 2


def test_shares_of_dropped_prompts_and_words(generator: Callable[..., GeneratorTask]) -> None:
    batch = generator(drop=1.0).batch(np.random.default_rng(0), 4)
    assert not batch["pooled"].any()
    hidden = generator(drop=0.0, drop_words=1.0)
    batch = hidden.batch(np.random.default_rng(0), 4)
    assert batch["pooled"].any() and not batch["mask"][:, hidden.text.answers :].any()
    assert batch["mask"][:, : hidden.text.answers].all()


def test_long_batches_hold_half_as_many(generator: Callable[..., GeneratorTask]) -> None:
    assert generator(long_share=1.0).batch(np.random.default_rng(0), 4)["latent"].shape == (2, 8, 32)
    assert generator(long_share=0.0).batch(np.random.default_rng(0), 4)["latent"].shape == (4, 8, 16)


def test_samples_are_written(generator: Callable[..., GeneratorTask], tmp_path: Path) -> None:
    generator().sample(tmp_path, 7)
    assert len(list(tmp_path.glob("00000007-*.flac"))) == 4
