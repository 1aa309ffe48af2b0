"""Physical properties of the building blocks of the sound recipes."""

from __future__ import annotations

import numpy as np
import pytest

from audiojourney.data.scenes import dsp

RATE_HZ = 16_000


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def rms(wave: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(wave))))


def power_in(wave: np.ndarray, low_hz: float, high_hz: float, rate_hz: int = RATE_HZ) -> float:
    """Share of the signal's energy between two frequencies."""
    power = np.abs(np.fft.rfft(wave)) ** 2
    frequency_hz = np.fft.rfftfreq(len(wave), 1 / rate_hz)
    return float(power[(frequency_hz >= low_hz) & (frequency_hz < high_hz)].sum() / power.sum())


def tone(pitch_hz: float, length_s: float = 1.0) -> np.ndarray:
    return np.sin(2 * np.pi * pitch_hz * dsp.time_axis(dsp.seconds(length_s, RATE_HZ), RATE_HZ))


@pytest.mark.parametrize("samples", [1, 7, 100, 1025, 163_840, 451_584])
def test_fast_length_is_a_close_upper_bound(samples: int) -> None:
    assert samples <= dsp.fast_length(samples) <= 1.34 * samples + 1


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_noise_power_falls_with_the_asked_slope(rng: np.random.Generator, slope: float) -> None:
    power = np.abs(np.fft.rfft(dsp.noise(rng, 2**17, RATE_HZ, slope=slope))) ** 2
    octaves = [power[2**k : 2 ** (k + 1)].mean() for k in range(10, 15)]  # 125 Hz to 4 kHz
    assert np.polyfit(np.arange(5), np.log2(octaves), 1)[0] == pytest.approx(-slope, abs=0.1)


def test_noise_has_unit_rms_whatever_its_band(rng: np.random.Generator) -> None:
    assert rms(dsp.noise(rng, 20_000, RATE_HZ, slope=1.5, low_hz=300, high_hz=900)) == pytest.approx(1)


def test_band_pass_keeps_the_tone_inside_and_removes_those_outside() -> None:
    wave = tone(200) + tone(1000) + tone(5000)
    kept = dsp.band_pass(wave, RATE_HZ, 700, 1400)
    middle = slice(2000, -2000)  # the tones' sudden start and end ring
    assert rms(kept[middle] - tone(1000)[middle]) < 0.2
    assert power_in(kept[middle], 900, 1100) > 0.999


