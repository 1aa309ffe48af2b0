from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiojourney.errors import UsageError
from audiojourney.metrics.preference import clip_interval, krippendorff_alpha, wilson_interval


@pytest.mark.parametrize(("wins", "low", "high"), [(145, 51.8, 64.0), (137, 48.6, 60.9)])
def test_wilson_gives_the_published_intervals(wins, low, high):
    """GenAu's user study: 58.0 and 54.8 percent of 250 votes."""
    found = wilson_interval(wins, 250)
    assert (100 * found.low, 100 * found.high) == (pytest.approx(low, abs=0.06), pytest.approx(high, abs=0.06))


@settings(max_examples=60)
@given(st.integers(1, 400).flatmap(lambda votes: st.tuples(st.integers(0, votes), st.just(votes))))
def test_wilson_lies_within_0_and_1_and_is_fair_to_both_sides(counts):
    wins, votes = counts
    one, other = wilson_interval(wins, votes), wilson_interval(votes - wins, votes)
    assert 0 <= one.low <= wins / votes + 1e-12 and wins / votes - 1e-12 <= one.high <= 1
    assert one.low == pytest.approx(1 - other.high, abs=1e-12)
    assert wilson_interval(wins, votes, level=0.5).high <= one.high + 1e-12


def test_wilson_covers_what_it_promises():
    random = np.random.default_rng(0)
    won = random.binomial(40, 0.3, 2000)
    inside = [wilson_interval(int(count), 40) for count in won]
    assert np.mean([one.low <= 0.3 <= one.high for one in inside]) == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize(("wins", "votes", "level"), [(0, 0, 0.95), (3, 2, 0.95), (-1, 2, 0.95), (1, 2, 1.0)])
def test_wilson_refuses_what_is_no_share(wins, votes, level):
    with pytest.raises(UsageError, match=str(level if level == 1.0 else votes)):
        wilson_interval(wins, votes, level=level)


def test_clips_whose_votes_go_together_widen_the_interval():
    """Ten listeners who say the same of each of 40 clips are worth 40 votes, not 400."""
    won = np.tile([10, 0], 20)
    clustered, single = clip_interval(won, np.full(40, 10)), wilson_interval(200, 400)
    alike = wilson_interval(20, 40)
    assert clustered.high - clustered.low > 2.5 * (single.high - single.low)
    assert clustered.high - clustered.low == pytest.approx(alike.high - alike.low, rel=0.1)


def test_clips_without_votes_count_nothing():
    won, cast = np.arange(12) % 3, np.full(12, 2)
    assert clip_interval(won, cast) == clip_interval([*won, 0, 0], [*cast, 0, 0])
    with pytest.raises(UsageError, match="not 9"):
        clip_interval(won, [*cast[:9], 0, 0, 0])
    with pytest.raises(UsageError, match="same clips"):
        clip_interval([1], [1, 2])


# Krippendorff, Computing Krippendorff's Alpha-Reliability (2011), example C: nominal data, 4 observers, 12 units.
OBSERVERS = (
    [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
)


def test_alpha_of_the_published_example():
    units = [[value for value in unit if value is not None] for unit in zip(*OBSERVERS, strict=True)]
    assert krippendorff_alpha(units) == pytest.approx(0.743, abs=5e-4)


def test_alpha_at_its_ends():
    assert krippendorff_alpha([["a", "a"], ["b", "b", "b"]]) == 1
    assert krippendorff_alpha([["a", "b"], ["a", "b"]]) < 0
    random = np.random.default_rng(0)
    assert krippendorff_alpha(random.integers(0, 3, (3000, 4)).tolist()) == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("units", [[], [["a"], ["b"]], [["a", "a"], ["a", "a"]]])
def test_alpha_has_no_value_where_nothing_can_be_compared(units):
    assert krippendorff_alpha(units) is None
