"""Recipes of machines: clock, hand saw, train and keyboard; the group also holds the motors of `motors.py`."""

from __future__ import annotations

import numpy as np

from audiojourney.data.scenes import dsp, motors, timing
from audiojourney.data.scenes.dsp import Signal
from audiojourney.data.scenes.source import Rendered, Source


def _tick(
    rng: np.random.Generator, rate_hz: int, modes_hz: Signal, decay_s: float, case_hz: float, case_gain: float
) -> Signal:
    """One tick of a clock, shape (T,): one to three clicks of the escapement, ringing in the movement and the case."""
    size = dsp.seconds(0.18, rate_hz)
    time = dsp.time_axis(size, rate_hz)
    decays_s, gains = decay_s * rng.uniform(0.5, 1.5, len(modes_hz)), rng.uniform(0.3, 1, len(modes_hz))
    ring = dsp.modal(rng, size, rate_hz, modes_hz, decays_s, gains)
    case = dsp.modal(rng, size, rate_hz, [case_hz, 1.7 * case_hz], [0.09, 0.05], [case_gain, 0.5 * case_gain])
    click = rng.standard_normal(size) * np.exp(-time / rng.uniform(0.0006, 0.002))
    single = ring + case + rng.uniform(0.3, 1.0) * click
    tick = single.copy()
    for delay_s in rng.uniform(0.008, 0.045, int(rng.integers(0, 3))):
        dsp.add_at(tick, single[: size // 2], round(delay_s * rate_hz), rng.uniform(0.15, 0.6))
    return tick


def clock(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Clock: tick and tock in turn, every 0.2 s (watch) to 1 s (grandfather clock), steady to a thousandth."""
    kind = timing.pick(rng, ("watch", "alarm clock", "wall clock", "grandfather clock"))
    period_s = {
        "watch": rng.choice([0.2, 0.25]), "alarm clock": rng.uniform(0.24, 0.42),
        "wall clock": rng.choice([0.5, 1.0]), "grandfather clock": rng.uniform(0.85, 1.0),
    }[kind]  # fmt: skip
    low_hz = {"watch": 3000, "alarm clock": 1800, "wall clock": 1200, "grandfather clock": 700}[kind]
    case_gain = {"watch": 0.05, "alarm clock": 0.2, "wall clock": 0.4, "grandfather clock": 1.2}[kind]
    case_gain *= rng.uniform(0.5, 1.5)
    modes_hz = low_hz * np.exp(rng.uniform(0, np.log(min(7500 / low_hz, 5)), 6))
    decay_s, case_hz = dsp.log_uniform(rng, 0.008, 0.06), dsp.log_uniform(rng, 180, 600)
    lower = rng.uniform(0.8, 1.0)  # the tock against the tick
    pair = [_tick(rng, rate_hz, modes_hz * shift, decay_s, case_hz * shift, case_gain) for shift in (1.0, lower)]
    track, loudness = np.zeros(samples), (1.0, rng.uniform(0.5, 1.0))
    times_s = np.arange(rng.uniform(0.02, 0.98 * min(period_s, 0.5)), samples / rate_hz, period_s)
    for index, start_s in enumerate(times_s + 0.001 * rng.standard_normal(len(times_s)) * period_s):
        dsp.add_at(track, pair[index % 2], round(start_s * rate_hz), loudness[index % 2] * rng.uniform(0.9, 1.1))
    track = dsp.reverb(rng, dsp.to_peak(track), rate_hz, rng.uniform(0.15, 0.5), rng.uniform(0.05, 0.35))
    track = track + dsp.log_uniform(rng, 0.0003, 0.004) * dsp.noise(rng, samples, rate_hz, rng.uniform(0, 1))
    pace = dsp.grade(period_s, (0.35, 0.7), ("fast", "medium", "slow"))
    return Rendered(dsp.finish(track), ((0.0, samples / rate_hz),), {"kind": kind, "pace": pace})


def _sawing(
    rng: np.random.Generator, size: int, rate_hz: int, stroke_s: float, teeth_hz: float, wood_hz: Signal
) -> Signal:
    """A bout of sawing, shape (size,): push and pull strokes, teeth rasping in proportion to the speed of the blade."""
    period = np.maximum(dsp.slow_envelope(rng, size, rate_hz, 1.0, 0.85, 1.15), 0.1) * stroke_s
    stroke = timing.turns(1 / period, rate_hz)
    speed = np.abs(np.sin(np.pi * stroke))
    effort = np.where(stroke % 2 < 1, 1.0, rng.uniform(0.35, 0.8))
    times_s = timing.turn_times(timing.turns(teeth_hz * speed + 1, rate_hz), rate_hz)
    bites = timing.impulses(times_s, rng.uniform(-1, 1.4, len(times_s)), size, rate_hz)
    rasp = dsp.formants(bites, rate_hz, wood_hz, 0.35 * wood_hz, [1, 0.9, 0.8])
    dust = dsp.noise(rng, size, rate_hz, rng.uniform(-0.3, 0.5), 1200, rng.uniform(5000, 8000)) * speed
    return (dsp.to_rms(rasp) + rng.uniform(0.5, 1.0) * dust) * speed * effort


def saw(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Hand saw in wood: rasping push and pull strokes of 0.2-0.65 s in bouts, the push louder than the pull."""
    duration_s = samples / rate_hz
    stroke_s = dsp.log_uniform(rng, 0.2, 0.65)
    teeth_hz = dsp.log_uniform(rng, 120, 450)
    wood_hz = np.array([600, 1600, 3600]) * rng.uniform(0.7, 1.4, 3)
    count = timing.event_count(rng, duration_s, max(6 * stroke_s, 1.5), 1, 3)
    room_s = duration_s / count
    track, events = np.zeros(samples), []
    for index in range(count):
        length_s = min(max(room_s * rng.uniform(0.7, 0.95), min(6 * stroke_s, 0.95 * room_s)), room_s - 0.01)
        start_s = index * room_s + rng.uniform(0, room_s - length_s)
        bout = _sawing(rng, dsp.seconds(length_s, rate_hz), rate_hz, stroke_s, teeth_hz, wood_hz)
        dsp.add_at(track, dsp.fade(bout, rate_hz, 0.03), round(start_s * rate_hz))
        events.append(timing.span(start_s, length_s, duration_s))
    track = dsp.reverb(rng, track, rate_hz, rng.uniform(0.15, 0.6), rng.uniform(0.03, 0.25))
    pace = dsp.grade(stroke_s, (0.3, 0.45), ("fast", "medium", "slow"))
    return Rendered(dsp.finish(track), tuple(events), {"pace": pace})


def _clacks(rng: np.random.Generator, samples: int, rate_hz: int, period_s: float) -> Signal:
    """Wheels over rail joints, shape (samples,): each joint is hit by the two axles of two bogies."""
    size = dsp.seconds(0.25, rate_hz)
    time = dsp.time_axis(size, rate_hz)
    modes_hz = np.sort(np.exp(rng.uniform(np.log(90), np.log(1500), 6)))
    decays_s, gains = 0.03 + 15 / modes_hz, 1 / np.arange(1, 7) ** 0.5
    bank = []
    for _ in range(8):
        ring = dsp.modal(rng, size, rate_hz, modes_hz * rng.uniform(0.95, 1.05), decays_s, gains)
        bank.append(ring + rng.uniform(0.5, 1) * dsp.noise(rng, size, rate_hz, 0.5, 200, 3500) * np.exp(-time / 0.02))
    joints_s = dsp.steady_times(rng, period_s, 0.015, -rng.uniform(0, period_s), samples / rate_hz)
    axle, bogie = rng.uniform(0.12, 0.16), rng.uniform(0.36, 0.48)
    offsets = np.array([0, axle, bogie, bogie + axle]) * period_s
    times_s = (joints_s[:, None] + offsets).ravel()
    return dsp.scatter(rng, bank, times_s, rng.uniform(0.6, 1, len(times_s)), samples, rate_hz)


def _chuffs(rng: np.random.Generator, samples: int, rate_hz: int, chuff_hz: float) -> Signal:
    """Steam let out of the cylinders, shape (samples,): four puffs to a wheel turn, one of them the strongest."""
    gather = np.linspace(1, rng.uniform(0.9, 1.6), samples)
    turned = timing.turns(chuff_hz * gather, rate_hz) + rng.uniform()
    puff = (1 - np.exp(-(turned % 1) * 12)) * np.exp(-rng.uniform(2.5, 5) * (turned % 1))
    accent = rng.uniform(0.6, 1.0, 4)[turned.astype(int) % 4]
    steam = dsp.noise(rng, samples, rate_hz, rng.uniform(0.3, 0.9), 150, dsp.log_uniform(rng, 2500, 6500))
    return steam * puff * accent


def train(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Train: rumble with the clackety-clack of rail joints every 0.5-1.4 s, or the chuffing of a steam engine."""
    kind = "steam" if rng.uniform() < 0.15 else "rail"
    period_s, chuff_hz = dsp.log_uniform(rng, 0.55, 1.4), dsp.log_uniform(rng, 2.5, 7)
    if kind == "steam":
        beat = _chuffs(rng, samples, rate_hz, chuff_hz)
        pace = dsp.grade(chuff_hz, (3.5, 5.0), ("slow", "medium", "fast"))
    else:
        beat = _clacks(rng, samples, rate_hz, period_s)
        pace = dsp.grade(period_s, (0.75, 1.05), ("fast", "medium", "slow"))
    rumble = dsp.noise(rng, samples, rate_hz, 1.6, 30, rng.uniform(200, 500))
    roll = dsp.noise(rng, samples, rate_hz, 0.9, 300, rng.uniform(2000, 5000))
    bed = rng.uniform(0.4, 1.0) * rumble + rng.uniform(0.12, 0.35) * roll
    wave = dsp.to_rms(beat) + bed * dsp.slow_envelope(rng, samples, rate_hz, 3, 0.6, 1)
    if kind == "rail" and rng.uniform() < 0.3:  # flanges squealing in a bend
        squeal_hz = dsp.log_uniform(rng, 1800, 4200) * dsp.slow_envelope(rng, samples, rate_hz, 6, 0.985, 1.015)
        gate = np.maximum(dsp.slow_envelope(rng, samples, rate_hz, 1.2, -1, 1), 0) ** 2
        wave = wave + 0.3 * gate * dsp.harmonic(squeal_hz, rate_hz, [1, 0.4, 0.2])
    wave = dsp.reverb(rng, np.tanh(wave / 4), rate_hz, rng.uniform(0.3, 0.9), rng.uniform(0.05, 0.3))
    wave = wave * dsp.contour(samples, rng.choice([0.35, 1.0, 1.0], 3) * rng.uniform(0.8, 1, 3))
    return Rendered(dsp.finish(wave), ((0.0, samples / rate_hz),), {"kind": kind, "pace": pace})


def _key(rng: np.random.Generator, rate_hz: int, base_hz: float, thump: float) -> Signal:
    """One key going down and coming up again 50-110 ms later, shape (T,)."""
    size = dsp.seconds(0.2, rate_hz)
    stroke = np.zeros(size)
    for start_s, loudness in ((0.0, 1.0), (rng.uniform(0.05, 0.11), rng.uniform(0.25, 0.6))):
        part = size - round(start_s * rate_hz)
        modes_hz = base_hz * np.exp(rng.uniform(0, 1.1, 5))
        ring = dsp.modal(rng, part, rate_hz, modes_hz, rng.uniform(0.012, 0.04, 5), rng.uniform(0.3, 1, 5))
        low = dsp.modal(rng, part, rate_hz, rng.uniform(150, 420, 2), [0.05, 0.035], [thump, 0.6 * thump])
        click = rng.standard_normal(part) * np.exp(-dsp.time_axis(part, rate_hz) / 0.0025)
        dsp.add_at(stroke, ring + low + 0.7 * click, size - part, loudness)
    return stroke


def typing(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Keyboard: clicks of 24 keys and a space bar at 4-11 a second, unevenly, in bursts with pauses for thought."""
    duration_s, keys_hz = samples / rate_hz, dsp.log_uniform(rng, 4, 11)
    base_hz, thump = dsp.log_uniform(rng, 1300, 2600), rng.uniform(0.3, 1.2)
    bank = [_key(rng, rate_hz, base_hz * rng.uniform(0.85, 1.15), thump) for _ in range(24)]
    space = _key(rng, rate_hz, 0.55 * base_hz, 2.2 * thump)
    count = timing.event_count(rng, duration_s, 1.5, 1, 4)
    part_s = duration_s / count
    track, events = np.zeros(samples), []
    for index in range(count):
        start_s = index * part_s + rng.uniform(0.02, 0.1) * part_s
        end_s = start_s + part_s * rng.uniform(0.6, 0.88)
        times_s = start_s + np.cumsum(rng.gamma(3.0, 1 / (3 * keys_hz), int(keys_hz * part_s * 3) + 4))
        times_s = np.concatenate([[start_s], times_s[times_s < end_s - 0.2]])
        spaces = rng.uniform(0, 1, len(times_s)) < 0.16
        track += dsp.scatter(rng, bank, times_s[~spaces], rng.uniform(0.45, 1, int(np.sum(~spaces))), samples, rate_hz)
        track += dsp.scatter(rng, [space], times_s[spaces], rng.uniform(0.7, 1, int(np.sum(spaces))), samples, rate_hz)
        events.append(timing.span(start_s, times_s[-1] - start_s + 0.2, duration_s))
    track = dsp.reverb(rng, dsp.to_peak(track), rate_hz, rng.uniform(0.15, 0.4), rng.uniform(0.03, 0.2))
    track = track + dsp.log_uniform(rng, 0.0003, 0.003) * dsp.noise(rng, samples, rate_hz, 0.8)
    pace = dsp.grade(keys_hz, (5.5, 8), ("slow", "medium", "fast"))
    return Rendered(dsp.finish(track), tuple(events), {"pace": pace})


SOURCES: tuple[Source, ...] = (
    *motors.SOURCES,
    Source("clock", "machines", clock, continuous=True),
    Source("saw", "machines", saw, continuous=False),
    Source("train", "machines", train, continuous=True),
    Source("typing", "machines", typing, continuous=False),
)
