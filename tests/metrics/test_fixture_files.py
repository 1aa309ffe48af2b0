"""Every public number that the shared fixtures hold for distances, and that no file of theirs goes unused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from audiojourney.metrics.frechet import Gaussian, frechet_distance
from audiojourney.metrics.kernels import kernel_inception_distance
from audiojourney.metrics.streams import GroupedGaussian

ROUTINES = (
    "frechet_audio_distance",
    "audioldm_eval_fad",
    "audioldm_eval_fid",
    "fadtk",
    "torchmetrics_formula",
    "eigh_cov_form_float64",
)
SETS = (
    "d16_full",
    "d16_rankdef",
    "d16_identical",
    "d16_bigmean",
    "d16_constdim",
    "d32_illcond",
    "d8_n2",
    "d128_full",
    "d128_rankdef",
    "d2048_rankdef_relu",
)


@pytest.fixture(scope="module")
def values(shared_fixtures):
    return json.loads((shared_fixtures / "metrics" / "frechet_values.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def sets(shared_fixtures):
    return np.load(shared_fixtures / "metrics" / "frechet_sets.npz")


def test_every_file_is_used_by_a_test(shared_fixtures):
    folder = Path(__file__).parents[1]
    text = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("test_*.py"))
    names = {path.name for path in (shared_fixtures / "metrics").iterdir()} - {"README.md"}
    unused = {name for name in names if name not in text.replace("{rate}", "16k") + text.replace("{rate}", "32k")}
    assert unused == set()


def test_every_set_is_measured(values, sets):
    assert set(values) == set(SETS) == {name.partition("/")[0] for name in sets.files}


@pytest.mark.parametrize("name", SETS)
def test_all_public_routines_agree(values, sets, name):
    x, y, public = sets[f"{name}/x"], sets[f"{name}/y"], values[name]
    assert (public["n_x"], public["d"], public["n_y"]) == (*x.shape, len(y))
    found = frechet_distance(x, y)
    for routine in ROUTINES:
        assert found == pytest.approx(public[routine], rel=1e-4, abs=1e-11), routine
    assert public.get("kid_audioldm_eval") is not None or min(public["n_x"], public["n_y"]) < 50


@pytest.mark.parametrize("name", [name for name in SETS if name not in ("d8_n2", "d16_rankdef", "d2048_rankdef_relu")])
def test_stored_statistics_agree_as_those_of_other_programs_do(values, sets, name):
    x, y = (sets[f"{name}/{side}"].astype(np.float64) for side in "xy")
    gaussians = [Gaussian.of_statistics(s.mean(axis=0), np.cov(s, rowvar=False), len(s)) for s in (x, y)]
    expected = float(values[name].get("reference_mpmath_40digits", values[name]["reference_float64_nuclear"]))
    assert frechet_distance(*gaussians) == pytest.approx(expected, rel=1e-7, abs=1e-6)


@pytest.mark.parametrize("name", SETS)
def test_groups_of_clips_agree(values, sets, name):
    sides = []
    for side in "xy":
        rows = sets[f"{name}/{side}"]
        grouped = GroupedGaussian(len(rows), seed=3)
        for row in rows:
            grouped.update(row)
        sides.append(grouped.gaussian())
    scale = sides[0].trace + sides[1].trace
    expected = float(values[name].get("reference_mpmath_40digits", values[name]["reference_float64_nuclear"]))
    assert frechet_distance(*sides) == pytest.approx(expected, rel=1e-8, abs=1e-12 * scale)


@pytest.mark.parametrize("name", ("d16_full", "d128_rankdef", "d32_illcond"))
@pytest.mark.parametrize("seed", (0, 1))
def test_turned_and_scaled_sets_have_the_same_distance(sets, name, seed):
    x, y = (sets[f"{name}/{side}"].astype(np.float64) for side in "xy")
    random = np.random.default_rng(seed)
    turn = np.linalg.qr(random.normal(size=(x.shape[1], x.shape[1])))[0]
    base, shift = frechet_distance(x, y), random.normal(size=x.shape[1])
    assert frechet_distance(x @ turn, y @ turn) == pytest.approx(base, rel=1e-9)
    assert frechet_distance(x + shift, y + shift) == pytest.approx(base, rel=1e-9)
    assert frechet_distance(3 * x, 3 * y) == pytest.approx(9 * base, rel=1e-9)
    order = random.permutation(len(x))
    assert frechet_distance(x[order], y) == pytest.approx(base, rel=1e-10)


def test_kid_of_sets_too_small_for_its_parts_has_no_public_value(values, sets):
    for name in SETS:
        if values[name].get("kid_audioldm_eval") is None:
            assert min(values[name]["n_x"], values[name]["n_y"]) < 50
    found = kernel_inception_distance(sets["d16_full/x"], sets["d16_full/x"], subsets=5, subset_size=40, seed=1)
    assert abs(found[0]) < 0.2
