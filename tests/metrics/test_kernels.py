"""Kernel distances against the public programs' numbers."""

from __future__ import annotations

import json

import numpy as np
import pytest

from audiojourney.errors import UsageError
from audiojourney.metrics import kernels, rows
from audiojourney.metrics.conventions import convention
from audiojourney.metrics.kernels import kernel_audio_distance, kernel_inception_distance, median_distance

SETS = ("d16_full", "d16_rankdef", "d16_identical", "d128_full", "d128_rankdef", "d8_n2")


@pytest.fixture(scope="module")
def sets(shared_fixtures):
    return np.load(shared_fixtures / "metrics" / "frechet_sets.npz")


@pytest.fixture(scope="module")
def folder(shared_fixtures):
    return shared_fixtures / "metrics"


@pytest.mark.parametrize("name", SETS)
def test_kad_of_kadtk(sets, folder, name):
    public = json.loads((folder / "kad_values.json").read_text(encoding="utf-8"))[name]
    x, y = sets[f"{name}/x"], sets[f"{name}/y"]
    assert median_distance(x) == pytest.approx(public["median_bandwidth_reference"], rel=1e-6)
    assert median_distance(y) == pytest.approx(public["median_bandwidth_eval"], rel=1e-6)
    near = {"rel": 2e-6, "abs": 1e-9}
    default = kernel_audio_distance(x, y)
    assert default == pytest.approx(public["kadtk_bandwidth_from_reference_float64"], **near)
    theirs = kernel_audio_distance(x, y, bandwidth=convention("kadtk").kad_bandwidth)
    assert theirs == pytest.approx(public["kadtk_default_bandwidth_float64"], **near)
    assert theirs == pytest.approx(public["kadtk_default_bandwidth_float32"], rel=1e-4)
    for kernel in ("iq", "imq"):
        found = kernel_audio_distance(x, y, kernel=kernel)
        assert found == pytest.approx(public[f"kadtk_{kernel}_bandwidth_from_reference_float64"], **near)
    assert kernel_audio_distance(x, y, bandwidth=1.0) == pytest.approx(public["kadtk_bandwidth_1_float64"], **near)


KID_SETS = (
    "d16_full",
    "d16_identical",
    "d128_full",
    "d16_bigmean",
    "d16_constdim",
    "d32_illcond",
    "d2048_rankdef_relu",
)


@pytest.mark.parametrize("name", (*KID_SETS, "d128_rankdef"))
def test_kid_of_audioldm_eval(sets, folder, name):
    kid = json.loads((folder / "frechet_values.json").read_text(encoding="utf-8"))[name]["kid_audioldm_eval"]
    options = {"subsets": kid["subsets"], "subset_size": kid["subset_size"], "seed": kid["seed"]}
    found = kernel_inception_distance(sets[f"{name}/x"], sets[f"{name}/y"], **options)
    # With means near 1000 the cube of the products is 1e18, of which the public program keeps float32's seven digits.
    near = {"rel": 0.1} if name == "d16_bigmean" else {"rel": 1e-3, "abs": 1e-6}
    assert found == pytest.approx((kid["mean"], kid["std"]), **near)


def test_distances_in_blocks_equal_those_at_once(monkeypatch):
    random = np.random.default_rng(0)
    x, y = random.normal(1e3, 1, (50, 6)), random.normal(1e3, 2, (40, 6))
    whole = kernel_audio_distance(x, y)
    monkeypatch.setattr(rows, "BLOCK", 7)
    assert kernel_audio_distance(x, y) == pytest.approx(whole, rel=1e-12)
    pairs = np.linalg.norm(x[:, None] - x[None], axis=2)[np.triu_indices(50, 1)]
    assert median_distance(x) == pytest.approx(np.sort(pairs)[(len(pairs) - 1) // 2], rel=1e-9)


def test_same_kind_of_sets_has_no_bias():
    """The mean over many small pairs of sets of one kind is zero within its error; another kind is far above."""
    random = np.random.default_rng(1)
    same = [kernel_audio_distance(*random.normal(size=(2, 12, 4)), bandwidth=2.5) for _ in range(200)]
    assert abs(np.mean(same)) < 3 * np.std(same) / np.sqrt(len(same))
    other = kernel_audio_distance(random.normal(size=(40, 4)), random.normal(3, 1, (40, 4)))
    assert other > 10 * np.std(same)


def test_large_sets_take_the_median_of_drawn_rows(monkeypatch):
    x = np.random.default_rng(2).normal(size=(400, 5))
    whole = median_distance(x)
    monkeypatch.setattr(kernels, "MOST_ROWS", 150)
    assert median_distance(x) != whole
    assert median_distance(x) == pytest.approx(whole, rel=0.05)
    assert median_distance(x) == median_distance(x)


def test_what_cannot_be_measured_is_refused():
    x = np.random.default_rng(3).normal(size=(5, 3))
    with pytest.raises(UsageError, match="'gauss'"):
        kernel_audio_distance(x, x, kernel="gauss")
    with pytest.raises(UsageError, match="-1"):
        kernel_audio_distance(x, x, bandwidth=-1.0)
    with pytest.raises(UsageError, match="3 and with 2"):
        kernel_audio_distance(x, x[:, :2])
    with pytest.raises(UsageError, match="row 2"):
        kernel_audio_distance(x, np.where(np.arange(5)[:, None] == 2, np.nan, x))
    with pytest.raises(UsageError, match="1000 rows"):
        kernel_inception_distance(x, x)
    assert np.isfinite(kernel_audio_distance(np.ones((4, 3)), np.ones((4, 3))))
