"""Classification metrics against scikit-learn's numbers, and what follows from their definitions."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiojourney.errors import UsageError
from audiojourney.metrics.classification import MeanAveragePrecision, average_precision, classification, roc_auc


@pytest.fixture(scope="module")
def matrix(shared_fixtures):
    return np.load(shared_fixtures / "metrics" / "map_matrix.npz")


@pytest.fixture(scope="module")
def public(shared_fixtures):
    return json.loads((shared_fixtures / "metrics" / "map_values.json").read_text(encoding="utf-8"))


def test_numbers_of_scikit_learn(matrix, public):
    found = classification(matrix["targets"], matrix["scores"])
    ap = [value or 0.0 for value in found.ap_per_class]
    assert ap == pytest.approx(public["average_precision_per_class"], rel=1e-12)
    auc = [None if value == "nan" else value for value in public["roc_auc_per_class"]]
    assert [value is None for value in found.auc_per_class] == [value is None for value in auc]
    defined = [value for value in found.auc_per_class if value is not None]
    assert defined == pytest.approx([value for value in auc if value is not None], rel=1e-12)
    assert found.map_all_classes == pytest.approx(public["mAP_macro_sklearn_all_classes"], rel=1e-12)
    assert found.map == pytest.approx(public["mAP_macro_classes_with_positives_only"], rel=1e-12)
    assert found.map_micro == pytest.approx(public["mAP_micro"], rel=1e-12)
    assert found.map_weighted == pytest.approx(public["mAP_weighted"], rel=1e-12)
    assert found.map_samples == pytest.approx(public["mAP_samples"], rel=1e-12)
    assert found.mauc == pytest.approx(public["mean_auc_defined_classes"], rel=1e-12)
    assert found.d_prime == pytest.approx(public["d_prime_from_mean_auc"], rel=1e-9)
    none = [k for k, value in enumerate(found.ap_per_class) if value is None]
    assert none == public["classes_without_positives"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=2, max_size=14))
def test_auc_counts_pairs(clips):
    positive, scores = np.array([p for p, _ in clips]), np.array([s for _, s in clips], float)
    pairs = [(s > t) + (s == t) / 2 for p, s in clips for q, t in clips if p and not q]
    found = roc_auc(positive, scores)
    assert found == (pytest.approx(np.mean(pairs)) if pairs else None)
    assert average_precision(positive, scores) == (
        pytest.approx(average_precision(positive, np.exp(scores))) if positive.any() else None
    )


def test_average_precision_by_hand():
    positive, scores = np.array([1, 0, 1, 0], bool), np.array([4.0, 3.0, 2.0, 1.0])
    assert average_precision(positive, scores) == pytest.approx((1 + 2 / 3) / 2)
    # Equal scores are one threshold, whatever their order.
    assert average_precision(positive, np.zeros(4)) == average_precision(positive[::-1], np.zeros(4)) == 0.5


def test_accuracy_and_its_classes():
    targets = np.array([[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 0]])
    scores = np.array([[3.0, 1, 2], [1, 0, 3], [0, 2, 2], [1, 2, 3]])
    found = classification(targets, scores)
    assert found.accuracy == pytest.approx((1 + 0 + 0.5) / 3)
    assert found.accuracy_per_class == (1.0, 0.25, None)
    assert found.positives == (1, 2, 0)


def test_perfect_and_empty_sets_have_no_infinity():
    perfect = classification(np.eye(3), np.eye(3))
    assert (perfect.map, perfect.mauc, perfect.accuracy, perfect.d_prime) == (1, 1, 1, None)
    empty = classification(np.zeros((4, 2)), np.ones((4, 2)))
    assert (empty.map, empty.mauc, empty.accuracy, empty.map_all_classes) == (None, None, None, 0)


def test_stream_equals_the_whole(matrix, public):
    metric = MeanAveragePrecision("map_panns")
    for start in range(0, 40, 16):
        part = slice(start, start + 16)
        rows = matrix["targets"][part], matrix["scores"][part]
        metric.update([str(n) for n in range(start, start + len(rows[0]))], *rows)
    result = metric.compute()
    assert result.value == pytest.approx(public["mAP_macro_classes_with_positives_only"], rel=1e-12)
    assert result.convention == {"classes": 12, "classes_with_positives": 10}
    metric.reset()
    with pytest.raises(UsageError, match="map_panns"):
        metric.compute()
    metric.update(["a"], [[0, 0]], [[1.0, 2.0]])
    assert metric.compute().reason


def test_broken_input_names_the_clip():
    with pytest.raises(UsageError, match="'dog'"):
        classification(np.eye(2), [[1, 2], [np.nan, 0]], ["cat", "dog"])
    with pytest.raises(UsageError, match="not 2"):
        classification([[0, 2]], [[0.1, 0.2]])
    with pytest.raises(UsageError, match=r"\(1, 2\).*\(2, 2\)"):
        classification([[0, 1]], np.zeros((2, 2)))
