"""Animals: crickets, bird, dog, cat, cow, frog, owl, bee and horse."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from audiojourney.data.scenes import dsp
from audiojourney.data.scenes.source import Rendered, Source

Call = Callable[[], np.ndarray]


def _calls(
    rng: np.random.Generator, samples: int, rate_hz: int, call: Call, most: int, gap_s: float = 0.3
) -> tuple[np.ndarray, tuple[tuple[float, float], ...]]:
    """Spread one to `most` calls of one animal over the clip, fewer where they would not fit; each is drawn anew."""
    length_s = samples / rate_hz
    first = call()
    call_s = len(first) / rate_hz
    count = int(rng.integers(1, max(1, min(most, int(length_s / (1.3 * call_s + gap_s)))) + 1))
    wave, events = np.zeros(samples), []
    for index, start_s in enumerate(dsp.spread_times(rng, count, length_s, 1.3 * call_s)):
        voice = dsp.to_peak(first if index == 0 else call())
        start_s = max(0.0, min(start_s, length_s - len(voice) / rate_hz))
        events.append(dsp.place(wave, voice, start_s, rate_hz, rng.uniform(0.5, 1)))
    return wave, tuple(events)


def _outdoors(rng: np.random.Generator, wave: np.ndarray, rate_hz: int, wet: float) -> np.ndarray:
    """Put a call into a place: some reverberation and, well below it, the air's own faint noise."""
    wave = dsp.to_peak(dsp.reverb(rng, wave, rate_hz, rng.uniform(0.3, 1.2), wet, high_hz=3500))
    air = dsp.noise(rng, len(wave), rate_hz, slope=rng.uniform(0.5, 2))
    return wave + dsp.log_uniform(rng, 2e-4, 6e-3) * air


def _throat(
    wave: np.ndarray, rate_hz: int, shapes: Sequence[Sequence[float]], position: np.ndarray, gains: Sequence[float]
) -> np.ndarray:
    """Send a voice through a mouth that moves: formants of each shape in turn, cross-faded along `position`."""
    voiced = np.zeros(len(wave))
    for index, centres_hz in enumerate(shapes):
        weight = np.clip(1 - np.abs(position - index), 0, 1)
        widths_hz = [60 + 0.08 * hz for hz in centres_hz]
        voiced += weight * dsp.formants(wave, rate_hz, centres_hz, widths_hz, gains)
    return voiced


