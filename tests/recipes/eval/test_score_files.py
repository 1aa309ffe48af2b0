"""Files of a classifier's scores: each form, and what is wrong with those that are refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from audiojourney.errors import MissingError, UsageError
from audiojourney.metrics.classification import classification
from audiojourney.recipes.eval.classes import measure_classes, read_scores
from audiojourney.recipes.eval.settings import EvalConfig

IDS = ["a", "b", "c", "d"]
CLASSES = ["dog", "rain", "never"]
SCORES = np.array([[0.9, 0.1, 0.2], [0.3, 0.8, 0.1], [0.6, 0.7, 0.0], [0.2, 0.4, 0.3]])
TARGETS = np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 1, 0]])


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("scores.npz", ids=IDS, classes=CLASSES, scores=SCORES, targets=TARGETS)
    return tmp_path


def measure(generated="scores.npz", reference="", **options):
    rows, files, classes = measure_classes(EvalConfig(**options), generated, reference)
    return {row.name: row for row in rows}, files, classes


def test_every_class_has_its_row():
    rows, files, classes = measure()
    expected = classification(TARGETS, SCORES)
    assert rows["map"].value == pytest.approx(expected.map)
    assert rows["map_all_classes"].value == pytest.approx(2 / 3 * expected.map)
    assert dict(rows["map"].convention) == {"classes": 3, "classes_with_positives": 2}
    assert [row["name"] for row in classes] == CLASSES
    assert [row["clips"] for row in classes] == [2, 3, 0]
    assert classes[2] == {"name": "never", "clips": 0, "average_precision": None, "auc": None, "accuracy": None}
    assert [(file.id, file.label, file.scores["right"]) for file in files] == [
        ("a", "dog", 1.0),
        ("b", "rain", 1.0),
        ("c", "dog, rain", 1.0),
        ("d", "rain", 1.0),
    ]
    assert files[2].notes == ("heard as rain",)


def test_order_of_clips_and_classes_changes_nothing():
    order, turn = [2, 0, 3, 1], [2, 0, 1]
    np.savez(
        "other.npz",
        ids=np.array(IDS)[order],
        classes=np.array(CLASSES)[turn],
        scores=SCORES[order][:, turn],
        targets=TARGETS[order][:, turn],
    )
    one, other = measure()[0], measure("other.npz")[0]
    assert {name: row.value for name, row in one.items()} == pytest.approx(
        {name: row.value for name, row in other.items()}
    )


def test_names_may_be_left_out_and_labels_may_be_another_table():
    np.savez("bare.npz", scores=SCORES, targets=TARGETS)
    read = read_scores(Path("bare.npz"))
    assert (read.ids, read.classes) == (("0", "1", "2", "3"), ("0", "1", "2"))
    assert measure("bare.npz")[0]["map"].value == measure()[0]["map"].value
    np.savez("labels.npz", ids=IDS[::-1], classes=CLASSES, scores=TARGETS[::-1])
    np.savez("plain.npz", ids=IDS, classes=CLASSES, scores=SCORES)
    assert measure("plain.npz", "labels.npz")[0]["accuracy"].value == 1
    with pytest.raises(MissingError, match="Nothing says what is heard in 4 clips"):
        measure("plain.npz")
    np.savez("strange.npz", ids=IDS, classes=["cat", "rain", "never"], scores=TARGETS)
    with pytest.raises(UsageError, match=r"other classes than the scores: \['cat'"):
        measure("plain.npz", "strange.npz")


def test_a_limit_and_common_clips():
    assert measure(limit=2)[0]["accuracy"].n == (2,)
    np.savez("labels.npz", ids=["d", "b", "zz"], classes=CLASSES, scores=TARGETS[[3, 1, 0]])
    with pytest.raises(UsageError, match=r"1 ids of the reference were not generated: 'zz'.*--allow-missing"):
        measure(reference="labels.npz")
    rows, files, _ = measure(reference="labels.npz", allow_missing=True)
    assert rows["map"].n == (2,) and [file.id for file in files] == ["b", "d"]
    np.savez("labels.npz", ids=["x", "y"], classes=CLASSES, scores=TARGETS[:2])
    with pytest.raises(UsageError, match="None of 2 reference ids") as told:
        measure(reference="labels.npz", allow_missing=True)
    assert "--allow-missing" not in str(told.value)


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"ids": IDS}, "holds no scores"),
        ({"scores": SCORES[0]}, "holds no scores"),
        ({"scores": SCORES, "ids": IDS[:2]}, r"scores of shape \(4, 3\), 2 ids"),
        ({"scores": SCORES, "classes": CLASSES[:2]}, "4 ids, 2 classes"),
        ({"scores": [["x"]]}, "holds no scores"),
    ],
)
def test_arrays_that_are_no_scores(arrays, told):
    np.savez("odd.npz", **arrays)
    with pytest.raises(UsageError, match=told):
        read_scores(Path("odd.npz"))


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.csv", "id,dog\n", "holds 0 rows"),
        ("a.csv", "id\na\n", "line 2 is no row of scores"),
        ("a.csv", "dog,rain\n0.1,0.2\n", "line 2 is no row of scores"),
        ("a.csv", "id,dog\na,loud\n", "line 2, dog: the score is 'loud'"),
        ("a.csv", "id,dog\na,0.5,0.7\n", r"line 2, None: the score is \['0.7'\]"),
        ("a.jsonl", '{"id": "a", "scores": {"dog": null}}', "dog: the score is None"),
        ("a.jsonl", '{"id": "a", "scores": {"dog": 1}}\n{"id": "b", "scores": {"cat": 1}}', r"\['cat', 'dog'\]"),
        ("a.jsonl", '{"id": "a", "scores": {}}', "line 1 is no row of scores"),
    ],
)
def test_tables_that_are_no_scores(name, text, told):
    Path(name).write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=told):
        read_scores(Path(name))
    with pytest.raises(MissingError, match="no file of scores"):
        read_scores(Path("none") / name)


@pytest.mark.parametrize("value", ("nan", "inf", "-inf"))
def test_scores_that_are_not_finite_name_the_clip(value):
    rows = [json.dumps({"id": name, "scores": {"dog": 0.5}}) for name in "ab"]
    Path("a.jsonl").write_text("\n".join([*rows, f'{{"id": "c", "scores": {{"dog": "{value}"}}}}']), encoding="utf-8")
    np.savez("labels.npz", ids=["a", "b", "c"], classes=["dog"], scores=[[1], [0], [1]])
    with pytest.raises(UsageError, match="scores of 1 clips are not finite: 'c'"):
        measure("a.jsonl", "labels.npz")


def test_labels_other_than_0_and_1_are_refused():
    np.savez("half.npz", ids=IDS, classes=CLASSES, scores=SCORES, targets=TARGETS * 0.5)
    with pytest.raises(UsageError, match=r"Targets are 0 or 1, not 0\.5"):
        measure("half.npz")
