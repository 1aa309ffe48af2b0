"""Water: sea waves, a stream, drips, bubbles, pouring and a kettle coming to the boil."""

from __future__ import annotations

import numpy as np

from audiojourney.data.scenes import dsp
from audiojourney.data.scenes.source import Rendered, Source


def bubble(rng: np.random.Generator, rate_hz: int, pitch_hz: float, rise: float) -> np.ndarray:
    """An air bubble ringing in water: a decaying sine whose pitch rises as the bubble nears the surface.

    A bubble of radius r metres rings at 3 / r Hz (Minnaert) and its amplitude falls as exp(-d t) with
    d = 0.13 / r + 0.0072 r^(-3/2) a second (radiation and heat); the pitch grows in proportion to d times `rise`.

    Args:
        rng: draws the start phase.
        rate_hz: sampling rate.
        pitch_hz: frequency at birth.
        rise: pitch growth per decay time; 0 is steady, 0.1 a clear "bloop".

    Returns:
        Signal of shape (T,), 60 dB down at its end.
    """
    radius_m = 3 / pitch_hz
    damping = 0.13 / radius_m + 0.0072 * radius_m**-1.5
    size = dsp.seconds(dsp.DECAY_60_DB / damping, rate_hz)
    time = dsp.time_axis(size, rate_hz)
    pitch = np.minimum(pitch_hz * (1 + rise * damping * time), 0.45 * rate_hz)
    wave = np.sin(2 * np.pi * np.cumsum(pitch) / rate_hz + rng.uniform(0, 2 * np.pi))
    return wave * dsp.attack_decay(size, rate_hz, 0.0015, size / rate_hz)


