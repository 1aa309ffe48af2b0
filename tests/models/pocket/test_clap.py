"""The pocket audio-text model and the scorer made of it, with random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from audiojourney.captions.base import Scorer
from audiojourney.errors import MissingError, UsageError
from audiojourney.models.pocket.clap import Calibration, describe_sentences, sentence_width
from audiojourney.models.pocket.folders import load_text
from audiojourney.models.pocket.scorer import PocketScorer, load_pocket_scorer, prepared
from audiojourney.models.pocket.trunk import SoundTrunk, pool, views
from tests.pocket_models import TRUNK, write_hearing

TEXTS = ["rain", "a whistle then rain", "violin"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_hearing(tmp_path_factory.mktemp("models") / "hearing")[0]


@pytest.fixture(scope="module")
def scorer(folder: Path) -> PocketScorer:
    return load_pocket_scorer(str(folder))


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    return 0.2 * np.random.default_rng(seed).standard_normal(int(16_000 * seconds)).astype(np.float32)


def test_views_are_free_of_loudness_and_the_second_one_of_colour() -> None:
    mel = torch.randn(2, 64, 64)
    assert torch.allclose(views(mel), views(mel + 3.0), atol=1e-5)
    coloured = mel + torch.linspace(-1, 1, 64)
    assert torch.allclose(views(coloured)[:, 1], views(mel)[:, 1], atol=1e-5)
    assert not torch.allclose(views(coloured)[:, 0], views(mel)[:, 0], atol=0.1)


def test_digital_silence_sounds_like_a_quiet_room() -> None:
    mel = torch.full((1, 64, 64), -11.5)
    mel[:, :20] = 2.0
    assert torch.allclose(views(mel), views(mel.clamp(min=-6.5)))


@pytest.mark.parametrize("frames", [32, 96, 100, 1000])
def test_the_trunk_takes_any_length(frames: int) -> None:
    trunk = SoundTrunk(TRUNK).eval()
    features = trunk(torch.randn(2, frames, 64))
    assert features.shape[0] == 2 and features.shape[2] == TRUNK.features
    assert frames // TRUNK.stride <= features.shape[1] <= frames // TRUNK.stride + 1
    assert pool(features).shape == (2, 2 * TRUNK.features)


def test_sentences_are_described_by_fixed_numbers(folder: Path) -> None:
    text = load_text(folder.parent / "text")
    described = describe_sentences(text, TEXTS)
    assert described.shape == (3, sentence_width(text)) and torch.isfinite(describe_sentences(text, [""])).all()
    shaken = describe_sentences(text, TEXTS, torch.ones(3, 10, 16))
    assert not torch.allclose(described, shaken)


def test_scores_come_one_a_text_and_do_not_depend_on_the_batch(scorer: PocketScorer) -> None:
    assert isinstance(scorer, Scorer) and scorer.name == "clap_pocket" and scorer.model.startswith("clap@")
    waves = [noise(0.2), noise(2.0, 1), noise(25.0, 2)]
    scores = scorer.score(waves, [TEXTS, TEXTS[:1], []])
    assert [len(row) for row in scores] == [3, 1, 0]
    assert scores[1] == scorer.score([waves[1]], [TEXTS[:1]])[0]
    assert all(0 <= value <= 1 for row in scores for value in row)


def test_loudness_changes_no_score_and_silence_scores_nothing(scorer: PocketScorer) -> None:
    loud, soft, silent = scorer.score([noise(2.0), 0.001 * noise(2.0), 0 * noise(2.0)], [TEXTS] * 3)
    assert loud == pytest.approx(soft, abs=1e-4)
    assert silent == [0.0, 0.0, 0.0]


def test_a_short_sound_is_followed_by_silence() -> None:
    wave = prepared(noise(0.2))
    assert len(wave) == 16_000 and not wave[3200:].any() and np.abs(wave).max() == pytest.approx(0.5)


def test_what_cannot_be_scored_is_refused(scorer: PocketScorer, folder: Path) -> None:
    with pytest.raises(UsageError, match="shape"):
        scorer.score([np.zeros(0, np.float32)], [["rain"]])
    with pytest.raises(UsageError, match="2 sounds"):
        scorer.score([noise(1), noise(1)], [["rain"]])
    with pytest.raises(MissingError, match="pocket-clap"):
        load_pocket_scorer(str(folder.parent / "captioner"))


@given(low=st.floats(-1, 1), gain=st.floats(0.001, 0.5), slope=st.floats(0.5, 30), centre=st.floats(-0.5, 0.8))
def test_calibration_grows_and_has_its_middle_at_the_equal_error_point(
    low: float, gain: float, slope: float, centre: float
) -> None:
    calibration = Calibration(slope=slope, centre=centre)
    assert 0 <= calibration.score(low) <= calibration.score(low + gain) <= 0.9
    assert calibration.score(centre) == pytest.approx(0.45)


def test_a_step_of_the_calibration_trebles_the_odds() -> None:
    calibration = Calibration(slope=10.0, centre=0.3)
    at = 0.3 + np.log(3) / 10
    assert calibration.score(float(at)) == pytest.approx(0.5, abs=1e-3)


def test_the_worst_pairs_are_still_told_apart() -> None:
    calibration = Calibration(slope=20.0, centre=0.4)
    assert calibration.score(-0.3) > calibration.score(-0.4) > 0
