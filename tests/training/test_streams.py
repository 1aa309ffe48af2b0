"""Random numbers follow from (seed, step, micro-batch, rank) and from nothing else."""

import itertools
from dataclasses import replace

import numpy as np
import torch

from audiojourney.training.settings import LoopConfig
from audiojourney.training.streams import ADVERSARY, LOSS, Prefetch, batch_stream, torch_stream
from tests.training.doubles import CurveTask

CONFIG = LoopConfig(steps=5, batch=3, accumulate=2, device="cpu")


def test_every_part_of_the_key_matters_and_only_the_key():
    keys = list(itertools.product((0, 1), repeat=4))
    draws = [batch_stream(replace(CONFIG, seed=seed), *rest).random() for seed, *rest in keys]
    assert len(set(draws)) == len(keys)
    assert draws == [batch_stream(replace(CONFIG, seed=seed), *rest).random() for seed, *rest in keys]
    noise = [float(torch.rand((), generator=torch_stream(CONFIG, 0, 0, 0, use))) for use in (LOSS, ADVERSARY)]
    assert len({*noise, *draws}) == len(keys) + 2


def test_dropout_is_seeded_with_the_stream():
    values = []
    for _ in range(2):
        torch.manual_seed(torch.seed() % 1000)
        torch_stream(CONFIG, 3, 1, 0, LOSS)
        values.append(float(torch.rand(())))
    assert values[0] == values[1]


def test_batches_drawn_ahead_equal_batches_drawn_on_demand():
    task = CurveTask()
    with Prefetch(task, CONFIG, rank=1, first=2) as batches:
        ahead = [batches.next() for _ in range(3)]
    for step, micros in zip((2, 3, 4), ahead, strict=True):
        for micro, batch in enumerate(micros):
            np.testing.assert_array_equal(batch["x"], task.batch(batch_stream(CONFIG, step, micro, 1), 3)["x"])


def test_nothing_is_drawn_past_the_last_step():
    drawn = []

    class Counting(CurveTask):
        def batch(self, rng: np.random.Generator, size: int) -> dict:
            drawn.append(size)
            return super().batch(rng, size)

    with Prefetch(Counting(), CONFIG, rank=0, first=0) as batches:
        for _ in range(CONFIG.steps):
            batches.next()
        assert batches.waiting is None
    assert len(drawn) == CONFIG.steps * CONFIG.accumulate
