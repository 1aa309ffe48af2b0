"""Recipes of machines driven by a motor: car and lorry engines, helicopter, vacuum cleaner, drill, chainsaw."""

from __future__ import annotations

import numpy as np

from audiojourney.data.scenes import dsp, timing
from audiojourney.data.scenes.dsp import Signal
from audiojourney.data.scenes.source import Rendered, Source


def _firing(
    rng: np.random.Generator, speed_hz: Signal, rate_hz: int, cylinders: int, roughness: float
) -> tuple[Signal, Signal]:
    """Pulses of an engine that fires `speed_hz` times a second, and the share of the gap passed since the last firing.

    Cylinders differ in strength, which gives the sub-harmonics of a real engine; `roughness` is the scatter of strength
    and timing.
    """
    turned = timing.turns(speed_hz, rate_hz) + rng.uniform()
    times_s = timing.turn_times(turned, rate_hz)
    local_hz = np.interp(times_s * rate_hz, np.arange(len(speed_hz)), speed_hz)
    strength = (1 + 0.35 * rng.uniform(-1, 1, cylinders))[np.arange(len(times_s)) % cylinders]
    strength = strength * (1 + 2 * roughness * rng.standard_normal(len(times_s)))
    times_s = times_s + roughness * 0.5 * rng.standard_normal(len(times_s)) / np.maximum(local_hz, 1)
    return timing.impulses(times_s, strength, len(speed_hz), rate_hz), turned % 1.0


def _revs(
    rng: np.random.Generator, samples: int, rate_hz: int, idle_hz: float, top_hz: float, per_10_s: float
) -> Signal:
    """Engine speed that idles and is revved up now and then, shape (samples,)."""
    duration_s = samples / rate_hz
    count = timing.event_count(rng, duration_s, 1.2, 0.6 * per_10_s, 1.4 * per_10_s)
    times_s, values = [0.0], [idle_hz]
    for start_s in dsp.spread_times(rng, count, duration_s, 1.0):
        rise_s, hold_s, fall_s = rng.uniform(0.15, 0.6), rng.uniform(0.05, 1.2), rng.uniform(0.4, 1.3)
        peak_hz = top_hz * rng.uniform(0.75, 1.0)
        start_s = max(start_s, times_s[-1] + 0.05)
        times_s += [start_s, start_s + rise_s, start_s + rise_s + hold_s, start_s + rise_s + hold_s + fall_s]
        values += [idle_hz, peak_hz, peak_hz * rng.uniform(0.9, 1.05), idle_hz]
    return timing.path(samples, rate_hz, times_s, values)


