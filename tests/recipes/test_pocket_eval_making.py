"""Clips to measure: recordings, fresh scenes, generated clips and their cache, training clips of the judges."""

from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from audiojourney import model_folder
from audiojourney.data.manifest import read_clips
from audiojourney.data.scenes.catalogue import SOURCES
from audiojourney.errors import AudioJourneyError, MissingError
from audiojourney.recipes.pocket_eval import judges, making, sounds
from audiojourney.recipes.pocket_eval.prompts import Order
from audiojourney.recipes.pocket_eval.settings import (
    HELD_OUT_FOLD,
    OTHER_REAL_SEEDS,
    PAIR_SEEDS,
    REAL_SEEDS,
    SEEN_FOLDS,
)
from tests.recipes.pocket_doubles import write_recordings


class Tones:
    """A generator that writes its seed into its pitch, and counts what it is asked for."""

    name = "tones"

    def __init__(self, value=0.5):
        self.calls, self.value = [], value

    def generate(self, prompts, seeds, sampling):
        self.calls.append((tuple(prompts), tuple(seeds), sampling.duration_s))
        t = torch.arange(round(16_000 * sampling.duration_s)) / 16_000
        return torch.stack([self.value * torch.sin(2 * torch.pi * (200 + 50 * seed) * t) for seed in seeds])


ORDER = Order(("one", "two", "three"), ("dog", "cat", "cow"), 7, 0.5)


def test_clips_are_made_in_batches_and_only_once():
    tones = Tones()
    first = making.make(tones, "weights", ORDER, 2)
    assert tones.calls == [(("one", "two"), (7, 8), 0.5), (("three",), (9,), 0.5)]
    again = making.make(tones, "weights", ORDER, 2)
    assert len(tones.calls) == 2
    assert first.concepts == again.concepts == ORDER.concepts
    assert all(torch.equal(a, b) for a, b in zip(first.mels, again.mels, strict=True))
    assert first.mels[0].shape == (50, 64) and first.mels[0].dtype == torch.float32
    assert int(first.mels[0].mean(dim=0).argmax()) < int(first.mels[2].mean(dim=0).argmax())


@pytest.mark.parametrize(
    ("key", "order", "batch"),
    (("others", ORDER, 2), ("weights", ORDER, 3), ("weights", Order(*[ORDER.prompts, ORDER.concepts, 8, 0.5]), 2)),
)
def test_other_weights_seeds_or_batches_are_other_clips(key, order, batch):
    tones = Tones()
    making.make(tones, "weights", ORDER, 2)
    made = len(tones.calls)
    making.make(tones, key, order, batch)
    assert len(tones.calls) > made


def test_a_sound_that_is_not_finite_is_told():
    with pytest.raises(AudioJourneyError, match="2 of 2 sounds of tones are not finite"):
        making.make(Tones(float("nan")), "weights", ORDER, 2)


def test_weights_are_named_by_all_parts(tmp_path):
    for name, settings in (("part", {}), ("whole", {"text": str(tmp_path / "part"), "vocoder": "griffin-lim"})):
        model_folder.write_model(tmp_path / name, {"kind": name, "model": settings}, {"w": torch.zeros(2)})
    before = making.weights_key(str(tmp_path / "whole"))
    assert making.weights_key(str(tmp_path / "whole")) == before
    model_folder.write_weights(tmp_path / "part", {"w": torch.ones(2)})
    assert making.weights_key(str(tmp_path / "whole")) != before


def test_recordings_are_chosen_by_fold(tmp_path):
    folder = write_recordings(tmp_path)
    found = sounds.read_recordings(folder, (1, 2))
    assert len(found) == 20 and set(found.concepts) == set(sounds.RECORDED)
    assert len(sounds.find_recordings(folder, (4,))) == 10
    with pytest.raises(MissingError, match=r"folds \[5\].*--recordings"):
        sounds.find_recordings(folder, (1, 5))
    with pytest.raises(MissingError, match=r"no recordings at.*--recordings"):
        sounds.find_recordings(tmp_path / "absent", (1,))


