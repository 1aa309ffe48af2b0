"""The three GenAu tasks: their losses, what they export, and that chunks join to one run."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from audiojourney import config as configuration
from audiojourney.data.bank import open_bank
from audiojourney.data.mel import GENAU, log_mel
from audiojourney.errors import UsageError
from audiojourney.models.base import Sampling
from audiojourney.models.genau.folders import HashedText, load_vae, load_vocoder
from audiojourney.models.genau.vae1d import Posterior
from audiojourney.models.load import load_generator
from audiojourney.training.loop import LoopConfig, train
from audiojourney.training.tasks import TASKS, settings_class
from audiojourney.training.tasks.genau_vae import GenauVaeTask
from tests.recipes.tones import write_tones

TINY = {"vae": "tiny/genau-vae", "vocoder": "tiny/genau-vocoder", "generator": "tiny/genau"}


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tones(tmp_path_factory.mktemp("data") / "clips")


@pytest.fixture(scope="module")
def parts(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An autoencoder and a vocoder, hardly trained."""
    place = tmp_path_factory.mktemp("parts")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AJ_HOME", str(place / "home"))
        for name in ("vae", "vocoder"):
            task, loop = build(name, clips, {})
            train(task, dataclasses.replace(loop, steps=2), place / name)
    return {name: place / name / "final" for name in ("vae", "vocoder")}


def build(name: str, clips: Path, parts: dict[str, Path], **settings: object):
    """Return a tiny task and the settings of its loop."""
    preset = configuration.load_preset(TINY[name])
    kind, loop = preset.pop("task"), preset.pop("loop")
    chosen = {"model": {key: str(path) for key, path in parts.items()}} if name == "generator" else {}
    table = configuration.merge(preset, chosen, settings)
    torch.manual_seed(0)
    task = TASKS.load(kind).build(configuration.build(settings_class(kind), table), [clips])
    return task, configuration.build(LoopConfig, loop | {"device": "cpu", "threads": 1})


def first_batch(task, size: int = 2) -> dict:
    return task.batch(np.random.default_rng(0), size)


@pytest.mark.parametrize("name", list(TINY))
def test_chunks_join_to_one_run(name: str, clips: Path, parts: dict[str, Path], tmp_path: Path):
    adversary = {"adversary_start": 1} if name == "vae" else {}
    loop = dataclasses.replace(build(name, clips, parts)[1], steps=3, ema=0.9)
    train(build(name, clips, parts, **adversary)[0], loop, tmp_path / "whole")
    chunk = dataclasses.replace(loop, stop_after_s=1e-6)
    reports = [train(build(name, clips, parts, **adversary)[0], chunk, tmp_path / "parts") for _ in range(3)]
    assert reports[-1].reason == "finished" and reports[0].step == 1
    whole, joined = (load_file(tmp_path / run / "final" / "model.safetensors") for run in ("whole", "parts"))
    assert all(torch.equal(value, joined[key]) for key, value in whole.items())


@pytest.mark.parametrize("name", list(TINY))
def test_low_precision_trains_too(name: str, clips: Path, parts: dict[str, Path], tmp_path: Path):
    task, loop = build(name, clips, parts, **({"adversary_start": 1} if name == "vae" else {}))
    report = train(task, dataclasses.replace(loop, steps=2, dtype="bf16"), tmp_path)
    assert report.loss is not None and math.isfinite(report.loss)


def test_vae_loss_is_the_official_sum(clips: Path, parts: dict[str, Path]):
    task, _ = build("vae", clips, parts, adversary_start=1, kl_weight=7.0, perceptual_weight=2.0, log_variance=0.5)
    batch = first_batch(task)
    loss, figures = task.loss(batch, torch.Generator().manual_seed(3), step=0)
    noise = torch.randn(2, 8, 32, generator=torch.Generator().manual_seed(3))
    posterior = task.module.posterior(batch["mel"])
    rebuilt = task.module.decode(posterior.sample(noise))
    perceptual = task.perceptual(rebuilt, batch["mel"])
    likelihood = 0.0
    for row in range(2):
        element = (rebuilt[row] - batch["mel"][row]).abs() + 2.0 * perceptual[row]
        likelihood += (element / math.exp(0.5) + 0.5).sum() / 2
    mu, var = posterior.mean, posterior.log_variance.exp()
    kl = 0.5 * (mu**2 + var - 1 - var.log()).mean()
    torch.testing.assert_close(loss, likelihood + 7.0 * kl)
    assert figures["kl"] == pytest.approx(float(kl)) and "adversarial" not in figures


def test_vae_adversary_joins_at_its_step_with_its_weight(clips: Path, parts: dict[str, Path]):
    task, _ = build("vae", clips, parts, adversary_start=5, adversary_weight=0.25)
    batch, seed = first_batch(task), torch.Generator().manual_seed
    assert task.adversary_loss(batch, seed(0), step=4) is None
    before, _ = task.loss(batch, seed(1), step=4)
    after, figures = task.loss(batch, seed(1), step=5)
    pull = 0.25 * figures["adaptive_weight"] * figures["adversarial"]
    assert float(after) - float(before) == pytest.approx(pull, rel=1e-2)
    judged = task.adversary_loss(batch, seed(0), step=5)
    judged.backward()
    assert all(param.grad is not None for param in task.adversary.parameters())
    assert all(param.grad is None for param in task.module.parameters()), "the autoencoder is not trained by it"


def test_exported_vae_makes_latents_of_unit_spread(clips: Path, parts: dict[str, Path]):
    vae = load_vae(parts["vae"])
    task, _ = build("vae", clips, parts)
    assert isinstance(task, GenauVaeTask)
    with torch.no_grad():
        latent = vae.encode(task._mel(np.random.default_rng(5), task.train, 64))
    assert float(latent.std()) == pytest.approx(1.0, abs=0.1)
    assert float(vae.scale_factor) != 1.0


