"""What must hold of caption metrics whatever the captions are."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiojourney.errors import AudioJourneyError, UsageError
from audiojourney.metrics.text import suite
from audiojourney.metrics.text.corpus import Corpus
from audiojourney.metrics.text.meteor import find_jar, meteor
from audiojourney.metrics.text.ngrams import bleu, cider_d
from audiojourney.metrics.text.rouge import rouge_l
from audiojourney.metrics.text.suite import caption_metrics
from audiojourney.metrics.text.tokens import tokenize
from audiojourney.metrics.text.vocabulary import vocabulary

words = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f"]), min_size=0, max_size=7)
filled = st.lists(st.sampled_from(["a", "b", "c", "d", "e", "f"]), min_size=1, max_size=7)
items = st.lists(st.tuples(words, st.lists(filled, min_size=1, max_size=3)), min_size=2, max_size=5)


def corpus_of(pairs):
    candidates = {f"i{n}": candidate for n, (candidate, _) in enumerate(pairs)}
    return Corpus.of_tokens(candidates, {f"i{n}": list(references) for n, (_, references) in enumerate(pairs)})


def all_of(pairs):
    corpus = corpus_of(pairs)
    return np.concatenate([bleu(corpus).corpus, rouge_l(corpus), cider_d(corpus)])


@settings(max_examples=60, deadline=None)
@given(items)
def test_values_keep_their_bounds(pairs):
    corpus = corpus_of(pairs)
    found = bleu(corpus)
    for values, most in ((np.array(found.corpus), 1), (found.per_item, 1), (rouge_l(corpus), 1), (cider_d(corpus), 10)):
        assert np.isfinite(values).all()
        assert values.min() >= 0 and values.max() <= most + 1e-9


@settings(max_examples=40, deadline=None)
@given(items, st.permutations(["a", "b", "c", "d", "e", "f"]))
def test_other_words_in_the_same_places_score_alike(pairs, names):
    other = dict(zip("abcdef", names, strict=True))

    def renamed(text):
        return [other[word] + "x" for word in text]

    turned = [(renamed(candidate), [renamed(text) for text in references]) for candidate, references in pairs]
    np.testing.assert_allclose(all_of(turned), all_of(pairs), rtol=1e-9, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(items)
def test_order_of_references_does_not_matter(pairs):
    turned = [(candidate, references[::-1]) for candidate, references in pairs]
    np.testing.assert_allclose(all_of(turned), all_of(pairs), rtol=1e-9, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(items)
def test_a_further_reference_never_lowers_rouge_and_copies_count_for_nothing(pairs):
    more = [(candidate, [*references, ["a", "b"]]) for candidate, references in pairs]
    assert (rouge_l(corpus_of(more)) >= rouge_l(corpus_of(pairs)) - 1e-12).all()
    doubled = corpus_of([(candidate, references * 2) for candidate, references in pairs])
    np.testing.assert_allclose(bleu(doubled).corpus, bleu(corpus_of(pairs)).corpus, rtol=1e-9)
    np.testing.assert_allclose(cider_d(doubled), cider_d(corpus_of(pairs)), rtol=1e-9, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.lists(filled, min_size=2, max_size=5))
def test_captions_that_are_their_reference_are_perfect(texts):
    corpus = corpus_of([(text, [text]) for text in texts])
    assert bleu(corpus).corpus[0] == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(rouge_l(corpus), 1)
    found = vocabulary(corpus)
    assert found.precision == found.recall == found.f1 == found.jaccard == found.ratio == 1


def test_a_shorter_corpus_is_punished_by_the_published_factor():
    reference = ["a", "b", "c", "d", "e", "f", "g", "h"]
    corpus = corpus_of([(reference[:4], [reference]), (reference, [reference])])
    assert bleu(corpus).corpus[0] == pytest.approx(np.exp(1 - 16 / 12), rel=1e-6)
    assert bleu(corpus).per_item[0, 0] == pytest.approx(np.exp(1 - 8 / 4), rel=1e-6)


def test_a_word_said_too_often_counts_as_often_as_a_reference_has_it():
    corpus = corpus_of([(["the"] * 7, [["the", "cat", "is", "on", "the", "mat"], ["there", "is", "a", "cat"]])])
    assert bleu(corpus).corpus[0] == pytest.approx(2 / 7, rel=1e-6)


def test_rouge_takes_precision_and_recall_from_different_references():
    corpus = corpus_of([(["a", "b", "x"], [["a", "b", "y", "z", "w", "v"], ["x"]])])
    precision, recall = 2 / 3, 1.0
    assert rouge_l(corpus)[0] == pytest.approx((1 + 1.44) * precision * recall / (recall + 1.44 * precision))


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=60))
@settings(max_examples=150, deadline=None)
def test_words_hold_no_space_and_capitals_do_not_matter(text):
    found = tokenize(text)
    assert all(word and not any(letter.isspace() for letter in word) for word in found)
    assert tokenize(text.upper()) == found
    assert tokenize(f"  {text}\n") == found


def test_a_meteor_that_is_no_number_spares_the_other_metrics(monkeypatch):
    def broken(corpus, folder):
        raise AudioJourneyError("METEOR broke down.")

    monkeypatch.setattr(suite, "meteor", broken)
    found = {row.name: row for row in caption_metrics({"a": "x", "b": "y"}, {"a": ["x"], "b": ["z"]})}
    assert (found["meteor"].value, found["meteor"].reason) == (None, "METEOR broke down.")
    monkeypatch.setattr(suite, "meteor", lambda corpus, folder: (0.5, [0.5, float("nan")]))
    assert caption_metrics({"a": "x", "b": "y"}, {"a": ["x"], "b": ["z"]}, ["meteor"])[0].per_item == [0.5, None]
    monkeypatch.setattr(suite, "meteor", lambda corpus, folder: (float("nan"), [0.5, float("nan")]))
    found = {row.name: row for row in caption_metrics({"a": "x", "b": "y"}, {"a": ["x"], "b": ["z"]})}
    assert found["meteor"].value is None and "nan" in found["meteor"].reason
    assert found["bleu_1"].value == pytest.approx(0.5, rel=1e-6)


def test_metrics_come_in_the_order_in_which_they_are_named():
    found = caption_metrics({"a": "x"}, {"a": ["x"]}, ["vocabulary", "bleu_2", "rouge_l"])
    assert [row.name for row in found] == ["vocabulary", "bleu_2", "rouge_l"]
    with pytest.raises(UsageError, match="Did you mean 'rouge_l'"):
        caption_metrics({"a": "x"}, {"a": ["x"]}, ["rouge"])


@pytest.mark.slow
def test_meteor_of_degenerate_texts(shared_fixtures):
    if not shutil.which("java"):
        pytest.skip("no java")
    try:
        find_jar()
    except AudioJourneyError as error:
        pytest.skip(str(error))
    edges = json.loads((shared_fixtures / "metrics" / "captions_edge.json").read_text(encoding="utf-8"))
    for name, case in edges.items():
        pairs = [
            (case["candidates"][key].split(), [t.split() for t in case["references"][key]])
            for key in case["candidates"]
        ]
        assert meteor(corpus_of(pairs))[0] == pytest.approx(case["METEOR"], rel=1e-9), name
