"""Precision, recall, density and coverage against a plain count; cosines."""

from __future__ import annotations

import numpy as np
import pytest

from audiojourney.errors import UsageError
from audiojourney.metrics import rows
from audiojourney.metrics.neighbours import manifold
from audiojourney.metrics.similarity import ClapScore, cosines


def plain(x, y, k):
    """The definitions, one pair at a time."""

    def distance(a, b):
        return np.sqrt(((a - b) ** 2).sum())

    def reach(points):
        return [sorted(distance(a, b) for b in points)[k] for a in points]

    ball_x, ball_y = reach(x), reach(y)
    inside = np.array([[distance(a, b) <= r for b in y] for a, r in zip(x, ball_x, strict=True)])
    back = np.array([[distance(a, b) <= r for b, r in zip(y, ball_y, strict=True)] for a in x])
    return (inside.any(0).mean(), back.any(1).mean(), inside.sum() / (k * len(y)), inside.any(1).mean())


@pytest.mark.parametrize("k", (1, 3))
def test_equals_the_definitions(k, monkeypatch):
    monkeypatch.setattr(rows, "BLOCK", 8)
    random = np.random.default_rng(0)
    x, y = random.normal(size=(30, 3)), random.normal(0.7, 0.6, (25, 3))
    assert manifold(x, y, k) == pytest.approx(plain(x, y, k), abs=1e-12)


def test_same_and_foreign_sets():
    x = np.random.default_rng(1).normal(size=(60, 4))
    same = manifold(x, x)
    assert (same.precision, same.recall, same.coverage) == (1, 1, 1)
    assert same.density >= 1
    assert manifold(x, x + 100) == (0, 0, 0, 0)


def test_few_kinds_have_precision_without_recall():
    x = np.random.default_rng(2).normal(size=(200, 2))
    narrow = manifold(x, x[:20] * 0.01)
    assert narrow.precision == 1
    assert narrow.recall < 0.1 and narrow.coverage < 0.5


def test_too_few_rows_for_the_neighbour():
    with pytest.raises(UsageError, match="5 and 9 rows have no neighbour number 5"):
        manifold(np.zeros((5, 2)), np.zeros((9, 2)))


def test_cosines_and_their_stream():
    audio, text = np.array([[1.0, 0], [3, 4], [0, -2]]), np.array([[2.0, 0], [4, 3], [0, 5]])
    assert cosines(audio, text) == pytest.approx([1, 0.96, -1])
    metric = ClapScore("clap_laion")
    metric.update(audio[:2], text[:2])
    metric.update(audio[2:], text[2:])
    result = metric.compute()
    assert (result.value, result.count) == (pytest.approx(0.32), (3,))
    assert result.per_item == pytest.approx([1, 0.96, -1])
    metric.reset()
    with pytest.raises(UsageError, match="clap_laion"):
        metric.compute()


def test_embedding_without_direction_is_named():
    with pytest.raises(UsageError, match="prompt 1 is zero"):
        cosines(np.ones((2, 3)), np.array([[1.0, 0, 0], [0, 0, 0]]))
    with pytest.raises(UsageError, match="2 clips and 3 prompts"):
        cosines(np.ones((2, 3)), np.ones((3, 3)))
