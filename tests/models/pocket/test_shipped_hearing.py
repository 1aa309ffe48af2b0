"""The shipped captioner and scorer on recordings that they were not trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from audiojourney.captions.names import CaptionerOptions, build_captioner
from audiojourney.data.scenes import lexicon
from audiojourney.data.scenes.captions import Slots
from audiojourney.models.clap.load import load_scorer
from audiojourney.recipes.captions_eval.captioning import caption
from audiojourney.recipes.pocket_eval.sounds import RECORDED, Sounds, fresh, read_recordings


@pytest.fixture(scope="module")
def some(shared_recordings: Path) -> Sounds:
    """Three recordings of each of the ten classes."""
    sounds = read_recordings(shared_recordings, (4,))
    chosen = [i for name in RECORDED for i in [k for k, n in enumerate(sounds.concepts) if n == name][:3]]
    return Sounds(tuple(sounds.concepts[i] for i in chosen), tuple(sounds.waves[i] for i in chosen))


def test_captions_name_what_sounds(some: Sounds) -> None:
    captioner = build_captioner("pocket", CaptionerOptions(device="cpu"))
    meanings = [Slots(first=name, second=None, relation="single") for name in some.concepts]
    found = caption(captioner, some.waves, meanings, 2)
    assert np.mean([right for clip in found for right in clip.named]) >= 0.85
    assert captioner.name.startswith("pocket/captioner@")


def test_the_true_title_scores_best_and_the_papers_thresholds_lie_between(some: Sounds) -> None:
    scorer = load_scorer("pocket")
    scores = np.array(scorer.score(some.waves, [[lexicon.title(name) for name in RECORDED]] * len(some)))
    true = np.array([RECORDED.index(name) for name in some.concepts])
    assert scorer.name == "clap_pocket" and (scores.argmax(axis=1) == true).mean() >= 0.8
    matched = scores[np.arange(len(true)), true]
    assert (matched > 0.5).mean() >= 0.8 and (scores < 0.35).mean() >= 0.8


def test_fresh_scenes_are_named_too() -> None:
    scenes = fresh(("siren", "typing", "stream", "cow"), 1, 64_000_000, 5.12)
    captioner = build_captioner("pocket", CaptionerOptions(device="cpu"))
    meanings = [Slots(first=name, second=None, relation="single") for name in scenes.concepts]
    assert sum(all(clip.named) for clip in caption(captioner, scenes.waves, meanings, 1)) >= 3
