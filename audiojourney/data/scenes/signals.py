"""Recipes of signals that call for attention: siren, alarm, bells, horns, phone, doorbell and whistle."""

from __future__ import annotations

import numpy as np

from audiojourney.data.scenes import bells, dsp, timing
from audiojourney.data.scenes.dsp import Signal
from audiojourney.data.scenes.source import Rendered, Source

ORDER = np.arange(1, 16)
# Kind of alarm: range of pitch in Hz, beeps in a group, shortest and longest (on, off, pause) in seconds, partials.
ALARMS = {
    "smoke alarm": ((2900, 3400), 3, (0.35, 0.35, 0.6), (0.5, 0.5, 1.0), np.array([1, 0.1, 0.25])),
    "alarm clock": ((1700, 2600), 4, (0.06, 0.05, 0.35), (0.1, 0.09, 0.6), ORDER % 2 / ORDER),  # a square wave
    "reversing beeper": ((1000, 1500), 1, (0.4, 0.4, 0.0), (0.6, 0.6, 0.0), np.array([1, 0.1, 0.3, 0.05, 0.1])),
    "buzzer": ((300, 700), 1, (0.25, 0.15, 0.0), (0.9, 0.5, 0.0), 1 / ORDER**0.6),
}


def _siren_pitch(kind: str, low_hz: float, high_hz: float, period_s: float, samples: int, rate_hz: int) -> Signal:
    """Pitch of a siren in Hz, shape (samples,): between `low_hz` and `high_hz`, once there and back in `period_s`."""
    cycle = dsp.time_axis(samples, rate_hz) / period_s % 1
    if kind == "two_tone":
        shape = 1 / (1 + np.exp(-np.sin(2 * np.pi * cycle) * 40))
    elif kind == "yelp":
        shape = np.where(cycle < 0.75, cycle / 0.75, (1 - cycle) / 0.25)
    else:
        shape = 0.5 - 0.5 * np.cos(2 * np.pi * cycle)
    return low_hz * (high_hz / low_hz) ** shape


