from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from audiojourney.data.scenes import mixing, planning
from audiojourney.data.scenes.catalogue import SOURCES
from audiojourney.data.scenes.compose import compose
from audiojourney.data.scenes.scene import SceneConfig
from audiojourney.data.scenes.source import Rendered, Source
from audiojourney.errors import UsageError

RATE = 8000
# Dry, and as loud as asked.
PLAIN = SceneConfig(duration_s=4.0, rate_hz=RATE, room_share=0.0, near_share=0.0, far_share=0.0)


def tone(hz):
    def render(rng, samples, rate_hz):
        wave = 0.5 * np.sin(2 * np.pi * hz * np.arange(samples) / rate_hz + rng.uniform(0, 6))
        return Rendered(wave.astype(np.float32), ((0.0, samples / rate_hz),))

    return render


def bursts(hz, starts, length_s=0.3):
    """Tone bursts at given shares of the length."""

    def render(rng, samples, rate_hz):
        wave, events = np.zeros(samples), []
        for share in starts:
            start, size = round(share * samples), round(min(length_s, 0.1 * samples / rate_hz) * rate_hz)
            wave[start : start + size] += 0.9 * np.sin(2 * np.pi * hz * np.arange(size) / rate_hz)
            events.append((start / rate_hz, (start + size) / rate_hz))
        return Rendered(wave.astype(np.float32), tuple(events), {"count": str(len(starts))})

    return render


# Stand-ins, told apart by their frequencies: rain 300 Hz, wind 500 Hz, a dog early at 1000 Hz, glass late at 2000 Hz.
STAND_INS = {
    "rain": Source("rain", "weather", tone(300), continuous=True),
    "wind": Source("wind", "weather", tone(500), continuous=True),
    "dog": Source("dog", "animals", bursts(1000, (0.05, 0.2, 0.3)), continuous=False),
    "glass": Source("glass", "people", bursts(2000, (0.8,)), continuous=False),
}
HZ = {"rain": 300, "wind": 500, "dog": 1000, "glass": 2000}


def band(wave, hz):
    """What lies within 50 Hz of a frequency."""
    size = 2 * len(wave)  # silence behind it, so that nothing wraps around
    frequency = np.fft.rfftfreq(size, 1 / RATE)
    return np.fft.irfft(np.where(abs(frequency - hz) < 50, np.fft.rfft(wave, size), 0), size)[: len(wave)]


def times_of(scene, concept):
    """Seconds at which a concept is heard in the mix."""
    wave = abs(band(scene.wave, HZ[concept]))
    return np.flatnonzero(wave > 0.2 * wave.max()) / RATE


def level_of(scene, concept):
    """Level over the concept's own events, measured in the mix."""
    wave = band(scene.wave, HZ[concept])
    inside = np.zeros(len(wave), bool)
    for event in scene.events:
        if event.label == concept:
            inside[round(event.start_s * RATE) : round(event.end_s * RATE)] = True
    return 10 * np.log10(np.mean(wave[inside] ** 2))


def stand_in(seed, config=PLAIN, **fixed):
    return compose(seed, config, sources=STAND_INS, **fixed)


@pytest.mark.parametrize("concepts", [("rain",), ("dog",), ("rain", "dog"), ("wind", "glass"), ("rain", "wind", "dog")])
def test_levels_are_what_was_asked(concepts):
    config = replace(PLAIN, level_db=(-24.0, -24.0), spread_db=0.0)
    relation = "single" if len(concepts) == 1 else "together"
    for seed in range(5):
        scene = stand_in(seed, config, concepts=concepts, relation=relation)
        for sound in scene.placed:
            assert sound.level_db == pytest.approx(-24.0, abs=1e-9)
            assert level_of(scene, sound.concept) == pytest.approx(-24.0, abs=0.5)


@pytest.mark.parametrize("seed", range(6))
def test_told_levels_are_the_measured_ones(seed):
    scene = stand_in(seed, replace(PLAIN, level_db=(-30.0, -6.0)), concepts=("wind", "dog"), relation="background")
    for sound in scene.placed:
        assert level_of(scene, sound.concept) == pytest.approx(sound.level_db, abs=0.5)


def test_background_lies_below_the_foreground_by_what_was_asked():
    config = replace(PLAIN, background_db=(9.0, 9.0), spread_db=0.0)
    front, behind = stand_in(3, config, concepts=("dog", "rain"), relation="background").placed
    assert (front.concept, front.role, behind.concept, behind.role) == ("dog", "foreground", "rain", "background")
    assert front.level_db - behind.level_db == pytest.approx(9.0)


