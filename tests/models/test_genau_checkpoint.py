"""Checkpoints in the published layout: they load, they run, and what is wrong with them is named."""

from __future__ import annotations

import pickle
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from audiojourney.diffusion.schedule import NoiseSchedule
from audiojourney.errors import AudioJourneyError, MissingError, UsageError
from audiojourney.models.base import Condition, Sampling
from audiojourney.models.genau import published
from audiojourney.models.genau.checkpoint import Checkpoint, load_fit, load_genau, load_ranker
from audiojourney.models.genau.pipeline import SAMPLERS, GenAuGenerator, GenAuOptions
from audiojourney.models.genau.state import read_state, unwrapped
from audiojourney.models.load import load_generator
from tests.models.official_layout import (
    FIT_TINY,
    SCALE,
    generator_state,
    laion_state,
    tiny_clap,
    tiny_fit,
    tiny_t5,
    tiny_vae,
    tiny_vocoder,
    with_weight_norm,
    write_official,
)

QUICK = Sampling(steps=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_official(tmp_path_factory.mktemp("published"))


@pytest.fixture(scope="module")
def generator(folder: Path) -> GenAuGenerator:
    return load_genau(folder)


class StandIn(torch.nn.Module):
    """A conditioner without text encoders."""

    def encode(self, prompts: list[str]) -> Condition:
        return Condition(torch.ones(len(prompts), 40))


def test_every_part_has_its_published_values(generator: GenAuGenerator):
    for part, original in (
        (generator.fit, tiny_fit()),
        (generator.vae, tiny_vae()),
        (generator.vocoder, tiny_vocoder()),
        (generator.conditioner.clap.model, tiny_clap()),
        (generator.conditioner.t5.model, tiny_t5()),
    ):
        found, expected = part.state_dict(), original.state_dict()
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[name], expected[name]) for name in expected)
    assert generator.vae.scale_factor.item() == SCALE
    assert generator.fit.config.group == FIT_TINY.group
    assert generator.name == "genau-full-tiny"


def test_ranking_uses_the_second_clap(folder: Path):
    ranker = load_ranker(Checkpoint.open(folder))
    expected = tiny_clap(seed=6).state_dict()
    assert all(torch.equal(tensor, expected[name]) for name, tensor in ranker.model.state_dict().items())


def test_prompts_become_sounds_of_the_asked_length(generator: GenAuGenerator):
    steps: list[tuple[int, int]] = []
    wave = generator.generate(["rain", "a dog"], [1, 2], Sampling(steps=4, duration_s=0.5), lambda *s: steps.append(s))
    assert wave.shape == (2, 8000)
    assert wave.dtype == torch.float32
    torch.testing.assert_close(wave.abs().amax(1), torch.full((2,), 0.8))
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert generator.generate(["rain"], [1], QUICK).shape == (1, round(16_000 * generator.max_duration_s))


def test_a_row_depends_on_its_own_prompt_and_seed(generator: GenAuGenerator):
    both = generator.generate(["rain", "a dog"], [1, 2], QUICK)
    assert torch.equal(generator.generate(["rain", "a dog"], [1, 2], QUICK), both)
    torch.testing.assert_close(generator.generate(["a dog"], [2], QUICK)[0], both[1], atol=1e-4, rtol=1e-4)
    latent = generator.sample_latents(["rain"], [1], QUICK)
    for prompt, seed in (("rain", 3), ("a cat", 1)):
        assert not torch.allclose(generator.sample_latents([prompt], [seed], QUICK), latent, rtol=0.01)


def test_official_settings_are_the_defaults(generator: GenAuGenerator):
    assert generator.defaults == Sampling(steps=100, guidance=4.0, sampler="ddim")
    assert GenAuOptions().eta == 1.0
    explicit = Sampling(steps=2, guidance=4.0, sampler="ddim")
    found = generator.sample_latents(["rain"], [1], QUICK)
    assert torch.equal(found, generator.sample_latents(["rain"], [1], explicit))


