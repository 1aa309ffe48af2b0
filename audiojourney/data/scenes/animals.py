"""Animals: crickets, bird, frog, owl and bee here, dog, cat, cow and horse in `mammals`."""

from __future__ import annotations

import numpy as np

from audiojourney.data.scenes import dsp
from audiojourney.data.scenes.mammals import cat, cow, dog, horse
from audiojourney.data.scenes.source import Rendered, Source
from audiojourney.data.scenes.voices import outdoors, place_calls


def crickets(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """One to three insects: a 3.5 to 5.5 kHz tone in fast pulses, the pulses gathered into even chirps."""
    insects = int(rng.integers(1, 4))
    trill = rng.random() < 0.2  # a tree cricket: chirps of seconds, with short rests
    chirps_hz, time = rng.uniform(0.2, 0.5) if trill else rng.uniform(1, 3.5), dsp.time_axis(samples, rate_hz)
    wave = np.zeros(samples)
    for _ in range(insects):
        carrier_hz, pulses_hz = rng.uniform(3500, 5500), rng.uniform(22, 45)
        chirp_hz, duty = chirps_hz * rng.uniform(0.9, 1.1), rng.uniform(0.75, 0.9) if trill else rng.uniform(0.3, 0.6)
        cycle = (time * chirp_hz + rng.uniform()) % 1
        gate = np.clip(8 * cycle, 0, 1) * np.clip(12 * (duty - cycle), 0, 1)
        pulses = np.maximum(0, np.sin(2 * np.pi * (pulses_hz * time + rng.uniform()))) ** 1.5
        tone = np.sin(2 * np.pi * carrier_hz * (time + 0.1 * np.sin(2 * np.pi * 0.2 * time) / 2e3) + rng.uniform(0, 6))
        level = dsp.slow_envelope(rng, samples, rate_hz, 0.5, 0.6, 1.0)
        wave += rng.uniform(0.3, 1) * tone * pulses * gate * level
    wave = dsp.to_peak(wave) + dsp.log_uniform(rng, 5e-4, 5e-3) * dsp.noise(rng, samples, rate_hz, slope=1)
    attributes = {
        "group": "single" if insects == 1 else "several",
        "pace": "fast" if trill or chirps_hz > 2.2 else "slow",
    }
    return Rendered(dsp.finish(wave), dsp.whole(samples, rate_hz), attributes)


def bird(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Phrases of two to nine quick syllables, each a gliding near-pure tone; a bird keeps to its few syllable types."""
    base_hz, syllable_s = dsp.log_uniform(rng, 2000, 5000), dsp.log_uniform(rng, 0.04, 0.2)
    gap_s = syllable_s * rng.uniform(0.3, 1.2)
    kinds = [
        (rng.uniform(0.75, 1.3, 3), rng.choice((0.0, 0.0, 0.06)), rng.uniform(20, 45))
        for _ in range(rng.integers(1, 4))
    ]
    syllables = rng.integers(2, 10)
    weights = (1, rng.uniform(0, 0.3), rng.uniform(0, 0.1))

    def syllable() -> np.ndarray:
        """One syllable of a song."""
        bends, depth, vibrato_hz = kinds[rng.integers(len(kinds))]
        size = dsp.seconds(syllable_s * rng.uniform(0.8, 1.2), rate_hz)
        vibrato = 1 + depth * np.sin(2 * np.pi * vibrato_hz * dsp.time_axis(size, rate_hz))
        return dsp.harmonic(base_hz * dsp.contour(size, bends) * vibrato, rate_hz, weights) * np.hanning(size)

    def phrase() -> np.ndarray:
        """Syllables in a row."""
        step_s = 1.2 * syllable_s + gap_s
        song = np.zeros(dsp.seconds(syllables * step_s, rate_hz))
        for index in range(syllables):
            dsp.place(song, syllable(), index * step_s, rate_hz, rng.uniform(0.6, 1))
        return song

    wave, events = place_calls(rng, samples, rate_hz, phrase, most=6)
    attributes = {
        "pitch": "high" if base_hz > 3300 else "low",
        "pace": "fast" if syllable_s + gap_s < 0.17 else "slow",
        "count": str(len(events)),
    }
    return Rendered(dsp.finish(outdoors(rng, wave, rate_hz, 0.25)), events, attributes)


def frog(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Croaks of quick pulses through a throat sac; a tree frog says a two-part "rib-bit", a bullfrog a deep "jug"."""
    small = rng.random() < 0.55
    sac_hz = dsp.log_uniform(rng, 900, 2200) if small else dsp.log_uniform(rng, 250, 600)
    pulses_hz, croak_s = rng.uniform(45, 110), rng.uniform(0.18, 0.4) * (1 if small else 1.6)
    parts = 2 if small and rng.random() < 0.7 else 1

    def croak() -> np.ndarray:
        """One croak, of one or two parts."""
        size = dsp.seconds(croak_s, rate_hz)
        wave, part = np.zeros(size), size // parts
        for index in range(parts):
            length = int(part * (0.8 if parts == 2 else 1.0))
            beat = pulses_hz * rng.uniform(0.97, 1.03) * dsp.contour(length, (0.9, 1.0, 1.0 + 0.3 * index))
            pulses = np.maximum(0, np.sin(2 * np.pi * np.cumsum(beat) / rate_hz)) ** 6
            sac = sac_hz * (1 + 0.25 * index) * np.array((1, 2.1, 3.2))
            raw = pulses * (dsp.noise(rng, length, rate_hz) + dsp.harmonic(beat, rate_hz, np.ones(30)))
            dsp.add_at(
                wave,
                dsp.formants(raw, rate_hz, sac, 0.15 * sac, (1, 0.5, 0.15)) * np.hanning(length) ** 0.5,
                index * part,
            )
        return wave

    wave, events = place_calls(rng, samples, rate_hz, croak, most=10, gap_s=0.25, least=2)
    attributes = {"size": "small" if small else "large", "count": str(len(events))}
    return Rendered(dsp.finish(outdoors(rng, wave, rate_hz, 0.25)), events, attributes)


def owl(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Soft, hollow hoots of nearly one partial at 280 to 480 Hz, in a fixed rhythm, echoing through a wood."""
    pitch_hz = rng.uniform(280, 480)
    rhythms = (
        ((0.0, 0.4),),
        ((0.0, 0.28), (0.5, 0.6)),
        ((0.0, 0.2), (0.35, 0.2), (0.7, 0.6)),
        ((0.0, 0.35), (0.6, 0.18), (0.85, 0.35), (1.4, 0.4)),
    )
    rhythm = rhythms[rng.integers(len(rhythms))]
    tempo, weights = rng.uniform(0.9, 1.3), (1, rng.uniform(0.03, 0.15), rng.uniform(0.02, 0.08))

    def hoots() -> np.ndarray:
        """One call in the rhythm of this owl."""
        wave = np.zeros(dsp.seconds(tempo * (rhythm[-1][0] + rhythm[-1][1]) + 0.05, rate_hz))
        for start_s, hoot_s in rhythm:
            size = dsp.seconds(tempo * hoot_s, rate_hz)
            pitch = pitch_hz * dsp.contour(size, (0.9, 1.0, 1.0, 0.92))
            hoot = dsp.harmonic(pitch, rate_hz, weights) * np.hanning(size) ** 0.8
            dsp.place(wave, hoot, tempo * start_s, rate_hz, rng.uniform(0.7, 1))
        return wave

    wave, bouts = place_calls(rng, samples, rate_hz, hoots, most=4, gap_s=0.8)
    hoot_times = [(bout_s + tempo * start_s, tempo * hoot_s) for bout_s, _ in bouts for start_s, hoot_s in rhythm]
    last_s = samples / rate_hz
    events = tuple((start_s, min(start_s + hoot_s, last_s)) for start_s, hoot_s in hoot_times if start_s < last_s)
    attributes = {"pitch": "high" if pitch_hz > 380 else "low", "count": str(len(events))}
    wave = dsp.reverb(rng, wave, rate_hz, rng.uniform(0.8, 2), rng.uniform(0.2, 0.5), high_hz=2000)
    return Rendered(dsp.finish(outdoors(rng, wave, rate_hz, 0.1)), events, attributes)


def bee(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Wing beats of 120 to 270 Hz with many partials; each insect wanders, so pitch and loudness come and go."""
    large = rng.random() < 0.4  # a bumblebee
    insects = int(rng.choice((1, 1, 2, 5)))
    wave = np.zeros(samples)
    for _ in range(insects):
        beat_hz = rng.uniform(120, 165) if large else rng.uniform(190, 270)
        near = dsp.slow_envelope(rng, samples, rate_hz, rng.uniform(0.6, 1.5), 0.1, 1.0)
        pitch_hz = beat_hz * (0.94 + 0.1 * near) * dsp.slow_envelope(rng, samples, rate_hz, 12, 0.97, 1.03)
        wings = dsp.harmonic(pitch_hz, rate_hz, 0.78 ** np.arange(16) * rng.uniform(0.4, 1, 16))
        wave += wings * near**1.5 * dsp.slow_envelope(rng, samples, rate_hz, 30, 0.7, 1.0)
    wave = dsp.formants(wave, rate_hz, (300, 750, 2200), (400, 500, 1500), (1, 0.7, 0.5))
    wave = dsp.to_peak(wave) + dsp.log_uniform(rng, 5e-4, 5e-3) * dsp.noise(rng, samples, rate_hz, slope=1)
    attributes = {"size": "large" if large else "small", "group": "single" if insects == 1 else "several"}
    return Rendered(dsp.finish(wave), dsp.whole(samples, rate_hz), attributes)


SOURCES: tuple[Source, ...] = (
    Source("crickets", "animals", crickets, continuous=True),
    Source("bird", "animals", bird, continuous=False),
    Source("dog", "animals", dog, continuous=False),
    Source("cat", "animals", cat, continuous=False),
    Source("cow", "animals", cow, continuous=False),
    Source("frog", "animals", frog, continuous=False),
    Source("owl", "animals", owl, continuous=False),
    Source("bee", "animals", bee, continuous=True),
    Source("horse", "animals", horse, continuous=False),
)
