"""Recipes of people: footsteps, applause, snoring and heartbeat; the group also holds the sounds of `household.py`."""

from __future__ import annotations

import numpy as np

from audiojourney.data.scenes import dsp, household, timing
from audiojourney.data.scenes.dsp import Signal
from audiojourney.data.scenes.source import Rendered, Source

# Range of the lowest mode in Hz and of the strength of the click.
HARD = {"wood": (70, 130, 0.1, 0.4), "stone": (130, 240, 0.6, 1.3)}
# Band of the crunches in Hz, their number in a step, and how long each lasts in seconds.
LOOSE = {"gravel": (900, 6500, 70, 0.003), "snow": (300, 2200, 160, 0.009), "leaves": (1800, 7500, 45, 0.007)}
STEP_S = 0.32  # room that one footstep takes


def _hard_step(rng: np.random.Generator, rate_hz: int, modes_hz: Signal, click: float, toe_s: float) -> Signal:
    """A shoe on wood or stone, shape (T,): the heel's thud and click, then the weaker toe `toe_s` later."""
    size = dsp.seconds(STEP_S, rate_hz)
    time, step = dsp.time_axis(size, rate_hz), np.zeros(size)
    tail_s = np.clip(14 / modes_hz, 0.02, 0.2)
    for start_s, loudness in ((0.0, 1.0), (toe_s, rng.uniform(0.2, 0.5))):
        struck_hz = modes_hz * rng.uniform(0.95, 1.05, len(modes_hz))
        thud = dsp.modal(rng, size, rate_hz, struck_hz, tail_s, [1, 0.7, 0.5, 0.35, 0.25])
        tap = dsp.noise(rng, size, rate_hz, 0.6, 500, 6000) * np.exp(-time / 0.006)
        scuff = dsp.noise(rng, size, rate_hz, 0, 1200, 5000) * np.exp(-time / 0.03)
        dsp.add_at(step, thud + click * tap + 0.04 * scuff, round(start_s * rate_hz), loudness)
    return dsp.fade(dsp.to_peak(step), rate_hz, 0.0005, 0.03)


def _loose_step(
    rng: np.random.Generator, rate_hz: int, low_hz: float, high_hz: float, grains: int, grain_s: float
) -> Signal:
    """A shoe in gravel, snow or leaves, shape (T,): many small crunches under a swell of weight."""
    size = dsp.seconds(STEP_S, rate_hz)
    swell_s = rng.uniform(0.16, 0.28)
    times_s = swell_s * rng.beta(1.6, 2.2, grains)
    piece = dsp.seconds(6 * grain_s, rate_hz)
    fall = np.exp(-dsp.time_axis(piece, rate_hz) / grain_s)
    bank = [dsp.noise(rng, piece, rate_hz, 0.3, low_hz, high_hz * rng.uniform(0.7, 1)) * fall for _ in range(12)]
    crunch = dsp.scatter(rng, bank, times_s, rng.exponential(1.0, grains) + 0.1, size, rate_hz)
    thump = dsp.modal(rng, size, rate_hz, rng.uniform(60, 130, 2), [0.1, 0.08], [1, 0.6])
    return dsp.fade(dsp.to_peak(crunch) + rng.uniform(0.1, 0.3) * thump, rate_hz, 0.002, 0.03)


def _steps(rng: np.random.Generator, rate_hz: int, surface: str, steps_hz: float) -> list[Signal]:
    """A bank of different steps on one surface, each of shape (T,)."""
    if surface in HARD:
        floor_hz, click = rng.uniform(*HARD[surface][:2]), rng.uniform(*HARD[surface][2:])
        modes_hz = floor_hz * np.array([1, 1.7, 2.6, 4.1, 6.3]) * rng.uniform(0.9, 1.1, 5)
        toe_s = rng.uniform(0.06, 0.14) / steps_hz**0.5
        return [_hard_step(rng, rate_hz, modes_hz, click, toe_s) for _ in range(6)]
    low_hz, high_hz, grains, grain_s = LOOSE[surface]
    return [_loose_step(rng, rate_hz, low_hz, high_hz, grains, grain_s) for _ in range(8)]


