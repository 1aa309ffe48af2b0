"""Building blocks of the procedural sound recipes: noise, envelopes, filters, modes, grains and levels.

Every function is pure numpy, works at any rate, and takes its randomness from an explicit generator. Filters act on
the spectrum of the whole signal, so nothing here loops over samples; loops over events or partials are few and short.
A "slope" is the b of a *power* spectrum 1/f^b, a "t60" the seconds in which something falls by 60 dB.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Signal = np.ndarray  # float, shape (T,)
Numbers = Sequence[float] | np.ndarray  # a few values, shape (K,)
DECAY_60_DB = np.log(1000.0)  # nepers of 60 dB: amplitude exp(-DECAY_60_DB) = 0.001


def seconds(length_s: float, rate_hz: int) -> int:
    """Number of samples in `length_s` seconds, at least 1."""
    return max(1, round(length_s * rate_hz))


def time_axis(samples: int, rate_hz: int) -> Signal:
    """Time of each sample in seconds, shape (samples,)."""
    return np.arange(samples) / rate_hz


def fast_length(samples: int) -> int:
    """Smallest product of a power of two and 1, 3, 5, 7, 9 or 15 that is at least `samples`: quick for the FFT."""
    return min(factor << max(0, (-(-samples // factor) - 1).bit_length()) for factor in (1, 3, 5, 7, 9, 15))


# ---------------------------------------------------------------- filters


def shape_spectrum(wave: Signal, rate_hz: int, response: Callable[[Signal], Signal]) -> Signal:
    """Filter by multiplying the spectrum; silence is appended first, so that ringing does not wrap around.

    Args:
        wave: shape (T,).
        rate_hz: sampling rate.
        response: maps frequencies in Hz, shape (K,), to real or complex gains, shape (K,).

    Returns:
        Filtered signal, shape (T,).
    """
    size = fast_length(len(wave) + min(len(wave), rate_hz) // 2)
    gain = response(np.fft.rfftfreq(size, 1 / rate_hz))
    return np.fft.irfft(np.fft.rfft(wave, size) * gain, size)[: len(wave)]


def band_gain(frequency_hz: Signal, low_hz: float, high_hz: float, order: int = 4) -> Signal:
    """Butterworth magnitude of a band from `low_hz` (0: no lower edge) to `high_hz`, 6 * order dB per octave."""
    gain = 1 / np.sqrt(1 + (frequency_hz / high_hz) ** (2 * order))
    if low_hz > 0:
        gain = gain / np.sqrt(1 + (low_hz / np.maximum(frequency_hz, 1e-3)) ** (2 * order))
    return gain


def band_pass(wave: Signal, rate_hz: int, low_hz: float, high_hz: float, order: int = 4) -> Signal:
    """Zero-phase band-pass of a signal of shape (T,); `low_hz` 0 gives a low-pass, a huge `high_hz` a high-pass."""
    return shape_spectrum(wave, rate_hz, lambda f: band_gain(f, low_hz, high_hz, order))


def resonance(frequency_hz: Signal, centre_hz: float, width_hz: float) -> Signal:
    """Complex gain of a causal 2-pole resonator: 1 at `centre_hz`, -3 dB about half of `width_hz` to either side."""
    ratio = frequency_hz / centre_hz
    damping = width_hz / centre_hz
    return 1j * damping * ratio / (1 - ratio**2 + 1j * damping * ratio)


def formants(wave: Signal, rate_hz: int, centres_hz: Numbers, widths_hz: Numbers, gains: Numbers) -> Signal:
    """Parallel 2-pole resonators: the throat, muzzle or box that a raw source of shape (T,) passes through.

    Args:
        wave: source, shape (T,).
        rate_hz: sampling rate; resonators above its half are silent of themselves.
        centres_hz: resonance frequencies.
        widths_hz: -3 dB widths, one each.
        gains: linear peak gains, one each.

    Returns:
        Filtered signal, shape (T,).
    """
    parts = list(zip(centres_hz, widths_hz, gains, strict=True))
    return shape_spectrum(wave, rate_hz, lambda f: sum(gain * resonance(f, hz, width) for hz, width, gain in parts))


# ---------------------------------------------------------------- noise and envelopes


def shaped_noise(rng: np.random.Generator, samples: int, rate_hz: int, response: Callable[[Signal], Signal]) -> Signal:
    """Gaussian noise with the given magnitude response (Hz to gain), shape (samples,), RMS 1."""
    size = fast_length(max(samples, 64))
    spectrum = np.fft.rfft(rng.standard_normal(size, dtype=np.float32))
    noise = np.fft.irfft(spectrum * response(np.fft.rfftfreq(size, 1 / rate_hz)), size)[:samples]
    return noise / max(float(np.sqrt(np.mean(noise**2))), 1e-9)


def noise(
    rng: np.random.Generator, samples: int, rate_hz: int, slope: float = 0.0, low_hz: float = 20.0, high_hz: float = 1e6
) -> Signal:
    """Noise of power 1/f^slope between `low_hz` and `high_hz`, shape (samples,), RMS 1."""
    return shaped_noise(
        rng,
        samples,
        rate_hz,
        lambda f: np.maximum(f, max(low_hz, 1.0) / 2) ** (-slope / 2) * band_gain(f, low_hz, high_hz),
    )


def moving_band(rng: np.random.Generator, centre_hz: Signal, rate_hz: int, width_hz: float) -> Signal:
    """Noise of RMS 1 in a band of `width_hz` whose centre follows `centre_hz`, shape (T,): a whistle, a filling glass.

    Low-passed complex noise is carried up to the moving centre, so that no filter has to change with time.
    """
    real, imaginary = (noise(rng, len(centre_hz), rate_hz, low_hz=0, high_hz=width_hz / 2) for _ in range(2))
    angle = 2 * np.pi * np.cumsum(centre_hz) / rate_hz
    return to_rms(real * np.cos(angle) - imaginary * np.sin(angle))


def slow_envelope(
    rng: np.random.Generator, samples: int, rate_hz: int, points_hz: float, low: float = 0.0, high: float = 1.0
) -> Signal:
    """Random curve in [low, high], shape (samples,): uniform points, `points_hz` a second, joined by half cosines."""
    count = int(np.ceil(samples / rate_hz * points_hz)) + 2
    points = rng.uniform(low, high, count)
    spare = max(0.0, count - 2 - samples / rate_hz * points_hz)
    return cosine_join(points, np.arange(samples) * (points_hz / rate_hz) + spare * rng.uniform(0, 1))


def cosine_join(points: Signal, position: Signal) -> Signal:
    """Read `points` at fractional index `position`, passing from point to point along half a cosine."""
    left = np.minimum(position.astype(int), len(points) - 2)
    blend = 0.5 - 0.5 * np.cos(np.pi * (position - left))
    return points[left] * (1 - blend) + points[left + 1] * blend


def contour(samples: int, points: Numbers) -> Signal:
    """Smooth curve of shape (samples,) through equally spaced `points`: a pitch or loudness contour."""
    return cosine_join(np.asarray(points, dtype=float), np.linspace(0, len(points) - 1, samples))


def attack_decay(samples: int, rate_hz: int, attack_s: float, t60_s: float) -> Signal:
    """Envelope of shape (samples,): raised-cosine rise of `attack_s`, then exponential fall of 60 dB per `t60_s`."""
    time = time_axis(samples, rate_hz)
    rise = 0.5 - 0.5 * np.cos(np.pi * np.clip(time / max(attack_s, 1e-6), 0, 1))
    return rise * np.exp(-DECAY_60_DB * np.maximum(time - attack_s, 0) / t60_s)


def fade(wave: Signal, rate_hz: int, in_s: float, out_s: float | None = None) -> Signal:
    """Copy of a signal (T,) with raised-cosine ends; `out_s` defaults to `in_s`, both are cut to half the length."""
    faded = np.array(wave, dtype=float)
    for edge, length_s in ((faded, in_s), (faded[::-1], in_s if out_s is None else out_s)):
        size = min(seconds(length_s, rate_hz), len(faded) // 2)
        edge[:size] *= 0.5 - 0.5 * np.cos(np.pi * (np.arange(size) + 0.5) / max(size, 1))
    return faded


# ---------------------------------------------------------------- events and grains


def poisson_times(rng: np.random.Generator, per_s: float, duration_s: float) -> Signal:
    """Sorted times in [0, duration_s) of a Poisson process of `per_s` events a second."""
    return np.sort(rng.uniform(0, duration_s, rng.poisson(per_s * duration_s)))


def spread_times(rng: np.random.Generator, count: int, duration_s: float, event_s: float) -> Signal:
    """`count` start times over a clip, one in each equal part of it and jittered inside its part.

    Events of `event_s` seconds neither overlap nor leave the clip as long as count * event_s <= duration_s.
    """
    part_s = duration_s / count
    return np.arange(count) * part_s + rng.uniform(0, 1, count) * max(part_s - event_s, 0)


def steady_times(rng: np.random.Generator, period_s: float, jitter: float, start_s: float, end_s: float) -> Signal:
    """Times from `start_s` to before `end_s`, a `period_s` apart, gaps varied by a normal share `jitter` of it."""
    gaps = period_s * np.maximum(1 + jitter * rng.standard_normal(int((end_s - start_s) / period_s) + 8), 0.2)
    times = start_s + np.concatenate([[0.0], np.cumsum(gaps)])
    return times[times < end_s]


def add_at(track: Signal, wave: Signal, start: int, gain: float = 1.0) -> None:
    """Add `gain * wave` into `track` in place from sample `start`; what falls outside is cut off."""
    first, last = max(start, 0), min(start + len(wave), len(track))
    if first < last:
        track[first:last] += gain * wave[first - start : last - start]


def place(track: Signal, wave: Signal, start_s: float, rate_hz: int, gain: float = 1.0) -> tuple[float, float]:
    """Add `gain * wave` into `track` in place at `start_s`; returns start and end in seconds, held inside the track."""
    start = round(max(start_s, 0.0) * rate_hz)
    add_at(track, wave, start, gain)
    return min(start, len(track) - 1) / rate_hz, min(start + len(wave), len(track)) / rate_hz


def whole(samples: int, rate_hz: int) -> tuple[tuple[float, float], ...]:
    """The single event of a continuous sound: the whole clip."""
    return ((0.0, samples / rate_hz),)


def scatter(
    rng: np.random.Generator, grains: Sequence[Signal], times_s: Signal, gains: Signal, samples: int, rate_hz: int
) -> Signal:
    """Overlap-add of pre-rendered grains: at each time a grain drawn at random from the bank, with its gain.

    Args:
        rng: picks the grain of each event.
        grains: a small bank of signals, usually 16 to 48.
        times_s: start of each event in seconds, shape (N,).
        gains: linear gain of each event, shape (N,).
        samples: length of the result.
        rate_hz: sampling rate.

    Returns:
        Signal of shape (samples,).
    """
    track = np.zeros(samples)
    choice = rng.integers(0, len(grains), len(times_s))
    starts = np.round(np.asarray(times_s) * rate_hz).astype(int)
    for start, index, gain in zip(starts.tolist(), choice.tolist(), np.asarray(gains).tolist(), strict=True):
        add_at(track, grains[index], start, gain)
    return track


# ---------------------------------------------------------------- tones


def modal(
    rng: np.random.Generator,
    samples: int,
    rate_hz: int,
    modes_hz: Numbers,
    t60_s: Numbers,
    gains: Numbers,
) -> Signal:
    """Sum of decaying sinusoids of random phase: a struck solid.

    Args:
        rng: draws the phases.
        samples: length of the result.
        rate_hz: sampling rate; modes above its half are left out.
        modes_hz: frequencies.
        t60_s: seconds in which each mode falls by 60 dB.
        gains: linear amplitudes.

    Returns:
        Signal of shape (samples,).
    """
    time = time_axis(samples, rate_hz)
    wave = np.zeros(samples)
    for mode_hz, decay_s, gain in zip(modes_hz, t60_s, gains, strict=True):
        phase = rng.uniform(0, 2 * np.pi)
        if mode_hz < rate_hz / 2:
            heard = min(samples, seconds(1.7 * decay_s, rate_hz))  # beyond, the mode is 100 dB down
            decay = np.exp(-DECAY_60_DB / decay_s * time[:heard])
            wave[:heard] += gain * decay * np.sin(2 * np.pi * mode_hz * time[:heard] + phase)
    return wave


def harmonic(pitch_hz: Signal, rate_hz: int, weights: Numbers, phase: float = 0.0) -> Signal:
    """Harmonic series over a gliding pitch; partials fade out where they would pass half the rate.

    Args:
        pitch_hz: fundamental frequency at each sample, shape (T,).
        rate_hz: sampling rate.
        weights: amplitude of partials 1, 2, 3, ...
        phase: start phase of the fundamental in radians.

    Returns:
        Signal of shape (T,).
    """
    angle = phase + 2 * np.pi * np.cumsum(pitch_hz) / rate_hz
    top_hz, fade_hz = float(np.max(pitch_hz)), 0.04 * rate_hz  # a partial fades over the last 4 % below half the rate
    before, current, double_cosine = np.zeros(len(angle)), np.sin(angle), 2 * np.cos(angle)
    wave = np.zeros(len(angle))
    for order, weight in enumerate(weights, start=1):  # sin((k+1)a) = 2 cos(a) sin(ka) - sin((k-1)a)
        if order * top_hz < 0.45 * rate_hz:
            wave += weight * current
        else:
            wave += weight * current * np.clip((0.49 * rate_hz - order * pitch_hz) / fade_hz, 0, 1)
        before, current = current, double_cosine * current - before
    return wave


def reverb(
    rng: np.random.Generator, wave: Signal, rate_hz: int, t60_s: float, wet: float, high_hz: float = 5000.0
) -> Signal:
    """Room of exponentially decaying noise: `wave` plus `wet` times its convolution with a tail of energy 1.

    Args:
        rng: draws the tail.
        wave: dry signal, shape (T,).
        rate_hz: sampling rate.
        t60_s: reverberation time.
        wet: linear gain of the tail against the dry sound.
        high_hz: low-pass of the tail; air and walls swallow the treble.

    Returns:
        Signal of shape (T,); the tail beyond its end is cut.
    """
    size = seconds(t60_s, rate_hz)
    tail = noise(rng, size, rate_hz, high_hz=high_hz) * np.exp(-DECAY_60_DB * np.arange(size) / size)
    total = fast_length(len(wave) + size)
    response = np.fft.rfft(tail / np.linalg.norm(tail), total)
    return wave + wet * np.fft.irfft(np.fft.rfft(wave, total) * response, total)[: len(wave)]


# ---------------------------------------------------------------- levels


def to_rms(wave: Signal, level_db: float = 0.0) -> Signal:
    """Scale a signal to an RMS level in dB (0 dB: RMS 1); silence stays silence."""
    return wave * (10 ** (level_db / 20) / max(float(np.sqrt(np.mean(np.square(wave)))), 1e-9))


def to_peak(wave: Signal, level_db: float = 0.0) -> Signal:
    """Scale a signal to a peak level in dB (0 dB: peak 1); silence stays silence."""
    return wave * (10 ** (level_db / 20) / max(float(np.max(np.abs(wave))), 1e-9))


def finish(wave: Signal, peak_db: float = -1.0) -> Signal:
    """Bring a recipe's sum to its final form: no offset, peak `peak_db` below full scale, float32, shape (T,)."""
    return to_peak(wave - np.mean(wave), peak_db).astype(np.float32)


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """Random number between `low` and `high`, even in its logarithm: for frequencies, rates and decay times."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def grade(value: float, limits: Numbers, words: Sequence[str]) -> str:
    """The word for a value: words[i] below limits[i], the last word above all limits (one word more than limits)."""
    return words[int(np.searchsorted(limits, value, side="right"))]
