"""Metrics by name, fed clip by clip, equal their functions."""

from __future__ import annotations

import numpy as np
import pytest

from audiojourney.errors import UsageError
from audiojourney.metrics.conventions import convention
from audiojourney.metrics.divergence import kl_divergence
from audiojourney.metrics.frechet import frechet_distance
from audiojourney.metrics.kernels import kernel_audio_distance
from audiojourney.metrics.names import NAMES
from audiojourney.metrics.neighbours import manifold
from audiojourney.metrics.sets import generation_metric

RANDOM = np.random.default_rng(0)
CLIPS = [RANDOM.normal(size=(2, 4)) for _ in range(30)], [RANDOM.normal(0.5, 1, (2, 4)) for _ in range(25)]
X, Y = (np.concatenate(side) for side in CLIPS)


def fed(name, *arguments):
    metric = generation_metric(name, *arguments)
    metric.update(CLIPS[0][:10], CLIPS[1][:20])
    metric.update(CLIPS[0][10:])
    metric.update(generated=CLIPS[1][20:])
    return metric.compute()


def test_every_name_builds_a_metric_that_keeps_it():
    for name in NAMES:
        assert generation_metric(name).name == name
    with pytest.raises(UsageError, match="which network"):
        generation_metric("fad")


def test_sets_fed_bit_by_bit():
    assert fed("fad_vggish").value == pytest.approx(frechet_distance(X, Y), rel=1e-10)
    assert fed("kad_panns").value == pytest.approx(kernel_audio_distance(X, Y), rel=1e-12)
    theirs = fed("kad_panns", convention("kadtk"))
    assert theirs.value == pytest.approx(kernel_audio_distance(X, Y, bandwidth="generated"), rel=1e-12)
    assert theirs.convention["bandwidth"] == "median of generated"
    for kind in ("precision", "recall", "density", "coverage"):
        assert fed(f"{kind}_pocket").value == getattr(manifold(X, Y), kind)
    assert fed("kad_panns").count == (30, 25)


def test_extrapolation_tells_its_line():
    result = fed("fad_inf_vggish")
    assert result.value < fed("fad_vggish").value
    assert result.convention["slope"] > 0 and not result.warnings
    metric = generation_metric("fd_inf_panns")
    metric.update(RANDOM.normal(size=(20, 30)), RANDOM.normal(size=(20, 30)))
    assert "too few rows" in metric.compute().warnings[0]


def test_divergences_by_name():
    a, b = RANDOM.normal(0, 2, (2, 12, 5))
    ids = [str(number) for number in range(12)]
    for name, options in (
        ("kl_panns", {}),
        ("kl_sigmoid_panns", {"activation": "sigmoid"}),
        ("kl_reverse_panns", {"direction": "generated_reference"}),
    ):
        metric = generation_metric(name)
        metric.update("reference", ids, a)
        metric.update("generated", ids, b)
        assert metric.compute().value == pytest.approx(kl_divergence(a, b, **options).mean(), rel=1e-12)


def test_empty_sides_are_told():
    metric = generation_metric("kad_vggish")
    metric.update(reference=[np.ones(3)])
    with pytest.raises(UsageError, match=r"kad_vggish.*1 and 0 came"):
        metric.compute()
    metric.update(generated=[np.full(3, np.nan)])
    with pytest.raises(UsageError, match="not finite"):
        metric.compute()
    metric.reset()
    with pytest.raises(UsageError, match="0 and 0"):
        metric.compute()