def siren(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Emergency siren: a wail over 3-7 s, a yelp 2.5-4 times a second, or two tones in turn, echoing."""
    kind = timing.pick(rng, ("wail", "yelp", "two_tone"))
    low_hz = rng.uniform(360, 480) if kind == "two_tone" else rng.uniform(450, 750)
    high_hz = low_hz * (rng.uniform(1.25, 1.36) if kind == "two_tone" else rng.uniform(1.8, 2.5))
    period_s = {"wail": rng.uniform(2.8, 7), "yelp": rng.uniform(0.25, 0.4), "two_tone": rng.uniform(1.0, 1.8)}[kind]
    duration_s, motion = samples / rate_hz, timing.pick(rng, tuple(timing.MOTIONS))
    pitch_hz = _siren_pitch(kind, low_hz, high_hz, period_s, samples, rate_hz)
    if motion == "passing":  # Doppler shift of a vehicle driving by at 10-18 m/s, 10-20 m away
        speed, moment_s, near_m = rng.uniform(10, 18), duration_s * rng.uniform(0.4, 0.6), rng.uniform(10, 20)
        along_m = speed * (dsp.time_axis(samples, rate_hz) - moment_s)
        pitch_hz = pitch_hz / (1 + speed / 343 * along_m / np.hypot(along_m, near_m))
    order = np.arange(1, 11)
    tone = dsp.harmonic(pitch_hz, rate_hz, rng.uniform(0.5, 1, 10) / order ** rng.uniform(0.7, 1.6))
    tone = np.tanh(dsp.to_rms(tone) * rng.uniform(0.6, 1.6))
    wave = dsp.reverb(rng, tone, rate_hz, rng.uniform(0.5, 1.8), rng.uniform(0.1, 0.6), 4000)
    wave = dsp.fade(wave * dsp.contour(samples, timing.MOTIONS[motion]), rate_hz, 0.05)
    return Rendered(dsp.finish(wave), ((0.0, duration_s),), {"type": kind, "motion": motion})


def _beep_gate(beeps: int, on_off_pause_s: Signal, samples: int, rate_hz: int, start_s: float) -> tuple[Signal, int]:
    """On-off curve of an alarm, shape (samples,), and how often it goes on; groups of `beeps`, then a pause."""
    on_s, off_s, pause_s = on_off_pause_s.tolist()
    group_s = beeps * (on_s + off_s) + pause_s
    time = dsp.time_axis(samples, rate_hz) - start_s
    within = time % group_s
    slot = within % (on_s + off_s)
    sounding = (time >= 0) & (within < beeps * (on_s + off_s)) & (slot < on_s)
    soft = np.clip(np.minimum(slot, on_s - slot) / 0.004, 0, 1)  # 4 ms edges keep the beep free of clicks
    return sounding * soft, int(np.sum(np.diff(sounding.astype(int)) > 0) + sounding[0])


def alarm(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Electronic alarm: one pitch of 0.3-3.4 kHz on and off in an unvarying pattern, from buzzer to smoke alarm."""
    kind = timing.pick(rng, tuple(ALARMS))
    pitch_range, beeps_a_group, shortest_s, longest_s, partials = ALARMS[kind]
    pitch_hz, on_off_pause_s = rng.uniform(*pitch_range), rng.uniform(shortest_s, longest_s)
    gate, beeps = _beep_gate(beeps_a_group, on_off_pause_s, samples, rate_hz, rng.uniform(0, 0.3))
    tone = dsp.harmonic(np.full(samples, pitch_hz), rate_hz, partials)
    wave = dsp.reverb(rng, tone * gate, rate_hz, rng.uniform(0.2, 0.9), rng.uniform(0.03, 0.3), 6000)
    count = {"count": str(beeps)} if beeps <= timing.COUNTABLE else {}
    pitch = dsp.grade(pitch_hz, (900, 2200), ("low", "medium", "high"))
    return Rendered(dsp.finish(wave), ((0.0, samples / rate_hz),), {"kind": kind, "pitch": pitch, **count})


def _blasts(
    rng: np.random.Generator, duration_s: float, count: int, low_s: float, high_s: float
) -> list[tuple[float, float]]:
    """Start and length of `count` horn blasts, one in each equal part of the clip and with a gap after each."""
    room_s = duration_s / count
    lengths_s = np.minimum([dsp.log_uniform(rng, low_s, high_s) for _ in range(count)], 0.8 * room_s)
    starts_s = np.arange(count) * room_s + rng.uniform(0.02, 1, count) * (0.95 * room_s - lengths_s)
    return list(zip(starts_s.tolist(), lengths_s.tolist(), strict=True))


def _chord(
    rng: np.random.Generator, size: int, rate_hz: int, notes_hz: Signal, weights: Signal, bend: float, attack_s: float
) -> Signal:
    """Air horns or reeds sounding together, shape (size,): the pitch rises by a share `bend` as pressure builds."""
    time = dsp.time_axis(size, rate_hz)
    settle = 1 - bend * np.exp(-time / attack_s) - bend * np.exp((time - time[-1]) / attack_s)
    timbres = weights * rng.uniform(0.7, 1.3, (len(notes_hz), len(weights)))
    voices = [dsp.harmonic(note * settle, rate_hz, timbre) for note, timbre in zip(notes_hz, timbres, strict=True)]
    return dsp.fade(np.sum(voices, axis=0), rate_hz, attack_s, 1.5 * attack_s)


def train_horn(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Train horn: blasts of 0.7-3.5 s on a chord of 2-5 air horns between 220 and 700 Hz, with a long echo."""
    duration_s = samples / rate_hz
    chords = ((1, 1.19, 1.335, 1.587, 2.0), (1, 1.26, 1.5, 1.68, 2.0), (1, 1.19, 1.5, 1.68, 1.89))
    voices = int(rng.choice([2, 3, 3, 4, 5]))
    tuning = rng.uniform(0.995, 1.005, voices)
    notes_hz = dsp.log_uniform(rng, 220, 350) * np.array(chords[rng.integers(3)][:voices]) * tuning
    weights = 1 / np.arange(1, 13) ** rng.uniform(0.4, 1.0)
    count = timing.event_count(rng, duration_s, 2.0, 1, 4)
    track, events = np.zeros(samples), []
    for start_s, length_s in _blasts(rng, duration_s, count, 0.8, 3.5):
        blast = _chord(rng, dsp.seconds(length_s, rate_hz), rate_hz, notes_hz, weights, 0.02, rng.uniform(0.05, 0.12))
        dsp.add_at(track, blast, round(start_s * rate_hz))
        events.append(timing.span(start_s, length_s, duration_s))
    distance = timing.pick(rng, ("near", "far"))
    if distance == "far":
        track = dsp.band_pass(track, rate_hz, 100, rng.uniform(1200, 2000), 2)
    wet = rng.uniform(0.8, 1.6) if distance == "far" else rng.uniform(0.25, 0.6)
    track = dsp.reverb(rng, track, rate_hz, rng.uniform(1.3, 2.6), wet, 3000)
    return Rendered(dsp.finish(track), tuple(events), {"distance": distance, **timing.counted(events)})


def car_horn(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Car horn: abrupt honks of 0.15-1.3 s on a steady, buzzing, dissonant pair of 320-560 Hz, little echo."""
    duration_s = samples / rate_hz
    size = timing.pick(rng, ("small", "large"))
    low_hz = rng.uniform(390, 440) if size == "small" else rng.uniform(320, 380)
    notes_hz = low_hz * np.array([1, rng.uniform(1.17, 1.28)])
    order = np.arange(1, 21)
    # A steel membrane in a snail shell: weak fundamental, strongest around 1.5-3 kHz.
    peak_hz = rng.uniform(1300, 2800)
    weights = (0.35 + 1.5 * np.abs(dsp.resonance(order * low_hz, peak_hz, 0.9 * peak_hz))) / order**0.4
    count = timing.event_count(rng, duration_s, 0.8, 1, 6)
    track, events = np.zeros(samples), []
    longest_s = dsp.log_uniform(rng, 0.25, 1.3)
    for start_s, length_s in _blasts(rng, duration_s, count, min(0.15, longest_s), longest_s):
        honk = _chord(rng, dsp.seconds(length_s, rate_hz), rate_hz, notes_hz, weights, 0.004, 0.015)
        dsp.add_at(track, honk, round(start_s * rate_hz))
        events.append(timing.span(start_s, length_s, duration_s))
    track = dsp.reverb(rng, track, rate_hz, rng.uniform(0.2, 0.7), rng.uniform(0.05, 0.2))
    length = dsp.grade(max(end - start for start, end in events), (0.45,), ("short", "long"))
    return Rendered(dsp.finish(track), tuple(events), {"size": size, "length": length, **timing.counted(events)})


def _blow(rng: np.random.Generator, size: int, rate_hz: int, pitch_hz: float, kind: str) -> Signal:
    """One blast on a whistle, shape (size,): close high notes with breath, trilled 25-45 times a second by a pea."""
    pea = np.sin(2 * np.pi * timing.turns(dsp.slow_envelope(rng, size, rate_hz, 4, 25, 45), rate_hz))
    trill = rng.uniform(0.7, 1.0) if kind == "pea" else 0.0
    breath_rise = 1 - 0.04 * np.exp(-dsp.time_axis(size, rate_hz) / 0.04)
    note_hz = pitch_hz * (1 + 0.012 * trill * pea) * breath_rise * dsp.slow_envelope(rng, size, rate_hz, 5, 0.985, 1.01)
    tones = dsp.harmonic(note_hz, rate_hz, [1, 0.25])
    for ratio in {"pea": (1.075,), "plain": (1.03, 1.065), "pipes": (1.19,)}[kind]:  # chambers of unequal length
        tones = tones + rng.uniform(0.5, 0.9) * dsp.harmonic(note_hz * ratio, rate_hz, [1, 0.15])
    breath = dsp.noise(rng, size, rate_hz, 0, 0.6 * pitch_hz, 2.5 * pitch_hz)
    return (tones + rng.uniform(0.06, 0.2) * breath) * (1 - 0.5 * trill * (0.5 + 0.5 * pea))


def whistle(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Whistle of a referee or policeman: blasts of 0.2-1.8 s at 2-3.8 kHz, with a pea, plain, or of two pipes."""
    duration_s = samples / rate_hz
    kind = timing.pick(rng, ("pea", "pea", "plain", "pipes"))
    pitch_hz, longest_s = dsp.log_uniform(rng, 2000, 3600), dsp.log_uniform(rng, 0.4, 1.8)
    count = timing.event_count(rng, duration_s, 0.9, 1, 5)
    track, events = np.zeros(samples), []
    for start_s, length_s in _blasts(rng, duration_s, count, 0.2, longest_s):
        blow = _blow(rng, dsp.seconds(length_s, rate_hz), rate_hz, pitch_hz, kind)
        dsp.add_at(track, dsp.fade(blow, rate_hz, 0.02, 0.04), round(start_s * rate_hz), rng.uniform(0.7, 1))
        events.append(timing.span(start_s, length_s, duration_s))
    track = dsp.reverb(rng, track, rate_hz, rng.uniform(0.3, 1.3), rng.uniform(0.08, 0.4), 6000)
    return Rendered(dsp.finish(track), tuple(events), {"kind": kind, **timing.counted(events)})


SOURCES: tuple[Source, ...] = (
    Source("siren", "signals", siren, continuous=True),
    Source("alarm", "signals", alarm, continuous=True),
    Source("train_horn", "signals", train_horn, continuous=False),
    Source("whistle", "signals", whistle, continuous=False),
    Source("car_horn", "signals", car_horn, continuous=False),
    *bells.SOURCES,
)