def test_steps_are_the_official_ones_with_noise_at_the_last(generator: GenAuGenerator):
    """Times 901, 801, ..., 1; noise at each of them; the last step ends at the first abar instead of at 1."""
    times: list[int] = []

    def run(last_noise: float) -> tuple[torch.Tensor, int]:
        draws = [torch.ones(1, 8, 32)] * 10 + [torch.full((1, 8, 32), last_noise)]
        remaining = iter(draws)

        def denoise(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
            times.append(int(t))
            return torch.zeros_like(x)

        return generator._run(denoise, lambda: next(remaining), Sampling(steps=10), None), len(list(remaining))

    (one, left), (two, _) = run(1.0), run(2.0)
    assert times[:10] == [901, 801, 701, 601, 501, 401, 301, 201, 101, 1]
    assert left == 0
    abar = NoiseSchedule.scaled_linear().alphas_cumprod
    sigma = ((1 - abar[0]) / (1 - abar[1]) * (1 - abar[1] / abar[0])).sqrt().float()
    torch.testing.assert_close(two - one, torch.full_like(one, sigma), atol=1e-5, rtol=1e-3)
    assert sigma > 0.02


def test_negative_prompts_and_guidance_matter(generator: GenAuGenerator):
    plain = generator.sample_latents(["rain"], [1], QUICK)
    for other in (Sampling(steps=2, negative="a dog"), Sampling(steps=2, guidance=1.0), Sampling(steps=4)):
        assert not torch.allclose(generator.sample_latents(["rain"], [1], other), plain, rtol=0.01)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_every_offered_sampler_runs(generator: GenAuGenerator, sampler: str):
    wave = generator.generate(["rain"], [1], Sampling(steps=4, sampler=sampler))
    assert torch.isfinite(wave).all()


@pytest.mark.parametrize(
    ("prompts", "sampling", "message"),
    [
        (["rain"], Sampling(sampler="euler"), "cannot use the sampler 'euler'"),
        (["rain"], Sampling(duration_s=11.0), r"11.0 s cannot be made: genau-full-tiny makes up to 1.28 s"),
        (["rain"], Sampling(duration_s=0.0), "0.0 s cannot be made"),
        (["rain", "dog"], Sampling(), "2 prompts need as many seeds, got 1"),
        (["rain"], Sampling(steps=600), "600"),
    ],
)
def test_impossible_wishes_are_refused(generator: GenAuGenerator, prompts: list[str], sampling: Sampling, message: str):
    with pytest.raises(UsageError, match=message):
        generator.generate(prompts, [1], sampling)


def test_options_of_the_pipeline(folder: Path, generator: GenAuGenerator):
    plain = generator.generate(["rain"], [1], QUICK)
    noisy = load_genau(folder, options=GenAuOptions(official_noise=True))
    assert not torch.equal(noisy.generate(["rain"], [1], QUICK), plain)
    half = load_genau(folder, options=GenAuOptions(bf16=True)).sample_latents(["rain"], [1], QUICK)
    exact = generator.sample_latents(["rain"], [1], QUICK)
    assert 0 < ((half - exact).norm() / exact.norm()).item() < 0.1
    short = load_genau(folder, options=GenAuOptions(whole=False))
    assert short.sample_latents(["rain"], [1], Sampling(steps=2, duration_s=0.4)).shape == (1, 8, 16)
    assert short.generate(["rain"], [1], Sampling(steps=2, duration_s=0.4)).shape == (1, 6400)
    assert load_genau(folder, dataset="mine").conditioner.encode(["rain"]).dataset_ids.tolist() == [12]


def test_a_folder_opens_like_any_other_model(folder: Path, generator: GenAuGenerator):
    opened = load_generator(folder, dtype="bf16")
    assert isinstance(opened, GenAuGenerator)
    assert opened.options.bf16
    opened.place("cpu", "fp32")
    assert torch.equal(opened.sample_latents(["rain"], [1], QUICK), generator.sample_latents(["rain"], [1], QUICK))
    with pytest.raises(UsageError, match="'fp16'"):
        opened.place("cpu", "fp16")


def test_bfloat16_weights_are_made_once(folder: Path):
    half = load_genau(folder, options=GenAuOptions(bf16=True))
    casts = []
    for steps in (2, 4):
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], record_shapes=True) as profile:
            half.generate(["rain"], [1], Sampling(steps=steps))
        shape = list(half.fit.blocks[0].global_layers[0][1].net[0].weight.shape)
        events = profile.key_averages(group_by_input_shape=True)
        casts.append(sum(e.count for e in events if e.key == "aten::_to_copy" and e.input_shapes[:1] == [shape]))
    assert casts[0] == casts[1] > 0


def test_sampling_during_training_leaves_weights_trainable():
    """Tasks draw sample sounds from the very network that they train."""
    fit = tiny_fit()
    generator = GenAuGenerator(fit, tiny_vae(), tiny_vocoder(), StandIn())
    generator.generate(["rain"], [1], QUICK)
    assert all(parameter.requires_grad for parameter in fit.parameters())


def test_rank_is_the_similarity_of_the_second_clap(generator: GenAuGenerator):
    wave = torch.randn(2, 16_000, generator=torch.Generator().manual_seed(0)) * 0.1
    scores = generator.rank(["rain", "a dog"], wave)
    assert scores.shape == (2,)
    assert scores.abs().max() <= 1 + 1e-5
    clap = generator._clap
    torch.testing.assert_close(scores[1], (clap.text(["a dog"])[0] * clap.audio(wave[1:], 16_000)[0]).sum())
    assert generator.familiarity("rain") is None


