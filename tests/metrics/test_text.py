"""Caption metrics against the COCO tools' numbers."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiojourney.errors import AudioJourneyError, MissingError, UsageError
from audiojourney.metrics.text import meteor as meteor_module
from audiojourney.metrics.text.corpus import Corpus
from audiojourney.metrics.text.meteor import find_jar, meteor
from audiojourney.metrics.text.ngrams import bleu, cider_d
from audiojourney.metrics.text.rouge import _common_subsequence, rouge_l
from audiojourney.metrics.text.suite import NAMES, NATIVE, CaptionMetric, caption_metrics
from audiojourney.metrics.text.tokens import tokenize
from audiojourney.metrics.text.vocabulary import vocabulary

CLOSE = {"rel": 1e-12, "abs": 1e-15}


@pytest.fixture(scope="module")
def raw(shared_fixtures):
    return json.loads((shared_fixtures / "metrics" / "captions.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def public(shared_fixtures):
    return json.loads((shared_fixtures / "metrics" / "captions_expected.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def edges(shared_fixtures):
    return json.loads((shared_fixtures / "metrics" / "captions_edge.json").read_text(encoding="utf-8"))


def corpus_of(candidates, references):
    """Already tokenised texts."""
    split = {name: [text.split() for text in texts] for name, texts in references.items()}
    return Corpus.of_tokens({name: text.split() for name, text in candidates.items()}, split)


@pytest.fixture(scope="module")
def corpus(public):
    items = {name: public["tokenized"][name] for name in public["ids"]}
    candidates = {name: item["candidate"] for name, item in items.items()}
    return corpus_of(candidates, {name: item["references"] for name, item in items.items()})


def test_words_are_those_of_the_treebank_tokenizer(raw, public):
    for item in raw:
        expected = public["tokenized"][item["id"]]
        assert " ".join(tokenize(item["candidate"])) == expected["candidate"]
        assert [" ".join(tokenize(text)) for text in item["references"]] == expected["references"]


@pytest.mark.parametrize(
    ("text", "words"),
    (
        ("A dog's bark", "a dog 's bark"),
        ("They don't, can't and cannot stop", "they do n't ca n't and can not stop"),
        ("It’s gonna rain — “hard”…", "it 's gon na rain hard"),
        ("dogs' tails", "dogs tails"),
        ("A high-pitched beep at 3.5 kHz (twice)", "a high-pitched beep at 3.5 khz -lrb- twice -rrb-"),
        ("Bells at 10:30 a.m.", "bells at 10:30 a.m."),
        ("the dog 's bowl", "the dog 's bowl"),
        ("Mr. Smith said: 'hello'", "mr. smith said hello"),
        ("50% off; $5", "50 % off $ 5"),
        ("water\nfalls", "water falls"),
        ("five o'clock", "five o'clock"),
        ("fading at -20 dB & .5 s.", "fading at -20 db & .5 s."),
        ("takes 1,000 steps - then a 3rd 30-s clip", "takes 1,000 steps then a 3rd 30-s clip"),
        ("", ""),
        (" .,;:!?'`\"-- ...", ""),
    ),
)
def test_words_by_hand(text, words):
    assert " ".join(tokenize(text)) == words


def test_bleu_of_corpus_and_items(corpus, public):
    found = bleu(corpus)
    for n in range(4):
        expected = public[f"Bleu_{n + 1}"]
        assert found.corpus[n] == pytest.approx(expected["corpus"], **CLOSE)
        assert found.per_item[:, n] == pytest.approx(expected["per_item"], **CLOSE)


def test_rouge_and_cider_of_corpus_and_items(corpus, public):
    for values, name in ((rouge_l(corpus), "ROUGE_L"), (cider_d(corpus), "CIDEr")):
        assert values == pytest.approx(public[name]["per_item"], **CLOSE)
        assert values.mean() == pytest.approx(public[name]["corpus"], **CLOSE)


def test_degenerate_texts(edges):
    assert len(edges) == 5
    for case in edges.values():
        corpus = corpus_of(case["candidates"], case["references"])
        assert bleu(corpus).corpus == pytest.approx(case["Bleu"], **CLOSE)
        assert rouge_l(corpus).mean() == pytest.approx(case["ROUGE_L"], **CLOSE)
        assert cider_d(corpus).mean() == pytest.approx(case["CIDEr"], **CLOSE)


def test_vocabulary_statistics(corpus, public):
    found, expected = vocabulary(corpus), public["vocab_aac_metrics"]
    assert found.candidates == expected["vocab.cands"]
    assert found.references == expected["vocab.mrefs_full"]
    assert found.ratio == pytest.approx(expected["vocab.ratio_full"])
    assert found.references_one_each == pytest.approx(expected["vocab.mrefs_avg"])
    assert found.ratio_one_each == pytest.approx(expected["vocab.ratio_avg"])
    for name in ("precision", "recall", "f1", "jaccard"):
        assert getattr(found, name) == pytest.approx(expected[f"vocab.{name}"])


def test_from_raw_text_to_results(raw, public):
    candidates = {item["id"]: item["candidate"] for item in raw}
    references = {item["id"]: item["references"] for item in raw}
    results = {result.name: result for result in caption_metrics(candidates, references, (*NATIVE, "spice", "fense"))}
    assert results["bleu_4"].value == pytest.approx(public["Bleu_4"]["corpus"], **CLOSE)
    assert results["cider_d"].per_item == pytest.approx(public["CIDEr"]["per_item"], **CLOSE)
    assert results["vocabulary"].value == 84
    assert results["rouge_l"].convention["tokenizer"] == "ptb-lite"
    for name in ("spice", "fense"):
        assert results[name].value is None and name.upper() in results[name].reason
    json.dumps([result.table() for result in results.values()], allow_nan=False)


@settings(max_examples=60, deadline=None)
@given(st.text("abc", max_size=12), st.text("abcd", max_size=12))
def test_common_subsequence_equals_the_table(first, second):
    table = np.zeros((len(first) + 1, len(second) + 1), int)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            table[i + 1, j + 1] = table[i, j] + 1 if a == b else max(table[i, j + 1], table[i + 1, j])
    places: dict[str, int] = {}
    for place, letter in enumerate(first):
        places[letter] = places.get(letter, 0) | 1 << place
    assert _common_subsequence(places, len(first), list(second)) == table[-1, -1]


def test_order_of_items_does_not_matter(corpus):
    turned = Corpus(corpus.ids[::-1], corpus.candidates[::-1], corpus.references[::-1])
    assert bleu(turned).corpus == pytest.approx(bleu(corpus).corpus, **CLOSE)
    assert cider_d(turned)[::-1] == pytest.approx(cider_d(corpus), **CLOSE)


def test_empty_captions_score_nothing_and_are_counted():
    references = {"a": ["A dog barks loudly"], "b": ["Rain falls"]}
    results = caption_metrics({"a": "...", "b": "Rain falls"}, references, NATIVE)
    assert results[0].per_item[0] == 0 and results[0].per_item[1] > 0.99
    assert "1 captions hold no word and score 0: 'a'" in results[0].warnings[0]
    none = caption_metrics({"a": "", "b": ""}, references, NATIVE)
    assert [result.value for result in none] == [0] * len(NATIVE)


def test_one_item_has_no_cider():
    result = caption_metrics({"a": "rain"}, {"a": ["rain"]}, ["cider_d"])[0]
    assert result.value is None and "one item only" in result.reason


def test_what_does_not_fit_is_refused():
    with pytest.raises(UsageError, match="'b'"):
        caption_metrics({"a": "x"}, {"a": ["x"], "b": ["y"]})
    with pytest.raises(UsageError, match="no reference, the first is 'a'"):
        caption_metrics({"a": "x"}, {"a": []})
    with pytest.raises(UsageError, match="cider_d"):
        caption_metrics({"a": "x"}, {"a": ["x"]}, ["cider"])
    with pytest.raises(UsageError, match="no word"):
        caption_metrics({"a": "x"}, {"a": ["."]}, ["vocabulary"])


def test_stream_equals_the_whole(raw, public):
    metric = CaptionMetric("bleu_2")
    for item in raw:
        metric.update(item["id"], item["candidate"], item["references"])
    assert metric.compute().value == pytest.approx(public["Bleu_2"]["corpus"], **CLOSE)
    with pytest.raises(UsageError, match="'clip_000' stands twice"):
        metric.update("clip_000", "", [""])


def test_meteor_without_its_tools_is_told_with_the_reason(monkeypatch, tmp_path):
    monkeypatch.setattr(meteor_module.shutil, "which", lambda name: None)
    result = caption_metrics({"a": "x"}, {"a": ["x"]}, ["meteor"])[0]
    assert result.value is None and "no `java` on PATH" in result.reason
    with pytest.raises(MissingError, match=str(tmp_path)):
        find_jar(tmp_path)
    assert set(NATIVE) < set(NAMES)


@pytest.mark.slow
def test_meteor_of_corpus_and_items(corpus, public):
    if not shutil.which("java"):
        pytest.skip("no java")
    try:
        find_jar()
    except MissingError as error:
        pytest.skip(str(error))
    value, per_item = meteor(corpus)
    assert value == pytest.approx(public["METEOR"]["corpus"], rel=1e-9)
    assert per_item == pytest.approx(public["METEOR"]["per_item"], rel=1e-9)


def test_meteor_that_hangs_is_ended(monkeypatch, tmp_path):
    java = tmp_path / "java"
    java.write_text("#!/bin/sh\nexec sleep 100\n", encoding="utf-8")
    java.chmod(0o755)
    (tmp_path / meteor_module.JAR).touch()
    monkeypatch.setattr(meteor_module, "find_java", lambda: str(java))
    corpus = Corpus.of_tokens({"a": ["x"]}, {"a": [["x"]]})
    with pytest.raises(AudioJourneyError, match=r"ended after 0\.2 s"):
        meteor(corpus, tmp_path, limit_s=0.2)
    java.write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    with pytest.raises(AudioJourneyError, match="broke down") as told:
        meteor(corpus, tmp_path, limit_s=60)
    assert "ended after" not in str(told.value)
