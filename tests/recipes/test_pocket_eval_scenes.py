"""Two sounds in one clip: named in their windows, in their order, or among those heard most."""

import numpy as np
import pytest
import torch

from audiojourney.data.scenes.concepts import CONCEPTS
from audiojourney.recipes.pocket_eval import scenes
from audiojourney.recipes.pocket_eval.prompts import Pair
from audiojourney.recipes.pocket_eval.sounds import Heard, Sounds
from audiojourney.recipes.pocket_eval.windows import Course, follow
from tests.recipes.pocket_doubles import clip, judge

FRAMES = 1024


def course(*names):
    return follow(judge(), [clip(names, frames=FRAMES)])[0]


def test_windows_hear_what_is_in_them():
    found = course("dog", "cat")
    assert found.named[0] == "dog" and found.named[-1] == "cat"
    assert found.starts_s[1] == pytest.approx(0.64) and found.starts_s[-1] <= 10.24 - 2.56
    assert len(found.named) == len(found.starts_s) == 13


@pytest.mark.parametrize(
    ("names", "both", "ordered"),
    (
        (("dog", "cat"), True, True),
        (("cat", "dog"), True, False),
        (("dog",), False, False),
        (("bee", "owl"), False, False),
    ),
)
def test_sequence(names, both, ordered):
    found = course(*names)
    assert found.has_both("dog", "cat") is both
    assert found.in_order("dog", "cat") is ordered


def test_windows_that_overlap_are_not_in_order():
    def named(starts_s):
        return Course(("dog", "cat"), torch.zeros(2), torch.eye(2), starts_s)

    assert named((0.0, 2.56)).in_order("dog", "cat")
    assert not named((0.0, 1.92)).in_order("dog", "cat")
    assert not named((2.56, 0.0)).in_order("dog", "cat")
    assert named((2.56, 0.0)).has_both("dog", "cat")


def test_two_sounds_at_once_are_among_those_heard_most():
    mixed = course(*["dog", "cat"] * 64)
    assert mixed.both_sound("dog", "cat") and mixed.both_sound("cat", "dog")
    assert not mixed.both_sound("dog", "bee")
    crowd = course(*(["dog"] * 4 + ["bee"] * 3 + ["owl"] * 2 + ["cat"]) * 16)
    assert crowd.top == {"dog", "bee", "owl"} and not crowd.both_sound("dog", "cat")


def test_a_clip_shorter_than_a_window_is_one_window():
    assert follow(judge(), [clip(["dog"], frames=100)])[0].named == ("dog",)


def pair(first, second, relation="sequence"):
    return Pair(f"{first} and {second}", first, second, relation)


PAIRS = (pair("dog", "cat"), pair("bee", "owl"), pair("rain", "siren", "together"), pair("wind", "frog", "together"))


def heard(*courses):
    return Heard(
        tuple("+".join(names[:2]) for names in courses), tuple(clip(names, frames=FRAMES) for names in courses)
    )


RIGHT = heard(("dog", "cat"), ("bee", "owl"), ("rain", "siren") * 64, ("wind", "frog") * 64)


def test_right_scenes_meet_the_gate_and_chance_is_none():
    total, sequence, together, order = scenes.compare(judge(), PAIRS, RIGHT, RIGHT, counts=True)
    assert [f.reached for f in (total, sequence, together, order)] == [1, 1, 1, 1]
    assert [f.chance for f in (total, sequence, together, order)] == [0, 0, 0, 0]
    assert total.met and not total.failed and total.clips == 4
    assert [f.clips for f in (sequence, together, order)] == [2, 2, 2]


def test_wrong_order_and_missing_sounds_show():
    made = heard(("cat", "dog"), ("bee",), ("rain",), ("wind", "frog") * 64)
    total, sequence, together, order = scenes.compare(judge(), PAIRS, made, RIGHT, counts=True)
    assert (total.reached, sequence.reached, together.reached, order.reached) == (0.5, 0.5, 0.5, 0)
    assert total.real == 1 and total.met
    assert total.detail["share of takes"] == {
        "dog and cat": 1,
        "bee and owl": 0,
        "rain and siren": 0,
        "wind and frog": 1,
    }
    assert scenes.compare(judge(), PAIRS, heard(("owl",), ("bee",), ("rain",), ("wind",)), RIGHT, counts=True)[0].failed


def test_chance_holds_clips_against_other_prompts_of_their_relation():
    courses = follow(judge(), heard(("dog", "cat"), ("dog", "cat"), ("rain", "siren") * 64, ("dog", "cat") * 64).mels)
    asked = (*PAIRS[:3], pair("wind", "frog", "together"))
    # Clip 2 holds what prompt 1 asks for; clips 1, 3 and 4 hold nothing that another prompt of their relation asks for.
    assert scenes.mismatched(scenes.both, courses, asked) == 0.25
    assert scenes.share(scenes.both, courses, asked) == 0.5


def test_chance_leaves_out_prompts_that_share_a_sound():
    sharing = (pair("dog", "cat"), pair("dog", "owl"))
    both = follow(judge(), heard(("dog", "cat"), ("dog", "owl")).mels)
    assert np.isnan(scenes.mismatched(scenes.both, both, sharing))


def test_scenes_are_composed_of_what_is_asked_for():
    takes = Sounds(("sneeze", "dog"), (np.full(8000, 0.5, np.float32), np.zeros(8000, np.float32)))
    pairs = (pair("dog", "sneeze"), pair("rain", "bird", "together"))
    first, again = (scenes.compose_pairs(pairs, takes, 2.0) for _ in range(2))
    assert first.concepts == ("dog+sneeze", "rain+bird")
    assert all(torch.equal(a, b) for a, b in zip(first.mels, again.mels, strict=True))
    assert first.mels[0].shape == (200, 64)


def test_a_recording_is_padded_and_its_event_found():
    wave = np.zeros(1000, np.float32)
    wave[200:400] = 0.5
    source = scenes.recorded_source("sneeze", Sounds(("sneeze",), (wave,)))
    rendered = source.render(np.random.default_rng(0), 3000, 1000)
    assert rendered.wave.shape == (3000,) and rendered.events == ((0.2, 0.4),)
    assert source.name in CONCEPTS