def test_a_scene_that_would_clip_becomes_quieter_and_says_so():
    loud = replace(PLAIN, level_db=(-1.0, -1.0), spread_db=0.0)
    scene = stand_in(0, loud, concepts=("rain", "dog"), relation="together")
    assert np.abs(scene.wave).max() == pytest.approx(loud.peak, abs=1e-4)
    assert scene.placed[0].level_db < -3.0
    for sound in scene.placed:
        assert level_of(scene, sound.concept) == pytest.approx(sound.level_db, abs=0.5)


@pytest.mark.parametrize("concepts", [("dog", "rain"), ("rain", "dog"), ("glass", "dog"), ("wind", "glass", "dog")])
def test_sequence_follows_the_order_asked_for(concepts):
    for seed in range(8):
        scene = stand_in(seed, concepts=concepts, relation="sequence")
        assert scene.labels == concepts
        starts = [min(event.start_s for event in scene.events if event.label == name) for name in concepts]
        ends = [max(event.end_s for event in scene.events if event.label == name) for name in concepts]
        assert starts == sorted(starts)
        assert ends == sorted(ends)
        heard = [times_of(scene, name) for name in concepts]
        for earlier, later in itertools.pairwise(heard):
            assert later[0] > earlier[-1] - 0.4, "sounds in sequence overlap shortly at most"


@pytest.mark.parametrize("seed", range(12))
def test_events_and_labels_are_in_the_order_of_time(seed):
    scene = stand_in(seed)
    starts = [event.start_s for event in scene.events]
    assert starts == sorted(starts)
    assert tuple(dict.fromkeys(event.label for event in scene.events)) == scene.labels
    assert all(0 <= event.start_s < event.end_s <= PLAIN.duration_s for event in scene.events)


def test_sounds_that_are_together_overlap_in_time():
    apart = stand_in(0, concepts=("dog", "glass"), relation="sequence")
    assert mixing.shift_to_meet(((3.0, 3.5),), ((0.5, 1.0),)) == pytest.approx(-2.5)
    together = stand_in(0, concepts=("dog", "glass"), relation="together")
    dog, glass = together.placed
    assert glass.start_s < dog.end_s
    assert apart.placed[1].start_s > apart.placed[0].end_s
    heard = times_of(together, "glass")
    assert heard[[0, -1]] == pytest.approx([glass.start_s, glass.end_s], abs=0.05)


def noise(rng, samples, rate_hz):
    return Rendered(0.1 * rng.standard_normal(samples).astype(np.float32), ((0.0, samples / rate_hz),))


def test_far_is_quieter_duller_and_more_reverberant_than_near():
    sources = {"dog": STAND_INS["dog"], "rain": Source("rain", "weather", noise, continuous=True)}
    nearby, far_off = replace(PLAIN, near_share=1.0), replace(PLAIN, far_share=1.0, far_cutoff_hz=(800, 800))
    near, far = (compose(1, config, concepts=("dog",), sources=sources) for config in (nearby, far_off))
    assert [scene.placed[0].attributes["distance"] for scene in (near, far)] == ["near", "far"]
    assert far.placed[0].level_db <= near.placed[0].level_db - PLAIN.far_db[0]
    pause = slice(round(0.40 * PLAIN.duration_s * RATE), round(0.50 * PLAIN.duration_s * RATE))
    tails = [np.sqrt(np.mean(scene.wave[pause] ** 2)) / np.abs(scene.wave).max() for scene in (near, far)]
    assert tails[0] < 1e-4 < 1e-2 < tails[1]
    near, far = (compose(1, config, concepts=("rain",), sources=sources) for config in (nearby, far_off))
    treble = [np.std(np.diff(scene.wave)) / np.std(scene.wave) for scene in (near, far)]
    assert treble[1] < 0.8 * treble[0]


def test_far_away_takes_the_treble_and_leaves_the_bass():
    bright = mixing.far_away(np.sin(np.arange(RATE) * 2.5), RATE, 1500.0)
    dull = mixing.far_away(np.sin(np.arange(RATE) * 0.1), RATE, 1500.0)
    assert np.abs(bright[500:-500]).max() < 0.6 < 0.95 < np.abs(dull[500:-500]).max()


def test_a_recipe_that_is_far_stays_far():
    def far_dog(rng, samples, rate_hz):
        return replace(bursts(1000, (0.1,))(rng, samples, rate_hz), attributes={"distance": "far"})

    sources = {"dog": Source("dog", "animals", far_dog, continuous=False)}
    scene = compose(0, replace(PLAIN, near_share=1.0), concepts=("dog",), sources=sources)
    assert scene.placed[0].attributes["distance"] == "far"


def test_soft_sounds_are_never_far():
    sources = {"heartbeat": Source("heartbeat", "people", tone(60), continuous=True)}
    config = replace(PLAIN, far_share=1.0)
    assert "distance" not in compose(0, config, concepts=("heartbeat",), sources=sources).placed[0].attributes


