"""When things happen in a recipe: turns of machines, paths between set points, how many separate events fit a clip."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audiojourney.data.scenes.dsp import Signal, cosine_join, time_axis

# Loudness of a vehicle at the start, the middle and the end of a clip.
MOTIONS = {"steady": (0.9, 1, 0.9), "approaching": (0.2, 0.5, 1), "leaving": (1, 0.5, 0.2), "passing": (0.3, 1, 0.3)}
COUNTABLE = 6  # more separate events than this a listener does not count


def turns(speed_hz: Signal, rate_hz: int) -> Signal:
    """Number of turns made by each sample of a shaft that turns `speed_hz` times a second; shapes (T,) and (T,)."""
    return np.cumsum(speed_hz) / rate_hz


def turn_times(turned: Signal, rate_hz: int) -> Signal:
    """Seconds at which `turned`, a growing curve of shape (T,), passes each whole number; shape (N,)."""
    wholes = np.arange(np.ceil(turned[0]), np.floor(turned[-1]) + 1)
    return np.interp(wholes, turned, np.arange(len(turned))) / rate_hz


def impulses(times_s: Signal, gains: Signal, samples: int, rate_hz: int) -> Signal:
    """Impulses between samples: each is shared by its two neighbours, so that a pulse train keeps its exact pitch.

    Args:
        times_s: time of each impulse in seconds, shape (N,); those outside the signal are left out.
        gains: area of each impulse, shape (N,).
        samples: length of the result.
        rate_hz: sampling rate.

    Returns:
        Signal of shape (samples,).
    """
    position = np.asarray(times_s) * rate_hz
    inside = (position >= 0) & (position < samples - 1)
    left = position[inside].astype(int)
    right_share = position[inside] - left
    gain = np.asarray(gains)[inside]
    return np.bincount(left, gain * (1 - right_share), samples) + np.bincount(left + 1, gain * right_share, samples)


def path(samples: int, rate_hz: int, times_s: Sequence[float], values: Sequence[float]) -> Signal:
    """Smooth curve of shape (samples,) through `values` at growing `times_s`, level before and after."""
    position = np.interp(time_axis(samples, rate_hz), times_s, np.arange(len(times_s)))
    return cosine_join(np.asarray(values, dtype=float), position)


def event_count(rng: np.random.Generator, duration_s: float, event_s: float, low: float, high: float) -> int:
    """How many events of `event_s` to place in a clip: `low` to `high` in ten seconds, one at least, if they fit."""
    wanted = round(rng.uniform(low, high) * duration_s / 10)
    return max(1, min(wanted, int(duration_s / event_s)))


def counted(events: Sequence[tuple[float, float]]) -> dict[str, str]:
    """The attribute `count` of separate events, or nothing where they are too many to be counted by ear."""
    return {"count": str(len(events))} if len(events) <= COUNTABLE else {}


def span(start_s: float, length_s: float, duration_s: float) -> tuple[float, float]:
    """Start and end of an event in seconds, cut to the clip."""
    return float(start_s), float(min(start_s + length_s, duration_s))


def pick(rng: np.random.Generator, words: Sequence[str]) -> str:
    """One of `words`, all equally likely."""
    return words[int(rng.integers(len(words)))]