def engine(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Piston engine: uneven firing pulses of 12-35 Hz (idle) to 130 Hz through exhaust resonances, puffing noise."""
    mode, size = timing.pick(rng, ("idle", "rev", "steady")), timing.pick(rng, ("small", "large"))
    idle_hz = dsp.log_uniform(rng, *((22, 38) if size == "small" else (12, 24)))
    if mode == "rev":
        speed_hz = _revs(rng, samples, rate_hz, idle_hz, idle_hz * rng.uniform(2.5, 3.8), 4)
    else:
        factor = 1.0 if mode == "idle" else rng.uniform(1.8, 3.2)
        speed_hz = idle_hz * factor * dsp.slow_envelope(rng, samples, rate_hz, 0.7, 0.96, 1.04 if factor == 1 else 1.25)
    cylinders = int(rng.choice([1, 2, 3, 4, 6, 8]))
    pulses, since = _firing(rng, speed_hz, rate_hz, cylinders, rng.uniform(0.02, 0.08))
    scale = rng.uniform(0.8, 1.25) * (1.0 if size == "small" else 0.7)
    centres = scale * np.array([85, 190, 420, 950, 2300]) * rng.uniform(0.8, 1.25, 5)
    body = dsp.formants(pulses, rate_hz, centres, 0.5 * centres, [1.0, 0.9, 0.6, 0.25, 0.08 * rng.uniform(0.3, 2)])
    puff = dsp.noise(rng, samples, rate_hz, 1.3, 60, 3500) * (0.25 + np.exp(-4 * since))
    wave = dsp.to_rms(body) + rng.uniform(0.15, 0.5) * dsp.to_rms(puff)
    wave = wave * (speed_hz / idle_hz) ** 0.6
    return Rendered(dsp.finish(np.tanh(wave / 3)), ((0.0, samples / rate_hz),), {"size": size, "mode": mode})


def _rotor(rng: np.random.Generator, since: Signal, depth: float) -> Signal:
    """Loudness over one blade passage: a soft swell rather than a click, 1 at its peak and 1 - depth between blades."""
    sharpness = rng.uniform(0.8, 3.5)
    return 1 - depth + depth * (0.5 + 0.5 * np.cos(2 * np.pi * since)) ** sharpness


def helicopter(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Rotor: noise swelling with each blade at 9-26 Hz, deep thumps, a faint tail rotor."""
    blade_hz = dsp.log_uniform(rng, 9, 26)
    blades_hz = blade_hz * dsp.slow_envelope(rng, samples, rate_hz, 0.4, 0.985, 1.015)
    thumps, since = _firing(rng, blades_hz, rate_hz, int(rng.integers(2, 6)), 0.015)
    depth = rng.uniform(0.3, 0.9)
    slope, far_hz = rng.uniform(0.6, 1.5), dsp.log_uniform(rng, 600, 5000)  # air and distance take the treble away
    humps_hz = [dsp.log_uniform(rng, 150, 3000) for _ in range(4)]

    def airflow(f: Signal) -> Signal:
        """Gain of the moving air at frequencies (K,) in Hz, shape (K,)."""
        peaks = sum(np.abs(dsp.resonance(f, hump, 0.3 * hump)) for hump in humps_hz)
        return (0.5 + peaks) * np.maximum(f, 60) ** (-slope / 2) * dsp.band_gain(f, 50, far_hz, 1)

    wash = dsp.shaped_noise(rng, samples, rate_hz, airflow)
    hiss = dsp.noise(rng, samples, rate_hz, 0.6, 800, 8000) * _rotor(rng, (since + 0.1) % 1, 0.6 * depth)
    low = dsp.band_pass(thumps, rate_hz, rng.uniform(15, 35), dsp.log_uniform(rng, 90, 400), order=1)
    tail_hz = dsp.log_uniform(rng, 60, 140) * blades_hz / blade_hz
    tail = dsp.harmonic(tail_hz, rate_hz, rng.uniform(0.2, 1, 8))
    wave = dsp.to_rms(wash * _rotor(rng, since, depth)) + rng.uniform(0.2, 1.2) * dsp.to_rms(low)
    wave = wave + dsp.log_uniform(rng, 0.004, 0.15) * hiss + rng.uniform(0.0, 0.2) * dsp.to_rms(tail)
    motion = timing.pick(rng, tuple(timing.MOTIONS))
    wave = wave * dsp.contour(samples, timing.MOTIONS[motion])
    wave = wave * dsp.slow_envelope(rng, samples, rate_hz, 0.6, 0.75, 1.0)
    pace = dsp.grade(blade_hz, (13, 19), ("slow", "medium", "fast"))
    return Rendered(dsp.finish(np.tanh(wave / 4)), ((0.0, samples / rate_hz),), {"motion": motion, "pace": pace})


def vacuum(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Vacuum cleaner: steady rushing air with broad humps, and the whine of a motor at 180-480 turns a second."""
    motor_hz = dsp.log_uniform(rng, 180, 480)
    speed_hz = motor_hz * dsp.slow_envelope(rng, samples, rate_hz, 0.8, 0.985, 1.015)
    started = rng.uniform() < 0.25
    if started:
        spin_up_s = rng.uniform(0.25, 0.7)
        speed_hz = speed_hz * (1 - 0.75 * np.exp(-dsp.time_axis(samples, rate_hz) / spin_up_s))
    whine = dsp.harmonic(speed_hz, rate_hz, rng.uniform(0.2, 1, 14) / np.arange(1, 15) ** rng.uniform(0.3, 0.9))
    humps = dsp.log_uniform(rng, 350, 900), dsp.log_uniform(rng, 1200, 2600), dsp.log_uniform(rng, 3000, 5500)
    slope, top_hz = rng.uniform(0.2, 0.9), dsp.log_uniform(rng, 4000, 9000)

    def airflow(f: Signal) -> Signal:
        """Gain of the moving air at frequencies (K,) in Hz, shape (K,)."""
        peaks = sum(np.abs(dsp.resonance(f, hump, 0.4 * hump)) for hump in humps)
        return (0.35 + peaks) * np.maximum(f, 50) ** (-slope / 2) * dsp.band_gain(f, 120, top_hz, 3)

    air = dsp.shaped_noise(rng, samples, rate_hz, airflow)
    muffled = dsp.shaped_noise(rng, samples, rate_hz, lambda f: airflow(0.6 * f))  # nozzle pressed to the carpet
    strokes = dsp.slow_envelope(rng, samples, rate_hz, rng.uniform(0.6, 1.6)) ** 2
    wave = air * (1 - 0.7 * strokes) + muffled * strokes + rng.uniform(0.25, 0.7) * dsp.to_rms(whine)
    if started:
        wave = wave * (speed_hz / motor_hz)
    pitch = dsp.grade(motor_hz, (260, 360), ("low", "medium", "high"))
    return Rendered(dsp.finish(wave), ((0.0, samples / rate_hz),), {"pitch": pitch})


def _drilling(
    rng: np.random.Generator, size: int, rate_hz: int, motor_hz: float, weights: Signal, hammer_hz: float
) -> Signal:
    """One pull of a drill's trigger, shape (size,): the motor runs up, bites under load, and runs down."""
    length_s = size / rate_hz
    up_s, down_s = rng.uniform(0.08, 0.2) * length_s, rng.uniform(0.08, 0.2) * length_s
    speed = timing.path(size, rate_hz, [0, up_s, length_s - down_s, length_s], [0.3, 1, 1, 0.25])
    load = dsp.slow_envelope(rng, size, rate_hz, 3.0)
    speed_hz = motor_hz * speed * (1 - 0.12 * load)
    whine = dsp.harmonic(speed_hz, rate_hz, weights, rng.uniform(0, 6))
    chuck = 2 * np.pi * timing.turns(speed_hz, rate_hz) / rng.integers(8, 16)
    whine = dsp.to_rms(whine) * (1 + rng.uniform(0.15, 0.5) * np.sin(chuck))
    grind = dsp.noise(rng, size, rate_hz, 0.3, 900, 7000) * (0.3 + load) * (1 + 0.5 * np.sin(chuck))
    wave = whine + rng.uniform(0.2, 0.5) * grind
    if hammer_hz:
        _, since = _firing(rng, hammer_hz * speed, rate_hz, 2, 0.01)
        blows = dsp.noise(rng, size, rate_hz, 0.6, 150, 6000) * np.exp(-6 * since)
        wave = 0.6 * wave + rng.uniform(1.2, 2.2) * blows
    return dsp.fade(wave * np.sqrt(speed), rate_hz, 0.03, 0.06)


def drill(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Electric drill: bursts of a buzzing whine of 250-800 Hz that runs up and down, with grinding or hammer blows."""
    duration_s = samples / rate_hz
    motor_hz = dsp.log_uniform(rng, 250, 800)
    hammer_hz = float(rng.uniform(22, 55)) if rng.uniform() < 0.35 else 0.0
    weights = rng.uniform(0.15, 1, 18) / np.arange(1, 19) ** rng.uniform(0.1, 0.6)
    event_s = min(rng.uniform(0.9, 3.5), 0.9 * duration_s)
    count = timing.event_count(rng, duration_s, 1.1 * event_s, 1.5, 5)
    track, events = np.zeros(samples), []
    for start_s in dsp.spread_times(rng, count, duration_s, event_s):
        length_s = event_s * rng.uniform(0.6, 1.0)
        size = dsp.seconds(length_s, rate_hz)
        dsp.add_at(track, _drilling(rng, size, rate_hz, motor_hz, weights, hammer_hz), round(start_s * rate_hz))
        events.append(timing.span(start_s, length_s, duration_s))
    track = dsp.reverb(rng, track, rate_hz, rng.uniform(0.15, 0.5), rng.uniform(0.05, 0.3))
    attributes = {"kind": "hammer drill" if hammer_hz else "electric drill", **timing.counted(events)}
    return Rendered(dsp.finish(track), tuple(events), attributes)


def chainsaw(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Chainsaw: a rasping two-stroke firing at 100-240 Hz at full speed, 28-50 Hz idling, the hiss of the chain."""
    top_hz, idle_hz = dsp.log_uniform(rng, 100, 240), dsp.log_uniform(rng, 28, 50)
    mode = timing.pick(rng, ("cutting", "rev"))
    if mode == "cutting":
        speed_hz = top_hz * dsp.slow_envelope(rng, samples, rate_hz, rng.uniform(0.4, 2), rng.uniform(0.35, 0.8), 1.0)
    else:
        speed_hz = _revs(rng, samples, rate_hz, idle_hz, top_hz, rng.uniform(4, 8))
    speed_hz = speed_hz * dsp.slow_envelope(rng, samples, rate_hz, 8, 0.99, 1.01)
    pulses, since = _firing(rng, speed_hz, rate_hz, 2, rng.uniform(0.015, 0.04))
    centres = np.array([180, 480, 1100, 2300, 4200]) * rng.uniform(0.75, 1.3, 5)
    body = dsp.formants(pulses, rate_hz, centres, 0.7 * centres, [0.8, 1.0, 0.7, 0.4, 0.2] * rng.uniform(0.6, 1.3, 5))
    speed = speed_hz / top_hz
    hiss = dsp.noise(rng, samples, rate_hz, rng.uniform(0.0, 1.4), 300, 8000) * (0.4 + np.exp(-3 * since)) * speed
    wave = np.tanh((dsp.to_rms(body) + rng.uniform(0.15, 0.7) * hiss) / 1.5) * speed ** rng.uniform(0.6, 1.6)
    wave = dsp.reverb(rng, wave, rate_hz, rng.uniform(0.2, 0.8), rng.uniform(0, 0.3))
    wave = dsp.band_pass(wave, rate_hz, 0, dsp.log_uniform(rng, 1200, 12000), 1)  # trees and distance
    wave = wave + 0.01 * dsp.noise(rng, samples, rate_hz, 1)
    return Rendered(dsp.finish(wave), ((0.0, samples / rate_hz),), {"mode": mode})


SOURCES: tuple[Source, ...] = (
    Source("engine", "machines", engine, continuous=True),
    Source("helicopter", "machines", helicopter, continuous=True),
    Source("vacuum", "machines", vacuum, continuous=True),
    Source("drill", "machines", drill, continuous=False),
    Source("chainsaw", "machines", chainsaw, continuous=True),
)
