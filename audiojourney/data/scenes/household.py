"""Recipes of what people do to things: knock on a door, break glass, open a creaking door, let off fireworks."""

from __future__ import annotations

import numpy as np

from audiojourney.data.scenes import dsp, timing
from audiojourney.data.scenes.dsp import Signal
from audiojourney.data.scenes.source import Rendered, Source

KNOCK_S = 0.12


def _knock(rng: np.random.Generator, rate_hz: int, modes_hz: Signal, decay_s: Signal, click: float) -> Signal:
    """Knuckles on a panel, shape (T,): the panel's modes after a short dull click."""
    size = dsp.seconds(0.3, rate_hz)
    gains = rng.uniform(0.5, 1, len(modes_hz))
    panel = dsp.modal(rng, size, rate_hz, modes_hz * rng.uniform(0.98, 1.02), decay_s, gains)
    tap = dsp.noise(rng, size, rate_hz, 0.8, 250, 3500) * np.exp(-dsp.time_axis(size, rate_hz) / 0.004)
    return dsp.to_peak(dsp.fade(panel + click * tap, rate_hz, 0.0008, 0.02))


def knock(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Knocking on a door: groups of 2-5 knocks 0.12-0.35 s apart on wood (90-700 Hz) or metal (200-2500)."""
    duration_s = samples / rate_hz
    material = "metal" if rng.uniform() < 0.2 else "wood"
    low_hz, high_hz = (90, 700) if material == "wood" else (200, 2500)
    spread = np.sort(rng.uniform(0, np.log(high_hz / low_hz / 1.3), 7))
    modes_hz = dsp.log_uniform(rng, low_hz, 1.9 * low_hz) * np.exp(spread)
    decay_s = rng.uniform(0.06, 0.2, 7) * (3.0 if material == "metal" else 1.0)
    click, gap_s = rng.uniform(0.2, 0.8), dsp.log_uniform(rng, 0.12, 0.35)
    bank = [_knock(rng, rate_hz, modes_hz, decay_s, click) for _ in range(6)]
    knocks = min(int(rng.integers(2, 6)), max(1, int(0.8 * duration_s / gap_s)))
    group_s = min(1.15 * knocks * gap_s + KNOCK_S, duration_s)
    groups = timing.event_count(rng, duration_s, 2 * group_s, 0.6, 2.4)
    starts_s = dsp.spread_times(rng, groups, duration_s, group_s)
    times_s = (starts_s[:, None] + gap_s * (np.arange(knocks) + rng.uniform(0, 0.12, (groups, knocks)))).ravel()
    times_s = times_s[times_s + KNOCK_S <= duration_s]
    track = dsp.scatter(rng, bank, times_s, rng.uniform(0.7, 1, len(times_s)), samples, rate_hz)
    track = dsp.reverb(rng, track, rate_hz, rng.uniform(0.2, 0.8), rng.uniform(0.05, 0.3))
    events = tuple(timing.span(start_s, KNOCK_S, duration_s) for start_s in times_s.tolist())
    pace = dsp.grade(gap_s, (0.17, 0.25), ("fast", "medium", "slow"))
    return Rendered(dsp.finish(track), events, {"material": material, "pace": pace, **timing.counted(events)})


def _shatter(
    rng: np.random.Generator, size: int, rate_hz: int, shards: int, mean_delay_s: float, low_hz: float
) -> Signal:
    """Breaking glass, shape (size,): a bright crash, then ringing shards falling and bouncing."""
    time = dsp.time_axis(size, rate_hz)
    crash = dsp.noise(rng, size, rate_hz, -0.3, low_hz, 1e5) * np.exp(-time / rng.uniform(0.025, 0.07))
    thud = dsp.noise(rng, size, rate_hz, 1, 150, 900) * np.exp(-time / 0.015)
    bank = []
    for _ in range(24):
        modes_hz = np.exp(rng.uniform(np.log(low_hz), np.log(7800), 4))
        decays_s, gains = rng.uniform(0.05, 0.4, 4), rng.uniform(0.2, 1, 4)
        ring = dsp.modal(rng, dsp.seconds(0.4, rate_hz), rate_hz, modes_hz, decays_s, gains)
        bank.append(dsp.fade(ring, rate_hz, 0.0003, 0.02))
    times_s = rng.exponential(mean_delay_s, shards)
    gains = rng.pareto(2.5, shards).clip(0, 3) * np.exp(-0.6 * times_s / mean_delay_s) + 0.05
    falling = dsp.scatter(rng, bank, times_s, gains, size, rate_hz)
    return dsp.fade(crash + rng.uniform(0.1, 0.5) * thud + rng.uniform(0.6, 1.2) * falling, rate_hz, 0.0005, 0.15)


def glass(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Breaking glass: a crash above 1.5 kHz and 25-160 tinkling shards over 0.5-2 s; once to three times a clip."""
    duration_s, size = samples / rate_hz, timing.pick(rng, ("small", "large"))
    shards = round(dsp.log_uniform(rng, *((25, 60) if size == "small" else (60, 160))))
    mean_delay_s = rng.uniform(0.1, 0.25) if size == "small" else rng.uniform(0.25, 0.5)
    low_hz = rng.uniform(1800, 2800) if size == "small" else rng.uniform(1200, 2000)
    event_s = min(6 * mean_delay_s + 0.3, 0.95 * duration_s)
    count = timing.event_count(rng, duration_s, event_s, 0.7, 2.6)
    track, events = np.zeros(samples), []
    for start_s in dsp.spread_times(rng, count, duration_s, event_s).tolist():
        crash = _shatter(rng, dsp.seconds(event_s, rate_hz), rate_hz, shards, mean_delay_s, low_hz)
        dsp.add_at(track, crash, round(start_s * rate_hz), rng.uniform(0.7, 1))
        events.append(timing.span(start_s, event_s, duration_s))
    track = dsp.reverb(rng, track, rate_hz, rng.uniform(0.2, 0.7), rng.uniform(0.05, 0.25), 7000)
    return Rendered(dsp.finish(track), tuple(events), {"size": size, **timing.counted(events)})


def _creak(rng: np.random.Generator, size: int, rate_hz: int, slip_hz: float, hinge_hz: Signal) -> Signal:
    """One swing of a dry hinge, shape (size,): it sticks and slips `slip_hz` times a second at its fastest."""
    course = dsp.contour(size, rng.uniform(0.25, 1.0, int(rng.integers(3, 7))))
    speed_hz = slip_hz * course * dsp.slow_envelope(rng, size, rate_hz, 10, 0.95, 1.05)
    times_s = timing.turn_times(timing.turns(speed_hz, rate_hz), rate_hz)
    slips = timing.impulses(times_s, rng.uniform(0.75, 1, len(times_s)), size, rate_hz)
    groan = dsp.formants(slips, rate_hz, hinge_hz, 0.07 * hinge_hz, rng.uniform(0.5, 1, len(hinge_hz)))
    return dsp.fade(dsp.to_rms(groan) * (0.3 + course), rate_hz, 0.05, 0.12)


def door_creak(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Creaking door: stick-slip at 15-700 Hz, wavering, through narrow resonances of the hinge; swings of 0.6-3 s."""
    duration_s = samples / rate_hz
    slip_hz = dsp.log_uniform(rng, 60, 700)
    hinge_hz = np.exp(np.sort(rng.uniform(np.log(350), np.log(4500), 6)))
    event_s = min(dsp.log_uniform(rng, 0.8, 3), 0.9 * duration_s)
    count = timing.event_count(rng, duration_s, 1.1 * event_s, 1, 4)
    track, events = np.zeros(samples), []
    for start_s in dsp.spread_times(rng, count, duration_s, event_s).tolist():
        length_s = event_s * rng.uniform(0.75, 1)
        creak = _creak(rng, dsp.seconds(length_s, rate_hz), rate_hz, slip_hz * rng.uniform(0.8, 1.2), hinge_hz)
        dsp.add_at(track, creak, round(start_s * rate_hz), rng.uniform(0.6, 1))
        events.append(timing.span(start_s, length_s, duration_s))
    track = dsp.reverb(rng, track, rate_hz, rng.uniform(0.3, 1.2), rng.uniform(0.1, 0.35))
    pitch = dsp.grade(slip_hz, (130, 300), ("low", "medium", "high"))
    return Rendered(dsp.finish(track), tuple(events), {"pitch": pitch, **timing.counted(events)})


def _rocket(rng: np.random.Generator, size: int, rate_hz: int) -> Signal:
    """A rocket going up, shape (size,): hissing, often with a whistle that rises."""
    start_hz = dsp.log_uniform(rng, 700, 1500)
    pitch_hz = start_hz * dsp.contour(size, (1, 1.5, rng.uniform(1.8, 2.6)))
    pitch_hz = pitch_hz * dsp.slow_envelope(rng, size, rate_hz, 20, 0.98, 1.02)
    hiss = dsp.noise(rng, size, rate_hz, 0.5, 800, 6000)
    whistle = rng.choice([0.0, 1.0]) * dsp.harmonic(pitch_hz, rate_hz, [1, 0.2])
    return dsp.fade((whistle + 0.6 * hiss) * dsp.contour(size, (0.3, 1, 0.3)), rate_hz, 0.05, 0.08)


def _burst(rng: np.random.Generator, size: int, rate_hz: int, crackle: float) -> Signal:
    """A shell bursting, shape (size,): a boom of all frequencies whose treble dies first, then crackling stars."""
    time = dsp.time_axis(size, rate_hz)
    boom = dsp.noise(rng, size, rate_hz, 1.2, 25, rng.uniform(180, 400)) * np.exp(-time / rng.uniform(0.12, 0.3))
    crack = dsp.noise(rng, size, rate_hz, 0.5, 150, 6000) * np.exp(-time / rng.uniform(0.02, 0.06))
    bank = []
    for _ in range(12):
        spark = dsp.noise(rng, dsp.seconds(0.02, rate_hz), rate_hz, 0, 1200, 7500)
        bank.append(spark * np.exp(-dsp.time_axis(len(spark), rate_hz) / rng.uniform(0.001, 0.004)))
    stars_s = 0.15 + rng.gamma(2.0, 0.22, round(crackle * 90))
    stars = dsp.scatter(rng, bank, stars_s, rng.uniform(0.2, 1, len(stars_s)), size, rate_hz)
    return dsp.fade(1.3 * boom + crack + 0.45 * stars, rate_hz, 0.001, 0.1)


def fireworks(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Fireworks: 2-7 booms in ten seconds, some after a rising whistle or hiss, some with crackling stars, echoing."""
    duration_s, distance = samples / rate_hz, timing.pick(rng, ("near", "far"))
    crackle = float(rng.choice([0.0, 0.5, 1.0]))
    rise_s = min(rng.uniform(0.5, 1.1), 0.35 * duration_s)
    burst_s = min(1.0 + 0.6 * crackle, duration_s - rise_s)
    count = timing.event_count(rng, duration_s, rise_s + 0.5 * burst_s, 2, 7)
    track, events = np.zeros(samples), []
    latest_s = duration_s - rise_s - burst_s
    for start_s in np.minimum(dsp.spread_times(rng, count, duration_s, rise_s + burst_s), latest_s).tolist():
        rocket = rng.uniform() < 0.55
        if rocket:
            rise = _rocket(rng, dsp.seconds(rise_s, rate_hz), rate_hz)
            dsp.add_at(track, rise, round(start_s * rate_hz), rng.uniform(0.1, 0.4))
        burst = _burst(rng, dsp.seconds(burst_s, rate_hz), rate_hz, crackle)
        dsp.add_at(track, burst, round((start_s + rise_s) * rate_hz), rng.uniform(0.6, 1))
        events.append(timing.span(start_s if rocket else start_s + rise_s, rise_s * rocket + burst_s, duration_s))
    if distance == "far":
        track = dsp.band_pass(track, rate_hz, 30, rng.uniform(900, 2200), 1)
    wet = rng.uniform(0.5, 1.0) if distance == "far" else rng.uniform(0.15, 0.4)
    track = dsp.reverb(rng, track, rate_hz, rng.uniform(1.0, 2.4), wet, 2500)
    attributes = {"distance": distance, "crackle": "yes" if crackle else "no", **timing.counted(events)}
    return Rendered(dsp.finish(track), tuple(events), attributes)


SOURCES: tuple[Source, ...] = (
    Source("knock", "people", knock, continuous=False),
    Source("glass", "people", glass, continuous=False),
    Source("door_creak", "people", door_creak, continuous=False),
    Source("fireworks", "people", fireworks, continuous=False),
)
