"""Learning rates against reference values and at the corners."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from audiojourney.training.schedule import learning_rate
from audiojourney.training.settings import LoopConfig


def test_stepwise_schedule_of_genau(shared_fixtures: Path):
    cases = json.loads((shared_fixtures / "genau" / "lr_schedule.json").read_text(encoding="utf-8"))["cases"]
    assert cases
    for case in cases:
        config = LoopConfig(
            steps=case["max_steps"],
            lr=case["lr"],
            lr_final=case["final_lr"],
            lr_every=case["update_every"],
            warmup=case["warmup_steps"],
        )
        rates = [learning_rate(config, step) for step in range(len(case["lr_at_step"]))]
        assert rates == pytest.approx(case["lr_at_step"], rel=1e-12)


@pytest.mark.parametrize("shape", ["constant", "linear", "cosine"])
def test_warmup_rises_to_the_full_rate_and_never_passes_it(shape: str):
    config = LoopConfig(steps=100, lr=1.0, warmup=10, lr_schedule=shape)
    rates = [learning_rate(config, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert all(after > before for before, after in pairwise(rates[:11]))
    assert rates[10] == max(rates) == 1.0


@pytest.mark.parametrize(("shape", "half", "end"), [("constant", 1.0, 1.0), ("linear", 0.6, 0.2), ("cosine", 0.6, 0.2)])
def test_decay_ends_at_the_final_rate(shape: str, half: float, end: float):
    config = LoopConfig(steps=100, lr=1.0, lr_final=0.2, lr_schedule=shape)
    assert learning_rate(config, 50) == pytest.approx(half)
    assert learning_rate(config, 100) == pytest.approx(end)
    assert learning_rate(config, 500) == pytest.approx(end), "it stays there"


def test_a_schedule_longer_than_the_run():
    whole = LoopConfig(steps=100, lr=1.0)
    part = LoopConfig(steps=10, lr_steps=100, lr=1.0)
    assert [learning_rate(part, step) for step in range(10)] == [learning_rate(whole, step) for step in range(10)]
