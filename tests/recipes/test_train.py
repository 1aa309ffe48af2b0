"""A run folder from beginning to end."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from audiojourney.data.manifest import data_hash, read_clips
from audiojourney.errors import MissingError, UsageError
from audiojourney.recipes import run_folder
from audiojourney.recipes.train import run
from audiojourney.recipes.train_config import TrainConfig, resolve
from audiojourney.training.progress import Progress, read_log
from tests.recipes.tones import write_tones


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tones(tmp_path_factory.mktemp("data") / "clips")


def choose(clips: Path, output: Path, *settings: str, **flags) -> TrainConfig:
    base = ("loop.device=cpu", "loop.threads=1", "loop.steps=6", "adversary_start=3", "loop.log_every=2")
    flags = {"data": [clips], "output": output, **flags}
    return resolve("pretrain", preset="tiny/genau-vae", flags=flags, settings=(*base, *settings))


def weights(run_folder: Path) -> dict[str, torch.Tensor]:
    return load_file(run_folder / "final" / "model.safetensors")


def assert_equal(one: Path, other: Path) -> None:
    left, right = weights(one), weights(other)
    assert left.keys() == right.keys()
    for name, value in left.items():
        assert torch.equal(value, right[name]), name


def test_the_model_says_how_it_was_made(clips: Path, tmp_path: Path):
    report = run(choose(clips, tmp_path / "run", "licence=CC-BY-4.0"))
    assert report.reason == "finished"
    final = tmp_path / "run" / "final"
    assert {path.name for path in final.iterdir()} >= {
        "config.yaml",
        "model.safetensors",
        "provenance.json",
        "README.md",
    }
    made = json.loads((final / "provenance.json").read_text(encoding="utf-8"))
    assert made["data"]["sha256"] == data_hash(read_clips(clips))
    assert (made["data"]["clips"], made["data"]["hours"]) == (8, pytest.approx(8 / 3600))
    assert made["data"]["licences"] == {"CC-BY-4.0": 4, "CC0-1.0": 4}
    assert made["data"]["attribution"] == ["maker 0", "maker 1", "maker 2"]
    wanted = {"task": "genau/vae", "preset": "tiny/genau-vae", "steps": 6, "seed": 0, "licence": "CC-BY-4.0"}
    assert wanted.items() <= made.items()
    assert made["recipe"]["model"]["width"] == 32 and made["recipe"]["loop"]["lr"] == 1e-3
    card = (final / "README.md").read_text(encoding="utf-8")
    assert "6 steps, seed 0" in card and "CC0-1.0 (4)" in card


def test_the_same_settings_continue_and_others_are_refused(clips: Path, tmp_path: Path):
    whole, parts = choose(clips, tmp_path / "whole"), choose(clips, tmp_path / "parts")
    run(whole)
    short = replace(parts, loop=replace(parts.loop, stop_after_s=1e-6))
    assert run(short).step == 1
    with pytest.raises(UsageError, match=r"has loop.seed=0, this one 1. .*--exists overwrite"):
        run(choose(clips, tmp_path / "parts", "loop.seed=1"))
    with pytest.raises(UsageError, match=r"has kl_weight=1.0, this one 2.0"):
        run(choose(clips, tmp_path / "parts", "kl_weight=2"))
    with pytest.raises(UsageError, match=r"has data=\["):
        run(choose(clips / "metadata.jsonl", tmp_path / "parts"))
    assert run(replace(parts, loop=replace(parts.loop, save_every=2, keep_last=5))).step == 6
    assert_equal(tmp_path / "whole", tmp_path / "parts")
    lines = [line["step"] for line in read_log(tmp_path / "parts" / "log.jsonl") if line["kind"] == "train"]
    assert lines == [2, 4, 6]


def test_another_run_is_overwritten_only_when_asked(clips: Path, tmp_path: Path):
    run(choose(clips, tmp_path, "loop.seed=1"))
    before = weights(tmp_path)["encoder.conv_in.weight"]
    run(choose(clips, tmp_path, "loop.seed=2", exists="overwrite"))
    assert not torch.equal(before, weights(tmp_path)["encoder.conv_in.weight"])
    assert len(read_log(tmp_path / "log.jsonl")) == 5, "nothing of the earlier run is left"


def test_a_run_without_a_checkpoint_makes_room(clips: Path, tmp_path: Path):
    config = choose(clips, tmp_path, "loop.seed=1")
    run_folder.prepare(config)
    (tmp_path / "log.jsonl").write_text('{"kind": "run", "step": 0}\n', encoding="utf-8")
    assert run(choose(clips, tmp_path, "loop.seed=2")).step == 6
    assert len(read_log(tmp_path / "log.jsonl")) == 5


def test_overwrite_continues_the_same_run(clips: Path, tmp_path: Path):
    config = choose(clips, tmp_path, exists="overwrite")
    run(replace(config, loop=replace(config.loop, stop_after_s=1e-6)))
    assert run(config).step == 6
    assert [line["step"] for line in read_log(tmp_path / "log.jsonl") if line["kind"] == "run"] == [0, 1]


def test_a_folder_of_somebody_elses_is_left_alone(clips: Path, tmp_path: Path):
    (tmp_path / "thesis.txt").write_text("years", encoding="utf-8")
    for exists in ("error", "overwrite"):
        with pytest.raises(UsageError, match="holds files and is no run folder"):
            run(choose(clips, tmp_path, exists=exists))
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_seed_decides_the_first_weights(clips: Path, tmp_path: Path):
    torch.manual_seed(99)
    run(choose(clips, tmp_path / "a"))
    torch.manual_seed(1)
    run(choose(clips, tmp_path / "b"))
    run(choose(clips, tmp_path / "c", "loop.seed=5"))
    assert_equal(tmp_path / "a", tmp_path / "b")
    assert not torch.equal(
        weights(tmp_path / "a")["encoder.conv_in.weight"], weights(tmp_path / "c")["encoder.conv_in.weight"]
    )


def test_absent_data_is_named(tmp_path: Path):
    with pytest.raises(MissingError, match=r"no data at .*nowhere"):
        run(choose(tmp_path / "nowhere", tmp_path / "run"))


def test_two_processes_are_started_by_the_program(clips: Path, tmp_path: Path):
    report = run(choose(clips, tmp_path, nproc=2), Progress)
    assert (report.world_size, report.reason) == (2, "finished")
    assert read_log(tmp_path / "log.jsonl")[0]["world_size"] == 2
    made = json.loads((tmp_path / "final" / "provenance.json").read_text(encoding="utf-8"))
    assert made["processes"] == 2
