"""Turning shafts, impulses between samples, paths and counts of events."""

from __future__ import annotations

import numpy as np
import pytest

from audiojourney.data.scenes import timing


def test_a_steady_shaft_completes_its_turns_at_equal_times() -> None:
    turned = timing.turns(np.full(16000, 12.5), 16000)
    times_s = timing.turn_times(turned, 16000)
    assert len(times_s) == 12
    assert np.allclose(np.diff(times_s), 1 / 12.5, atol=1e-6)


def test_an_impulse_keeps_its_area_and_its_time_between_samples() -> None:
    track = timing.impulses(np.array([0.010015625]), np.array([2.0]), 400, 16000)  # sample 160.25
    assert np.isclose(track.sum(), 2.0)
    assert np.isclose(np.sum(track * np.arange(400)) / track.sum(), 160.25)


def test_impulses_outside_the_signal_are_left_out() -> None:
    track = timing.impulses(np.array([-0.1, 0.005, 9.0]), np.ones(3), 160, 16000)
    assert track.shape == (160,)
    assert np.isclose(track.sum(), 1.0)


def test_a_path_meets_its_points_and_is_level_beyond_them() -> None:
    curve = timing.path(1000, 100, [2.0, 4.0, 5.0], [1.0, 3.0, -1.0])
    assert np.allclose(curve[[0, 200, 400, 500, 999]], [1, 1, 3, -1, -1])
    assert np.isclose(curve[300], 2.0)  # half way along the half cosine
    assert np.all(np.diff(curve[200:400]) >= 0)


@pytest.mark.parametrize(("duration_s", "event_s", "most"), [(1.0, 3.0, 1), (10.0, 3.0, 3), (10.0, 0.5, 8)])
def test_event_count_is_at_least_one_and_fits_the_clip(duration_s: float, event_s: float, most: int) -> None:
    counts = [timing.event_count(np.random.default_rng(seed), duration_s, event_s, 2, 8) for seed in range(50)]
    assert min(counts) >= 1
    assert max(counts) == most


def test_events_are_counted_up_to_six() -> None:
    assert timing.counted([(0.0, 1.0)] * 6) == {"count": "6"}
    assert timing.counted([(0.0, 1.0)] * 7) == {}


def test_a_span_ends_with_the_clip() -> None:
    assert timing.span(1.5, 1.0, 2.0) == (1.5, 2.0)
    assert timing.span(0.5, 1.0, 2.0) == (0.5, 1.5)


def test_every_word_is_picked_sooner_or_later() -> None:
    rng = np.random.default_rng(0)
    assert {timing.pick(rng, ("a", "b", "c")) for _ in range(50)} == {"a", "b", "c"}