def test_band_pass_does_not_wrap_around() -> None:
    wave = np.zeros(RATE_HZ)
    wave[-1] = 1.0
    assert np.abs(dsp.band_pass(wave, RATE_HZ, 0, 2000)[: RATE_HZ // 2]).max() < 1e-4


def test_resonance_peaks_at_its_centre_and_is_3_db_down_at_its_width() -> None:
    gain = np.abs(dsp.resonance(np.array([950.0, 1000.0, 1050.0, 4000.0]), 1000, 100))
    assert gain == pytest.approx([0.707, 1.0, 0.707, 0.027], abs=0.02)


def test_formants_are_causal_and_pick_their_frequencies(rng: np.random.Generator) -> None:
    click = np.zeros(RATE_HZ)
    click[8000] = 1.0
    struck = dsp.formants(click, RATE_HZ, (600, 2000), (50, 50), (1, 1))
    assert np.abs(struck[:7990]).max() < 0.02 * np.abs(struck).max()
    assert power_in(struck, 450, 750) + power_in(struck, 1850, 2150) > 0.85


def test_moving_band_follows_its_centre(rng: np.random.Generator) -> None:
    band = dsp.moving_band(rng, np.linspace(500, 3000, 2 * RATE_HZ), RATE_HZ, 100)
    assert power_in(band[:3200], 400, 900) > 0.95
    assert power_in(band[-3200:], 2600, 3100) > 0.95


def test_slow_envelope_stays_in_range_and_moves_at_its_pace(rng: np.random.Generator) -> None:
    curve = dsp.slow_envelope(rng, 20 * RATE_HZ, RATE_HZ, 2.0, 0.2, 0.9)
    assert 0.2 <= curve.min() < 0.35
    assert 0.75 < curve.max() <= 0.9
    assert np.abs(np.diff(curve)).max() * RATE_HZ < np.pi / 2 * 0.7 * 2.0 + 1e-6
    assert power_in(curve - curve.mean(), 0, 3) > 0.98


def test_contour_passes_through_its_points() -> None:
    assert dsp.contour(201, (1, 3, 2))[[0, 100, 200]] == pytest.approx([1, 3, 2])


def test_attack_decay_falls_60_db_in_its_t60() -> None:
    curve = dsp.attack_decay(RATE_HZ, RATE_HZ, 0.1, 0.5)
    assert np.argmax(curve) == pytest.approx(1600, abs=2)
    assert 20 * np.log10(curve[1600 + 8000] / curve[1600]) == pytest.approx(-60, abs=0.1)


def test_fade_silences_both_ends_and_leaves_the_middle_and_its_input() -> None:
    flat = np.ones(1000)
    faded = dsp.fade(flat, RATE_HZ, 0.01, 0.02)
    assert max(faded[0], faded[-1]) < 0.001
    assert np.all(faded[160:680] == 1)
    assert faded[159] < 1
    assert faded[680] < 1
    assert np.all(flat == 1)


def test_poisson_times_have_the_asked_rate_and_independent_gaps(rng: np.random.Generator) -> None:
    times = dsp.poisson_times(rng, 50, 200)
    gaps = np.diff(times)
    assert len(times) == pytest.approx(10_000, rel=0.04)
    assert gaps.min() >= 0
    assert gaps.std() / gaps.mean() == pytest.approx(1, abs=0.05)  # exponential, not even


def test_spread_times_never_overlap_and_never_leave_the_clip(rng: np.random.Generator) -> None:
    for count in (1, 3, 8):
        times = dsp.spread_times(rng, count, 10.0, 1.25)
        assert len(times) == count
        assert np.all(np.diff(times) >= 1.25)
        assert times[0] >= 0
        assert times[-1] + 1.25 <= 10


def test_steady_times_keep_their_period(rng: np.random.Generator) -> None:
    times = dsp.steady_times(rng, 0.25, 0.1, 1.0, 60.0)
    assert times[0] == 1.0
    assert times[-1] < 60
    assert np.diff(times).mean() == pytest.approx(0.25, rel=0.05)
    assert 0.015 < np.diff(times).std() < 0.035


def test_place_cuts_what_leaves_the_track_and_says_where_it_sounds() -> None:
    track = np.zeros(100)
    assert dsp.place(track, np.ones(50), 0.8, 100) == (0.8, 1.0)
    assert track.sum() == 20
    dsp.add_at(track, np.ones(50), -40, gain=2.0)
    assert track[:11].tolist() == [2.0] * 10 + [0.0]


def test_scatter_adds_every_grain_at_its_time(rng: np.random.Generator) -> None:
    track = dsp.scatter(rng, [np.array([1.0, 0.5])] * 3, np.array([0.0, 0.1, 0.1]), np.array([1.0, 2.0, 3.0]), 20, 100)
    assert track.nonzero()[0].tolist() == [0, 1, 10, 11]
    assert track[[0, 1, 10, 11]].tolist() == [1.0, 0.5, 5.0, 2.5]


def test_modal_decays_60_db_in_its_t60(rng: np.random.Generator) -> None:
    wave = dsp.modal(rng, RATE_HZ, RATE_HZ, [1000], [0.4], [1.0])
    early, late = rms(wave[:320]), rms(wave[6400:6720])
    assert 20 * np.log10(late / early) == pytest.approx(-60, abs=0.5)


def test_modal_leaves_out_modes_that_would_alias(rng: np.random.Generator) -> None:
    assert np.all(dsp.modal(rng, 1000, RATE_HZ, [9000], [1.0], [1.0]) == 0)


def test_harmonic_partials_have_their_weights() -> None:
    spectrum = np.abs(np.fft.rfft(dsp.harmonic(np.full(RATE_HZ, 200.0), RATE_HZ, (1, 0, 0.5, 0.25)))) * 2 / RATE_HZ
    assert spectrum[[200, 400, 600, 800]] == pytest.approx([1, 0, 0.5, 0.25], abs=1e-6)


def test_harmonic_does_not_alias_when_it_glides_past_half_the_rate() -> None:
    pitch_hz = np.linspace(1000, 4000, 2 * RATE_HZ)
    wave = dsp.harmonic(pitch_hz, RATE_HZ, np.ones(8))
    assert power_in(wave[-1600:], 0, 3500) < 0.01


def test_reverb_tail_decays_60_db_in_its_t60_and_keeps_the_dry_sound(rng: np.random.Generator) -> None:
    click = np.zeros(2 * RATE_HZ)
    click[0] = 1.0
    wet = dsp.reverb(rng, click, RATE_HZ, 1.0, 0.5)
    assert wet[0] == pytest.approx(1, abs=0.1)
    assert np.sum((wet - click) ** 2) == pytest.approx(0.25, rel=0.01)
    fall_db = 20 * np.log10(rms(wet[12_000:13_600]) / rms(wet[1600:3200]))
    assert fall_db == pytest.approx(-60 * 0.65, abs=3)


def test_levels_are_in_decibels(rng: np.random.Generator) -> None:
    wave = rng.standard_normal(5000)
    assert rms(dsp.to_rms(wave, -20)) == pytest.approx(0.1)
    assert np.abs(dsp.to_peak(wave, -6)).max() == pytest.approx(10**-0.3)
    assert np.all(dsp.to_peak(np.zeros(5)) == 0)


def test_finish_removes_the_offset_and_leaves_headroom(rng: np.random.Generator) -> None:
    wave = dsp.finish(rng.standard_normal(5000) + 3)
    assert wave.dtype == np.float32
    assert abs(float(wave.mean())) < 1e-6
    assert np.abs(wave).max() == pytest.approx(10 ** (-1 / 20), rel=1e-5)


def test_grade_names_the_range_a_value_falls_in() -> None:
    assert [dsp.grade(value, (1, 2), ("a", "b", "c")) for value in (0.5, 1, 1.5, 2, 9)] == ["a", "b", "b", "c", "c"]


def test_log_uniform_is_even_in_octaves(rng: np.random.Generator) -> None:
    draws = np.log2([dsp.log_uniform(rng, 100, 1600) / 100 for _ in range(4000)])
    assert 0 <= draws.min() < draws.max() <= 4
    assert np.histogram(draws, 4, (0, 4))[0] == pytest.approx([1000] * 4, rel=0.12)
