"""Frechet and centroid distance, novelty: copies, strangers, noise."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from audiojourney.recipes.pocket_eval import distribution, novelty
from audiojourney.recipes.pocket_eval.sounds import RECORDED, SYNTHESISED, Heard, white_noise
from tests.recipes.pocket_doubles import clips, judge, shuffled

REAL, OTHER, MADE = clips(10, seed=1), clips(10, seed=2), clips(10, seed=3)


def frechet(made, real=REAL, other=OTHER):
    return distribution.compare(judge(), made, real, other, counts=True)[0]


def centroids(made, real=REAL, other=OTHER):
    return distribution.compare(judge(), made, real, other, counts=True)[1]


def test_a_set_lies_at_no_distance_from_itself():
    assert frechet(REAL).reached == pytest.approx(0, abs=1e-9)
    assert centroids(REAL).reached == pytest.approx(0, abs=1e-9)


def test_white_noise_is_far_and_like_clips_are_near():
    found = frechet(MADE)
    assert found.met and found.reached < 0.05 * found.chance
    assert found.real == pytest.approx(found.reached, rel=0.3)
    assert found.limit == pytest.approx(0.12 * found.chance)


def test_noise_in_place_of_clips_fails():
    found = frechet(white_noise(MADE, 0.4, seed=9))
    assert found.failed and found.reached == pytest.approx(found.chance, rel=0.1)


def test_numbers_of_clips_are_the_same_on_all_sides():
    uneven = Heard(REAL.concepts[:-4], REAL.mels[:-4])  # six clips of the last concept
    assert frechet(MADE, real=uneven).clips == 486
    kept = distribution.matched(MADE, Counter(uneven.concepts))
    assert Counter(kept.concepts) == Counter(uneven.concepts)


def test_a_second_real_set_may_be_missing():
    found = frechet(MADE, other=None)
    assert found.real is None and found.reached == pytest.approx(frechet(MADE).reached)


def test_centroids_of_shuffled_clips_are_no_nearer_than_chance():
    right, wrong = centroids(MADE), centroids(shuffled(MADE))
    assert right.met and right.reached < 0.3 * right.chance
    assert wrong.failed and wrong.reached == pytest.approx(wrong.chance, rel=0.1)


def test_centroid_distances_by_hand():
    a, b = np.array([[0.0, 0.0], [3.0, 4.0]]), np.array([[0.0, 1.0], [3.0, 4.0]])
    assert distribution.centroid_distances(a, b) == pytest.approx((0.5, (5 + np.hypot(3, 3)) / 2))


def test_first_and_last_clips_of_a_concept():
    heard = Heard(("a", "b", "a", "b", "a"), tuple(torch.full((2, 2), float(i)) for i in range(5)))
    first, last = distribution.ends(heard, 1, last=False), distribution.ends(heard, 1, last=True)
    assert [float(mel[0, 0]) for mel in first.mels] == [0, 1]
    assert [float(mel[0, 0]) for mel in last.mels] == [4, 3]


TRAINING = clips(40, seed=4)
APART = [str(i) for i in range(len(TRAINING))]


def novel(made, sources=APART):
    return novelty.compare(judge(), made, TRAINING, sources, clips(10, seed=5), counts=True)


def test_copies_are_found():
    found, _ = novel(TRAINING.pick(range(0, len(TRAINING), 5)))
    assert found.reached == 1 and found.failed


def test_new_clips_are_new():
    found, _ = novel(clips(10, seed=6))
    assert found.reached == pytest.approx(0.05, abs=0.03)
    assert found.real == pytest.approx(0.05, abs=0.03)
    assert found.chance == 1


def test_clips_of_another_kind_are_no_copies():
    assert novel(white_noise(MADE, 0.4))[0].reached == 0


def test_clips_of_one_source_set_no_bound():
    twice = Heard(TRAINING.concepts * 2, tuple(mel + 0.001 * i for i in (0, 1) for mel in TRAINING.mels))
    literal, apart = novelty.compare(judge(), clips(10, seed=6), twice, APART * 2, clips(10, seed=5), counts=True)
    assert literal.reached == 0 and apart.reached == pytest.approx(0.05, abs=0.03)
    assert literal.counts and not apart.counts
    assert apart.reached == pytest.approx(novel(clips(10, seed=6))[0].reached, abs=0.005)


def test_scenes_of_the_training_are_looked_at_where_they_are_given(tmp_path, monkeypatch):
    """Recordings are measured by themselves either way: among many scenes their copies would not show."""
    recorded, scenes = clips(20, RECORDED, seed=7), clips(40, SYNTHESISED, seed=8, spread=40.0)
    copied = clips(4, seed=9).of(SYNTHESISED) + recorded.pick(range(0, len(recorded), 5))
    bench = SimpleNamespace(
        config=SimpleNamespace(training=()),
        generated=copied,
        recorded=lambda *folds: recorded,
        sources=lambda *folds: [str(i) for i in range(len(recorded))],
        held_out=SimpleNamespace(heard=lambda: clips(2, seed=10)),
        strict=judge(),
        judges=(),
    )
    bench.judges = (bench.strict,)
    alone = novelty.measure(bench)
    assert [f.clips for f in alone] == [40, 40] and alone[0].reached == 1 and alone[0].failed
    monkeypatch.setattr(novelty, "_synthesised", lambda folders: scenes)
    bench.config.training = (tmp_path,)
    first, _, everything = novelty.measure(bench)
    assert first == alone[0]
    assert everything.clips == len(copied) and everything.reached == pytest.approx(40 / len(copied), abs=0.02)
    assert everything.counts and everything.what.startswith("all classes")


def test_distances_by_hand():
    rows, others = np.array([[0.0, 0.0], [1.0, 0.0]]), np.array([[0.0, 3.0], [1.0, 0.0]])
    assert novelty.nearest(rows, others) == pytest.approx([1, 0])
    line = np.array([[0.0], [1.0], [3.0], [7.0]])  # nearest neighbours at 1, 1, 2, 4
    assert novelty.copy_distance(line, range(4)) == pytest.approx(1)
    assert novelty.copy_distance(line, "aabb") == pytest.approx(np.quantile([3, 2, 2, 6], 0.05))
