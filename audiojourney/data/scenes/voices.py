"""What animal calls share: calls spread over a clip, a moving mouth, and the open air around."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from audiojourney.data.scenes import dsp

Call = Callable[[], np.ndarray]


def place_calls(
    rng: np.random.Generator, samples: int, rate_hz: int, call: Call, most: int, gap_s: float = 0.3, least: int = 1
) -> tuple[np.ndarray, tuple[tuple[float, float], ...]]:
    """Spread the calls of one animal over a clip, each drawn anew.

    Args:
        rng: draws the number of calls, their times and levels.
        samples: length of the clip.
        rate_hz: sampling rate.
        call: renders one call, shape (T,).
        most: largest number of calls; fewer where they would not fit.
        gap_s: shortest rest to leave for each call.
        least: smallest number of calls, as far as they fit; one is always placed.

    Returns:
        The clip, shape (samples,), and start and end of each call in seconds.
    """
    length_s = samples / rate_hz
    first = call()
    call_s = len(first) / rate_hz
    fitting = max(1, int(length_s / (1.3 * call_s + gap_s)))
    count = int(rng.integers(min(least, fitting), min(most, fitting) + 1))
    wave, events = np.zeros(samples), []
    for index, start_s in enumerate(dsp.spread_times(rng, count, length_s, 1.3 * call_s)):
        voice = dsp.to_peak(first if index == 0 else call())
        start_s = max(0.0, min(start_s, length_s - len(voice) / rate_hz))
        events.append(dsp.place(wave, voice, start_s, rate_hz, rng.uniform(0.5, 1)))
    return wave, tuple(events)


def outdoors(rng: np.random.Generator, wave: np.ndarray, rate_hz: int, wet: float) -> np.ndarray:
    """Put a call of shape (T,) into a place: some reverberation and, well below it, the air's own faint noise.

    Args:
        rng: draws the place.
        wave: dry signal, shape (T,).
        rate_hz: sampling rate.
        wet: linear gain of the reverberation.

    Returns:
        Signal of shape (T,).
    """
    wave = dsp.to_peak(dsp.reverb(rng, wave, rate_hz, rng.uniform(0.3, 1.2), wet, high_hz=3500))
    air = dsp.noise(rng, len(wave), rate_hz, slope=rng.uniform(0.5, 2))
    return wave + dsp.log_uniform(rng, 2e-4, 6e-3) * air


def throat(
    wave: np.ndarray, rate_hz: int, shapes: Sequence[dsp.Numbers], position: np.ndarray, gains: dsp.Numbers
) -> np.ndarray:
    """Send a voice through a mouth that moves: formants of each shape in turn, cross-faded along `position`.

    Args:
        wave: voice, shape (T,).
        rate_hz: sampling rate.
        shapes: S mouth shapes, each the frequencies in Hz of its K formants.
        position: which shape the mouth has, from 0 to S - 1, shape (T,).
        gains: linear gain of each of the K formants.

    Returns:
        Signal of shape (T,).
    """
    voiced = np.zeros(len(wave))
    for index, centres_hz in enumerate(shapes):
        weight = np.clip(1 - np.abs(position - index), 0, 1)
        widths_hz = [60 + 0.08 * hz for hz in centres_hz]
        voiced += weight * dsp.formants(wave, rate_hz, centres_hz, widths_hz, gains)
    return voiced