def test_the_counts_in_captions_are_the_number_of_events():
    config = replace(PLAIN, captions=8)
    for seed in range(6):
        scene = stand_in(seed, config, concepts=("dog", "rain"), relation="sequence")
        assert sum(event.label == "dog" for event in scene.events) == 3
        told = " ".join(scene.captions)
        assert not any(word in told for word in ("one bark", "two bark", "four bark", "twice", "once"))


def test_equal_seeds_give_equal_scenes_and_others_do_not():
    first, again, other = (stand_in(seed) for seed in (5, 5, 6))
    assert first.wave.tobytes() == again.wave.tobytes()
    assert (first.captions, first.events, first.labels) == (again.captions, again.events, again.labels)
    assert first.wave.tobytes() != other.wave.tobytes()


def test_number_of_captions_does_not_change_the_sound():
    few, many = (stand_in(9, replace(PLAIN, captions=count)) for count in (1, 6))
    assert few.wave.tobytes() == many.wave.tobytes()
    assert (len(few.captions), len(many.captions)) == (1, 6)


def test_shares_of_counts_and_relations():
    rng = np.random.default_rng(0)
    plans = [planning.draw(rng, SceneConfig(), SOURCES) for _ in range(1500)]
    counts = np.bincount([len(plan.parts) for plan in plans], minlength=4)[1:] / len(plans)
    assert counts == pytest.approx(SceneConfig().count_weights, abs=0.05)
    mixed = [plan.relation for plan in plans if len(plan.parts) > 1]
    shares = [mixed.count(relation) / len(mixed) for relation in ("together", "background", "sequence")]
    assert shares == pytest.approx(SceneConfig().relation_weights, abs=0.06)
    assert {part.concept for plan in plans for part in plan.parts} == set(SOURCES)


def test_alike_sounds_are_never_drawn_together_but_may_follow_each_other():
    rng = np.random.default_rng(1)
    alike = {"rain", "rain_tin"}
    sources = {name: SOURCES[name] for name in ("rain", "rain_tin", "dog", "owl")}
    config = replace(PLAIN, count_weights=(0, 1, 0))
    drawn = [planning.draw(rng, config, sources) for _ in range(300)]
    found = {plan.relation for plan in drawn if {part.concept for part in plan.parts} == alike}
    assert found == {"sequence"}


@pytest.mark.parametrize("relation", ["sequence", "together", "background"])
def test_a_relation_alone_may_be_asked_for(relation):
    scene = stand_in(2, relation=relation)
    assert scene.relation == relation
    assert len(scene.placed) > 1
    assert stand_in(2, relation="single").relation == "single"


@pytest.mark.parametrize(
    ("asked", "complaint"),
    [
        ({"concepts": ("dgo",)}, "'dgo'.*'dog'"),
        ({"concepts": ("baby_cry",)}, "'baby_cry'"),
        ({"concepts": ("dog", "dog")}, "dog, dog"),
        ({"concepts": ("dog", "rain"), "relation": "single"}, "2 sounds cannot have the relation 'single'"),
        ({"concepts": ("dog", "rain", "wind", "glass")}, "4 sounds"),
    ],
)
def test_impossible_scenes_are_refused(asked, complaint):
    with pytest.raises(UsageError, match=complaint):
        stand_in(0, **asked)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("duration_s", 0.5),
        ("duration_s", float("nan")),
        ("rate_hz", 4000),
        ("peak", 0.0),
        ("captions", 0),
        ("count_weights", (0, 0, 0)),
        ("relation_weights", (1, -1, 1)),
    ],
)
def test_impossible_settings_are_refused(setting, value):
    with pytest.raises(UsageError, match=setting):
        SceneConfig(**{setting: value})


def test_active_level_leaves_out_pauses():
    sound = np.sin(2 * np.pi * 440 * np.arange(RATE) / RATE)
    paused = np.concatenate([sound, 1e-3 * np.tile(sound, 9)])
    assert mixing.active_level_db(sound, RATE) == pytest.approx(-3.01, abs=0.01)
    assert mixing.active_level_db(paused, RATE) == pytest.approx(-3.01, abs=0.01)
    assert mixing.active_level_db(np.zeros(RATE), RATE) == -float("inf")


@pytest.mark.parametrize("name", SOURCES)
def test_real_sources_make_sound_scenes(name):
    config = SceneConfig(duration_s=1.5, rate_hz=16_000)
    other = "owl" if name != "owl" else "rain"
    scene = compose(0, config, concepts=(name, other), relation="sequence")
    assert scene.wave.shape == (24_000,)
    assert scene.wave.dtype == np.float32
    assert np.isfinite(scene.wave).all()
    assert 0.02 < np.abs(scene.wave).max() <= config.peak + 1e-6
    assert scene.labels == (name, other)
    assert len(set(scene.captions)) == 4
