"""Inception score and KL divergence against the public programs' numbers, and what must hold for any logits."""

from __future__ import annotations

import json

import numpy as np
import pytest

from audiojourney.errors import UsageError
from audiojourney.metrics.conventions import CONVENTIONS, convention
from audiojourney.metrics.divergence import KLDivergence, kl_divergence
from audiojourney.metrics.inception import Inception, inception_score
from audiojourney.metrics.rows import pair

SETS = ("c527", "c10", "tiny_n5")


@pytest.fixture(scope="module")
def logits(shared_fixtures):
    return np.load(shared_fixtures / "metrics" / "is_kl_logits.npz")


@pytest.fixture(scope="module")
def values(shared_fixtures):
    return json.loads((shared_fixtures / "metrics" / "is_kl_values.json").read_text(encoding="utf-8"))


def sides(logits, name):
    """Both sides with their ids, the generated one as stored, in another order."""
    ids = [f"clip_{number:03d}.wav" for number in range(len(logits[f"{name}/ref"]))]
    return ids, logits[f"{name}/ref"], [ids[i] for i in logits[f"{name}/gen_order"]], logits[f"{name}/gen"]


@pytest.mark.parametrize("name", SETS)
def test_inception_scores_of_audioldm_eval(logits, values, name):
    generated, public = logits[f"{name}/gen"], values[name]
    for splits, shuffle in ((1, True), (10, True), (10, False)):
        expected = public[f"is_audioldm_eval_splits{splits}_shuffle{shuffle}_seed2020"]
        if expected["inception_score_mean"] == "nan":
            with pytest.raises(UsageError, match="5 clips cannot be cut into 10 splits"):
                inception_score(generated, splits=splits, seed=2020)
            continue
        found = inception_score(generated, splits=splits, seed=2020 if shuffle else None)
        assert found.mean == pytest.approx(expected["inception_score_mean"], rel=1e-9)
        assert found.std == pytest.approx(expected["inception_score_std"], rel=1e-9, abs=1e-12)


def test_certain_and_distinct_clips_score_their_number(logits, values):
    onehot = logits["onehot/logits"]
    assert inception_score(onehot).mean == pytest.approx(values["onehot"]["is_splits1"]["inception_score_mean"])
    expected = values["onehot"]["is_splits10"]
    for seed in (2020, None):
        found = inception_score(onehot, splits=10, seed=seed)
        assert found == pytest.approx((expected["inception_score_mean"], expected["inception_score_std"]))


def test_equal_clips_score_one_and_no_class_may_vanish():
    assert inception_score(np.tile([3.0, 1.0, -2.0], (6, 1))).mean == pytest.approx(1.0)
    huge = np.array([[1e4, 0, -1e4], [0, 1e4, -1e4]])
    assert inception_score(huge).mean == pytest.approx(2.0)


@pytest.mark.parametrize("name", SETS)
def test_divergences_of_the_public_programs(logits, values, name):
    ids, reference, names, generated = sides(logits, name)
    generated = generated[pair(ids, names).generated]
    public = values[name]

    def found(**options):
        return float(kl_divergence(reference, generated, **options).mean())

    audioldm = public["kl_audioldm_eval"]
    assert found() == pytest.approx(audioldm["kullback_leibler_divergence_softmax"], rel=2e-6)
    assert found() == pytest.approx(public["kl_audiocraft"]["kld_pq"], rel=2e-6)
    sigmoid = audioldm["kullback_leibler_divergence_sigmoid"]
    assert found(activation="sigmoid") == pytest.approx(sigmoid, rel=2e-5, abs=1e-6)
    reverse = found(direction="generated_reference")
    assert reverse == pytest.approx(public["kl_audiocraft"]["kld_qp"], rel=2e-6)
    assert reverse == pytest.approx(public["kl_stable_audio_metrics_formula"], rel=2e-6)
    assert found(floor=0) == pytest.approx(public["kl_exact_float64_softmax_ref_to_gen"], rel=1e-10)
    exact = public["kl_exact_float64_sigmoid_unnormalised_ref_to_gen"]
    assert found(floor=0, activation="sigmoid") == pytest.approx(exact, rel=1e-10)


