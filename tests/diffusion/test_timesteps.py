"""The visited time steps are those of the published tables."""

from __future__ import annotations

from itertools import pairwise

import pytest

from audiojourney.diffusion.timesteps import SPACINGS, Spacing, find_spacing
from audiojourney.errors import UsageError


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("trailing", [999, 899, 799, 699, 599, 499, 399, 299, 199, 99]),
        ("leading", [900, 800, 700, 600, 500, 400, 300, 200, 100, 0]),
        ("linspace", [999, 888, 777, 666, 555, 444, 333, 222, 111, 0]),
        ("genau", [901, 801, 701, 601, 501, 401, 301, 201, 101, 1]),
        ("tango", [901, 801, 701, 601, 501, 401, 301, 201, 101, 1]),
    ],
)
def test_ten_of_a_thousand(name, expected):
    assert SPACINGS[name].times(1000, 10) == expected


@pytest.mark.parametrize("name", ["trailing", "leading", "linspace"])
@pytest.mark.parametrize("steps", [1, 2, 3, 7, 30, 333, 999, 1000])
def test_any_number_of_steps_gives_that_many_falling_times(name, steps):
    times = SPACINGS[name].times(1000, steps)
    assert len(times) == steps
    assert all(high > low for high, low in pairwise(times))
    assert 0 <= times[-1] <= times[0] <= 999


def test_trailing_starts_at_the_noisiest_step_whatever_the_number():
    assert all(SPACINGS["trailing"].times(1000, steps)[0] == 999 for steps in range(1, 1001))


def test_genau_list_is_longer_than_asked_where_the_number_does_not_divide():
    assert len(SPACINGS["genau"].times(1000, 150)) == 167


@pytest.mark.parametrize("steps", [1000, 501, 333, 300, 251, 105, 37])
def test_genau_list_that_leaves_the_schedule_says_so(steps):
    with pytest.raises(UsageError, match=rf"{steps} steps reaches time 1000.*divides it"):
        SPACINGS["genau"].times(1000, steps)


@pytest.mark.parametrize("steps", [5, 10, 50, 100, 112, 200, 250, 334, 500])
def test_genau_list_elsewhere_stays_in_the_schedule(steps):
    times = SPACINGS["genau"].times(1000, steps)
    assert times[-1] == 1 and times[0] < 1000


@pytest.mark.parametrize("steps", [0, -3, 1001])
def test_impossible_number_of_steps_is_shown(steps):
    with pytest.raises(UsageError, match=rf"{steps} sampling steps.*1 to 1000"):
        SPACINGS["trailing"].times(1000, steps)


def test_offset_that_leaves_the_schedule_is_refused():
    with pytest.raises(UsageError, match="visits 1008 to 108"):
        Spacing(kind="trailing", offset=9).times(1000, 10)


def test_unknown_names_list_the_known_ones():
    with pytest.raises(UsageError, match=r"'leadin'.*trailing, leading"):
        find_spacing("leadin")
    with pytest.raises(UsageError, match=r"'karras'.*linspace"):
        Spacing(kind="karras")


def test_own_rule_passes_through():
    rule = Spacing(kind="leading", offset=2)
    assert find_spacing(rule) is rule