def test_vae_latents_are_decoded_at_the_scale_of_the_checkpoint(tmp_path: Path, generator: GenAuGenerator):
    state = generator_state()
    state["scale_factor"] = torch.tensor([2 * SCALE])
    other = load_genau(write_official(tmp_path, state))
    latent = torch.randn(1, 8, 32, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(other.render(2 * latent, 2000), generator.render(latent, 2000))
    assert not torch.allclose(other.render(latent, 2000), generator.render(latent, 2000))


def test_parts_in_files_of_their_own(tmp_path: Path, generator: GenAuGenerator):
    """A checkpoint with the FIT alone; everything else lies beside it in the published files."""
    state = generator_state()
    kept = {k: v for k, v in state.items() if k.startswith("model.") or k in ("scale_factor", "alphas_cumprod")}
    folder = write_official(tmp_path, kept)
    vae = {name: tensor for name, tensor in tiny_vae().state_dict().items() if name != "scale_factor"}
    torch.save({"state_dict": {**vae, "loss.logvar": torch.zeros(())}}, folder / "1dvae_64_344999.ckpt")
    vocoder = {f"_orig_mod.{k}": v for k, v in with_weight_norm(tiny_vocoder().state_dict()).items()}
    torch.save({"generator": vocoder}, folder / "hifigan_16k_64bins.ckpt")
    clap = {f"module.{name}": tensor for name, tensor in laion_state(tiny_clap()).items()}
    torch.save({"epoch": 1, "state_dict": clap}, folder / "clap_htsat_tiny.pt")
    (folder / "flan-t5-large-weights").mkdir()
    t5 = {k: v for k, v in tiny_t5().state_dict().items() if "embed_tokens" not in k}
    save_file(t5, folder / "flan-t5-large-weights" / "model.safetensors")
    found = load_genau(folder)
    expected = generator.generate(["rain"], [1], QUICK)
    torch.testing.assert_close(found.generate(["rain"], [1], QUICK), expected, atol=1e-4, rtol=1e-3)


def test_absent_parts_are_fetched_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    state = {k: v for k, v in generator_state().items() if not k.startswith("clap.")}
    folder, asked = write_official(tmp_path, state), []

    def fetch(repo: str, files: tuple[str, ...]) -> Path:
        asked.append((repo, files))
        raise MissingError(f"no {repo}")

    monkeypatch.setattr(published, "fetch", fetch)
    generator = load_genau(folder)
    assert asked == []
    with pytest.raises(MissingError, match="no lukewys/laion_clap"):
        generator.rank(["rain"], torch.zeros(1, 1600))
    assert asked == [("lukewys/laion_clap", ("music_speech_audioset_epoch_15_esc_89.98.pt",))]


@pytest.mark.parametrize(
    ("spoil", "error", "message"),
    [
        (lambda s: s.pop("scale_factor"), MissingError, "lacks 'scale_factor'"),
        (lambda s: s.pop("model.diffusion_model._orig_mod.latents"), MissingError, "lacks 'latents'"),
        (
            lambda s: s.pop("model.diffusion_model._orig_mod.blocks.1.global_layers.0.0.to_q.weight"),
            MissingError,
            "FIT lacks blocks.1.global_layers.0.0.to_q.weight",
        ),
        (
            lambda s: s.update({"model.diffusion_model.blocks.0.extra": torch.zeros(1)}),
            UsageError,
            "FIT has tensors that fit nowhere: blocks.0.extra",
        ),
        (
            lambda s: s.update({"model.diffusion_model._orig_mod.patch_to_pixels.1.bias": torch.zeros(3)}),
            UsageError,
            r"FIT has other sizes: patch_to_pixels.1.bias \(3,\) instead of \(8,\)",
        ),
        (
            lambda s: s.pop("first_stage_model.encoder.conv_out.bias"),
            MissingError,
            "autoencoder lacks encoder.conv_out",
        ),
        (lambda s: s.pop("first_stage_model.vocoder.conv_post.bias"), MissingError, "vocoder lacks conv_post.bias"),
        (lambda s: s.update(alphas_cumprod=torch.linspace(1, 0, 1000)), UsageError, "another noise schedule"),
        (
            lambda s: [s.pop(name) for name in list(s) if name.startswith("model.")],
            MissingError,
            "no tensors under 'model.diffusion_model.'",
        ),
    ],
)
def test_what_is_wrong_with_a_checkpoint_is_named(tmp_path: Path, spoil, error: type[Exception], message: str):
    state = generator_state()
    spoil(state)
    with pytest.raises(error, match=message):
        load_genau(write_official(tmp_path, state))


def test_the_yaml_file_must_be_of_this_checkpoint(tmp_path: Path):
    folder = write_official(tmp_path)
    path = folder / "genau-full-tiny.yaml"
    path.write_text(path.read_text("utf-8").replace("latent_count: 16", "latent_count: 64"), encoding="utf-8")
    with pytest.raises(UsageError, match="say latent_count 64, the tensors 16"):
        load_genau(folder)


def test_group_size_must_be_told(tmp_path: Path):
    """No tensor shows it: another value that fits loads cleanly and gives something else, so none is guessed."""
    folder = write_official(tmp_path)
    right = load_fit(Checkpoint.open(folder), 8)
    path = folder / "genau-full-tiny.yaml"
    path.write_text(path.read_text("utf-8").replace("group_size: [1, 8, 1]", "group_size: 16"), encoding="utf-8")
    wrong = load_fit(Checkpoint.open(folder), 8)
    x, t = torch.randn(1, 8, 32, generator=torch.Generator().manual_seed(0)), torch.tensor([500])
    with torch.no_grad():
        outputs = [fit(x, t, Condition(torch.zeros(1, 40))) for fit in (right, wrong)]
    assert not torch.allclose(*outputs, rtol=0.01)
    path.unlink()
    with pytest.raises(MissingError, match="group size cannot be read from weights"):
        load_genau(folder)
    with pytest.raises(UsageError, match="not a multiple of dim_head 64"):  # published heads are 64 wide
        load_fit(Checkpoint.open(folder, group=8), 8)


def test_several_checkpoints_need_a_name(tmp_path: Path):
    folder = write_official(tmp_path)
    write_official(folder, name="genau-full-other")
    with pytest.raises(UsageError, match="holds 2 checkpoints: genau-full-other, genau-full-tiny"):
        load_genau(folder)
    assert Checkpoint.open(folder, "genau-full-other").name == "genau-full-other"
    with pytest.raises(MissingError, match="holds no GenAu checkpoint 'genau-full-x'"):
        load_genau(folder, name="genau-full-x")


@pytest.mark.parametrize("zipped", [True, False])
def test_old_formats_and_numbers_of_numpy_are_read(tmp_path: Path, zipped: bool):
    path = tmp_path / "x.pt"
    content = {"state_dict": {"module.a": torch.ones(3)}, "loss": np.float64(0.5), "epoch": np.int64(3)}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    assert torch.equal(read_state(path)["a"], torch.ones(3))


def test_numpy_one_names_are_read(tmp_path: Path):
    """Files of numpy 1 speak of numpy.core, those of numpy 2 of numpy._core."""
    path = tmp_path / "x.pt"
    torch.save({"state_dict": {"a": torch.ones(3)}, "x": np.float64(0.5)}, path, _use_new_zipfile_serialization=False)
    path.write_bytes(path.read_bytes().replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    assert torch.equal(read_state(path)["a"], torch.ones(3))


class Secret:
    """Some object of a training program."""


def test_pickled_objects_are_refused_with_a_way_out(tmp_path: Path):
    path = tmp_path / "x.ckpt"
    torch.save({"state_dict": {"a": torch.zeros(1)}, "hyper_parameters": Secret()}, path)
    with pytest.raises(UsageError, match=r"pickled objects.*Secret.*not loaded.*save its 'state_dict' alone"):
        read_state(path)


class Bomb:
    def __reduce__(self):
        return (Path("bomb-went-off").touch, ())


def test_no_code_runs_while_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": {"a": torch.zeros(1)}, "x": Bomb()}, tmp_path / "x.ckpt")
    with pytest.raises(UsageError):
        read_state(tmp_path / "x.ckpt")
    assert not (tmp_path / "bomb-went-off").exists()


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (b"", AudioJourneyError, "cannot be read"),
        (b"not a checkpoint at all", AudioJourneyError, "pickled objects|cannot be read"),
        (pickle.dumps({"a": 1}), AudioJourneyError, "x.ckpt"),
    ],
)
def test_files_that_are_no_checkpoints(tmp_path: Path, content: bytes, error: type[Exception], message: str):
    (tmp_path / "x.ckpt").write_bytes(content)
    with pytest.raises(error, match=message):
        read_state(tmp_path / "x.ckpt")


def test_checkpoints_without_tensors(tmp_path: Path):
    torch.save({"epoch": 3}, tmp_path / "x.ckpt")
    with pytest.raises(UsageError, match="holds no tensors by name"):
        read_state(tmp_path / "x.ckpt")
    with pytest.raises(MissingError, match="absent"):
        read_state(tmp_path / "y.ckpt")


def test_wrappers_are_taken_off():
    names = ["_orig_mod.a", "module.b", "model._orig_mod.c", "module._orig_mod.d", "model.module.e"]
    assert list(unwrapped(OrderedDict.fromkeys(names))) == ["a", "b", "model.c", "d", "model.module.e"]
