"""What every recipe of machines, signals and people promises, and the physics by which some of them are known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from audiojourney.data.scenes import dsp, machines, people, signals
from audiojourney.data.scenes.source import Rendered, Source

SOURCES = {source.name: source for module in (machines, signals, people) for source in module.SOURCES}
NAMES = sorted(SOURCES)
SEPARATE = sorted(name for name, source in SOURCES.items() if not source.continuous)
RATE_HZ = 16000


def render(name: str, seed: int = 0, length_s: float = 4.0, rate_hz: int = RATE_HZ) -> Rendered:
    return SOURCES[name].render(np.random.default_rng(seed), round(length_s * rate_hz), rate_hz)


def rendered_with(name: str, key: str, value: str, length_s: float = 4.0) -> Rendered:
    """The first rendering whose attribute `key` is `value`."""
    tries = (render(name, seed, length_s) for seed in range(100))
    return next(sound for sound in tries if sound.attributes[key] == value)


def loudness(wave: np.ndarray, hop: int = 160) -> np.ndarray:
    """RMS of consecutive stretches of `hop` samples."""
    return np.sqrt(np.mean(np.square(wave[: len(wave) // hop * hop].reshape(-1, hop).astype(float)), axis=1))


def spectrum(wave: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Frequencies in Hz and power of a whole signal at `RATE_HZ`, under a Hann window."""
    return np.fft.rfftfreq(len(wave), 1 / RATE_HZ), np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) ** 2


def centroid_hz(wave: np.ndarray) -> float:
    frequency_hz, power = spectrum(wave)
    return float(np.sum(frequency_hz * power) / np.sum(power))