def footsteps(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Footsteps: a walk or run of 1.3-3.1 steps a second on wood, stone, gravel, snow or leaves."""
    duration_s, surface = samples / rate_hz, timing.pick(rng, (*HARD, *LOOSE))
    steps_hz = dsp.log_uniform(rng, 1.3, 3.1)
    bank = _steps(rng, rate_hz, surface, steps_hz)
    first_s = rng.uniform(0, 0.15 * min(duration_s, 4))
    times_s = dsp.steady_times(rng, 1 / steps_hz, 0.035, first_s, duration_s - STEP_S)
    gains = (1 + rng.uniform(-0.15, 0.15) * (-1.0) ** np.arange(len(times_s))) * rng.uniform(0.75, 1, len(times_s))
    track = dsp.scatter(rng, bank, times_s, gains, samples, rate_hz)
    track = track * dsp.contour(samples, rng.choice([0.4, 1, 1], 3) * rng.uniform(0.8, 1, 3))  # walking up or away
    room = rng.uniform(0.25, 0.9) if surface in HARD else 0.15
    track = dsp.reverb(rng, track, rate_hz, room, rng.uniform(0.05, 0.3))
    events = tuple(timing.span(start_s, STEP_S, duration_s) for start_s in times_s.tolist())
    pace = dsp.grade(steps_hz, (1.7, 2.1, 2.6), ("slow", "medium", "fast", "running"))
    return Rendered(dsp.finish(track), events, {"surface": surface, "pace": pace, **timing.counted(events)})


def applause(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Applause: 6-200 people, each with one clap and a beat of 2.5-5 a second; it may swell or fade."""
    duration_s, people = samples / rate_hz, round(dsp.log_uniform(rng, 6, 200))
    size = dsp.seconds(0.04, rate_hz)
    time = dsp.time_axis(size, rate_hz)
    track = np.zeros(samples)
    for _ in range(min(people, 24)):  # beyond 24 different hands, people share a sound
        centre_hz = dsp.log_uniform(rng, 750, 2400)
        clap = dsp.noise(rng, size, rate_hz, 0, 0.6 * centre_hz, 1.7 * centre_hz)
        clap = clap * np.exp(-time / rng.uniform(0.0025, 0.008))
        hits = np.zeros(samples)
        for _ in range(max(1, round(people / 24))):
            times_s = dsp.steady_times(rng, 1 / rng.uniform(2.6, 5), 0.12, -rng.uniform(0, 0.5), duration_s)
            times_s = times_s[times_s >= 0]
            gains = rng.uniform(0.3, 1) * rng.uniform(0.7, 1.1, len(times_s))
            hits += timing.impulses(times_s, gains, samples, rate_hz)
        starts = np.flatnonzero(hits)
        for start, gain in zip(starts.tolist(), hits[starts].tolist(), strict=True):
            dsp.add_at(track, clap, start, gain)
    track = dsp.reverb(rng, track, rate_hz, rng.uniform(0.6, 1.6), rng.uniform(0.2, 0.8), 4500)
    course = timing.pick(rng, ("steady", "swelling", "fading"))
    ends = {"steady": (0.9, 1, 0.9), "swelling": (0.1, 0.7, 1), "fading": (1, 0.6, 0.06)}[course]
    wave = track * dsp.contour(samples, ends) * dsp.slow_envelope(rng, samples, rate_hz, 1, 0.8, 1)
    attributes = {"size": dsp.grade(people, (20, 70), ("small", "medium", "large")), "course": course}
    return Rendered(dsp.finish(wave), ((0.0, duration_s),), attributes)


def _snore(rng: np.random.Generator, size: int, rate_hz: int, flutter_hz: float, throat_hz: Signal) -> Signal:
    """One breath in, shape (size,): the palate flaps at `flutter_hz`, the throat resonates."""
    arch = dsp.contour(size, (0.1, 0.8, 1, 0.9, 0.1))
    speed_hz = flutter_hz * dsp.contour(size, (0.8, 1.0, rng.uniform(0.9, 1.3), 0.85))
    turned = timing.turns(speed_hz, rate_hz)
    times_s = timing.turn_times(turned, rate_hz)
    times_s = times_s + 0.06 / flutter_hz * rng.standard_normal(len(times_s))
    flaps = timing.impulses(times_s, rng.uniform(0.4, 1, len(times_s)), size, rate_hz)
    air = dsp.noise(rng, size, rate_hz, 0.5, 150, 5000) * (0.3 + np.exp(-5 * (turned % 1)))
    source = dsp.to_rms(flaps) + rng.uniform(0.1, 0.3) * air
    voiced = dsp.formants(source, rate_hz, throat_hz, 0.35 * throat_hz, [1.0, 0.8, 0.4])
    return dsp.to_rms(voiced) * arch


def snoring(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Snoring: a rattling breath in of 0.9-1.8 s (flutter 24-75 Hz) and a softer breath out, every 2.8-5 s."""
    duration_s = samples / rate_hz
    period_s = min(rng.uniform(2.8, 5), 0.95 * duration_s)
    flutter_hz, share = dsp.log_uniform(rng, 24, 75), rng.uniform(0.3, 0.42)
    throat_hz = np.array([230, 620, 1700]) * rng.uniform(0.75, 1.35, 3)
    exhale, whistle_hz = rng.uniform(0.08, 0.35), dsp.log_uniform(rng, 500, 1300)
    first_s = rng.uniform(0, min(1.0, 0.04 * duration_s))
    track, events = np.zeros(samples), []
    for start_s in np.arange(first_s, duration_s - 0.5 * period_s, period_s) + rng.uniform(0, 0.04):
        length_s = period_s * share * rng.uniform(0.9, 1.1)
        snore = _snore(rng, dsp.seconds(length_s, rate_hz), rate_hz, flutter_hz * rng.uniform(0.9, 1.1), throat_hz)
        dsp.add_at(track, snore, round(start_s * rate_hz), rng.uniform(0.75, 1))
        size = dsp.seconds(0.8 * length_s, rate_hz)
        sigh = dsp.noise(rng, size, rate_hz, 0.4, 0.7 * whistle_hz, 3 * whistle_hz) * dsp.contour(size, (0, 1, 0.5, 0))
        dsp.add_at(track, sigh, round((start_s + 1.12 * length_s) * rate_hz), exhale)
        events.append(timing.span(start_s, length_s, duration_s))
    track = dsp.reverb(rng, track, rate_hz, 0.3, rng.uniform(0.05, 0.2))
    pitch = dsp.grade(flutter_hz, (36, 52), ("low", "medium", "high"))
    return Rendered(dsp.finish(track), tuple(events), {"pitch": pitch, **timing.counted(events)})


def _thump(rng: np.random.Generator, rate_hz: int, pitch_hz: float, length_s: float) -> Signal:
    """One closing of the heart valves, shape (T,): a short low tone that sinks in pitch, with a muffled thud."""
    size = dsp.seconds(length_s, rate_hz)
    glide_hz = pitch_hz * dsp.contour(size, (1.25, 1.0, 0.8))
    swell = np.sin(np.pi * np.linspace(0, 1, size) ** 0.6) ** 2
    thud = dsp.noise(rng, size, rate_hz, 0, 25, 110)
    return (np.sin(2 * np.pi * timing.turns(glide_hz, rate_hz)) + 0.35 * thud) * swell


def heartbeat(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Heartbeat: lub-dub at 48-150 beats a minute; everything below 200 Hz, the second thump higher and shorter."""
    duration_s, beats_hz = samples / rate_hz, dsp.log_uniform(rng, 48, 150) / 60
    first_hz, second = rng.uniform(38, 62), rng.uniform(1.15, 1.5)
    bank = [_thump(rng, rate_hz, first_hz * rng.uniform(0.95, 1.05), rng.uniform(0.12, 0.16)) for _ in range(4)]
    dub_hz = second * first_hz
    dubs = [_thump(rng, rate_hz, dub_hz * rng.uniform(0.95, 1.05), rng.uniform(0.08, 0.12)) for _ in range(4)]
    # The pause between lub and dub shortens less than the pause before the next beat.
    systole_s, loudness = 0.3 * beats_hz**-0.5, rng.uniform(0.5, 0.95)
    times_s = dsp.steady_times(rng, 1 / beats_hz, 0.015, rng.uniform(0, 0.3), duration_s - 0.1)
    track = dsp.scatter(rng, bank, times_s, rng.uniform(0.85, 1, len(times_s)), samples, rate_hz)
    gains = loudness * rng.uniform(0.85, 1, len(times_s))
    track += dsp.scatter(rng, dubs, times_s + systole_s, gains, samples, rate_hz)
    flow = dsp.log_uniform(rng, 0.002, 0.02) * dsp.noise(rng, samples, rate_hz, 1.5, 30, 250)
    wave = dsp.band_pass(dsp.to_peak(track), rate_hz, 20, rng.uniform(110, 180), 2) + flow
    pace = dsp.grade(60 * beats_hz, (68, 105), ("slow", "medium", "fast"))
    return Rendered(dsp.finish(wave), ((0.0, duration_s),), {"pace": pace})


SOURCES: tuple[Source, ...] = (
    Source("footsteps", "people", footsteps, continuous=False),
    Source("applause", "people", applause, continuous=True),
    Source("snoring", "people", snoring, continuous=False),
    Source("heartbeat", "people", heartbeat, continuous=True),
    *household.SOURCES,
)
