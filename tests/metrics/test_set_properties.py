"""What must hold of measures of sets whatever the sets are: moves, order, copies, extremes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiojourney.errors import AudioJourneyError, UsageError
from audiojourney.metrics.base import Result
from audiojourney.metrics.divergence import kl_divergence
from audiojourney.metrics.frechet import frechet_distance
from audiojourney.metrics.inception import inception_score
from audiojourney.metrics.intervals import bootstrap_interval, paired_difference, subsampling_interval
from audiojourney.metrics.kernels import kernel_audio_distance, median_distance
from audiojourney.metrics.neighbours import manifold
from audiojourney.metrics.preference import krippendorff_alpha, wilson_interval
from audiojourney.metrics.rows import ClipRows, listed, pair
from audiojourney.metrics.similarity import cosines

seeds = st.integers(0, 1000)
QUICK = settings(max_examples=25, deadline=None)


def two_sets(seed, n=30, m=24, d=5, shift=0.5):
    random = np.random.default_rng(seed)
    return random.normal(0, 1, (n, d)), random.normal(shift, 1.3, (m, d))


def turned(seed, d=5):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(d, d)))[0]


@QUICK
@given(seeds)
def test_turning_moving_and_scaling_both_sides_changes_nothing(seed):
    x, y = two_sets(seed)
    a, b = (3 * side @ turned(seed) + 7 for side in (x, y))
    assert kernel_audio_distance(a, b) == pytest.approx(kernel_audio_distance(x, y), rel=1e-7, abs=1e-9)
    assert manifold(a, b) == pytest.approx(manifold(x, y))
    assert median_distance(a) == pytest.approx(3 * median_distance(x), rel=1e-6)
    np.testing.assert_allclose(cosines(3 * x[:20] @ turned(seed), y[:20] @ turned(seed)), cosines(x[:20], y[:20]))


@QUICK
@given(seeds)
def test_order_of_rows_changes_nothing(seed):
    x, y = two_sets(seed)
    random = np.random.default_rng(seed)
    a, b = random.permutation(x), random.permutation(y)
    assert kernel_audio_distance(a, b) == pytest.approx(kernel_audio_distance(x, y), rel=1e-9, abs=1e-10)
    assert manifold(a, b) == pytest.approx(manifold(x, y))
    assert inception_score(b).mean == pytest.approx(inception_score(y).mean, rel=1e-12)


@QUICK
@given(seeds)
def test_precision_and_recall_change_places_with_the_sides(seed):
    x, y = two_sets(seed)
    one, other = manifold(x, y), manifold(y, x)
    assert (one.precision, one.recall) == (other.recall, other.precision)
    assert 0 <= one.coverage <= 1 and one.density >= 0
    assert manifold(x, y, k=8).recall >= manifold(x, y, k=2).recall


@QUICK
@given(seeds, st.floats(0.1, 3))
def test_sets_that_part_are_further_away(seed, step):
    x, y = two_sets(seed, shift=0.0)
    x, y = x - x.mean(axis=0), y - y.mean(axis=0)
    assert frechet_distance(x, y + 2 * step) > frechet_distance(x, y + step)
    assert kernel_audio_distance(x, y + 2 * step) > kernel_audio_distance(x, y + step)
    far = manifold(x, y + 100)
    assert far == (0, 0, 0, 0)


@QUICK
@given(seeds)
def test_a_constant_added_to_logits_changes_nothing(seed):
    x, y = two_sets(seed, n=20, m=20)
    moved = np.random.default_rng(seed).normal(size=(20, 1))
    np.testing.assert_allclose(kl_divergence(x + moved, y - moved), kl_divergence(x, y), rtol=1e-9, atol=1e-12)
    assert inception_score(x + moved).mean == pytest.approx(inception_score(x).mean)
    assert 1 <= inception_score(x).mean <= 5
    assert (kl_divergence(x, y, floor=0) >= 0).all()
    np.testing.assert_allclose(kl_divergence(x, x, floor=0), 0, atol=1e-12)


@pytest.mark.parametrize("size", (1e-30, 1e30))
def test_sets_of_any_size_are_finite(size):
    x, y = (size * side for side in two_sets(0))
    assert np.isfinite(frechet_distance(x, y)) and frechet_distance(x, x) == 0
    assert np.isfinite(kernel_audio_distance(x, y))
    assert manifold(x, y) == pytest.approx(manifold(*two_sets(0)))


@pytest.mark.parametrize("broken", (np.nan, np.inf, -np.inf))
def test_numbers_that_are_not_finite_are_refused_everywhere(broken):
    x, y = two_sets(0)
    y[3, 2] = broken
    for measure in (frechet_distance, kernel_audio_distance, manifold, lambda a, b: kl_divergence(a[:24], b)):
        with pytest.raises(UsageError, match="not finite"):
            measure(x, y)
    with pytest.raises(UsageError, match="not finite"):
        inception_score(y)
    with pytest.raises(UsageError, match="not finite"):
        bootstrap_interval(y[:, 2])
    with pytest.raises(AudioJourneyError, match="which is no result"):
        Result(name="fad_pocket", value=float(broken))


@QUICK
@given(seeds, st.integers(10, 60))
def test_intervals_of_a_mean_turn_with_its_values(seed, count):
    values = np.random.default_rng(seed).normal(size=count)
    found, mirrored = bootstrap_interval(values), bootstrap_interval(-values)
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low))
    assert found.low <= values.mean() <= found.high
    shifted = paired_difference(values + 2, np.zeros(count))
    assert (shifted.low, shifted.high) == pytest.approx((found.low + 2, found.high + 2))
    wide = bootstrap_interval(values, level=0.99)
    assert wide.low <= found.low and found.high <= wide.high


def test_parts_are_drawn_without_repeats_and_by_the_seed():
    drawn = []

    def statistic(parts):
        drawn.append([tuple(part) for part in parts])
        return float(parts[0].sum())

    first = subsampling_interval(statistic, [20, 11], draws=5, seed=4)
    assert drawn[0] == [tuple(range(20)), tuple(range(11))], "the whole comes first"
    for parts in drawn[1:]:
        assert [len(part) for part in parts] == [10, 6]
        assert all(len(set(part)) == len(part) for part in parts)
    assert subsampling_interval(statistic, [20, 11], draws=5, seed=4) == first
    assert subsampling_interval(statistic, [20, 11], draws=5, seed=5) != first


@QUICK
@given(st.integers(0, 40), st.integers(0, 40))
def test_wilson_turns_with_the_votes(wins, losses):
    if not wins + losses:
        return
    one, other = wilson_interval(wins, wins + losses), wilson_interval(losses, wins + losses)
    assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low), abs=1e-12)
    assert 0 <= one.low <= wins / (wins + losses) + 1e-12 and one.high <= 1


@QUICK
@given(st.lists(st.lists(st.sampled_from("abt"), min_size=2, max_size=4), min_size=2, max_size=6))
def test_agreement_does_not_depend_on_who_is_who(votes):
    found = krippendorff_alpha(votes)
    other = krippendorff_alpha([sorted(unit, reverse=True) for unit in reversed(votes)])
    assert found is other is None or found == pytest.approx(other)
    assert found is None or found <= 1


@QUICK
@given(st.permutations(list("abcdef")), st.permutations(list("abcdef")))
def test_pairs_meet_whatever_the_order(reference, generated):
    found = pair(reference, generated)
    assert found.ids == tuple(reference) and found.unmatched == ()
    assert [generated[place] for place in found.generated] == [reference[place] for place in found.reference]


@QUICK
@given(st.lists(st.integers(1, 4), min_size=1, max_size=8), seeds)
def test_rows_stay_with_their_clip(sizes, seed):
    clips = [np.full((size, 2), number, float) for number, size in enumerate(sizes)]
    joined = ClipRows.of_clips(clips)
    chosen = np.random.default_rng(seed).integers(0, len(sizes), 5)
    np.testing.assert_array_equal(joined.pick(chosen), np.concatenate([clips[number] for number in chosen]))
    assert len(joined) == len(sizes)


@pytest.mark.parametrize(("count", "told"), [(1, "'0'"), (5, "'0', '1', '2', '3', '4'"), (7, "'4' and 2 more")])
def test_five_names_are_listed(count, told):
    assert listed([str(number) for number in range(count)]).endswith(told)
    assert listed([]) == ""
    assert listed(["\n<b>"]) == "'\\n<b>'"
