"""Both resamplers: exact lengths, what passes, what folds back, and a slow reference for the windowed sinc."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file

from audiojourney.data.resample import RESAMPLERS, resample, resampled_length
from audiojourney.errors import UsageError

RATES = st.sampled_from([8_000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 7_919])


@settings(max_examples=80, deadline=None)
@given(samples=st.integers(0, 3000), from_hz=RATES, to_hz=RATES, resampler=st.sampled_from(RESAMPLERS))
def test_length_is_exact(samples: int, from_hz: int, to_hz: int, resampler: str):
    expected = math.ceil(Fraction(samples * to_hz, from_hz))
    assert resampled_length(samples, from_hz, to_hz) == expected
    out = resample(np.ones(samples, np.float32), from_hz, to_hz, resampler)
    assert out.shape == (expected,)
    assert out.dtype == np.float32


def tone(share: float, nyquist_hz: float, rate_hz: int, seconds: float = 2.0) -> np.ndarray:
    hz = share * nyquist_hz
    return np.sin(2 * np.pi * hz * np.arange(int(seconds * rate_hz)) / rate_hz).astype(np.float32)


def level_db(wave: np.ndarray, reference: np.ndarray) -> float:
    """RMS of the middle of a wave against that of another, so that its ends do not count."""
    middle, other = (w[len(w) // 4 : -len(w) // 4].astype(np.float64) for w in (wave, reference))
    return 10 * math.log10(np.mean(middle**2) / np.mean(other**2) + 1e-20)


# Measured with soxr 1.1 and with torchaudio's formula, 44.1 to 16 kHz, rounded outwards.
@pytest.mark.parametrize(
    ("resampler", "share", "least_db", "most_db"),
    [
        ("soxr", 0.5, -0.01, 0.01),
        ("soxr", 0.9, -0.05, 0.01),
        ("soxr", 1.05, -300, -130),
        ("soxr", 1.2, -300, -130),
        ("soxr", 1.6, -300, -130),
        ("sinc", 0.5, -0.04, 0.01),
        ("sinc", 0.9, -2.6, -2.3),
        ("sinc", 1.05, -12, -8),
        ("sinc", 1.2, -30, -26),
        ("sinc", 1.6, -300, -65),
    ],
)
def test_pass_band_and_aliases(resampler: str, share: float, least_db: float, most_db: float):
    wave = tone(share, 8_000, 44_100)
    assert least_db < level_db(resample(wave, 44_100, 16_000, resampler), wave) < most_db


@pytest.mark.parametrize("resampler", RESAMPLERS)
@pytest.mark.parametrize(("from_hz", "to_hz"), [(44_100, 16_000), (16_000, 44_100), (48_000, 32_000), (8_000, 16_000)])
def test_a_tone_keeps_its_phase(resampler: str, from_hz: int, to_hz: int):
    """Sample i of the output lies at i / to_hz seconds: the same tone, not a delayed one."""
    wave, expected = (tone(0.1, 8_000, rate) for rate in (from_hz, to_hz))
    found = resample(wave, from_hz, to_hz, resampler)
    np.testing.assert_allclose(found[2000:-2000], expected[2000:-2000], atol=3e-3)


@pytest.mark.parametrize("resampler", RESAMPLERS)
def test_equal_rates_change_nothing(resampler: str):
    wave = np.random.default_rng(0).standard_normal(1000).astype(np.float32)
    np.testing.assert_array_equal(resample(wave, 16_000, 16_000, resampler), wave)


@pytest.mark.parametrize("samples", [1000, 1001, 1002, 1003])
def test_the_last_samples_are_those_of_a_longer_wave(samples: int):
    """The asked length costs nothing at the end: appended silence leaves the samples before it as they are."""
    wave = np.random.default_rng(0).standard_normal(samples).astype(np.float32)
    found = resample(wave, 44_100, 16_000)
    longer = resample(np.pad(wave, (0, 441)), 44_100, 16_000)
    np.testing.assert_allclose(found, longer[: len(found)], atol=1e-6)


def slow_sinc(wave: np.ndarray, from_hz: int, to_hz: int) -> np.ndarray:
    """The windowed sinc as one sum over all inputs for every output, in float64.

    The kernel reaches 6 zero crossings of a sinc that cuts at 0.99 of the lower Nyquist frequency, under a Hann window.
    """
    cut = 0.99 * min(from_hz, to_hz)
    out = []
    for number in range(math.ceil(Fraction(len(wave) * to_hz, from_hz))):
        total = 0.0
        for index, sample in enumerate(wave):
            crossings = cut * (index / from_hz - number / to_hz)
            if abs(crossings) < 6:
                window = 0.5 + 0.5 * math.cos(math.pi * crossings / 6)
                lobe = 1.0 if crossings == 0 else math.sin(math.pi * crossings) / (math.pi * crossings)
                total += float(sample) * window * lobe * cut / from_hz
        out.append(total)
    return np.array(out)


@pytest.mark.parametrize(
    ("from_hz", "to_hz"),
    [(44_100, 16_000), (16_000, 44_100), (48_000, 16_000), (16_000, 48_000), (22_050, 44_100), (7_919, 8_000)],
)
def test_sinc_equals_the_slow_sum(from_hz: int, to_hz: int):
    wave = np.random.default_rng(3).uniform(-1, 1, 301).astype(np.float32)
    np.testing.assert_allclose(resample(wave, from_hz, to_hz, "sinc"), slow_sinc(wave, from_hz, to_hz), atol=2e-6)


def test_sinc_equals_torchaudio(shared_fixtures: Path):
    case = load_file(shared_fixtures / "autocap" / "frontend.safetensors")
    for channel in (0, 1):
        found = resample(case["in.stereo_44k"][channel], 44_100, 32_000, "sinc")
        np.testing.assert_allclose(found, case["out.stereo_resampled_32k"][channel], atol=1e-5)
    found = resample(case["in.wave_32k"][0], 32_000, 48_000, "sinc")
    np.testing.assert_allclose(found, case["out.wave_resampled_48k"][0], atol=1e-5)


@pytest.mark.parametrize(("from_hz", "to_hz"), [(0, 16_000), (16_000, 0), (-1, 8_000)])
def test_rates_are_positive(from_hz: int, to_hz: int):
    with pytest.raises(UsageError, match=f"{from_hz} Hz to {to_hz} Hz"):
        resample(np.zeros(10, np.float32), from_hz, to_hz)


def test_unknown_resampler_lists_the_known():
    with pytest.raises(UsageError, match=r"'kaiser'.*soxr, sinc"):
        resample(np.zeros(10, np.float32), 8_000, 16_000, "kaiser")  # type: ignore[arg-type]
