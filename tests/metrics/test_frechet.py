import json

import numpy as np
import pytest

from audiojourney.errors import AudioJourneyError, UsageError
from audiojourney.metrics.frechet import Gaussian, PrincipalAxes, frechet_distance

SETS = ("d16_full", "d16_rankdef", "d16_identical", "d16_bigmean", "d16_constdim", "d32_illcond", "d8_n2", "d128_full")


@pytest.fixture(scope="module")
def fixture(shared_fixtures):
    folder = shared_fixtures / "metrics"
    values = json.loads((folder / "frechet_values.json").read_text(encoding="utf-8"))
    return np.load(folder / "frechet_sets.npz"), values


def rows(seed, n, d, scale=1.0, shift=0.0):
    return np.random.default_rng(seed).normal(shift, scale, (n, d))


@pytest.mark.parametrize("name", (*SETS, "d128_rankdef", "d2048_rankdef_relu"))
def test_equals_the_high_precision_values(fixture, name):
    sets, values = fixture
    x, y, expected = sets[f"{name}/x"], sets[f"{name}/y"], values[name]
    found = frechet_distance(x, y)
    scale = float(np.var(x, axis=0).sum() + np.var(y, axis=0).sum())
    if "reference_mpmath_40digits" in expected:
        assert found == pytest.approx(float(expected["reference_mpmath_40digits"]), rel=1e-12, abs=1e-13 * scale)
    assert found == pytest.approx(float(expected["reference_float64_nuclear"]), rel=1e-10, abs=1e-12 * scale)


@pytest.mark.parametrize("name", ("d16_full", "d128_full", "d16_constdim"))
def test_agrees_with_the_public_routines(fixture, name):
    sets, values = fixture
    found = frechet_distance(sets[f"{name}/x"], sets[f"{name}/y"])
    for routine in ("frechet_audio_distance", "audioldm_eval_fad", "fadtk", "torchmetrics_formula"):
        assert found == pytest.approx(values[name][routine], rel=1e-4)


@pytest.mark.parametrize(("n", "d"), ((400, 24), (10, 24), (2, 1)))
def test_set_to_itself_is_zero(n, d):
    x = rows(0, n, d, shift=1000.0)
    assert frechet_distance(x, x) == 0
    assert [frechet_distance(y, y) for y in (rows(seed, n, d) for seed in range(20))] == [0] * 20
    assert frechet_distance(x, x[::-1]) == pytest.approx(0, abs=1e-9 * d)


def test_what_is_more_than_rounding_is_kept():
    x = rows(0, 400, 24)
    assert frechet_distance(x, x * (1 + 1e-5)) == pytest.approx(1e-10 * np.square(x).sum() / 399, rel=0.01)
    assert frechet_distance(x, x + 1e-9) == pytest.approx(24e-18, rel=1e-5)


def test_shift_adds_its_square_and_order_does_not_matter():
    x, y = rows(1, 200, 8), rows(2, 150, 8, scale=2.0)
    base = frechet_distance(x, y)
    assert frechet_distance(y, x) == pytest.approx(base, rel=1e-12)
    assert frechet_distance(x, y[::-1]) == pytest.approx(base, rel=1e-12)
    centred = y - y.mean(axis=0) + x.mean(axis=0)
    assert frechet_distance(x, centred + 3.0) - frechet_distance(x, centred) == pytest.approx(8 * 9.0, rel=1e-10)


def test_diagonal_gaussians_have_the_textbook_distance():
    a = Gaussian.of_statistics([0.0, 1.0], np.diag([4.0, 9.0]), 10)
    b = Gaussian.of_statistics([2.0, 1.0], np.diag([1.0, 16.0]), 10)
    assert frechet_distance(a, b) == pytest.approx(2.0**2 + (2 - 1) ** 2 + (3 - 4) ** 2, rel=1e-12)


@pytest.mark.parametrize("n", (300, 6))
def test_stored_statistics_give_the_same(n):
    x, y = rows(3, n, 12), rows(4, 200, 12, scale=1.5)
    stored = Gaussian.of_statistics(x.mean(axis=0), np.cov(x, rowvar=False), n)
    assert frechet_distance(stored, y) == pytest.approx(frechet_distance(x, y), rel=1e-10)
    assert Gaussian.of_rows(x).trace == pytest.approx(np.trace(np.cov(x, rowvar=False)), rel=1e-12)


def test_null_directions_add_nothing():
    x, y = rows(5, 40, 6), rows(6, 40, 6)
    padded = (np.pad(side, ((0, 0), (0, 500))) for side in (x, y))
    assert frechet_distance(*padded) == pytest.approx(frechet_distance(x, y), rel=1e-12)


def test_axes_are_orthonormal_and_keep_the_largest_variances():
    x = rows(7, 500, 6) * np.array([9, 1, 5, 0.1, 3, 0.5])
    axes = PrincipalAxes.of_rows(x, 3)
    assert np.allclose(axes.axes.T @ axes.axes, np.eye(3))
    assert np.var(axes.project(x), axis=0, ddof=1) == pytest.approx(
        np.linalg.eigvalsh(np.cov(x, rowvar=False))[::-1][:3], rel=1e-9
    )
    assert PrincipalAxes.of_rows(x[:4], 24).axes.shape == (6, 4)


@pytest.mark.parametrize(
    ("x", "y", "told"),
    (
        (np.zeros((1, 3)), np.zeros((5, 3)), r"\(1, 3\)"),
        (np.zeros(3), np.zeros((5, 3)), r"\(3,\)"),
        (np.full((4, 3), np.nan), np.zeros((5, 3)), "12 of 12"),
        (rows(0, 5, 3), rows(0, 5, 4), "3 and of 4"),
    ),
)
def test_sets_that_cannot_be_compared_are_refused(x, y, told):
    with pytest.raises(UsageError, match=told):
        frechet_distance(x, y)


def test_statistics_that_do_not_fit_are_refused():
    with pytest.raises(UsageError, match=r"\(3,\).*\(2, 2\)"):
        Gaussian.of_statistics(np.zeros(3), np.eye(2), 5)
    with pytest.raises(UsageError, match="0 principal axes"):
        PrincipalAxes.of_rows(rows(0, 5, 3), 0)


def test_a_distance_far_below_zero_is_not_hidden(monkeypatch):
    monkeypatch.setattr(np.linalg, "svd", lambda *args, **kwargs: np.array([1e6]))
    with pytest.raises(AudioJourneyError, match="no two sets"):
        frechet_distance(rows(0, 9, 3), rows(1, 9, 3))
