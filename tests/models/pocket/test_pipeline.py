"""The pocket pipeline on tiny models: lengths, seeds, settings, ranking."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from audiojourney.errors import MissingError, UsageError
from audiojourney.models import onednn
from audiojourney.models.base import Condition, Sampling
from audiojourney.models.load import load_generator
from audiojourney.models.pocket.pipeline import PocketGenerator
from tests.pocket_models import write_models


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models(tmp_path_factory.mktemp("pocket"))


@pytest.fixture(scope="module")
def generator(folder: Path) -> PocketGenerator:
    return PocketGenerator.from_folder(folder, "tiny")


@pytest.mark.parametrize("seconds", [0.5, 1.0, 3.333, 10.24])
def test_the_sound_is_exactly_as_long_as_asked(generator: PocketGenerator, seconds: float) -> None:
    wave = generator.generate(["rain"], [1], Sampling(duration_s=seconds))
    assert wave.shape == (1, round(seconds * 16_000))
    assert torch.isfinite(wave).all() and 0.79 < wave.abs().max() <= 0.801


@pytest.fixture
def scene(generator: PocketGenerator, monkeypatch: pytest.MonkeyPatch) -> PocketGenerator:
    """A generator whose text encoder reads a sequence of two sounds in every prompt with "then"."""
    monkeypatch.setattr(
        generator.text, "scenes", lambda prompts: ["sequence" if "then" in p else None for p in prompts]
    )
    return generator


@pytest.mark.parametrize("seconds", [0.05, 1.0, 3.333, 10.24])
def test_a_scene_is_exactly_as_long_as_asked(scene: PocketGenerator, seconds: float) -> None:
    wave = scene.generate(["rain then a whistle"], [1], Sampling(duration_s=seconds))
    assert wave.shape == (1, round(seconds * 16_000)) and torch.isfinite(wave).all()


def test_a_scene_does_not_depend_on_the_rest_of_its_batch(scene: PocketGenerator) -> None:
    alone = scene.generate(["rain then a whistle"], [7], Sampling(duration_s=2))
    beside = scene.generate(["rain", "rain then a whistle", "whistle then rain"], [3, 7, 8], Sampling(duration_s=2))
    assert torch.allclose(alone[0], beside[1], atol=1e-3)


def test_both_sounds_of_a_scene_are_asked_for_alone(scene: PocketGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[list[str], list[int | None]]] = []
    conditions = scene._conditions

    def note(prompts: list[str], parts: list[int | None], negative: str) -> tuple[Condition, Condition]:
        asked.append((prompts, parts))
        return conditions(prompts, parts, negative)

    monkeypatch.setattr(scene, "_conditions", note)
    scene.generate(["rain", "rain then a whistle"], [1, 2], Sampling(duration_s=2))
    assert asked == [(["rain then a whistle"] * 2, [0, 1]), (["rain"], [None])]


def test_steps_of_a_batch_with_a_scene_count_on(scene: PocketGenerator) -> None:
    told: list[tuple[int, int]] = []
    scene.generate(["rain", "then"], [1, 2], Sampling(duration_s=2, steps=3), lambda done, of: told.append((done, of)))
    assert told == [(done, 6) for done in range(1, 7)]


def test_bf16_gives_nearly_the_same_sound_and_other_types_are_refused(folder: Path) -> None:
    generator = PocketGenerator.from_folder(folder, "tiny")
    condition = generator._conditions(["rain"], [None], "")
    exact, rough = (
        (generator.place("cpu", dtype), generator._sample(*condition, Sampling(steps=2), 8, [torch.Generator()], None))[
            1
        ]
        for dtype in ("fp32", "bf16")
    )
    assert exact.dtype == rough.dtype == torch.float32
    assert not torch.equal(exact, rough) and torch.allclose(exact, rough, atol=0.2)
    with pytest.raises(UsageError, match="fp16"):
        generator.place("cpu", "fp16")


def test_the_same_seed_gives_the_same_bits_and_another_does_not(generator: PocketGenerator) -> None:
    first, again, other = (generator.generate(["rain"], [s], Sampling(duration_s=1)) for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other, atol=1e-2)


def test_a_clip_does_not_depend_on_the_rest_of_its_batch(generator: PocketGenerator) -> None:
    alone = generator.generate(["whistle"], [7], Sampling(duration_s=1))
    beside = generator.generate(["rain and a dog then rain", "whistle"], [3, 7], Sampling(duration_s=1))
    assert torch.allclose(alone[0], beside[1], atol=1e-3)


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(duration_s=1, guidance=1.0),
        Sampling(duration_s=1, negative="a whistle"),
        Sampling(duration_s=1, steps=6),
        Sampling(duration_s=1, sampler="dpm++2m"),
        Sampling(duration_s=1, sampler="ddpm"),
    ],
)
def test_every_setting_changes_the_sound(generator: PocketGenerator, sampling: Sampling) -> None:
    plain = generator.generate(["rain"], [1], Sampling(duration_s=1))
    changed = generator.generate(["rain"], [1], sampling)
    assert torch.isfinite(changed).all()
    assert not torch.allclose(plain, changed, atol=1e-3)


def test_steps_are_reported(generator: PocketGenerator) -> None:
    told: list[tuple[int, int]] = []
    generator.generate(["rain"], [1], Sampling(duration_s=1, steps=4), lambda done, of: told.append((done, of)))
    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


@pytest.mark.parametrize("seconds", [0.0, -1.0, 10.5, float("nan")])
def test_impossible_durations_are_refused(generator: PocketGenerator, seconds: float) -> None:
    with pytest.raises(UsageError, match="duration"):
        generator.generate(["rain"], [1], Sampling(duration_s=seconds))


def test_unknown_samplers_are_refused_with_the_known_ones(generator: PocketGenerator) -> None:
    with pytest.raises(UsageError, match="ddim"):
        generator.generate(["rain"], [1], Sampling(duration_s=1, sampler="dimm"))


def test_ranking_prefers_what_the_listener_hears(generator: PocketGenerator, monkeypatch: pytest.MonkeyPatch) -> None:
    def hear(mel: Tensor) -> Tensor:
        return torch.tensor([[9.0, 0.0], [0.0, 9.0]])  # rain, then a whistle

    def read(prompts: list[str]) -> Tensor:
        return torch.tensor([[1.0, 0, 0, 0, 0, 1.0, 1.0, 0, 0, 0]] * len(prompts))  # rain, nothing else, single

    monkeypatch.setattr(generator.listener, "forward", hear)
    encode = generator.text.encode
    monkeypatch.setattr(generator.text, "encode", lambda prompts: type(encode(prompts))(read(prompts)))
    scores = generator.rank(["rain", "rain"], torch.randn(2, 16_000))
    assert scores is not None and scores[0] > 0.99 and scores[1] < 0.01


def test_models_open_by_folder_and_others_are_refused(folder: Path) -> None:
    assert load_generator(folder).sample_rate_hz == 16_000
    with pytest.raises(MissingError, match="pocket-vocoder"):
        load_generator(folder.parent / "vocoder")


def test_without_a_vocoder_griffin_lim_takes_its_place(tmp_path: Path) -> None:
    wave = PocketGenerator.from_folder(write_models(tmp_path, vocoder=False), "tiny").generate(
        ["rain"], [1], Sampling(duration_s=1)
    )
    assert wave.shape == (1, 16_000) and torch.isfinite(wave).all()


def test_a_silent_row_is_drawn_anew_and_the_others_stay(
    generator: PocketGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Tensor] = []
    decode = generator.autoencoder.decode

    def sample(condition: Condition, *rest: object) -> Tensor:
        asked.append(condition.pooled)
        return torch.zeros(len(condition.pooled), 8, 26)

    def first_time_silent(latent: Tensor) -> Tensor:
        mel = torch.zeros_like(decode(latent))
        mel[-1] -= 11.5 if len(asked) < 3 else 0
        return mel

    monkeypatch.setattr(generator, "_sample", sample)
    monkeypatch.setattr(generator.autoencoder, "decode", first_time_silent)
    wave = generator.generate(["rain", "whistle"], [1, 2], Sampling(duration_s=1))
    assert [len(rows) for rows in asked] == [2, 1, 1]
    assert torch.equal(asked[1], asked[0][1:]) and torch.equal(asked[2], asked[0][1:])
    assert wave.shape == (2, 16_000)


def test_the_denoiser_takes_the_fast_way_through_linear_layers(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onednn, "available", lambda: True)
    layers = list(PocketGenerator.from_folder(folder, "tiny").denoiser.modules())
    assert any(isinstance(layer, onednn.OneDNNLinear) for layer in layers)
    assert not any(type(layer) is torch.nn.Linear for layer in layers)
