"""Settings of training: where they come from, and what is refused."""

from pathlib import Path

import pytest

from audiojourney import config as configuration
from audiojourney.errors import UsageError
from audiojourney.recipes.train_config import TrainConfig, presets, resolve

HERE = {"output": "run", "data": ["clips"]}


def choose(*settings: str, **options) -> TrainConfig:
    return resolve("pretrain", **{"preset": "tiny/genau-vae", "flags": HERE, "settings": settings, **options})


def test_each_layer_wins_over_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "mine.yaml"
    file.write_text("pretrain:\n  loop: {steps: 31, batch: 32, lr: 0.33, seed: 34}\n", encoding="utf-8")
    monkeypatch.setenv("AJ_BATCH", "42")
    monkeypatch.setenv("AJ_LR", "0.43")
    monkeypatch.setenv("AJ_SEED", "44")
    loop = choose("loop.seed=64", file=file, loop_flags={"lr": 0.53, "seed": 54, "dtype": None}).loop
    assert (loop.steps, loop.batch, loop.lr, loop.seed) == (31, 42, 0.53, 64)
    assert loop.betas == (0.5, 0.9), "what nobody else sets comes from the preset"
    assert loop.accumulate == 1, "and what it does not set from the dataclass"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("crop_frame=3",), "no setting 'crop_frame' in 'genau/vae'. Did you mean 'crop_frames'"),
        (("model.widht=3",), "no setting 'model.widht'. Did you mean 'model.width'|no setting 'model.widht'.*'width'"),
        (("loop.step=3",), "no setting 'loop.step'.*'steps'"),
        (("outptu=3",), "no setting 'outptu' in 'genau/vae'. Did you mean 'output'"),
        (("task=genau/vea",), "no task 'genau/vea'. Did you mean 'genau/vae'"),
        (("model.width=wide",), "model.width: got 'wide', expected a whole number"),
        (("loop.lr=0",), "loop.lr is 0"),
        (("nproc=0",), "--nproc is 0"),
        (("lora_rank=4",), "--lora-rank is 4"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_nearest(settings: tuple[str, ...], message: str):
    with pytest.raises(UsageError, match=message):
        choose(*settings)


def test_an_unknown_preset_offers_the_nearest():
    with pytest.raises(UsageError, match=r"no preset 'tiny/genau-va'\. Did you mean 'tiny/genau-vae'"):
        choose(preset="tiny/genau-va")


def test_without_a_preset_those_that_exist_are_named():
    with pytest.raises(UsageError, match=r"Nothing says what to pretrain.*genau/s.*pocket/generator.*tiny/genau"):
        choose(preset=None)


@pytest.mark.parametrize("preset", presets())
def test_every_preset_fits_its_task(preset: str):
    config = choose(preset=preset)
    assert config.table()["task"] == configuration.load_preset(preset)["task"]
    assert config.preset == preset


def test_the_saved_settings_make_the_same_run(tmp_path: Path):
    config = choose("kl_weight=2.5", "loop.ema=0.9")
    configuration.save(config.table(), tmp_path / "config.yaml")
    again = resolve("pretrain", file=tmp_path / "config.yaml", flags={"output": "elsewhere"})
    assert again.table() == config.table()
    assert again.table()["kl_weight"] == 2.5
