"""Captions against captions, and classifiers against labels, from files."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from audiojourney.errors import MissingError, UsageError
from audiojourney.metrics.classification import classification
from audiojourney.metrics.text import meteor as program
from audiojourney.metrics.text.suite import caption_metrics
from audiojourney.recipes.eval import run as recipe
from audiojourney.recipes.eval.settings import EvalConfig
from audiojourney.recipes.eval.texts import read_texts
from tests.recipes.eval.sets import write_manifest, write_sounds

OURS = {f"c{n}": f"a dog barks {'twice' if n % 2 else 'in the rain'}" for n in range(12)}
THEIRS = {name: [f"{text} nearby", "a dog is barking"] for name, text in OURS.items()}


@pytest.fixture
def captions(tmp_path, monkeypatch):
    """Write captions and their references, and go there, where there is no Java."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(program.shutil, "which", lambda name: None)
    rows = [json.dumps({"id": name, "caption": text}) for name, text in OURS.items()]
    Path("ours.jsonl").write_text("\n".join(rows), encoding="utf-8")
    Path("theirs.json").write_text(json.dumps(THEIRS), encoding="utf-8")
    return tmp_path


def measure(generated, reference="", **options):
    return recipe.run(EvalConfig(generated=generated, reference=reference, **options))


def test_captions_are_measured_as_the_suite_does(captions):
    expected = {result.name: result for result in caption_metrics(OURS, THEIRS)}
    for options in ({"metrics": ("caption",)}, {}):
        report = measure("ours.jsonl", "theirs.json", **options)
        for row in report.result.metrics:
            assert row.value == expected[row.name].value
        for name in ("meteor", "spice", "spider", "fense"):
            assert report.result.metric(name).value is None and report.result.metric(name).reason
    assert "no `java`" in report.result.metric("meteor").reason
    assert report.missing == ()
    cider = report.result.metric("cider_d")
    assert cider.low < cider.value < cider.high and cider.n == (12,)
    assert report.result.metric("bleu_4").low is None
    row = report.result.files[3]
    assert (row.caption, row.id) == (OURS[row.id], row.id)
    assert np.mean([row.scores["cider_d"] for row in report.result.files]) == pytest.approx(cider.value)


def test_captions_whose_ids_differ(captions):
    Path("fewer.json").write_text(json.dumps({name: THEIRS[name] for name in list(THEIRS)[2:]}), encoding="utf-8")
    with pytest.raises(UsageError, match="2 captions have no reference: 'c0', 'c1'"):
        measure("ours.jsonl", "fewer.json")
    report = measure("ours.jsonl", "fewer.json", allow_missing=True)
    assert "2 captions have no reference and were left out" in report.result.warnings[0]
    assert report.result.metric("rouge_l").n == (10,)
    Path("other.json").write_text('{"x": "a"}', encoding="utf-8")
    with pytest.raises(UsageError, match="No id is on both sides"):
        measure("ours.jsonl", "other.json")
    with pytest.raises(MissingError, match="need reference captions"):
        measure("ours.jsonl", metrics=("caption",))
    with pytest.raises(UsageError, match="another kind of file"):
        measure("ours.jsonl", "theirs.json", metrics=("caption", "fad"))


def test_an_empty_caption_scores_nothing(captions):
    rows = [json.dumps({"id": name, "caption": "" if name == "c4" else text}) for name, text in OURS.items()]
    Path("ours.jsonl").write_text("\n".join(rows), encoding="utf-8")
    report = measure("ours.jsonl", "theirs.json")
    assert {row.id: row.scores["rouge_l"] for row in report.result.files}["c4"] == 0
    assert "1 captions hold no word and score 0: 'c4'" in report.result.metric("rouge_l").warnings[0]


def test_every_form_of_captions(tmp_path):
    forms = {
        "a.csv": "file_name,caption_1,caption_2\nx.wav,one,two\ny.wav,three,\n",
        "a.tsv": "id\tcaption\nx.wav\tone\nx.wav\ttwo\ny.wav\tthree\n",
        "a.json": '{"x.wav": ["one", "two"], "y.wav": "three"}',
        "b.json": '[{"id": "x.wav", "captions": [{"text": "one"}, {"text": "two"}]}, {"id": "y.wav", "text": "three"}]',
        "a.jsonl": '{"id": "x.wav", "captions": [{"text": "no", "kept": false}, {"text": "one"}, "two"]}\n'
        '{"id": "y.wav", "prediction": "three"}\n',
    }
    for name, text in forms.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        assert read_texts(tmp_path / name) == {"x.wav": ("one", "two"), "y.wav": ("three",)}, name
    folder = write_manifest(write_sounds(tmp_path / "d", count=2))
    assert read_texts(folder) == {"c00": ("tone number 0",), "c01": ("tone number 1",)}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.jsonl", '{"caption": "x"}', "line 1 has no id"),
        ("a.jsonl", '{"id": "x"}\n', "1 ids .* have no caption: 'x'"),
        ("a.jsonl", "{", "line 1 is no JSON"),
        ("a.jsonl", "[1]", r"line 1 is '\[1\]'"),
        ("a.json", "[1]", "row 1 is '1'"),
        ("a.jsonl", "", "holds 0 captions"),
        ("a.csv", "\ud800", "cannot be read as text"),
    ],
)
def test_broken_captions(tmp_path, name, text, told):
    (tmp_path / name).write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(UsageError, match=told):
        read_texts(tmp_path / name)
    with pytest.raises(MissingError, match="no file of captions"):
        read_texts(tmp_path / "none.csv")


