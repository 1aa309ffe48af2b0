"""Recipes of signals made by bells and chimes: church bell, telephone and doorbell."""

from __future__ import annotations

import itertools

import numpy as np

from audiojourney.data.scenes import dsp, timing
from audiojourney.data.scenes.dsp import Signal
from audiojourney.data.scenes.source import Rendered, Source

# Partials of a church bell against its strike note: hum, prime, tierce, quint, nominal and those above.
BELL_RATIOS = np.array([0.5, 1.0, 1.2, 1.5, 2.0, 2.5, 2.67, 3.0, 4.0, 5.3])
BELL_GAINS = np.array([0.6, 0.8, 0.9, 0.35, 1.0, 0.4, 0.45, 0.5, 0.35, 0.2])
BELL_DECAYS = np.array([1.0, 0.65, 0.55, 0.35, 0.3, 0.2, 0.2, 0.18, 0.12, 0.08])  # shares of the hum's t60


def _bell(rng: np.random.Generator, size: int, rate_hz: int, note_hz: float, t60_s: float) -> Signal:
    """One stroke on a church bell, shape (size,): each partial is a pair 0.3-2.5 Hz apart, hence the slow beats."""
    ratios = BELL_RATIOS * rng.uniform(0.985, 1.015, 10)
    gains = BELL_GAINS * rng.uniform(0.6, 1.4, 10)
    modes_hz = np.concatenate([note_hz * ratios, note_hz * ratios + rng.uniform(0.3, 2.5, 10)])
    decays_s = np.tile(BELL_DECAYS * t60_s, 2)
    wave = dsp.modal(rng, size, rate_hz, modes_hz, decays_s, np.concatenate([gains, 0.4 * gains]))
    clapper = dsp.noise(rng, size, rate_hz, 0.5, 1.5 * note_hz, 9000) * np.exp(-dsp.time_axis(size, rate_hz) / 0.01)
    return dsp.fade(dsp.to_peak(wave) + 0.25 * clapper, rate_hz, 0.001, 0.05)


