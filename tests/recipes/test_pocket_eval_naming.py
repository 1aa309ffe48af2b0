"""Figures, naming, wordings: what a judge that knows the answer gives, and one that does not."""

import dataclasses
import math

import pytest

from audiojourney.data.scenes import lexicon
from audiojourney.data.scenes.concepts import CONCEPTS
from audiojourney.recipes.pocket_eval import naming, prompts, wordings
from audiojourney.recipes.pocket_eval.figures import Figure, Naming, wilson
from audiojourney.recipes.pocket_eval.sounds import RECORDED, SYNTHESISED, Heard
from tests.recipes.pocket_doubles import clip, clips, judge, lenient, shuffled


def figure(**changes):
    return Figure(**{"gate": "g", "what": "w", "reached": 0.5, "clips": 10, **changes})


@pytest.mark.parametrize(
    ("sign", "limit", "reached", "met"),
    (
        (">=", 0.5, 0.5, True),
        (">=", 0.5, 0.49, False),
        ("<=", 0.5, 0.5, True),
        ("<=", 0.5, 0.51, False),
        ("<", 0.5, 0.5, False),
        ("<", 0.5, 0.49, True),
        (">=", 0.5, math.nan, False),
        ("<=", 0.5, math.nan, False),
        ("<", math.nan, 0.1, False),
        ("", math.nan, 0.1, None),
    ),
)
def test_a_bound_is_kept_or_not(sign, limit, reached, met):
    assert figure(sign=sign, limit=limit, reached=reached).met is met


def test_only_lines_that_count_fail_a_gate():
    missed = figure(sign=">=", limit=0.9)
    assert missed.failed
    assert not dataclasses.replace(missed, counts=False).failed
    assert not figure().failed


@pytest.mark.parametrize(
    ("share", "count", "low", "high"), ((0.5, 10, 0.2366, 0.7634), (0.0, 10, 0.0, 0.2775), (0.9, 490, 0.8704, 0.9235))
)
def test_wilson_interval(share, count, low, high):
    assert wilson(share, count) == pytest.approx((low, high), abs=2e-4)


def test_chance_is_what_dealing_the_answers_out_anew_gives():
    even = Naming(tuple(CONCEPTS) * 3, tuple(CONCEPTS) * 3)
    assert even.right == 1 and even.chance == pytest.approx(1 / 49)
    stubborn = Naming(("a", "a", "a", "b"), ("a",) * 4)
    assert stubborn.right == stubborn.chance == 0.75
    assert stubborn.by_class == {"a": 1.0, "b": 0.0}


def test_a_judge_that_knows_gives_one_and_the_gate_is_met():
    figures = naming.compare(judge(), clips(2), clips(1, seed=1), counts=True)
    assert [f.reached for f in figures] == [1, 1, 1] and [f.real for f in figures] == [1, 1, 1]
    assert [f.limit for f in figures] == pytest.approx([0.85, 0.9, 0.25])
    assert not any(f.failed for f in figures)
    assert [f.clips for f in figures] == [2 * len(RECORDED), 2 * len(SYNTHESISED), 2]


def test_shuffled_names_give_chance_and_fail():
    figures = naming.compare(judge(), shuffled(clips(10)), clips(1), counts=True)
    for found in figures[:2]:
        assert found.reached < 0.06
        assert found.chance == pytest.approx(1 / 49, abs=0.01)
    assert all(f.failed for f in figures)
    assert not any(f.failed for f in naming.compare(lenient(), shuffled(clips(10)), clips(1), counts=False))


def test_the_bound_follows_what_the_judge_makes_of_real_clips():
    half_right = Heard(
        RECORDED * 2 + SYNTHESISED, (*clips(1, RECORDED).mels, *shuffled_mels(), *clips(1, SYNTHESISED).mels)
    )
    recorded, synthesised, _ = naming.compare(judge(), clips(1), half_right, counts=True)
    assert recorded.real == 0.5 and recorded.limit == pytest.approx(0.85 * 0.5)
    assert synthesised.limit == pytest.approx(0.9)


def shuffled_mels():
    return [clip(["wind"]) for _ in RECORDED]


def test_one_lost_class_fails_the_gate_by_itself():
    made = clips(10)
    lost = tuple(
        clip(["siren"]) if name == "alarm" else mel for name, mel in zip(made.concepts, made.mels, strict=True)
    )
    figures = naming.compare(judge(), Heard(made.concepts, lost), clips(1), counts=True)
    assert [f.failed for f in figures] == [False, False, True]
    worst = figures[-1]
    assert worst.what == "worst class (alarm): named right" and worst.reached == 0 and worst.real == 1
    assert worst.detail["named"] == {"alarm": {"siren": 10}}


def test_unseen_wordings_are_judged_alike():
    found = wordings.compare(judge(), clips(10), clips(1), counts=True)
    assert (found.reached, found.real, found.clips, found.failed) == (1, 1, 490, False)
    assert wordings.compare(judge(), shuffled(clips(10)), clips(1), counts=True).failed


def test_every_class_has_its_wordings_and_seeds_never_meet():
    order = prompts.known(10, 5.12)
    assert len(set(order.prompts)) == len(order.prompts) == 490
    assert [order.concepts.count(name) for name in CONCEPTS] == [10] * 49
    unseen = prompts.unseen(5.12)
    assert set(unseen.concepts) == set(CONCEPTS) and len(unseen.prompts) >= 300
    assert not set(order.seeds) & set(unseen.seeds)
    assert len(prompts.known(100, 5.12, CONCEPTS[:2]).prompts) == 200


def test_unseen_wordings_are_not_trained_in_any_spelling():
    trained = {prompts.bare(said) for name in CONCEPTS for said in lexicon.wordings(name)}
    assert prompts.bare("The sneeze!") == "sneeze"
    assert not {prompts.bare(said) for said in prompts.unseen(1).prompts} & trained
    assert "howling wind" not in prompts.unseen(1).prompts  # "a howling wind" is trained
    assert "robot vacuum cleaning the floor" in prompts.unseen(1).prompts


def test_unseen_scenes_are_not_patterns_of_single_wordings():
    trained = prompts.trained_wordings()
    assert not [pair.prompt for pair in prompts.unseen_pairs() if prompts.bare(pair.prompt) in trained]


def test_unseen_scenes_ask_for_known_sounds():
    pairs = prompts.unseen_pairs()
    assert len(pairs) >= 30 and {pair.relation for pair in pairs} == {"sequence", "together", "background"}
    assert all({pair.first, pair.second} <= set(CONCEPTS) for pair in pairs)