def test_vae_posterior_mean_convention():
    posterior = Posterior(torch.full((1, 2, 3), 2.0), torch.zeros(1, 2, 3))
    assert posterior.kl().tolist() == [2.0], "a mean, not a sum, over channels and frames"


def test_vocoder_batch_and_loss(clips: Path, parts: dict[str, Path]):
    task, _ = build("vocoder", clips, parts, mel_weight=3.0, feature_weight=5.0)
    batch = first_batch(task)
    assert batch["wave"].shape == (2, 32 * 160)
    torch.testing.assert_close(batch["mel"], log_mel(batch["wave"], GENAU))
    loss, figures = task.loss(batch, torch.Generator(), step=0)
    parts_sum = 3 * figures["mel"] + figures["adversarial"] + 5 * figures["features"]
    assert float(loss) == pytest.approx(parts_sum, rel=1e-4)


def test_exported_vocoder_has_plain_weights_and_the_same_sound(clips: Path, parts: dict[str, Path], tmp_path: Path):
    task, _ = build("vocoder", clips, parts)
    (tmp_path / "final").mkdir()
    task.export(tmp_path / "final")
    names = load_file(tmp_path / "final" / "model.safetensors").keys()
    assert not [name for name in names if "parametrizations" in name]
    mel = first_batch(task)["mel"]
    torch.testing.assert_close(load_vocoder(tmp_path / "final")(mel), task.module(mel), atol=1e-5, rtol=1e-4)


def test_generator_drops_all_conditions_of_a_batch_or_none(clips: Path, parts: dict[str, Path]):
    task, _ = build("generator", clips, parts, drop=0.25, model={"dataset_ids": {"audiocaps": 0, "": 3}})
    dropped = []
    for seed in range(400):
        batch = task.batch(np.random.default_rng(seed), 3)
        empty = [not row.any() for row in batch["pooled"]]
        assert len(set(empty)) == 1, "one draw for the whole batch"
        assert batch["dataset"].tolist() == ([0] * 3 if empty[0] else [3] * 3)
        dropped.append(empty[0])
    assert np.mean(dropped) == pytest.approx(0.25, abs=0.07)


def test_generator_predicts_the_noise(clips: Path, parts: dict[str, Path]):
    task, _ = build("generator", clips, parts)

    class Oracle(nn.Module):
        """Knows the clean latent, so it can say what the noise was."""

        def forward(self, x: torch.Tensor, t: torch.Tensor, condition: object) -> torch.Tensor:
            alpha, sigma = (getattr(task.objective.schedule, name)(t)[:, None, None] for name in ("alpha", "sigma"))
            return (x - alpha * batch["latent"]) / sigma

    batch = first_batch(task, 8)
    network, task.module = task.module, Oracle()
    assert float(task.loss(batch, torch.Generator().manual_seed(0), 0)[0]) < 1e-6
    task.module = network
    assert float(task.loss(batch, torch.Generator().manual_seed(0), 0)[0]) > 0.3
    abar = task.objective.schedule.alphas_cumprod
    assert float(abar[0]) == pytest.approx(0.9985, abs=1e-6) and float(abar[-1]) == pytest.approx(1.42304e-4, rel=1e-4)


def test_generator_reads_its_latents_from_the_cache(clips: Path, parts: dict[str, Path]):
    task, _ = build("generator", clips, parts, frames=8)
    bank = open_bank([clips], GENAU.rate_hz)
    batch = first_batch(task, 4)
    assert batch["latent"].shape == (4, 8, 8) and batch["pooled"].shape == (4, 256)
    every = np.concatenate([task.latents[i] for i in range(len(bank))], axis=1)
    for row in batch["latent"].numpy():
        windows = np.lib.stride_tricks.sliding_window_view(every, 8, axis=1)
        assert np.abs(windows - row[:, None]).max(axis=(0, 2)).min() == 0, "a part of a kept latent"


def test_a_short_clip_is_followed_by_silence(clips: Path, parts: dict[str, Path]):
    task, _ = build("generator", clips, parts, model={"fit": {"length": 96, "latent_count": 12}})
    frames = task.latents[0].shape[1]
    row = first_batch(task)["latent"][0].numpy()
    assert frames < 96 and (row[:, frames:] == task.silence).all()
    assert not (row[:, :frames] == task.silence).all()


def test_a_trained_generator_makes_sound_by_its_name(clips: Path, parts: dict[str, Path], tmp_path: Path):
    task, loop = build("generator", clips, parts)
    train(task, dataclasses.replace(loop, steps=2), tmp_path)
    assert len(list((tmp_path / "samples").iterdir())) == 2
    generator = load_generator(tmp_path)
    waves = generator.generate(["a tone", "a tone"], [1, 2], Sampling(steps=2, duration_s=0.5))
    assert waves.shape == (2, 8000) and torch.isfinite(waves).all()
    assert not torch.equal(waves[0], waves[1])


def test_data_sets_must_fit_the_table(clips: Path, parts: dict[str, Path]):
    with pytest.raises(UsageError, match=r"dataset_ids\.mine is 32"):
        build("generator", clips, parts, model={"dataset_ids": {"mine": 32}})
    with pytest.raises(UsageError, match=r"model\.dataset is 'yours'"):
        build("generator", clips, parts, model={"dataset": "yours"})


def test_hashed_text_knows_words_and_nothing_else():
    text = HashedText()
    one, same, other, empty = text.encode(["a dog", "dog a", "a cat", ""]).pooled
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert not empty.any()
    assert float(one.norm()) == pytest.approx(1.0, abs=0.2)