RANDOM = np.random.default_rng(0)
IDS = [f"c{n:02d}" for n in range(12)]
SCORES = RANDOM.random((12, 2))
TARGETS = np.array([[n % 2 == 0, n % 2 == 1] for n in range(12)], int)


@pytest.fixture
def labels(tmp_path, monkeypatch):
    """Write sounds with labels, and scores in every form, and go there."""
    monkeypatch.chdir(tmp_path)
    write_manifest(write_sounds(tmp_path / "labels", seconds=0.1))
    rows = [dict(zip(("even", "odd"), map(float, row), strict=True)) for row in SCORES]
    jsonl = [json.dumps({"id": name, "scores": row}) for name, row in zip(IDS, rows, strict=True)]
    Path("a.jsonl").write_text("\n".join(reversed(jsonl)), encoding="utf-8")
    lines = [f"{name},{row['even']!r},{row['odd']!r}" for name, row in zip(IDS, rows, strict=True)]
    Path("a.csv").write_text("\n".join(["id,even,odd", *lines]), encoding="utf-8")
    np.savez("a.npz", ids=IDS, classes=["even", "odd"], scores=SCORES, targets=TARGETS)
    return tmp_path


def test_classifiers_are_measured_from_every_form(labels):
    expected = classification(TARGETS, SCORES)
    for name, reference in (("a.jsonl", "labels"), ("a.csv", "labels"), ("a.npz", "labels"), ("a.npz", "")):
        report = measure(name, reference, metrics=("classification",))
        for row in report.result.metrics:
            assert row.value == pytest.approx(getattr(expected, row.name)), (name, row.name)
        assert [row["average_precision"] for row in report.result.classes] == pytest.approx(expected.ap_per_class)
        assert {row.id: row.label for row in report.result.files}["c03"] == "odd"
    assert np.mean([row.scores["right"] for row in report.result.files]) == expected.accuracy


def test_scores_that_do_not_fit(labels):
    ask = {"metrics": ("classification",)}
    with pytest.raises(MissingError, match="Nothing says what is heard"):
        measure("a.csv", **ask)
    Path("odd.csv").write_text("id,even,odd\nc00,0.1,x\n", encoding="utf-8")
    with pytest.raises(UsageError, match="line 2, odd: the score is 'x'"):
        measure("odd.csv", "labels", **ask)
    Path("odd.csv").write_text("id,even,odd\nc00,0.1,nan\n", encoding="utf-8")
    with pytest.raises(UsageError, match="'c00'"):
        measure("odd.csv", "labels", allow_missing=True, **ask)
    Path("odd.csv").write_text("id,even\nc00,0.1\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"1 labels .* are no class"):
        measure("odd.csv", "labels", **ask)
    Path("odd.csv").write_text("id,even,odd\nc00,1,0\nzz,0,1\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"were not generated.*--allow-missing measures"):
        measure("odd.csv", "labels", **ask)
    Path("short.csv").write_text("id,even,odd\nc00,0.1\n", encoding="utf-8")
    with pytest.raises(UsageError, match="line 2, odd: the score is None"):
        measure("short.csv", "labels", **ask)
    assert measure("odd.csv", "labels", allow_missing=True, **ask).result.metric("accuracy").n == (1,)
    Path("odd.npz").write_bytes(b"no")
    with pytest.raises(UsageError, match="holds no scores"):
        measure("odd.npz", "labels", **ask)


def test_a_perfect_classifier_has_no_d_prime(labels):
    np.savez("a.npz", ids=IDS, classes=["even", "odd"], scores=TARGETS * 1.0, targets=TARGETS)
    report = measure("a.npz")
    assert report.result.metric("map").value == 1
    assert report.result.metric("d_prime").value is None and report.result.metric("d_prime").reason
    json.dumps(replace(report.result).table(), allow_nan=False)


def test_references_that_stand_twice_count_twice(captions):
    doubled = {name: [*texts, texts[0]] for name, texts in THEIRS.items()}
    rows = [f"{name},{text}" for name, texts in doubled.items() for text in texts]
    Path("doubled.csv").write_text("\n".join(["id,caption", *rows]), encoding="utf-8")
    assert read_texts(Path("doubled.csv"))["c0"] == tuple(doubled["c0"])
    expected = next(row for row in caption_metrics(OURS, doubled) if row.name == "cider_d").value
    assert measure("ours.jsonl", "doubled.csv").result.metric("cider_d").value == expected
    assert measure("ours.jsonl", "theirs.json").result.metric("cider_d").value != pytest.approx(expected)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"caption": "one", "captions": ["one", "two"]}, ("one", "two")),
        ({"captions": ["one", "one"]}, ("one", "one")),
        ({"caption_1": "one", "caption_2": "one"}, ("one", "one")),
        ({"captions": [{"text": "no", "kept": False}, {"text": "yes", "kept": True}, 5]}, ("yes",)),
        ({"caption": ""}, ("",)),
        ({"caption_1": "one", "caption_2": ""}, ("one",)),
    ],
)
def test_one_sentence_under_two_keys_is_one(tmp_path, row, expected):
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": "x", **row}), encoding="utf-8")
    assert read_texts(tmp_path / "a.jsonl") == {"x": expected}


def test_further_captions_of_an_id_are_told(captions):
    rows = [{"id": name, "caption": text} for name, text in OURS.items()] + [{"id": "c3", "caption": "other words"}]
    Path("ours.jsonl").write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    report = measure("ours.jsonl", "theirs.json")
    assert report.result.warnings == ("1 ids have several captions, of which the first is measured: 'c3'",)
    assert {row.id: row.caption for row in report.result.files}["c3"] == OURS["c3"]
