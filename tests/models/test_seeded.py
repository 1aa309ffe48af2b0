"""Sampling by rows, each with a seed of its own."""

from __future__ import annotations

import pytest
import torch

from audiojourney.models.seeded import SeededSampling

LOGITS = torch.tensor([2.0, 1.0, 0.0, -1.0, -30.0])


def draws(count: int, **settings: float) -> torch.Tensor:
    """Draw a word in each of many rows."""
    processor = SeededSampling(range(count), [settings.pop("temperature", 1.0)] * count, **settings)
    return processor(torch.zeros(count, 1), LOGITS.repeat(count, 1)).argmax(1)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_words_are_drawn_as_likely_as_they_are(temperature: float):
    found = torch.bincount(draws(4000, temperature=temperature), minlength=5) / 4000
    torch.testing.assert_close(found, (LOGITS / temperature).softmax(0), atol=0.03, rtol=0)


def test_temperature_zero_takes_the_likeliest():
    assert set(draws(50, temperature=0.0).tolist()) == {0}


def test_unlikely_words_are_left_out():
    assert set(draws(500, top_p=0.7).tolist()) == {0, 1}
    assert set(draws(500, top_p=0.01).tolist()) == {0}
    assert set(draws(500, top_k=3).tolist()) == {0, 1, 2}


def test_a_row_does_not_depend_on_its_neighbours():
    together = SeededSampling([1, 2, 3], [1.0, 0.0, 1.0])
    alone = SeededSampling([3], [1.0])
    for _ in range(5):
        found = together(torch.zeros(3, 1), LOGITS.repeat(3, 1))
        assert torch.equal(found[2:], alone(torch.zeros(1, 1), LOGITS[None]))
    assert not torch.equal(found[0], found[2])