def centroid_track(wave: np.ndarray, hop: int = 400) -> np.ndarray:
    """Spectral centroid in Hz of consecutive stretches of `hop` samples."""
    return np.array([centroid_hz(part) for part in wave[: len(wave) // hop * hop].reshape(-1, hop)])


def strongest_rate_hz(curve: np.ndarray, per_s: float, low_hz: float, high_hz: float) -> float:
    """Rate at which `curve`, sampled `per_s` times a second, swings most between `low_hz` and `high_hz`."""
    size = 8 * len(curve)
    power = np.abs(np.fft.rfft((curve - curve.mean()) * np.hanning(len(curve)), size))
    rates_hz = np.fft.rfftfreq(size, 1 / per_s)
    return float(rates_hz[np.argmax(power * (rates_hz >= low_hz) * (rates_hz <= high_hz))])


def cut(sound: Rendered, event: int = 0) -> np.ndarray:
    start_s, end_s = sound.events[event]
    return sound.wave[round(start_s * RATE_HZ) : round(end_s * RATE_HZ)]


def test_each_group_has_its_sources_once() -> None:
    groups = {
        "machines": {"engine", "helicopter", "clock", "vacuum", "drill", "saw", "chainsaw", "train", "typing"},
        "signals": {"siren", "alarm", "church_bell", "train_horn", "phone", "doorbell", "whistle", "car_horn"},
        "people": {
            "footsteps", "knock", "applause", "snoring", "heartbeat", "glass", "door_creak", "fireworks",
        },
    }  # fmt: skip
    for module, group in ((machines, "machines"), (signals, "signals"), (people, "people")):
        found: tuple[Source, ...] = module.SOURCES
        assert sorted(source.name for source in found) == sorted(groups[group])
        assert {source.group for source in found} == {group}


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_alone_decides_the_samples(name: str) -> None:
    first, again, other = render(name, 3, 2.0), render(name, 3, 2.0), render(name, 4, 2.0)
    assert np.array_equal(first.wave, again.wave)
    assert first.events == again.events
    assert first.attributes == again.attributes
    assert not np.array_equal(first.wave, other.wave)


@pytest.mark.parametrize(("length_s", "rate_hz"), [(1.0, 16000), (1.0, 44100), (2.3, 16000), (5.01, 22050)])
@pytest.mark.parametrize("name", NAMES)
def test_wave_and_events_are_well_formed_at_any_rate_and_length(name: str, length_s: float, rate_hz: int) -> None:
    for seed in range(4):
        sound = render(name, seed, length_s, rate_hz)
        assert sound.wave.shape == (round(length_s * rate_hz),)
        assert sound.wave.dtype == np.float32
        assert np.all(np.isfinite(sound.wave))
        assert 0.5 < np.max(np.abs(sound.wave)) <= 1.0
        assert len(sound.events) >= 1
        assert all(0 <= start < end <= length_s + 1 / rate_hz for start, end in sound.events)
        assert list(sound.events) == sorted(sound.events)
        assert all(isinstance(word, str) and word for pair in sound.attributes.items() for word in pair)


@pytest.mark.parametrize("name", NAMES)
def test_a_continuous_sound_has_one_event_that_spans_the_clip(name: str) -> None:
    if SOURCES[name].continuous:
        assert render(name, 1).events == ((0.0, 4.0),)


@pytest.mark.parametrize("name", SEPARATE)
def test_the_sound_is_where_its_events_are(name: str) -> None:
    inside, outside = [], []
    for seed in range(5):
        sound = render(name, seed, 10.24)
        time_s = np.arange(len(sound.wave)) / RATE_HZ
        mask = np.any([(time_s >= start) & (time_s < end) for start, end in sound.events], axis=0)
        inside.append(np.mean(sound.wave[mask] ** 2))
        if np.any(~mask):
            outside.append(np.mean(sound.wave[~mask] ** 2))
    assert not outside or np.mean(outside) < 0.25 * np.mean(inside)


@pytest.mark.parametrize("name", SEPARATE)
def test_count_is_the_number_of_events_and_given_only_where_a_listener_could_count(name: str) -> None:
    for seed in range(8):
        sound = render(name, seed, 10.24)
        if "count" in sound.attributes:
            assert sound.attributes["count"] == str(len(sound.events))
            assert len(sound.events) <= 6


@pytest.mark.parametrize("name", SEPARATE)
def test_events_are_spread_over_clips_and_not_bound_to_one_place(name: str) -> None:
    middles = [np.mean([np.mean(event) for event in render(name, seed, 10.24).events]) / 10.24 for seed in range(12)]
    assert 0.3 < np.mean(middles) < 0.7


def test_each_counted_knock_is_an_onset() -> None:
    for seed in range(10):
        sound = render("knock", seed, 6.0)
        for start_s, _ in sound.events:
            start = round(start_s * RATE_HZ)
            before, after = sound.wave[max(start - 320, 0) : start], sound.wave[start : start + 320]
            assert np.mean(after**2) > 3 * (np.mean(before**2) if len(before) else 0)
        gaps = [later[0] - earlier[0] for earlier, later in itertools.pairwise(sound.events)]
        assert all(gap > 0.09 for gap in gaps)


@pytest.mark.parametrize(
    ("kind", "low_hz", "high_hz"), [("wail", 0.14, 0.37), ("two_tone", 0.5, 1.0), ("yelp", 2.5, 4.0)]
)
def test_siren_changes_pitch_at_the_rate_of_its_type(kind: str, low_hz: float, high_hz: float) -> None:
    sound = rendered_with("siren", "type", kind, 10.24)
    rate_hz = strongest_rate_hz(centroid_track(sound.wave), RATE_HZ / 400, 0.1, 15)
    assert 0.9 * low_hz <= rate_hz <= 1.1 * high_hz


@pytest.mark.parametrize("kind", ["wail", "yelp", "two_tone"])
def test_siren_sweeps_between_its_two_frequencies(kind: str) -> None:
    pitch_hz = signals._siren_pitch(kind, 600, 1200, 0.5, RATE_HZ, RATE_HZ)
    assert np.isclose(pitch_hz.min(), 600, rtol=0.01)
    assert np.isclose(pitch_hz.max(), 1200, rtol=0.01)
    assert np.allclose(pitch_hz[: RATE_HZ // 2], pitch_hz[RATE_HZ // 2 :], rtol=1e-3)


def test_heartbeat_lies_below_200_hz() -> None:
    for seed in range(6):
        frequency_hz, power = spectrum(render("heartbeat", seed).wave)
        assert np.sum(power[frequency_hz < 200]) > 0.98 * np.sum(power)


def test_heartbeat_pace_is_its_beat_rate() -> None:
    for pace, low_hz, high_hz in (("slow", 48 / 60, 68 / 60), ("medium", 68 / 60, 105 / 60), ("fast", 105 / 60, 2.5)):
        sound = rendered_with("heartbeat", "pace", pace, 10.24)
        beats_hz = strongest_rate_hz(loudness(sound.wave), 100, 0.6, 2.6)
        assert 0.95 * low_hz <= beats_hz <= 1.05 * high_hz


def test_train_horn_holds_several_partials_through_a_blast() -> None:
    for seed in range(6):
        sound = render("train_horn", seed, 10.24)
        blast = cut(sound, int(np.argmax([end - start for start, end in sound.events])))
        held = [np.sqrt(spectrum(half)[1]) for half in np.array_split(blast[: len(blast) // 2 * 2], 2)]
        both = np.minimum(held[0] / held[0].max(), held[1] / held[1].max())
        peaks = (both[1:-1] > both[:-2]) & (both[1:-1] > both[2:]) & (both[1:-1] > 0.05)
        assert np.sum(peaks) >= 6


def test_car_honks_are_short_and_train_blasts_long() -> None:
    def lengths(name: str) -> list[float]:
        return [end - start for seed in range(10) for start, end in render(name, seed, 10.24).events]

    assert max(lengths("car_horn")) < 1.4
    assert np.median(lengths("train_horn")) > 2 * np.median(lengths("car_horn"))


@pytest.mark.parametrize(
    ("pace", "low_s", "high_s"), [("fast", 0.19, 0.35), ("medium", 0.35, 0.7), ("slow", 0.7, 1.05)]
)
def test_clock_repeats_after_its_tick_period(pace: str, low_s: float, high_s: float) -> None:
    beat = loudness(rendered_with("clock", "pace", pace, 10.24).wave, hop=16) ** 0.5
    beat = beat - beat.mean()
    power = np.abs(np.fft.rfft(beat, 2 * len(beat))) ** 2
    likeness = np.fft.irfft(power)[: len(beat)] / np.sum(beat**2)
    lags = np.arange(150, 1100)  # milliseconds
    strong = lags[likeness[lags] > 0.85 * likeness[lags].max()]
    assert low_s - 0.003 <= strong[0] / 1000 <= high_s + 0.003


def test_helicopter_swells_at_its_blade_rate_and_does_not_click() -> None:
    for seed in range(6):
        wave = render("helicopter", seed, 6.0).wave
        swell = loudness(dsp.band_pass(wave, RATE_HZ, 100, 4000), 80)
        assert 8.5 <= strongest_rate_hz(swell, 200, 4, 60) <= 54  # blades, or their second or third swell
        assert np.max(swell[20:-20]) < 4.5 * np.mean(swell)
    typed = loudness(render("typing", 0, 6.0).wave, 80)
    assert np.max(typed) > 4.5 * np.mean(typed)


def test_motors_that_run_evenly_stay_loud_throughout() -> None:
    for seed in range(6):
        level = loudness(render("vacuum", seed, 6.0).wave, 1600)[20:]
        assert level.min() > 0.4 * level.max()


def test_surfaces_differ_in_brightness() -> None:
    brightness = {
        surface: centroid_hz(rendered_with("footsteps", "surface", surface).wave)
        for surface in ("wood", "snow", "gravel", "leaves")
    }
    assert brightness["wood"] < brightness["snow"] < min(brightness["gravel"], brightness["leaves"])


def test_glass_is_bright_and_knocking_on_wood_is_dull() -> None:
    assert np.mean([centroid_hz(render("glass", seed).wave) for seed in range(5)]) > 2500
    assert centroid_hz(rendered_with("knock", "material", "wood").wave) < 900


def test_doorbell_falls_from_ding_to_dong() -> None:
    sound = rendered_with("doorbell", "kind", "ding-dong", 3.0)
    wave = cut(sound)

    def note_hz(part: np.ndarray) -> float:
        frequency_hz, power = spectrum(np.pad(part, (0, RATE_HZ)))
        return float(frequency_hz[np.argmax(power * (frequency_hz < 1100))])

    assert note_hz(wave[: RATE_HZ // 4]) > 1.08 * note_hz(wave[RATE_HZ : RATE_HZ + RATE_HZ // 2])


def test_small_engines_idle_faster_than_large_ones() -> None:
    def firing_hz(size: str) -> float:
        tries = (render("engine", seed) for seed in itertools.count())
        idling = (sound.wave for sound in tries if sound.attributes == {"size": size, "mode": "idle"})
        swells = [loudness(dsp.band_pass(wave, RATE_HZ, 300, 3000), 80) for wave in itertools.islice(idling, 5)]
        return float(np.median([strongest_rate_hz(swell, 200, 8, 45) for swell in swells]))

    assert firing_hz("small") > 1.2 * firing_hz("large")
