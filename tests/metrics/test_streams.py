"""Streams of clips give what the sets at once give; extrapolation and intervals keep their promises."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiojourney.errors import AudioJourneyError, UsageError
from audiojourney.metrics.base import Interval, Result
from audiojourney.metrics.extrapolation import frechet_infinity
from audiojourney.metrics.frechet import Gaussian, frechet_distance
from audiojourney.metrics.intervals import bootstrap_interval, paired_difference, subsampling_interval
from audiojourney.metrics.names import KINDS, NAMES, parse_name
from audiojourney.metrics.rows import ClipRows, pair
from audiojourney.metrics.streams import GROUPS, GROUPS_WIDE, FrechetDistance, GroupedGaussian, RunningGaussian, merged


def clips(random, count, d, shift=0.0, scale=1.0, most=1):
    return [random.normal(shift, scale, (random.integers(1, most + 1), d)) for _ in range(count)]


@pytest.mark.parametrize("name", ("d16_full", "d16_rankdef", "d16_bigmean", "d16_constdim", "d32_illcond", "d8_n2"))
@pytest.mark.parametrize("at_once", (1, 7))
def test_stream_equals_the_high_precision_values(shared_fixtures, name, at_once):
    folder = shared_fixtures / "metrics"
    sets = np.load(folder / "frechet_sets.npz")
    public = json.loads((folder / "frechet_values.json").read_text(encoding="utf-8"))[name]
    metric = FrechetDistance("fad_vggish")
    for side in ("reference", "generated"):
        rows = sets[f"{name}/{'x' if side == 'reference' else 'y'}"]
        for start in range(0, len(rows), at_once):
            metric.update(**{side: [rows[start : start + at_once]]})
    result = metric.compute()
    assert result.value == pytest.approx(float(public["reference_mpmath_40digits"]), rel=1e-11)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(2, 40))
def test_any_cutting_of_rows_gives_the_same_gaussian(seed, d, n):
    random = np.random.default_rng(seed)
    x = random.normal(random.normal(0, 100), 1, (n, d))
    running = RunningGaussian()
    for part in np.split(x, np.sort(random.integers(0, n, random.integers(0, 5)))):
        if len(part):
            running.update(part)
    found, whole = running.gaussian(), Gaussian.of_rows(x)
    assert found.mean == pytest.approx(whole.mean, rel=1e-12)
    assert found.factor.T @ found.factor == pytest.approx(whole.factor.T @ whole.factor, rel=1e-9, abs=1e-10)
    assert found.rows == n
    assert len(found.factor) <= 2 * d


def test_memory_does_not_grow_with_the_number_of_clips():
    running, sizes = RunningGaussian(), []
    random = np.random.default_rng(0)
    for _ in range(300):
        running.update(random.normal(size=(10, 8)))
        sizes.append(sum(part.size for part in running._parts))
    assert max(sizes) <= 2 * 8 * 8 + 10 * 8
    assert running.rows == 3000


def test_sizes_that_a_reader_must_know_are_told():
    random = np.random.default_rng(1)
    metric = FrechetDistance("fad_vggish")
    metric.update(clips(random, 5, 12), clips(random, 30, 12, most=3))
    result = metric.compute()
    assert result.count == (5, 30)
    assert "5 rows are fewer than 12 dimensions" in result.warnings[0]
    assert "distances depend on both numbers" in result.warnings[1]
    metric.reset()
    with pytest.raises(UsageError, match="0 came"):
        metric.compute()
    metric.update(reference=[np.zeros(3)])
    with pytest.raises(UsageError, match="4 numbers cannot follow rows of 3"):
        metric.update(reference=[np.zeros(4)])


def test_silent_sets_are_finite():
    metric = FrechetDistance("fd_panns")
    metric.update([np.ones(5)] * 3, [np.ones(5)] * 3)
    assert metric.compute().value == 0
    metric.update(generated=[np.arange(5.0)] * 3)
    assert metric.compute().value > 0


def test_extrapolation_takes_the_bias_away():
    """The true distance of both pairs is known; the plain value is far off, the extrapolated one near."""
    random = np.random.default_rng(2)
    d, n = 16, 600
    truth = Gaussian.of_statistics(np.zeros(d), np.eye(d), 10**6)
    for shift in (0.0, 0.5):
        rows = ClipRows.of_rows(random.normal(shift, 1, (n, d)))
        plain = frechet_distance(truth, rows.rows)
        found = frechet_infinity(truth, rows, draws=4)
        assert abs(found.value - d * shift**2) < 0.5 * abs(plain - d * shift**2) + 0.05 * d * shift**2
        assert found.linear and found.slope > 0
        assert found == frechet_infinity(truth, rows, draws=4)
    both = frechet_infinity(ClipRows.of_rows(random.normal(size=(n, d))), ClipRows.of_rows(random.normal(size=(n, d))))
    assert abs(both.value) < 0.35 * both.distances[-1]
    assert both.fit > 0.9


def test_extrapolation_says_where_the_line_is_bent():
    random = np.random.default_rng(3)
    few = ClipRows.of_rows(random.normal(size=(40, 30)))
    assert not frechet_infinity(few, few).linear
    with pytest.raises(UsageError, match="not 9, 15 and 1"):
        frechet_infinity(few, ClipRows.of_rows(random.normal(size=(9, 30))))


def test_subsampling_covers_and_the_plain_bootstrap_does_not():
    """Over many sets the interval must hold the mean value at this number of clips about as often as it says."""
    d, n, repeats = 6, 60, 60
    truth = Gaussian.of_statistics(np.zeros(d), np.eye(d), 10**6)
    random = np.random.default_rng(4)
    sets = random.normal(0.2, 1.0, (repeats, n, d))
    values = [frechet_distance(truth, rows) for rows in sets]
    centre, covered, bootstrapped = float(np.mean(values)), 0, 0
    for number, rows in enumerate(sets):

        def statistic(chosen, rows=rows):
            return frechet_distance(truth, rows[chosen[0]])

        found = subsampling_interval(statistic, [n], draws=60, seed=number)
        covered += found.low <= centre <= found.high
        assert found.low < values[number] < found.high
        repeated = [statistic([random.integers(0, n, n)]) for _ in range(40)]
        bootstrapped += np.quantile(repeated, 0.025) <= centre <= np.quantile(repeated, 0.975)
    assert covered >= 0.85 * repeats
    assert bootstrapped < 0.85 * covered


def test_intervals_of_means():
    random = np.random.default_rng(5)
    values = random.normal(3, 1, 200)
    found = bootstrap_interval(values)
    error = values.std() / np.sqrt(200)
    assert (found.low, found.high) == pytest.approx(
        (values.mean() - 1.96 * error, values.mean() + 1.96 * error), abs=0.25 * error
    )
    # The same prompts: what both systems share does not widen the interval of their difference.
    shared = random.normal(0, 10, 200)
    difference = paired_difference(values + shared + 0.5, values + shared)
    assert (difference.low, difference.high) == pytest.approx((0.5, 0.5))
    assert "seed 0" in found.method


def test_intervals_that_promise_too_much_are_refused():
    for call, told in (
        (lambda: bootstrap_interval(np.zeros(9)), "not 9"),
        (lambda: bootstrap_interval(np.full(20, np.nan)), "finite"),
        (lambda: paired_difference(np.zeros(12), np.zeros(11)), r"\(12,\) and \(11,\)"),
        (lambda: subsampling_interval(lambda chosen: 0.0, [20], share=1.0), "1.0"),
        (lambda: subsampling_interval(lambda chosen: 0.0, [20], level=2), "2"),
        (lambda: subsampling_interval(lambda chosen: 0.0, [20, 5]), "not 5"),
    ):
        with pytest.raises(UsageError, match=told):
            call()


def test_clips_keep_their_rows_together():
    parts = [np.full((2, 3), 0.0), np.full((1, 3), 1.0), np.full(3, 2.0), np.full((3, 3), 3.0)]
    joined = ClipRows.of_clips(parts)
    assert len(joined) == 4
    assert joined.pick(np.array([3, 1]))[:, 0].tolist() == [3, 3, 3, 1]
    with pytest.raises(UsageError, match=r"\[2, 3\]"):
        ClipRows.of_clips([np.zeros(2), np.zeros(3)])


def test_pairing_names_what_is_wrong():
    found = pair(["a", "b", "c"], ["c", "a", "x"], allow_missing=True)
    assert (found.ids, found.reference.tolist(), found.generated.tolist()) == (("a", "c"), [0, 2], [1, 0])
    assert found.unmatched == ("b", "x")
    with pytest.raises(UsageError, match="1 ids of the reference were not generated: 'b'"):
        pair(["a", "b"], ["a"])
    with pytest.raises(UsageError, match="no reference: 'z'"):
        pair(["a"], ["a", "z"])
    with pytest.raises(UsageError, match="twice on the generated side: 'a'"):
        pair(["a"], ["a", "a"])
    with pytest.raises(UsageError, match="and 4 more"):
        pair([str(number) for number in range(9)], ["x"])
    with pytest.raises(UsageError, match="None of 1"):
        pair(["a"], ["b"], allow_missing=True)


def test_names_carry_their_network():
    assert parse_name("fad_inf_vggish") == ("fad_inf", "vggish")
    assert [str(parse_name(name)) for name in NAMES] == list(NAMES)
    for kind in KINDS:
        with pytest.raises(UsageError, match="which network"):
            parse_name(kind)
    with pytest.raises(UsageError, match="fad_vggish"):
        parse_name("fad_vgish")


def test_a_result_is_a_number_or_a_reason():
    with pytest.raises(AudioJourneyError, match="nan"):
        Result(name="x", value=float("nan"))
    with pytest.raises(AudioJourneyError, match="neither"):
        Result(name="x")
    full = Result(name="x", value=1.0, count=(3,), interval=Interval(0, 2, 0.95, "m"), warnings=("w",), per_item=[1])
    assert json.loads(json.dumps(full.table()))["interval"]["high"] == 2
    assert Result(name="meteor", reason="no java").table() == {"name": "meteor", "value": None, "reason": "no java"}


@given(seed=st.integers(0, 99), sizes=st.lists(st.integers(0, 9), min_size=1, max_size=5))
@settings(max_examples=25, deadline=None)
def test_parts_that_are_joined_are_the_whole(seed, sizes):
    random = np.random.default_rng(seed)
    rows = [random.normal(5, 2, (size, 3)) for size in [*sizes, 4]]
    parts = []
    for part in rows:
        parts.append(RunningGaussian())
        for row in part:
            parts[-1].update(row[None])
    joined, whole = merged(parts), Gaussian.of_rows(np.concatenate(rows))
    assert joined.rows == whole.rows
    np.testing.assert_allclose(joined.mean, whole.mean, rtol=1e-12)
    np.testing.assert_allclose(joined.factor.T @ joined.factor, whole.factor.T @ whole.factor, atol=1e-9)
    assert [part.rows for part in parts] == [len(part) for part in rows], "the parts stay as they are"


def test_groups_are_equal_random_halves_of_the_set():
    random = np.random.default_rng(0)
    rows = random.normal(0, 1, (130, 2, 3))
    grouped = GroupedGaussian(130, seed=1)
    for clip in rows:
        grouped.update(clip)
    assert len(grouped.groups) == GROUPS and {group.rows for group in grouped.groups} <= {6, 8}
    np.testing.assert_allclose(grouped.gaussian().mean, rows.mean(axis=(0, 1)), atol=1e-12)
    half = grouped.gaussian(np.arange(20))
    assert 120 <= half.rows <= 140
    few = GroupedGaussian(4)
    for clip in rows[:4]:
        few.update(clip)
    assert [group.rows for group in few.groups] == [2] * 4
    wide = GroupedGaussian(50)
    wide.update(np.zeros((1, 2000)))
    assert len(wide.groups) == GROUPS_WIDE