def church_bell(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Church bells: strokes of one bell 1.4-4 s apart, or a peal of 2-4 bells, ringing on for 3-10 s."""
    duration_s = samples / rate_hz
    note_hz = dsp.log_uniform(rng, 170, 620)
    t60_s = rng.uniform(0.7, 1.3) * 9 * (170 / note_hz) ** 0.5
    bells = int(rng.integers(2, 5)) if rng.uniform() < 0.35 else 1
    size = min(samples, dsp.seconds(1.1 * t60_s, rate_hz))
    notes_hz = note_hz * np.array([1, 1.122, 1.335, 1.498])[:bells]
    bank = [_bell(rng, size, rate_hz, note, t60_s) for note in notes_hz]
    period_s = dsp.log_uniform(rng, 1.4, 4) / (1 if bells == 1 else 2)
    first_s = rng.uniform(0, 0.3 * min(period_s, duration_s))
    times_s = dsp.steady_times(rng, period_s, 0.02, first_s, max(duration_s - 0.4, 0.3))
    track = np.zeros(samples)
    for index, start_s in enumerate(times_s.tolist()):
        dsp.add_at(track, bank[index % bells], round(start_s * rate_hz), rng.uniform(0.75, 1))
    track = dsp.reverb(rng, track, rate_hz, rng.uniform(1.0, 2.5), rng.uniform(0.1, 0.5), 4000)
    borders_s = [*times_s.tolist(), duration_s]
    events = tuple(itertools.pairwise(borders_s))
    attributes = {"size": "large" if note_hz < 320 else "small", "kind": "single" if bells == 1 else "peal"}
    return Rendered(dsp.finish(track), events, {**attributes, **(timing.counted(events) if bells == 1 else {})})


def _telephone_bell(rng: np.random.Generator, size: int, rate_hz: int) -> Signal:
    """Old telephone, shape (size,): a hammer striking two small bells in turn 18-28 times a second."""
    grain_size = min(size, dsp.seconds(0.35, rate_hz))
    note_hz = dsp.log_uniform(rng, 900, 1600)
    ratios = np.array([1.0, 2.1, 2.76, 4.1, 5.4])
    bank = [
        dsp.modal(rng, grain_size, rate_hz, note * ratios, [0.5, 0.4, 0.35, 0.25, 0.2], [1, 0.5, 0.7, 0.4, 0.3])
        for note in (note_hz, note_hz * rng.uniform(1.06, 1.26))
    ]
    times_s = dsp.steady_times(rng, 1 / rng.uniform(18, 28), 0.03, 0.0, max(size / rate_hz - 0.3, 0.1))
    track = np.zeros(size)
    for index, start_s in enumerate(times_s.tolist()):
        dsp.add_at(track, bank[index % 2], round(start_s * rate_hz), rng.uniform(0.8, 1))
    return track


def _telephone_trill(rng: np.random.Generator, size: int, rate_hz: int) -> Signal:
    """Electronic telephone, shape (size,): two notes alternating 10-22 times a second."""
    low_hz = dsp.log_uniform(rng, 700, 1500)
    high_hz = low_hz * rng.uniform(1.15, 1.4)
    swap = np.sin(2 * np.pi * rng.uniform(10, 22) * dsp.time_axis(size, rate_hz))
    pitch_hz = np.where(swap > 0, high_hz, low_hz)
    order = np.arange(1, 9)
    return dsp.fade(dsp.harmonic(pitch_hz, rate_hz, 1 / order ** rng.uniform(0.8, 2.0)), rate_hz, 0.005, 0.02)


def phone(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Telephone: rings of 0.8-2.2 s, a trembling bell or an electronic trill, with silence of 0.8-3 s between them."""
    duration_s = samples / rate_hz
    kind = timing.pick(rng, ("bell", "electronic"))
    ring_s, pause_s = min(rng.uniform(0.8, 2.2), 0.85 * duration_s), rng.uniform(0.8, 3)
    ring = (_telephone_bell if kind == "bell" else _telephone_trill)(rng, dsp.seconds(ring_s, rate_hz), rate_hz)
    first_s = rng.uniform(0, min(1.0, duration_s - ring_s))
    starts_s = np.arange(first_s, duration_s - min(0.7, 0.5 * ring_s), ring_s + pause_s)
    starts_s = starts_s[(starts_s + ring_s <= duration_s) | (np.arange(len(starts_s)) == 0)]
    track, events = np.zeros(samples), []
    for start_s in starts_s.tolist():
        dsp.add_at(track, ring, round(start_s * rate_hz))
        events.append(timing.span(start_s, ring_s, duration_s))
    track = dsp.reverb(rng, track, rate_hz, rng.uniform(0.2, 0.7), rng.uniform(0.05, 0.3), 6000)
    return Rendered(dsp.finish(track), tuple(events), {"type": kind, **timing.counted(events)})


def _chime(rng: np.random.Generator, size: int, rate_hz: int, note_hz: float, t60_s: float, ratios: Signal) -> Signal:
    """One struck chime bar or tube, shape (size,)."""
    strengths, decays = 1 / np.arange(1, 5) ** 1.3, t60_s / np.arange(1, 5) ** 1.1
    bar = dsp.modal(rng, size, rate_hz, note_hz * ratios, decays, strengths)
    hammer = dsp.noise(rng, size, rate_hz, 0.5, 300, 5000) * np.exp(-dsp.time_axis(size, rate_hz) / 0.006)
    return dsp.fade(bar + 0.12 * hammer, rate_hz, 0.001, 0.03)


def doorbell(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Doorbell: "ding-dong", a second chime 2-5 semitones below the first, or a tune of four chimes, rung 1-3 times."""
    duration_s = samples / rate_hz
    note_hz, t60_s = dsp.log_uniform(rng, 480, 1000), dsp.log_uniform(rng, 1.2, 3.0)
    kind = "melody" if rng.uniform() < 0.25 else "ding-dong"
    steps = [0, -4, -2, -9] if kind == "melody" else [0, -int(rng.integers(2, 6))]
    gap_s = rng.uniform(0.35, 0.55) if kind == "melody" else rng.uniform(0.4, 0.8)
    gap_s = min(gap_s, 0.6 * duration_s / len(steps))
    event_s = min(gap_s * (len(steps) - 1) + 0.8 * t60_s, 0.98 * duration_s)
    ratios = np.array([[1, 2.0, 3.01, 4.1], [1, 2.76, 5.4, 8.9], [1, 3.0, 6.2, 9.4]])[rng.integers(3)]
    size, notes_hz = dsp.seconds(1.2 * t60_s, rate_hz), [note_hz * 2 ** (step / 12) for step in steps]
    bank = [_chime(rng, size, rate_hz, chime_hz, t60_s, ratios) for chime_hz in notes_hz]
    count = timing.event_count(rng, duration_s, event_s, 1, 3.4)
    track, events = np.zeros(samples), []
    for start_s in dsp.spread_times(rng, count, duration_s, event_s).tolist():
        for index, chime in enumerate(bank):
            dsp.add_at(track, chime, round((start_s + index * gap_s) * rate_hz))
        events.append(timing.span(start_s, event_s, duration_s))
    track = dsp.reverb(rng, track, rate_hz, rng.uniform(0.3, 0.9), rng.uniform(0.05, 0.25))
    return Rendered(dsp.finish(track), tuple(events), {"kind": kind, **timing.counted(events)})


SOURCES: tuple[Source, ...] = (
    Source("church_bell", "signals", church_bell, continuous=False),
    Source("phone", "signals", phone, continuous=False),
    Source("doorbell", "signals", doorbell, continuous=False),
)
