"""`--dry-run` measures and leaves no trace."""

import math
from pathlib import Path

import pytest

from audiojourney.models.genau.vae1d import VAE1d
from audiojourney.recipes.rehearsal import rehearse
from audiojourney.recipes.train import build_task
from audiojourney.recipes.train_config import resolve
from tests.recipes.tones import write_tones


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tones(tmp_path_factory.mktemp("data") / "clips", count=9)


def tree(*folders: Path) -> dict[str, tuple[int, int]]:
    paths = [path for folder in folders for path in folder.rglob("*")]
    return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in paths if path.is_file()}


def test_nothing_is_touched(clips: Path, tmp_path: Path, isolated_home: Path):
    config = resolve("pretrain", preset="tiny/genau-vae", flags={"data": [clips], "output": tmp_path / "run"})
    before = tree(clips, tmp_path, isolated_home)
    rehearse(config)
    assert tree(clips, tmp_path, isolated_home) == before
    assert not (tmp_path / "run").exists()


def test_the_figures_are_those_of_the_run(clips: Path, tmp_path: Path):
    settings = ("loop.ema=0.9", "loop.batch=3", "loop.accumulate=2", "nproc=2")
    flags = {"data": [clips], "output": tmp_path / "run"}
    config = resolve("pretrain", preset="tiny/genau-vae", flags=flags, settings=settings)
    found = rehearse(config)
    task = build_task(config)
    assert isinstance(task.module, VAE1d)
    numbers = sum(param.numel() for param in task.module.parameters())
    judge = sum(param.numel() for param in task.adversary.parameters())
    assert (found.parameters, found.trainable, found.adversary) == (numbers, numbers, judge)
    # weight, gradient and two moments of each number, and the average
    assert found.weights_mb == pytest.approx(4e-6 * (5 * numbers + 4 * judge))
    assert found.batch == {"mel": "(3, 64, 64) float32"}
    assert (found.clips, found.examples) == (9, 20 * 3 * 2 * 2)
    assert found.hours == pytest.approx(9 / 3600)
    # the largest map alone is kept more than once in every residual block
    largest = 4e-6 * 3 * math.prod((32, 64))
    assert 10 * largest < found.activations_mb < 1000 * largest