def crickets(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """One to three insects: a 3.5 to 5.5 kHz tone in fast pulses, the pulses gathered into even chirps."""
    insects = int(rng.integers(1, 4))
    chirps_hz, time = rng.uniform(1, 3.5), dsp.time_axis(samples, rate_hz)
    trill = rng.random() < 0.3  # a tree cricket: no gaps between chirps
    wave = np.zeros(samples)
    for _ in range(insects):
        carrier_hz, pulses_hz = rng.uniform(3500, 5500), rng.uniform(22, 45)
        chirp_hz, duty = chirps_hz * rng.uniform(0.9, 1.1), rng.uniform(0.3, 0.6)
        cycle = (time * chirp_hz + rng.uniform()) % 1
        gate = np.ones(samples) if trill else np.clip(8 * cycle, 0, 1) * np.clip(12 * (duty - cycle), 0, 1)
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
        bends, depth, vibrato_hz = kinds[rng.integers(len(kinds))]
        size = dsp.seconds(syllable_s * rng.uniform(0.8, 1.2), rate_hz)
        vibrato = 1 + depth * np.sin(2 * np.pi * vibrato_hz * dsp.time_axis(size, rate_hz))
        return dsp.harmonic(base_hz * dsp.contour(size, bends) * vibrato, rate_hz, weights) * np.hanning(size) ** 0.7

    def phrase() -> np.ndarray:
        step_s = 1.2 * syllable_s + gap_s
        song = np.zeros(dsp.seconds(syllables * step_s, rate_hz))
        for index in range(syllables):
            dsp.place(song, syllable(), index * step_s, rate_hz, rng.uniform(0.6, 1))
        return song

    wave, events = _calls(rng, samples, rate_hz, phrase, most=6)
    attributes = {
        "pitch": "high" if base_hz > 3300 else "low",
        "pace": "fast" if syllable_s + gap_s < 0.17 else "slow",
        "count": str(len(events)),
    }
    return Rendered(dsp.finish(_outdoors(rng, wave, rate_hz, 0.25)), events, attributes)


def _bark(rng: np.random.Generator, rate_hz: int, pitch_hz: float, scale: float, rough: float) -> np.ndarray:
    """One bark: an arched, rough voice with breath noise, through three formants that open and close with the jaw."""
    size = dsp.seconds(rng.uniform(0.11, 0.24), rate_hz)
    arch = dsp.contour(size, (0.75, 1.1, 1.0, 0.6)) * (1 + 0.03 * dsp.slow_envelope(rng, size, rate_hz, 90, -1, 1))
    voice = dsp.harmonic(pitch_hz * arch, rate_hz, 0.93 ** np.arange(24))
    voice = dsp.to_rms(voice) + rough * dsp.noise(rng, size, rate_hz, slope=0.6)
    jaw = dsp.contour(size, (0.3, 1, 0.8, 0))
    closed, opened = np.array((450, 1000, 2300)) * scale, np.array((850, 1500, 2700)) * scale
    muzzle = _throat(voice, rate_hz, (closed, opened), jaw, (1, 0.6, 0.12))
    return dsp.fade(muzzle * dsp.contour(size, (0.5, 1, 0.7, 0.15)), rate_hz, 0.008, 0.05)


def dog(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Groups of one to five barks; a large dog is low and slow, a small one high and quick."""
    large = rng.random() < 0.5
    pitch_hz = dsp.log_uniform(rng, 170, 360) if large else dsp.log_uniform(rng, 420, 800)
    scale = rng.uniform(0.75, 1.0) if large else rng.uniform(1.1, 1.5)
    rough, gap_s = rng.uniform(0.15, 0.7), rng.uniform(0.25, 0.6) * (1 if large else 0.7)
    length_s = samples / rate_hz
    wave, events = np.zeros(samples), []
    time_s, left = rng.uniform(0.05, 0.25 * length_s), int(rng.integers(1, 5))
    while time_s < length_s - 0.3 or not events:
        bark = dsp.to_peak(_bark(rng, rate_hz, pitch_hz * rng.lognormal(0, 0.06), scale, rough))
        events.append(dsp.place(wave, bark, time_s, rate_hz, rng.uniform(0.6, 1)))
        left -= 1
        time_s += gap_s * rng.uniform(0.85, 1.2) if left else rng.uniform(0.8, 3)
        left = left or int(rng.integers(1, 6))
    attributes = {
        "size": "large" if large else "small",
        "pace": "fast" if gap_s < 0.32 else "slow",
        "count": str(len(events)),
    }
    return Rendered(dsp.finish(_outdoors(rng, wave, rate_hz, rng.uniform(0.1, 0.5))), tuple(events), attributes)


def cat(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Meows of half a second to a second: the pitch arches while the mouth moves from "mi" through "a" to "ow"."""
    small = rng.random() < 0.5
    pitch_hz, scale = (rng.uniform(650, 950), 1.25) if small else (rng.uniform(380, 620), 1.0)
    meow_s = rng.uniform(0.35, 0.6) if small else rng.uniform(0.55, 1.1)
    bends = (rng.uniform(0.75, 0.9), rng.uniform(1.05, 1.3), 1.05, rng.uniform(0.65, 0.9))
    shapes = [scale * np.array(hz) for hz in ((500, 2300, 3300), (1050, 1900, 3200), (650, 1150, 2900))]

    def meow() -> np.ndarray:
        size = dsp.seconds(meow_s * rng.uniform(0.8, 1.25), rate_hz)
        pitch = pitch_hz * rng.uniform(0.93, 1.07) * dsp.contour(size, bends)
        pitch *= 1 + 0.012 * np.sin(2 * np.pi * rng.uniform(5, 8) * dsp.time_axis(size, rate_hz))
        voice = dsp.to_rms(dsp.harmonic(pitch, rate_hz, 0.82 ** np.arange(14)))
        voice += 0.08 * dsp.noise(rng, size, rate_hz, low_hz=800)
        mouth = dsp.contour(size, (0, 0.6, 1.2, 2))
        return dsp.fade(
            _throat(voice, rate_hz, shapes, mouth, (1, 0.8, 0.4)) * dsp.contour(size, (0.4, 1, 0.9, 0.3)),
            rate_hz,
            0.06,
            0.12,
        )

    wave, events = _calls(rng, samples, rate_hz, meow, most=5, gap_s=0.5)
    attributes = {"size": "small" if small else "large", "count": str(len(events))}
    return Rendered(dsp.finish(_outdoors(rng, wave, rate_hz, 0.15)), events, attributes)


def cow(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Moos of one to two seconds: a low, buzzing voice that opens from a hummed "m" to "oo" and lifts a little."""
    small = rng.random() < 0.4  # a calf
    pitch_hz, scale = (rng.uniform(170, 250), 1.35) if small else (rng.uniform(85, 150), 1.0)
    moo_s = rng.uniform(0.8, 1.4) if small else rng.uniform(1.2, 2.2)
    lift = rng.uniform(1.1, 1.45)
    shapes = [scale * np.array(hz) for hz in ((230, 750, 2100), (480, 950, 2300), (360, 780, 2200))]

    def moo() -> np.ndarray:
        size = dsp.seconds(moo_s * rng.uniform(0.85, 1.2), rate_hz)
        pitch = pitch_hz * rng.uniform(0.95, 1.05) * dsp.contour(size, (0.85, 1, lift, lift * 0.97, 0.8))
        pitch *= 1 + 0.02 * dsp.slow_envelope(rng, size, rate_hz, 40, -1, 1)
        voice = dsp.to_rms(dsp.harmonic(pitch, rate_hz, 0.93 ** np.arange(32)))
        voice += 0.1 * dsp.noise(rng, size, rate_hz, slope=1)
        mouth = dsp.contour(size, (0, 0.8, 1, 1.3, 2))
        opened = _throat(voice, rate_hz, shapes, mouth, (1, 0.7, 0.15)) * dsp.contour(size, (0.35, 0.8, 1, 0.9, 0.3))
        return dsp.fade(opened, rate_hz, 0.12, 0.25)

    wave, events = _calls(rng, samples, rate_hz, moo, most=3, gap_s=0.4)
    attributes = {"size": "small" if small else "large", "count": str(len(events))}
    return Rendered(dsp.finish(_outdoors(rng, wave, rate_hz, 0.3)), events, attributes)


def frog(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Croaks of quick pulses through a throat sac; a tree frog says a two-part "rib-bit", a bullfrog a deep "jug"."""
    small = rng.random() < 0.55
    sac_hz = dsp.log_uniform(rng, 900, 2200) if small else dsp.log_uniform(rng, 250, 600)
    pulses_hz, croak_s = rng.uniform(45, 110), rng.uniform(0.18, 0.4) * (1 if small else 1.6)
    parts = 2 if small and rng.random() < 0.7 else 1

    def croak() -> np.ndarray:
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

    wave, events = _calls(rng, samples, rate_hz, croak, most=10, gap_s=0.25)
    attributes = {"size": "small" if small else "large", "count": str(len(events))}
    return Rendered(dsp.finish(_outdoors(rng, wave, rate_hz, 0.25)), events, attributes)


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
        wave = np.zeros(dsp.seconds(tempo * (rhythm[-1][0] + rhythm[-1][1]) + 0.05, rate_hz))
        for start_s, hoot_s in rhythm:
            size = dsp.seconds(tempo * hoot_s, rate_hz)
            pitch = pitch_hz * dsp.contour(size, (0.9, 1.0, 1.0, 0.92))
            hoot = dsp.harmonic(pitch, rate_hz, weights) * np.hanning(size) ** 0.8
            dsp.place(wave, hoot, tempo * start_s, rate_hz, rng.uniform(0.7, 1))
        return wave

    wave, events = _calls(rng, samples, rate_hz, hoots, most=4, gap_s=0.8)
    attributes = {"pitch": "high" if pitch_hz > 380 else "low", "count": str(len(events))}
    wave = dsp.reverb(rng, wave, rate_hz, rng.uniform(0.8, 2), rng.uniform(0.2, 0.5), high_hz=2000)
    return Rendered(dsp.finish(_outdoors(rng, wave, rate_hz, 0.1)), events, attributes)


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


def _hoof(rng: np.random.Generator, rate_hz: int, stone: bool, tune: float) -> np.ndarray:
    """One hoof: a hollow "clop" on stone, a soft thump with a little grit on dirt."""
    size = dsp.seconds(0.16, rate_hz)
    if stone:
        modes_hz = tune * np.array((520, 930, 1500, 2400)) * rng.uniform(0.95, 1.05, 4)
        wave = dsp.modal(rng, size, rate_hz, modes_hz, (0.09, 0.07, 0.05, 0.03), (0.8, 1, 0.6, 0.4))
    else:
        modes_hz = tune * np.array((75, 120, 210)) * rng.uniform(0.95, 1.05, 3)
        wave = dsp.modal(rng, size, rate_hz, modes_hz, (0.16, 0.12, 0.08), (1, 0.8, 0.4))
    grit = dsp.noise(rng, size, rate_hz, slope=1, low_hz=200) * dsp.attack_decay(size, rate_hz, 0.004, 0.08)
    return dsp.fade(wave + (0.12 if stone else 0.25) * grit, rate_hz, 0.0015, 0.02)


def horse(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Hooves in a gait: four even beats (walk), two (trot), or three and a pause (gallop), on stone or dirt."""
    stone, tune = rng.random() < 0.6, rng.uniform(0.8, 1.25)
    gait = ("walk", "trot", "gallop")[rng.integers(3)]
    beats = {"walk": (0, 0.25, 0.5, 0.75), "trot": (0, 0.5), "gallop": (0, 0.2, 0.4)}[gait]
    stride_s = {"walk": rng.uniform(1.0, 1.5), "trot": rng.uniform(0.6, 0.8), "gallop": rng.uniform(0.42, 0.58)}[gait]
    length_s = samples / rate_hz
    hooves = [dsp.to_peak(_hoof(rng, rate_hz, stone, tune * rng.uniform(0.85, 1.15))) for _ in beats]
    near = dsp.contour(samples, rng.uniform(0.35, 1, 4))
    wave, events = np.zeros(samples), []
    for stride_start_s in dsp.steady_times(rng, stride_s, 0.02, rng.uniform(0, 0.3) * stride_s, length_s - 0.1):
        for hoof, beat in zip(hooves, beats, strict=True):
            start_s = stride_start_s + stride_s * (beat + rng.normal(0, 0.012))
            if start_s < length_s - 0.1:
                events.append(dsp.place(wave, hoof, start_s, rate_hz, rng.uniform(0.7, 1)))
    attributes = {
        "surface": "stone" if stone else "dirt",
        "pace": {"walk": "slow", "trot": "steady", "gallop": "fast"}[gait],
    }
    return Rendered(dsp.finish(_outdoors(rng, wave * near, rate_hz, 0.2)), tuple(sorted(events)), attributes)


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
