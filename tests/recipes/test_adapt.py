"""Fine-tuning: start from a model, whole or through a low-rank change."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from audiojourney.errors import UsageError
from audiojourney.models.load import load_generator
from audiojourney.recipes.adapt import recipe_of
from audiojourney.recipes.train import build_task, run
from audiojourney.recipes.train_config import TrainConfig, resolve
from tests.recipes.tones import write_tones

FAST = ("loop.device=cpu", "loop.threads=1", "loop.steps=2")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, an autoencoder and a generator on top of it."""
    place = tmp_path_factory.mktemp("made")
    clips = write_tones(place / "clips")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AJ_HOME", str(place / "home"))
        for preset, name, more in (
            ("tiny/genau-vae", "vae", ()),
            ("tiny/genau", "generator", (f"model.vae={place / 'vae'}", "sample_steps=1")),
        ):
            flags = {"data": [clips], "output": place / name}
            run(resolve("pretrain", preset=preset, flags=flags, settings=(*FAST, *more)))
    return place


def choose(made: Path, output: Path, *settings: str, **flags) -> TrainConfig:
    init = str(made / "generator")
    flags = {"data": [made / "clips"], "output": output, "init": init, **flags}
    return resolve("finetune", flags=flags, settings=settings, base=recipe_of(init))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "final" / "model.safetensors")


@pytest.mark.parametrize("init", ["generator", "generator/final"])
def test_settings_come_from_the_model_with_a_tenth_of_its_rate(made: Path, init: str):
    base = recipe_of(str(made / init))
    assert base["task"] == "genau/generator"
    assert base["loop"]["lr"] == pytest.approx(5e-4) and base["loop"]["lr_final"] == pytest.approx(1.5e-4)
    assert base["model"]["fit"]["patch_width"] == 32
    assert not {"data", "nproc", "init"} & base.keys()


def test_training_starts_from_the_given_weights(made: Path, tmp_path: Path):
    task = build_task(choose(made, tmp_path))
    for name, value in weights(made / "generator").items():
        assert torch.equal(task.module.state_dict()[name], value), name
    run(choose(made, tmp_path / "run"))
    assert not torch.equal(
        weights(tmp_path / "run")["to_patches.0.weight"], weights(made / "generator")["to_patches.0.weight"]
    )


def test_another_model_is_refused(made: Path, tmp_path: Path):
    config = choose(made, tmp_path, init=str(made / "vae"))
    with pytest.raises(UsageError, match=r"gives 0 of the .* tensors"):
        build_task(config)


def test_a_low_rank_run_leaves_a_plain_model(made: Path, tmp_path: Path):
    run(choose(made, tmp_path / "run", lora_rank=2))
    before, after = weights(made / "generator"), weights(tmp_path / "run")
    assert before.keys() == after.keys()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed, "something was learned"
    assert all(before[name].ndim == 2 for name in changed), "only matrices were"
    for name in changed:
        ranks = torch.linalg.matrix_rank((after[name] - before[name]).double(), rtol=1e-3)
        assert ranks <= 2, name
    waves = load_generator(tmp_path / "run").generate(["a tone"], [0], load_generator(tmp_path / "run").defaults)
    assert torch.isfinite(waves).all()


def test_a_low_rank_run_continues_bit_for_bit(made: Path, tmp_path: Path):
    run(choose(made, tmp_path / "whole", lora_rank=2))
    assert run(choose(made, tmp_path / "parts", "loop.stop_after_s=1e-6", lora_rank=2)).step == 1
    run(choose(made, tmp_path / "parts", lora_rank=2))
    whole, parts = weights(tmp_path / "whole"), weights(tmp_path / "parts")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