def test_floor_caps_a_clip(logits, values):
    onehot = logits["onehot/logits"]
    for activation in ("softmax", "sigmoid"):
        expected = values["onehot"]["kl_gen_vs_reversed_rows"][f"kullback_leibler_divergence_{activation}"]
        found = kl_divergence(onehot, onehot[::-1], activation=activation).mean()
        assert found == pytest.approx(expected, rel=1e-6)
        assert found <= -np.log(1e-6) + 1e-9


@pytest.mark.parametrize("name", SETS)
def test_stream_pairs_by_id_in_any_order(logits, values, name):
    ids, reference, names, generated = sides(logits, name)
    metric = KLDivergence("kl_panns", convention("audioldm_eval"))
    for half in (slice(None, 3), slice(3, None)):
        metric.update("generated", names[half], generated[half])
    metric.update("reference", ids, reference)
    result = metric.compute()
    public = values[name]["kl_audioldm_eval"]["kullback_leibler_divergence_softmax"]
    assert result.value == pytest.approx(public, rel=2e-6)
    assert result.count == (len(ids),)
    assert np.mean(result.per_item) == pytest.approx(result.value)


@pytest.mark.parametrize("name", SETS)
def test_missing_clips_are_refused_or_left_out_and_named(logits, values, name):
    ids, reference, names, generated = sides(logits, name)
    for allowed in (False, True):
        metric = KLDivergence("kl_panns", allow_missing=allowed)
        metric.update("reference", ids, reference)
        metric.update("generated", names[1:], generated[1:])
        if not allowed:
            with pytest.raises(UsageError, match=f"1 ids of the reference were not generated: '{names[0]}'"):
                metric.compute()
    result = metric.compute()
    expected = values[name]["kl_audioldm_eval_first_generated_row_missing"]
    assert result.value == pytest.approx(expected["kullback_leibler_divergence_softmax"], rel=2e-6)
    assert names[0] in result.warnings[0]


def test_inception_stream_says_its_convention(logits, values):
    metric = Inception("is_panns", convention("audioldm_eval"))
    for row in logits["c527/gen"]:
        metric.update(row[None])
    result = metric.compute()
    expected = values["c527"]["is_audioldm_eval_splits10_shuffleTrue_seed2020"]["inception_score_mean"]
    assert result.value == pytest.approx(expected, rel=1e-9)
    assert (result.convention["splits"], result.convention["seed"]) == (10, 2020)
    metric.reset()
    with pytest.raises(UsageError):
        metric.compute()


def test_equal_sides_have_no_divergence_and_softmax_is_never_negative():
    random = np.random.default_rng(0)
    a, b = random.normal(0, 3, (2, 50, 7))
    assert kl_divergence(a, a, floor=0) == pytest.approx(0, abs=1e-12)
    assert (kl_divergence(a, b, floor=0) > 0).all()
    swapped = kl_divergence(b, a, direction="generated_reference")
    assert swapped == pytest.approx(kl_divergence(a, b))


def test_broken_logits_are_named():
    metric = KLDivergence("kl_panns")
    with pytest.raises(UsageError, match="'b'"):
        metric.update("reference", ["a", "b"], [[1.0, 2.0], [np.nan, 0.0]])
    with pytest.raises(UsageError, match="1 ids"):
        metric.update("reference", ["a"], [[1.0, 2.0], [3.0, 0.0]])
    with pytest.raises(UsageError, match="3 reference clips and 2"):
        kl_divergence(np.zeros((3, 2)), np.zeros((2, 2)))


def test_conventions_by_name():
    assert set(CONVENTIONS) == {"ours", "audioldm_eval", "kadtk", "stable_audio_metrics"}
    with pytest.raises(UsageError, match="audioldm_eval"):
        convention("audioldm-eval")