def sea_waves(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Waves that swell, break and run out: dull noise follows the wave, bright foam follows its square."""
    period_s, depth = rng.uniform(3, 8), rng.uniform(0.45, 1)
    length_s, time = samples / rate_hz, dsp.time_axis(samples, rate_hz)
    swell = np.zeros(samples)
    crests = dsp.steady_times(rng, period_s, 0.2, rng.uniform(-0.5, 0.4) * period_s, length_s + 1)
    for crest_s in crests:
        since = time - crest_s
        rise_s, fall_s = rng.uniform(0.12, 0.25) * period_s, rng.uniform(0.25, 0.5) * period_s
        shape = np.where(since < 0, np.exp(-((since / rise_s) ** 2)), np.exp(-np.maximum(since, 0) / fall_s))
        swell = np.maximum(swell, shape * rng.uniform(0.5, 1))
    swell = (1 - depth) + depth * swell
    surf = dsp.noise(
        rng,
        samples,
        rate_hz,
        slope=rng.uniform(0.6, 1.4),
        low_hz=dsp.log_uniform(rng, 80, 400),
        high_hz=dsp.log_uniform(rng, 1200, 4000),
    )
    foam = dsp.noise(rng, samples, rate_hz, slope=rng.uniform(0.4, 2.2), low_hz=rng.uniform(300, 900))
    foam = foam * dsp.slow_envelope(rng, samples, rate_hz, 25, 0.5, 1.0)
    hush = dsp.noise(rng, samples, rate_hz, slope=1.5, low_hz=60)
    wave = surf * swell**1.7 + rng.uniform(0.2, 0.9) * foam * swell**2.5 + rng.uniform(0.02, 0.12) * hush
    attributes = {
        "intensity": dsp.grade(depth, (0.6, 0.8), ("light", "steady", "heavy")),
        "pace": "fast" if period_s < 4.5 else "slow",
    }
    return Rendered(dsp.finish(wave), dsp.whole(samples, rate_hz), attributes)


def stream(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """A hundred bubbles a second of many sizes over the rush of the water."""
    bubbles_hz, large = dsp.log_uniform(rng, 70, 280), rng.random() < 0.5
    low_hz, high_hz = (300, 1600) if large else (600, 3200)
    grains = [bubble(rng, rate_hz, dsp.log_uniform(rng, low_hz, high_hz), rng.uniform(0, 0.12)) for _ in range(48)]
    times = dsp.poisson_times(rng, bubbles_hz, samples / rate_hz)
    babble = dsp.to_rms(dsp.scatter(rng, grains, times, rng.lognormal(-0.5, 0.8, len(times)), samples, rate_hz))
    rush = dsp.noise(rng, samples, rate_hz, slope=rng.uniform(0.5, 1.5), low_hz=rng.uniform(150, 500), high_hz=5000)
    rush = rush * dsp.slow_envelope(rng, samples, rate_hz, 4.0, 0.6, 1.0)
    wave = (
        babble * dsp.slow_envelope(rng, samples, rate_hz, 2.0, 0.6, 1.0)
        + rng.uniform(0.1, 0.5) * (1.8 if large else 1) * rush
    )
    lively = bubbles_hz > 140
    attributes = {
        "size": "large" if large else "small",
        "intensity": "steady" if lively != large else "heavy" if large else "light",
    }
    return Rendered(dsp.finish(wave), dsp.whole(samples, rate_hz), attributes)


def _drop(rng: np.random.Generator, rate_hz: int, pitch_hz: float, metal: bool) -> np.ndarray:
    """One drip: a tick on impact, then the bubble it drags under, or the ringing of a metal basin."""
    size = dsp.seconds(0.25, rate_hz)
    wave = np.zeros(size)
    tick = dsp.noise(rng, 64, rate_hz, low_hz=1500) * np.hanning(64)
    dsp.place(wave, tick, 0, rate_hz, 0.25 if metal else 0.08)
    if metal:
        modes_hz = pitch_hz * np.array([0.6, 1, 1.48, 2.3]) * rng.uniform(0.98, 1.02, 4)
        return wave + dsp.modal(rng, size, rate_hz, modes_hz, (0.2, 0.15, 0.1, 0.06), (0.5, 0.8, 0.6, 0.4))
    ring = dsp.fade(bubble(rng, rate_hz, pitch_hz, rng.uniform(0.06, 0.16)), rate_hz, 0.001)
    dsp.place(wave, ring, rng.uniform(0.01, 0.03), rate_hz)
    return wave


def drips(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Single drops at a leaky tap's even pace, each with its own pitch, in a bathroom or a cave."""
    period_s, metal = dsp.log_uniform(rng, 0.35, 1.6), rng.random() < 0.35
    pitch_hz = dsp.log_uniform(rng, 700, 1900)
    length_s = samples / rate_hz
    start_s = rng.uniform(0.05, min(period_s, 0.4 * length_s))
    wave, events = np.zeros(samples), []
    for drip_s in dsp.steady_times(rng, period_s, 0.15, start_s, max(length_s - 0.15, start_s + 0.01)):
        drop = _drop(rng, rate_hz, pitch_hz * rng.lognormal(0, 0.12), metal)
        events.append(dsp.place(wave, drop, drip_s, rate_hz, rng.uniform(0.5, 1)))
    wave = dsp.reverb(rng, wave, rate_hz, rng.uniform(0.4, 1.8), rng.uniform(0.1, 0.5))
    attributes = {
        "surface": "metal" if metal else "water",
        "pace": dsp.grade(period_s, (0.6, 1.0), ("fast", "steady", "slow")),
        "count": str(len(events)),
    }
    return Rendered(dsp.finish(wave), tuple(events), attributes)


def bubbles(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Large bubbles rising one by one: low, round, clearly upward "bloops" with no rush of water."""
    pitch_hz, bubbles_hz = dsp.log_uniform(rng, 180, 700), dsp.log_uniform(rng, 5, 24)
    grains = [bubble(rng, rate_hz, pitch_hz * rng.lognormal(0, 0.3), rng.uniform(0.08, 0.25)) for _ in range(32)]
    times = dsp.poisson_times(rng, 1.6 * bubbles_hz, samples / rate_hz)
    activity = dsp.slow_envelope(rng, samples, rate_hz, 1.2, 0.2, 1.0)[(times * rate_hz).astype(int)]
    times = np.append(times[activity > rng.uniform(0, 1, len(times))], 0.3 * samples / rate_hz)
    wave = dsp.scatter(rng, grains, times, rng.uniform(0.2, 1, len(times)), samples, rate_hz)
    wave = dsp.reverb(rng, wave, rate_hz, 0.25, 0.3, high_hz=2500)
    wave = dsp.to_peak(wave) + dsp.log_uniform(rng, 0.001, 0.008) * dsp.noise(rng, samples, rate_hz, slope=1.5)
    attributes = {
        "size": "large" if pitch_hz < 350 else "small",
        "pace": "slow" if bubbles_hz < 11 else "fast",
    }
    return Rendered(dsp.finish(wave), dsp.whole(samples, rate_hz), attributes)


def _glassful(rng: np.random.Generator, samples: int, rate_hz: int, low_hz: float, high_hz: float) -> np.ndarray:
    """Filling one vessel: the air column above the water shortens, so its resonances at 1, 3 and 5 quarters rise."""
    column_hz = 1 / np.linspace(1 / low_hz, 1 / high_hz, samples)
    wave = 0.25 * dsp.noise(rng, samples, rate_hz, slope=0.8, low_hz=400, high_hz=6500)
    for order, level in ((1, 1.0), (3, 0.6), (5, 0.35)):
        centre_hz = np.minimum(order * column_hz, 0.45 * rate_hz)
        wave += level * dsp.moving_band(rng, centre_hz, rate_hz, rng.uniform(100, 260) * order**0.5)
    grains = [bubble(rng, rate_hz, dsp.log_uniform(rng, 500, 2500), rng.uniform(0, 0.1)) for _ in range(24)]
    times = dsp.poisson_times(rng, rng.uniform(40, 120), samples / rate_hz)
    glugs = dsp.scatter(rng, grains, times, rng.lognormal(-0.5, 0.7, len(times)), samples, rate_hz)
    wave = wave * dsp.slow_envelope(rng, samples, rate_hz, rng.uniform(6, 12), 0.6, 1.0) + rng.uniform(0.5, 1.5) * glugs
    return dsp.fade(wave, rate_hz, 0.06, 0.15)


def pouring(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Water poured into a glass (small) or a jug (large), once or twice; the pitch climbs to the brim."""
    large = rng.random() < 0.5
    low_hz = rng.uniform(220, 380) if large else rng.uniform(450, 800)
    high_hz = low_hz * rng.uniform(2.2, 4)
    length_s = samples / rate_hz
    pours = 2 if length_s >= 8 and rng.random() < 0.5 else 1
    pour_s = min(rng.uniform(2.5, 6.5), 0.92 * length_s / pours)
    wave, events = np.zeros(samples), []
    for start_s in dsp.spread_times(rng, pours, length_s, pour_s):
        glassful = _glassful(rng, dsp.seconds(pour_s, rate_hz), rate_hz, low_hz, high_hz)
        events.append(dsp.place(wave, glassful, start_s, rate_hz))
    attributes = {"size": "large" if large else "small", "count": str(pours)}
    return Rendered(dsp.finish(wave), tuple(events), attributes)


def kettle(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """The rumble of a kettle's growing boil, joined midway by a steam whistle that climbs to its note and stays."""
    large = rng.random() < 0.5
    note_hz = rng.uniform(1300, 2000) if large else rng.uniform(2000, 3200)
    onset, settled = rng.uniform(0.2, 0.5), rng.uniform(0.08, 0.3)
    progress = np.linspace(0, 1, samples)
    rumble = dsp.noise(rng, samples, rate_hz, slope=1.0, low_hz=70, high_hz=rng.uniform(500, 900))
    rumble *= (0.5 + 0.5 * progress) * dsp.slow_envelope(rng, samples, rate_hz, rng.uniform(12, 25), 0.3, 1.0)
    steam = dsp.noise(rng, samples, rate_hz, slope=0.3, low_hz=1500) * (0.1 + 0.9 * progress**2)
    heat = np.clip((progress - onset) / settled, 0, 1)
    wobble = 1 + 0.006 * dsp.slow_envelope(rng, samples, rate_hz, 15, -1, 1)
    pitch_hz = note_hz * (0.55 + 0.45 * np.sin(np.pi / 2 * heat)) * wobble
    tone = dsp.harmonic(pitch_hz, rate_hz, (1, rng.uniform(0.15, 0.5), rng.uniform(0.05, 0.25)))
    breathy = tone + 0.25 * dsp.moving_band(rng, pitch_hz, rate_hz, 120)
    whistle = heat**1.5 * breathy * dsp.slow_envelope(rng, samples, rate_hz, 12, 0.75, 1)
    wave = rng.uniform(0.5, 1) * rumble + rng.uniform(0.04, 0.12) * steam + rng.uniform(0.6, 1.2) * whistle
    attributes = {"size": "large" if large else "small", "pace": "fast" if settled < 0.16 else "slow"}
    return Rendered(dsp.finish(wave), dsp.whole(samples, rate_hz), attributes)


SOURCES: tuple[Source, ...] = (
    Source("sea_waves", "water", sea_waves, continuous=True),
    Source("stream", "water", stream, continuous=True),
    Source("drips", "water", drips, continuous=False),
    Source("bubbles", "water", bubbles, continuous=True),
    Source("pouring", "water", pouring, continuous=False),
    Source("kettle", "water", kettle, continuous=True),
)
