"""What the recipes of weather, water and animals promise, and the physics a listener would notice."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from audiojourney.data.scenes import animals, dsp, water, weather
from audiojourney.data.scenes.source import Rendered, Source

RATE_HZ = 16_000
SOURCES = {source.name: source for module in (weather, water, animals) for source in module.SOURCES}
SEPARATE = [name for name, source in SOURCES.items() if not source.continuous]
every_source = pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)


def render(name: str, seed: int, length_s: float = 6.0, rate_hz: int = RATE_HZ) -> Rendered:
    return SOURCES[name].render(np.random.default_rng(seed), round(length_s * rate_hz), rate_hz)


def renders_with(name: str, wanted: int, length_s: float = 6.0, **attributes: str) -> list[Rendered]:
    """The first `wanted` renderings, in order of seed, that carry the given attributes."""
    found = (r for seed in range(200) if (r := render(name, seed, length_s)).attributes.items() >= attributes.items())
    return [rendered for _, rendered in zip(range(wanted), found, strict=False)]


def band_shares(wave: np.ndarray, edges_hz: tuple[float, ...]) -> np.ndarray:
    """Share of the energy in each band between consecutive edges."""
    power = np.abs(np.fft.rfft(wave)) ** 2
    frequency_hz = np.fft.rfftfreq(len(wave), 1 / RATE_HZ)
    return (
        np.array([power[(frequency_hz >= a) & (frequency_hz < b)].sum() for a, b in pairwise(edges_hz)]) / power.sum()
    )


def centroid_hz(wave: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(wave)) ** 2
    return float((np.fft.rfftfreq(len(wave), 1 / RATE_HZ) * power).sum() / power.sum())


def levels_db(wave: np.ndarray, frame_s: float) -> np.ndarray:
    """RMS level of consecutive frames."""
    size = round(frame_s * RATE_HZ)
    frames = wave[: len(wave) // size * size].reshape(-1, size)
    return 10 * np.log10(np.mean(frames.astype(float) ** 2, axis=1) + 1e-12)


@every_source
def test_same_seed_same_samples_and_another_seed_others(source: Source) -> None:
    first, again, other = (render(source.name, seed, 2.5) for seed in (3, 3, 4))
    assert np.array_equal(first.wave, again.wave)
    assert (first.events, first.attributes) == (again.events, again.attributes)
    assert not np.array_equal(first.wave, other.wave)


@every_source
@pytest.mark.parametrize(("rate_hz", "length_s"), [(16_000, 1.0), (16_000, 2.03), (44_100, 3.0), (8_000, 2.0)])
def test_wave_is_valid_at_any_rate_and_length(source: Source, rate_hz: int, length_s: float) -> None:
    for seed in range(4):
        wave = render(source.name, seed, length_s, rate_hz).wave
        assert wave.shape == (round(length_s * rate_hz),)
        assert wave.dtype == np.float32
        assert np.isfinite(wave).all()
        assert 0.5 < np.abs(wave).max() <= 1


@every_source
def test_events_lie_inside_the_clip_in_order(source: Source) -> None:
    for seed in range(6):
        events = render(source.name, seed, 2.0).events
        assert len(events) >= 1
        assert all(0 <= start_s < end_s <= 2.0 for start_s, end_s in events)
        assert list(events) == sorted(events)
        assert not source.continuous or events == ((0.0, 2.0),)


@every_source
def test_attributes_are_words_and_vary(source: Source) -> None:
    drawn = [render(source.name, seed, 2.0).attributes for seed in range(24)]
    assert all(isinstance(text, str) and text for words in drawn for pair in words.items() for text in pair)
    assert len({tuple(sorted(words.items())) for words in drawn}) >= 2


@pytest.mark.parametrize("name", SEPARATE)
def test_sound_is_where_the_events_are(name: str) -> None:
    for seed in range(4):
        rendered = render(name, seed)
        inside = np.zeros(len(rendered.wave), dtype=bool)
        for start_s, end_s in rendered.events:
            inside[int(start_s * RATE_HZ) : int(end_s * RATE_HZ) + 1600] = True  # and 0.1 s of reverberation
        energy = rendered.wave.astype(float) ** 2
        assert energy[inside].sum() > 0.7 * energy.sum()


@pytest.mark.parametrize("name", [name for name in SEPARATE if name != "horse"])
def test_count_is_the_number_of_events(name: str) -> None:
    for seed in range(5):
        rendered = render(name, seed, 10.24)
        assert rendered.attributes["count"] == str(len(rendered.events))


def test_every_drip_is_an_onset() -> None:
    for rendered in renders_with("drips", 3, pace="slow"):
        loud = levels_db(rendered.wave, 0.02) > levels_db(rendered.wave, 0.02).max() - 12
        onsets = np.flatnonzero(loud & ~np.r_[False, loud[:-1]])
        groups = 1 + np.sum(np.diff(onsets) > 10)
        assert groups == len(rendered.events)


def test_a_bubble_rings_at_its_pitch_and_rises() -> None:
    rng = np.random.default_rng(0)
    steady, rising = (water.bubble(rng, RATE_HZ, 600, rise) for rise in (0.0, 0.2))
    assert centroid_hz(steady) == pytest.approx(600, rel=0.05)
    assert centroid_hz(rising[len(rising) // 3 :]) > 1.5 * centroid_hz(steady)
    assert len(water.bubble(rng, RATE_HZ, 2400, 0)) < 0.3 * len(steady)  # small bubbles die sooner


def test_crickets_sing_between_3_and_6_khz() -> None:
    for seed in range(5):
        assert band_shares(render("crickets", seed).wave, (3000, 6000))[0] > 0.95


def test_wind_stays_below_1500_hz() -> None:
    for seed in range(5):
        assert band_shares(render("wind", seed).wave, (0, 1500))[0] > 0.98


def test_bees_buzz_at_their_wing_beat() -> None:
    for size, (low_hz, high_hz) in {"large": (115, 175), "small": (175, 285)}.items():
        for rendered in renders_with("bee", 2, size=size, group="single"):
            below, beat = band_shares(rendered.wave, (40, low_hz, high_hz))
            assert beat > 10 * below


def test_owl_hoots_are_nearly_one_partial() -> None:
    for seed in range(5):
        assert band_shares(render("owl", seed).wave, (230, 520))[0] > 0.9


@pytest.mark.parametrize("name", ["dog", "cat", "cow", "frog", "bee", "wind_chimes", "bubbles", "kettle"])
def test_small_ones_sound_higher(name: str) -> None:
    heights = {
        size: np.mean([centroid_hz(r.wave) for r in renders_with(name, 5, 3.0, size=size)])
        for size in ("small", "large")
    }
    assert heights["small"] > 1.1 * heights["large"]


def test_faster_gaits_have_more_hoofbeats() -> None:
    beats = [np.mean([len(r.events) for r in renders_with("horse", 4, pace=pace)]) for pace in ("slow", "fast")]
    assert beats[1] > 1.4 * beats[0]


@pytest.mark.parametrize("name", ["rain", "rain_tin"])
def test_light_rain_is_sparser_than_heavy_rain(name: str) -> None:
    spread = {
        word: np.mean(
            [
                levels_db(dsp.band_pass(r.wave, RATE_HZ, 2000, 6000), 0.01).std()
                for r in renders_with(name, 5, 4.0, intensity=word)
            ]
        )
        for word in ("light", "heavy")
    }
    assert spread["light"] > 1.15 * spread["heavy"]


def test_near_thunder_cracks_and_far_thunder_only_rumbles() -> None:
    treble = {
        word: [band_shares(r.wave, (1000, 8000))[0] for r in renders_with("thunder", 4, distance=word)]
        for word in ("near", "far")
    }
    assert min(treble["near"]) > 10 * max(treble["far"])


def test_sea_waves_swell_more_than_rain() -> None:
    swell = {
        name: np.mean([levels_db(render(name, seed, 10.24).wave, 0.5).std() for seed in range(4)])
        for name in ("sea_waves", "rain")
    }
    assert swell["sea_waves"] > 3 * swell["rain"]


def test_pouring_climbs_in_pitch() -> None:
    climbs = []
    for rendered in renders_with("pouring", 6, count="1"):
        start, end = (round(edge * RATE_HZ) for edge in rendered.events[0])
        quarter = (end - start) // 4
        ends = rendered.wave[start : start + quarter], rendered.wave[end - quarter : end]
        first_hz, last_hz = (centroid_hz(dsp.band_pass(part, RATE_HZ, 200, 3000)) for part in ends)
        climbs.append(last_hz / first_hz)
    assert min(climbs) > 1.05
    assert np.mean(climbs) > 1.2


def test_kettle_rumbles_first_and_whistles_at_the_end() -> None:
    for seed in range(5):
        wave = render("kettle", seed, 8.0).wave
        first, last = (band_shares(part, (50, 1000, 6500)) for part in (wave[:16_000], wave[-16_000:]))
        assert first[0] > 0.9
        assert last[1] > 0.2
        assert last[0] > 0.02  # the rumble stays: no other whistle has it


def test_fire_crackles_while_wind_does_not() -> None:
    peaky = {
        name: np.median([np.abs(w := render(name, seed).wave).max() / np.std(w) for seed in range(5)])
        for name in ("fire", "wind")
    }
    assert peaky["fire"] > 2 * peaky["wind"]
