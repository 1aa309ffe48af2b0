"""The number that says whether what is seen and heard belong together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiojourney.captions.chat import ChatSettings
from audiojourney.captions.entailment import Pair, judge, label_with_meaning, parse_score, read_meanings
from audiojourney.captions.prompts import load_examples
from audiojourney.errors import MissingError, UsageError
from tests.captions.stub import Scripted, asked_for

EXAMPLES = load_examples()


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ("0.85", 0.85),
        ("1", 1.0),
        ("0", 0.0),
        (".5", 0.5),
        ("The probability is 0.7.", 0.7),
        ('Response: "0.3"', 0.3),
        ("0.8/1.0", 0.8),
        ("0.75 out of 1", 0.75),
        ("5e-1", 0.5),
        ("0.6 (but 0.9 if the dog is near)", 0.6),
        ("<think>maybe 7?</think>0.4", 0.4),
        ("-0.0", 0.0),
    ],
)
def test_the_first_number_counts(answer: str, score: float):
    assert parse_score(answer) == (score, "")


NO_PROBABILITIES = (
    *("", "very likely", "NaN", "inf", "1.5", "-0.5", "−0.5", "1e9", "7"),
    *("85%", "1 %", "1 percent", "8/10", "1/10", "1 out of 10", "0,7"),
)


@pytest.mark.parametrize("answer", NO_PROBABILITIES)
def test_what_is_no_probability_is_refused(answer: str):
    score, fault = parse_score(answer)
    assert score is None
    assert fault


@given(st.floats(0, 1))
def test_any_probability_is_read_as_it_is_written(value: float):
    assert parse_score(f"{value!r}")[0] == value
    assert parse_score(f"I would say {value:.3f}.")[0] == round(value, 3)


@given(st.text(max_size=60))
def test_any_answer_gives_a_probability_or_a_fault(answer: str):
    score, fault = parse_score(answer)
    assert (score is None) == bool(fault)
    assert score is None or 0 <= score <= 1


def pair(single: bool = True, seed: int = 1) -> Pair:
    """Return a pair to be judged."""
    return Pair("a dog on a beach", "Dog : an animal", single, seed)


def test_questions_are_those_of_paper_and_appendix():
    model = Scripted(lambda turn: "0.5")
    judge(model, [pair()], EXAMPLES, ChatSettings(), "together")
    judge(model, [pair(), pair(single=False)], EXAMPLES, ChatSettings(), "describes")
    together, single, multi = (turn.prompt for turn in model.turns)
    assert together.startswith(
        "on a scale from 0 to 1, output the probability that these two captions happen together in float format:"
    )
    describes = (
        "on a scale from 0 to 1, output the probability that the first caption describes a scenario with the second "
        "caption's sound description:"
    )
    assert single.startswith(describes)
    assert multi.startswith(describes)
    assert [prompt.count("Response:") - 1 for prompt in (together, single, multi)] == [5, 5, 8]
    assert asked_for(single) == "a dog on a beach | Dog : an animal"


def test_unreadable_answers_are_asked_for_again_and_then_stay_empty():
    model = Scripted(lambda turn: "0.9" if turn.temperature else "certain")
    assert judge(model, [pair()], EXAMPLES, ChatSettings())[0].score == 0.9
    assert [turn.temperature for turn in model.turns] == [0.0, 0.8]
    (judged,) = judge(Scripted(lambda turn: "7"), [pair()], EXAMPLES, ChatSettings(attempts=2))
    assert (judged.score, judged.raw) == (None, "7")
    assert judged.failure == "no usable answer in 2 attempts: the last one holds 7, which is not from 0 to 1"
    assert judge(model, [], EXAMPLES, ChatSettings()) == []


def test_labels_come_with_what_the_ontology_says(tmp_path: Path):
    path = tmp_path / "ontology.json"
    path.write_text(json.dumps([{"name": "Purr", "description": "Sound of a\n cat.", "id": "/m/1"}]), encoding="utf-8")
    meanings = read_meanings(path)
    assert label_with_meaning("purr", meanings) == "purr : Sound of a cat."
    assert label_with_meaning("bark", meanings) == "bark"
    with pytest.raises(MissingError, match="no ontology"):
        read_meanings(tmp_path / "absent.json")
    path.write_text('{"a": 1}', encoding="utf-8")
    with pytest.raises(UsageError, match="is no ontology of AudioSet"):
        read_meanings(path)


def test_our_examples_are_readable():
    for question in ("entailment_together", "entailment_single", "entailment_multi"):
        assert all(parse_score(example.answer)[0] is not None for example in EXAMPLES[question])
