"""Loudness against the figures of ITU-R BS.1770-4 and EBU Tech 3341."""

from __future__ import annotations

import math

import numpy as np
import pytest

from audiojourney.data.loudness import _high_pass, _shelf, loudness_lufs, to_loudness


def sine(level_db: float, seconds: float, rate_hz: int = 48_000, hz: float = 997.0) -> np.ndarray:
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    return (10 ** (level_db / 20) * np.sin(2 * np.pi * hz * time)).astype(np.float32)


@pytest.mark.parametrize("rate_hz", [16_000, 22_050, 32_000, 44_100, 48_000, 96_000])
@pytest.mark.parametrize("level_db", [0.0, -20.0, -36.0])
def test_a_sine_of_997_hz_reads_3_lu_below_its_level(rate_hz: int, level_db: float) -> None:
    assert loudness_lufs(sine(level_db, 3, rate_hz), rate_hz) == pytest.approx(level_db - 3.01, abs=0.06)


def test_the_filters_are_those_of_the_recommendation_at_48_khz() -> None:
    z = np.exp(-2j * np.pi * np.array([0.001, 0.01, 0.05, 0.2, 0.4]))
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high_pass = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    assert np.allclose(_shelf(z, 48_000), shelf, rtol=1e-6)
    assert np.allclose(_high_pass(z, 48_000), high_pass, rtol=1e-6)


def test_quiet_parts_do_not_count() -> None:
    # As in case 3 of EBU Tech 3341: -36, -23 and -36 dBFS; only what is within 10 LU of the mean is measured.
    wave = np.concatenate([sine(-36, 10), sine(-23, 60), sine(-36, 10)])
    assert loudness_lufs(wave, 48_000) == pytest.approx(-23 - 3.01, abs=0.1)


def test_bass_counts_less_and_treble_more() -> None:
    low, middle, high = (loudness_lufs(sine(-20, 2, hz=hz), 48_000) for hz in (30, 997, 6000))
    assert low < middle - 3 and high > middle + 2.5


@pytest.mark.parametrize("samples", [0, 1, 16_000])
def test_silence_has_no_loudness(samples: int) -> None:
    silence = np.zeros(samples, np.float32)
    assert loudness_lufs(silence, 16_000) == -math.inf
    assert to_loudness(silence, 16_000, -23).shape == (samples,)


@pytest.mark.parametrize("seconds", [0.05, 0.39, 0.4, 0.55, 3.0])
def test_a_sound_is_brought_to_the_loudness_that_is_asked(seconds: float) -> None:
    wave = np.random.default_rng(0).normal(0, 0.05, round(16_000 * seconds)).astype(np.float32)
    made = to_loudness(wave, 16_000, -23)
    assert made.dtype == np.float32
    assert loudness_lufs(made, 16_000) == pytest.approx(-23, abs=0.01)
