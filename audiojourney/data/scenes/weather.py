"""Weather: rain, rain on a tin roof, wind, thunder, fire and wind chimes."""

from __future__ import annotations

import numpy as np

from audiojourney.data.scenes import dsp
from audiojourney.data.scenes.source import Rendered, Source

INTENSITY = ("light", "steady", "heavy")
TUBE_MODES = (1.0, 2.756, 5.404, 8.933)  # bending modes of a free tube


def _burst(rng: np.random.Generator, rate_hz: int, low_hz: float, high_hz: float, t60_s: float) -> np.ndarray:
    """One splash: band noise that dies away at once."""
    size = dsp.seconds(1.2 * t60_s, rate_hz)
    band = dsp.noise(rng, max(size, 64), rate_hz, low_hz=low_hz, high_hz=high_hz, slope=0.0)[:size]
    return band * dsp.attack_decay(size, rate_hz, 0.0005, t60_s)


def rain(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Poisson drops (noise bursts of 20 to 100 ms on leaves, of some ms on a street) over a bed of far drops."""
    street = rng.random() < 0.5
    drops_hz = dsp.log_uniform(rng, 60, 1200)
    low_hz, high_hz = rng.uniform(300, 1500), rng.uniform(2500, 7000)
    t60_range = (0.01, 0.04) if street else (0.02, 0.1)
    grains = [
        _burst(rng, rate_hz, low_hz * rng.uniform(0.6, 1.6), high_hz * rng.uniform(0.7, 1.5), rng.uniform(*t60_range))
        for _ in range(24)
    ]
    times = dsp.poisson_times(rng, drops_hz, samples / rate_hz)
    drops = dsp.scatter(rng, grains, times, rng.lognormal(0, 0.6, len(times)), samples, rate_hz)
    bed = dsp.noise(rng, samples, rate_hz, slope=rng.uniform(0.2, 2.4), low_hz=dsp.log_uniform(rng, 30, 400))
    bed = bed * dsp.slow_envelope(rng, samples, rate_hz, 0.7, 0.75, 1.0)
    share = rng.uniform(0.05, 0.45)  # of the near drops in the whole
    wave = share * dsp.to_rms(drops) + (1 - share) * bed
    attributes = {
        "intensity": dsp.grade(drops_hz, (150, 500), INTENSITY),
        "surface": "street" if street else "leaves",
    }
    return Rendered(dsp.finish(wave), dsp.whole(samples, rate_hz), attributes)


def _ping(rng: np.random.Generator, rate_hz: int) -> np.ndarray:
    """One drop on sheet metal: a burst of 1 to 6 ms with weak, short ringing of the sheet."""
    size = dsp.seconds(0.05, rate_hz)
    burst = np.zeros(size)
    low_hz, high_hz = rng.uniform(600, 1500), rng.uniform(4000, 7500)
    dsp.add_at(burst, dsp.to_peak(_burst(rng, rate_hz, low_hz, high_hz, 6.9 * rng.uniform(0.001, 0.006))), 0)
    count = int(rng.integers(2, 5))
    modes_hz, t60_s = rng.uniform(300, 5500, count), 6.9 * rng.uniform(0.002, 0.01, count)
    return burst + dsp.modal(rng, size, rate_hz, modes_hz, t60_s, rng.uniform(0.1, 0.4, count))


def rain_tin(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Dense bright taps on a roof, 80 to 1250 a second, over a bed of hiss and the roof's hollow mid band."""
    drops_hz = dsp.log_uniform(rng, 80, 1250)
    grains = [_ping(rng, rate_hz) for _ in range(32)]
    times = dsp.poisson_times(rng, drops_hz, samples / rate_hz)
    drops = dsp.to_rms(dsp.scatter(rng, grains, times, rng.lognormal(0, 0.7, len(times)), samples, rate_hz))
    hiss = dsp.noise(rng, samples, rate_hz, slope=rng.uniform(0.2, 0.7), low_hz=300)
    hollow = dsp.noise(rng, samples, rate_hz, low_hz=rng.uniform(350, 600), high_hz=rng.uniform(1800, 2600))
    swell = dsp.slow_envelope(rng, samples, rate_hz, 0.5, 0.75, 1.0)
    wave = drops + swell * (rng.uniform(0.2, 0.5) * hiss + rng.uniform(0.5, 1.2) * hollow)
    attributes = {"intensity": dsp.grade(drops_hz, (180, 550), INTENSITY), "surface": "tin"}
    return Rendered(dsp.finish(wave), dsp.whole(samples, rate_hz), attributes)


def wind(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Low noise in three bands that open one after the other as a gust grows; a strong wind may howl in a gap."""
    strength = rng.uniform(0, 1)
    gust = dsp.slow_envelope(rng, samples, rate_hz, rng.uniform(0.25, 0.8), 0.25 - 0.15 * strength, 1.0)
    gust = gust * dsp.slow_envelope(rng, samples, rate_hz, 3.0, 0.75, 1.0)
    tilt = rng.uniform(0.7, 1.3)
    wave = np.zeros(samples)
    for base_hz, level in ((170, 1.0), (380, 0.8), (750, 0.2 + 0.3 * strength)):
        centre_hz = base_hz * tilt
        band = dsp.noise(rng, samples, rate_hz, slope=1.2, low_hz=centre_hz / 2, high_hz=centre_hz * 1.3)
        wave += level * band * gust ** (1 + centre_hz / 400)
    howls = strength > 0.45 and rng.random() < 0.7
    if howls:
        pitch_hz = rng.uniform(280, 450) + rng.uniform(250, 500) * gust
        wave += rng.uniform(0.4, 1.1) * dsp.moving_band(rng, pitch_hz, rate_hz, rng.uniform(15, 60)) * gust**2.5
    attributes = {"intensity": dsp.grade(strength, (0.35, 0.65), INTENSITY)}
    if howls:
        attributes["whistle"] = "yes"
    return Rendered(dsp.finish(wave), dsp.whole(samples, rate_hz), attributes)


def _rumble(rng: np.random.Generator, samples: int, rate_hz: int, near: bool) -> np.ndarray:
    """One thunderclap: for a near one tearing cracks first, then low rolling noise that takes seconds to die."""
    t60_s = rng.uniform(3, 6) if near else rng.uniform(4, 8)
    high_hz = rng.uniform(300, 700) if near else rng.uniform(130, 350)
    roll = dsp.noise(rng, samples, rate_hz, slope=1.5, low_hz=25, high_hz=high_hz)
    roll *= dsp.slow_envelope(rng, samples, rate_hz, rng.uniform(3, 6), 0.1, 1.0) ** 1.5
    wave = dsp.to_peak(roll * dsp.attack_decay(samples, rate_hz, 0.02 if near else rng.uniform(0.2, 0.7), t60_s))
    if near:
        for start_s in rng.exponential(0.15, int(rng.integers(6, 20))):
            crack = _burst(rng, rate_hz, rng.uniform(150, 500), rng.uniform(1500, 5000), rng.uniform(0.05, 0.4))
            dsp.place(wave, dsp.to_peak(crack), start_s, rate_hz, rng.uniform(0.2, 0.8))
    return wave


def thunder(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """One to three claps, near (crack and roll) or distant (roll only), in the open with a long echo."""
    near = rng.random() < 0.5
    length_s = samples / rate_hz
    count = int(rng.integers(1, 2 + int(length_s >= 6) + int(length_s >= 9)))
    clap_s = min(rng.uniform(3.5, 6), length_s)
    wave, events = np.zeros(samples), []
    for start_s in dsp.spread_times(rng, count, length_s, clap_s):
        clap = dsp.fade(_rumble(rng, dsp.seconds(clap_s, rate_hz), rate_hz, near), rate_hz, 0.005, 1.0)
        events.append(dsp.place(wave, clap, start_s, rate_hz, rng.uniform(0.5, 1)))
    wave = dsp.reverb(rng, wave, rate_hz, 2.0, rng.uniform(0.3, 0.7), high_hz=900 if near else 300)
    attributes = {"distance": "near" if near else "far", "crack": "yes" if near else "no", "count": str(count)}
    return Rendered(dsp.finish(wave), tuple(events), attributes)


def fire(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Crackles of widely varying force in clusters, over the low breath of the flames and a faint hiss."""
    crackles_hz, large = dsp.log_uniform(rng, 2, 32), rng.random() < 0.5
    low_hz, high_hz = dsp.log_uniform(rng, 100, 2000), dsp.log_uniform(rng, 3500, 11000)
    grains = [
        dsp.to_peak(_burst(rng, rate_hz, low_hz * rng.uniform(0.5, 2), high_hz * rng.uniform(0.6, 1.5), t60_s))
        for t60_s in 6.9 * rng.uniform(0.0008, 0.006, 32)
    ]
    times = dsp.poisson_times(rng, 2 * crackles_hz, samples / rate_hz)
    activity = dsp.slow_envelope(rng, samples, rate_hz, 1.5)[(times * rate_hz).astype(int)]
    times = times[activity > rng.uniform(0, 1, len(times))]
    sparks = dsp.scatter(rng, grains, times, np.minimum(rng.pareto(1.3, len(times)) + 0.1, 12), samples, rate_hz)
    breath_hz = rng.uniform(120, 300) * (2.5 if large else 1)
    breath = dsp.noise(rng, samples, rate_hz, slope=1.2, low_hz=30, high_hz=breath_hz)
    breath *= dsp.slow_envelope(rng, samples, rate_hz, rng.uniform(2, 6), 0.4, 1.0)
    hiss = dsp.noise(rng, samples, rate_hz, slope=rng.uniform(0, 1), low_hz=300)
    wave = (
        np.tanh(sparks / 4)
        + dsp.log_uniform(rng, 0.03, 0.16) * (1.5 if large else 1) * breath
        + dsp.log_uniform(rng, 0.001, 0.03) * hiss
    )
    lively = crackles_hz > 8
    attributes = {
        "size": "large" if large else "small",
        "intensity": "steady" if lively != large else "heavy" if large else "light",
    }
    return Rendered(dsp.finish(wave), dsp.whole(samples, rate_hz), attributes)


def wind_chimes(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Five to eight tubes on a pentatonic scale, struck at random as the breeze comes and goes."""
    wooden, large = rng.random() < 0.3, rng.random() < 0.5
    base_hz = (rng.uniform(350, 700) if large else rng.uniform(900, 1700)) * (0.7 if wooden else 1)
    t60_s = rng.uniform(0.12, 0.3) if wooden else rng.uniform(1.5, 4) * (1.4 if large else 0.8)
    size = min(dsp.seconds(1.2 * t60_s, rate_hz), samples)
    soft = dsp.attack_decay(size, rate_hz, 0.001, 1e3)  # a mallet touches for a millisecond
    tubes = []
    for semitones in rng.permutation((0, 2, 4, 7, 9, 12, 14, 16))[: rng.integers(5, 9)]:
        modes_hz = base_hz * 2 ** (semitones / 12) * np.array(TUBE_MODES) * rng.uniform(0.995, 1.005)
        decays_s = t60_s / np.array([1, 1.6, 3.5, 7])
        tubes.append(
            dsp.modal(rng, size, rate_hz, modes_hz, decays_s, (1, 0.5, 0.25, 0.1) * rng.uniform(0.5, 1, 4)) * soft
        )
    strikes_hz = dsp.log_uniform(rng, 1.2, 7)
    times = dsp.poisson_times(rng, 2 * strikes_hz, samples / rate_hz)
    breeze = dsp.slow_envelope(rng, samples, rate_hz, 0.7)[(times * rate_hz).astype(int)]
    times = np.append(times[breeze > rng.uniform(0, 1, len(times))], rng.uniform(0, 0.3 * samples / rate_hz))
    wave = dsp.scatter(rng, tubes, times, rng.uniform(0.2, 1, len(times)), samples, rate_hz)
    attributes = {
        "material": "wood" if wooden else "metal",
        "size": "large" if large else "small",
        "pace": "slow" if strikes_hz < 3 else "fast",
    }
    return Rendered(dsp.finish(wave), dsp.whole(samples, rate_hz), attributes)


SOURCES: tuple[Source, ...] = (
    Source("rain", "weather", rain, continuous=True),
    Source("rain_tin", "weather", rain_tin, continuous=True),
    Source("wind", "weather", wind, continuous=True),
    Source("thunder", "weather", thunder, continuous=False),
    Source("fire", "weather", fire, continuous=True),
    Source("wind_chimes", "weather", wind_chimes, continuous=True),
)