def test_fresh_scenes_follow_from_their_seeds():
    first, again, other = (sounds.fresh(("dog", "rain"), 2, seed, 1.5) for seed in (REAL_SEEDS, REAL_SEEDS, 5))
    assert first.concepts == ("dog", "dog", "rain", "rain")
    assert all(np.array_equal(a, b) for a, b in zip(first.waves, again.waves, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(first.waves, other.waves, strict=True))
    assert not np.array_equal(first.waves[0], first.waves[1])
    assert first.heard().mels[0].shape == (150, 64)


def test_level_is_not_heard():
    wave = sounds.fresh(("rain",), 1, 3, 1.0).waves[0]
    assert torch.allclose(sounds.hear(wave), sounds.hear(0.1 * wave), atol=1e-4)


def test_every_sound_is_recorded_or_synthesised():
    assert len(sounds.RECORDED) == 10 and len(sounds.SYNTHESISED) == 39
    assert set(sounds.SYNTHESISED) <= set(SOURCES)


def tiny(recipe):
    from dataclasses import replace

    loop = replace(recipe.loop, steps=2, batch=4, ema=None, dtype="fp32")
    return replace(recipe, per_concept=10, duration_s=1.0, speeds=(0.9,), widths=(8, 8, 8, 8), loop=loop)


@pytest.fixture
def two_sources(monkeypatch):
    monkeypatch.setattr(judges, "SOURCES", {name: SOURCES[name] for name in ("rain", "siren")})


def test_training_clips_of_a_judge(tmp_path, two_sources):
    recordings = write_recordings(tmp_path / "esc")
    judges.write_training_clips(tiny(judges.STRICT), recordings, tmp_path / "clips")
    written = read_clips(tmp_path / "clips")
    folds = [clip.fold for clip in written]
    assert (folds.count(4), folds.count(1), folds.count(None)) == (20, 10, 20)
    slow = next(clip for clip in written if clip.path.name == "4-0-0.9.flac")
    assert sounds.load_clip(slow, 16_000).size == pytest.approx(0.6 * 16_000 / 0.9, abs=2)
    assert sum(clip.labels == ("siren",) for clip in written) == 10


def test_a_judge_is_trained_once(tmp_path, two_sources, monkeypatch):
    recordings, said = write_recordings(tmp_path / "esc"), []
    first = judges.open_judge(tiny(judges.STRICT), recordings, said.append)
    assert said and set(first.classes) == {*sounds.RECORDED, "siren"}
    monkeypatch.setattr(judges, "train", None)
    again = judges.open_judge(tiny(judges.STRICT), recordings, said.append)
    assert len(said) == 1
    mels = sounds.read_recordings(recordings, (1,)).heard().mels
    assert torch.equal(first.probabilities(mels), again.probabilities(mels))
    assert first.features(mels).shape == (10, 16) and first.features(mels).dtype == np.float64
    assert first.named(mels) == [first.classes[int(i)] for i in first.probabilities(mels).argmax(dim=1)]


def test_clips_of_any_length_keep_their_place():
    by_length = judges.Judge(SimpleNamespace(config=SimpleNamespace(classes=())), judges.STRICT)
    by_length.listener.features = lambda mel: torch.full((len(mel), 1), float(mel.shape[1]))
    lengths = [5, 9, 5, 7, 9]
    assert by_length.features([torch.zeros(n, 3) for n in lengths])[:, 0].tolist() == lengths


def test_the_strict_judge_shares_no_clip_with_any_training():
    assert not set(judges.STRICT.folds) & set(SEEN_FOLDS) and judges.STRICT.folds == (HELD_OUT_FOLD,)
    assert not set(judges.LENIENT.folds) & set(judges.LENIENT.test_folds)
    firsts = [judges.STRICT.first_seed, judges.LENIENT.first_seed, REAL_SEEDS, OTHER_REAL_SEEDS, PAIR_SEEDS]
    assert min(firsts) >= 10_000_000 and firsts == sorted(firsts)
    assert min(b - a for a, b in pairwise(firsts)) > 49 * 1000
    assert judges.STRICT.widths != judges.LENIENT.widths and judges.STRICT.loop.seed != judges.LENIENT.loop.seed
