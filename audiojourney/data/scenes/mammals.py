"""Mammals: dog, cat, cow and horse (hooves)."""

from __future__ import annotations

import numpy as np

from audiojourney.data.scenes import dsp
from audiojourney.data.scenes.source import Rendered
from audiojourney.data.scenes.voices import outdoors, place_calls, throat


def _bark(rng: np.random.Generator, rate_hz: int, pitch_hz: float, scale: float, rough: float) -> np.ndarray:
    """One bark: an arched, rough voice with breath noise, through three formants that open and close with the jaw."""
    size = dsp.seconds(rng.uniform(0.11, 0.24), rate_hz)
    arch = dsp.contour(size, (0.75, 1.1, 1.0, 0.6)) * (1 + 0.03 * dsp.slow_envelope(rng, size, rate_hz, 90, -1, 1))
    voice = dsp.harmonic(pitch_hz * arch, rate_hz, rng.uniform(0.7, 0.92) ** np.arange(24))
    voice = dsp.to_rms(voice) + rough * dsp.noise(rng, size, rate_hz, slope=1.5, low_hz=300)
    jaw = dsp.contour(size, (0.3, 1, 0.8, 0))
    closed, opened = np.array((450, 1000, 2300)) * scale, np.array((850, 1500, 2700)) * scale
    muzzle = throat(voice, rate_hz, (closed, opened), jaw, (1, 0.5, 0.08))
    return dsp.fade(muzzle * dsp.contour(size, (0.5, 1, 0.7, 0.15)), rate_hz, 0.008, 0.05)


def dog(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Groups of one to five barks; a large dog is low and slow, a small one high and quick."""
    large = rng.random() < 0.5
    pitch_hz = dsp.log_uniform(rng, 170, 360) if large else dsp.log_uniform(rng, 420, 800)
    scale = rng.uniform(0.75, 1.0) if large else rng.uniform(1.1, 1.5)
    rough, gap_s = rng.uniform(0.1, 0.5), rng.uniform(0.25, 0.6) * (1 if large else 0.7)
    length_s = samples / rate_hz
    wave = np.zeros(samples)
    events: list[tuple[float, float]] = []
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
    return Rendered(dsp.finish(outdoors(rng, wave, rate_hz, rng.uniform(0.1, 0.5))), tuple(events), attributes)


def cat(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Meows of half a second to a second: the pitch arches while the mouth moves from "mi" through "a" to "ow"."""
    small = rng.random() < 0.5
    pitch_hz, scale = (rng.uniform(650, 950), 1.25) if small else (rng.uniform(380, 620), 1.0)
    meow_s = rng.uniform(0.35, 0.6) if small else rng.uniform(0.55, 1.1)
    bends = (rng.uniform(0.75, 0.9), rng.uniform(1.05, 1.3), 1.05, rng.uniform(0.65, 0.9))
    shapes = [scale * np.array(hz) for hz in ((500, 2300, 3300), (1050, 1900, 3200), (650, 1150, 2900))]

    def meow() -> np.ndarray:
        """One meow."""
        size = dsp.seconds(meow_s * rng.uniform(0.8, 1.25), rate_hz)
        pitch = pitch_hz * rng.uniform(0.93, 1.07) * dsp.contour(size, bends)
        pitch *= 1 + 0.012 * np.sin(2 * np.pi * rng.uniform(5, 8) * dsp.time_axis(size, rate_hz))
        voice = dsp.to_rms(dsp.harmonic(pitch, rate_hz, 0.82 ** np.arange(14)))
        voice += 0.08 * dsp.noise(rng, size, rate_hz, low_hz=800)
        mouth = dsp.contour(size, (0, 0.6, 1.2, 2))
        return dsp.fade(
            throat(voice, rate_hz, shapes, mouth, (1, 0.8, 0.4)) * dsp.contour(size, (0.4, 1, 0.9, 0.3)),
            rate_hz,
            0.06,
            0.12,
        )

    wave, events = place_calls(rng, samples, rate_hz, meow, most=5, gap_s=0.5)
    attributes = {"size": "small" if small else "large", "count": str(len(events))}
    return Rendered(dsp.finish(outdoors(rng, wave, rate_hz, 0.15)), events, attributes)


def cow(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
    """Moos of one to two seconds: a low, buzzing voice that opens from a hummed "m" to "oo" and lifts a little."""
    small = rng.random() < 0.4  # a calf
    pitch_hz, scale = (rng.uniform(170, 250), 1.35) if small else (rng.uniform(85, 150), 1.0)
    moo_s = rng.uniform(0.8, 1.4) if small else rng.uniform(1.2, 2.2)
    lift = rng.uniform(1.1, 1.45)
    shapes = [scale * np.array(hz) for hz in ((230, 750, 2100), (480, 950, 2300), (360, 780, 2200))]

    def moo() -> np.ndarray:
        """One moo."""
        size = dsp.seconds(moo_s * rng.uniform(0.85, 1.2), rate_hz)
        pitch = pitch_hz * rng.uniform(0.95, 1.05) * dsp.contour(size, (0.85, 1, lift, lift * 0.97, 0.8))
        pitch *= 1 + 0.02 * dsp.slow_envelope(rng, size, rate_hz, 40, -1, 1)
        voice = dsp.to_rms(dsp.harmonic(pitch, rate_hz, 0.93 ** np.arange(32)))
        voice += 0.1 * dsp.noise(rng, size, rate_hz, slope=1)
        mouth = dsp.contour(size, (0, 0.8, 1, 1.3, 2))
        opened = throat(voice, rate_hz, shapes, mouth, (1, 0.7, 0.15)) * dsp.contour(size, (0.35, 0.8, 1, 0.9, 0.3))
        return dsp.fade(opened, rate_hz, 0.12, 0.25)

    wave, events = place_calls(rng, samples, rate_hz, moo, most=3, gap_s=0.4)
    attributes = {"size": "small" if small else "large", "count": str(len(events))}
    return Rendered(dsp.finish(outdoors(rng, wave, rate_hz, 0.3)), events, attributes)


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
        "gait": gait,
        "pace": {"walk": "slow", "trot": "steady", "gallop": "fast"}[gait],
    }
    return Rendered(dsp.finish(outdoors(rng, wave * near, rate_hz, 0.2)), tuple(sorted(events)), attributes)
