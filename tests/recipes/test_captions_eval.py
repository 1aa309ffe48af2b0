"""Measuring the captioner and the scorer, with doubles that hear what they are told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from audiojourney.captions import pocket_wording
from audiojourney.captions.base import Answer, Subject
from audiojourney.data.clip import Caption, Clip
from audiojourney.data.manifest import write_clips
from audiojourney.data.scenes.captions import Slots
from audiojourney.data.write import save_audio
from audiojourney.errors import MissingError
from audiojourney.model_folder import read_config
from audiojourney.recipes.captions_eval import calibrate, captioning, filtering, mixtures, run, scoring
from audiojourney.recipes.captions_eval.mixtures import Mixture
from audiojourney.recipes.captions_eval.settings import CaptionsEvalConfig
from audiojourney.recipes.pocket_eval.sounds import Sounds
from tests.pocket_models import write_hearing


class Parrot:
    """Says of every clip what it was given to say."""

    name, kind, sample_rate_hz = "parrot", "model", 16_000

    def __init__(self, meanings: Sequence[Slots]) -> None:
        self.meanings = meanings

    def caption(self, subjects: Sequence[Subject], count: int) -> list[Answer]:
        said = (pocket_wording.word(m, np.random.default_rng(i), count) for i, m in enumerate(self.meanings))
        told = zip(self.meanings, said, strict=True)
        return [Answer(tuple(Caption(text) for text in texts), raw=f"{m.relation} ...") for m, texts in told]


def two(first: str, second: str, relation: str) -> Slots:
    return Slots(first=first, second=second, relation=relation)  # type: ignore[arg-type]


def sounds(*concepts: str) -> Sounds:
    rng = np.random.default_rng(0)
    return Sounds(concepts, tuple(0.1 * rng.standard_normal(16_000).astype(np.float32) for _ in concepts))


def test_captions_that_name_the_sound_count_one_by_one() -> None:
    heard = sounds("dog", "cow", "rain", "owl")
    said = [Slots(first=name, second=None, relation="single") for name in ("dog", "cow", "rain", "bee")]
    figure, alone = captioning.single(Parrot(said), heard, 3, "clips", counts=True)
    assert alone.reached == 0.75 and not alone.failed
    assert figure.reached == 0.75 and figure.failed and figure.clips == 4
    assert figure.detail["classes"]["owl"] == 0 and "bee" in figure.detail["wrong"]["owl"][0].lower()
    assert 0 <= figure.chance < 0.2


def test_both_must_be_named_and_the_first_one_first() -> None:
    right = [two("dog", "rain", "sequence"), two("owl", "wind", "background"), two("cow", "saw", "together")]
    wave = np.zeros(16, np.float32)
    mixed = [Mixture(wave, slots) for slots in right]
    both, order = captioning.double(Parrot(right), mixed, 4, "clips")
    assert both.reached == 1 and order.reached == 1 and order.clips == 2
    turned = [two("rain", "dog", "sequence"), two("owl", "wind", "sequence"), two("cow", "bee", "together")]
    both, order = captioning.double(Parrot(turned), mixed, 4, "clips")
    assert both.reached == pytest.approx(2 / 3) and order.reached == 0


@pytest.mark.parametrize(
    ("text", "relation", "right"),
    [
        ("a dog barking, then rain", "sequence", True),
        ("rain after a dog barking", "sequence", False),
        ("a dog barking and rain", "sequence", False),
        ("a dog barking over rain", "background", True),
        ("a dog hovering by rain", "background", False),
    ],
)
def test_order_and_foreground_must_be_said_in_words(text: str, relation: str, right: bool) -> None:
    assert captioning.tells(text, two("dog", "rain", relation)) is right


def test_mixtures_are_of_two_sounds_in_all_relations() -> None:
    mixed = mixtures.of_recordings(sounds("dog", "rain", "cow"), 9, np.random.default_rng(0))
    assert [m.slots.relation for m in mixed[:3]] == ["sequence", "background", "together"]
    assert all(m.slots.first != m.slots.second and np.abs(m.wave).max() <= 0.951 for m in mixed)
    assert len(mixed[0].wave) > 1.9 * 16_000 and len(mixed[1].wave) <= 16_000
    both = mixtures.with_scenes(sounds("dog"), sounds("owl"), 6, np.random.default_rng(0))
    assert all({m.slots.first, m.slots.second} == {"dog", "owl"} for m in both)


def test_silence_at_the_ends_is_cut() -> None:
    wave = np.zeros(32_000, np.float32)
    wave[10_000:20_000] = 0.5
    assert 10_000 <= len(mixtures.audible(wave)) <= 10_700
    assert len(mixtures.audible(np.eye(1, 32_000, 5_000, dtype=np.float32)[0])) == 8_000


def test_the_equal_error_point_becomes_the_middle() -> None:
    rng = np.random.default_rng(0)
    matched, others = rng.normal(0.6, 0.1, 4000), rng.normal(0.1, 0.1, 40_000)
    found = calibrate.fit(matched, others)
    assert found.centre == pytest.approx(0.35, abs=0.01)
    assert found.slope == pytest.approx(50, rel=0.1)  # difference of the means over the variance
    assert (matched < found.centre).mean() == pytest.approx((others > found.centre).mean(), abs=0.002)


def test_pairs_are_ranked_and_told_apart() -> None:
    scores = np.array([[0.9, 0.1], [0.6, 0.4]])
    pairs = scoring.Pairs(scores, ("dog", "cow"), ("dog", "cow"))
    assert pairs.first() == 0.5 and pairs.auc == 0.5 + 0.25
    assert pairs.of(("dog",), ("dog", "cow")).scores.shape == (1, 2)
    assert scoring.cuts(pairs)["0.45"] == (0.5, 0.5)


@pytest.fixture
def recordings(tmp_path: Path) -> Path:
    folder, clips = tmp_path / "recordings", []
    folder.mkdir()
    for i, label in enumerate(("rain", "dog bark", "rooster", "sneeze")):
        path = folder / f"{i}.wav"
        save_audio(path, sounds("dog").waves[0], 16_000)
        clips.append(Clip(path=path, id=path.name, labels=(label,), fold=4))
    write_clips(folder / "metadata.jsonl", clips)
    return folder


def test_all_of_it_is_measured_and_written(recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clap, captioner = write_hearing(tmp_path / "models")
    monkeypatch.setattr(run, "fresh", lambda *_: sounds("owl", "wind"))
    monkeypatch.setattr(calibrate, "fresh", lambda *_: sounds("owl", "wind"))
    calibrate.calibrate(str(clap), recordings)
    assert set(read_config(clap)["model"]["calibration"]) == {"centre", "slope", "middle", "step"}
    config = CaptionsEvalConfig(
        recordings=recordings, captioner=str(captioner), scorer=str(clap), mixtures=3, output=tmp_path / "page.md"
    )
    (tmp_path / "page.md").write_text("# Mine\n", encoding="utf-8")
    report = run.run(config)
    assert captioning.NAMED in report.unmet and len(report.figures) == 17
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert page.startswith("# Mine") and "make captions-eval" in page and "Gates missed" in page and "| 0.45 |" in page
    run.run(config)
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == page
    assert len(json.loads((tmp_path / "page.json").read_text(encoding="utf-8"))["figures"]) == 17


def test_recordings_are_needed() -> None:
    with pytest.raises(MissingError, match="no recordings"):
        run.run(CaptionsEvalConfig())


def test_a_filter_keeps_what_scores_high() -> None:
    class Judge:
        def score(self, waves: Sequence[np.ndarray], texts: Sequence[Sequence[str]]) -> list[list[float]]:
            return [[0.9 if "dog" in text else 0.1 for text in row] for row in texts]

    slots = Slots(first="dog", second=None, relation="single")
    found = [captioning.Captioned(("a dog", "a cow"), slots), captioning.Captioned(("a cow", "a hound"), slots)]
    figure = filtering.measure(Judge(), [np.zeros(1)] * 2, found)  # type: ignore[arg-type]
    assert (
        figure.reached == 1 and figure.chance == 0.5 and "0.25 of all" in figure.what and "0.50 of the" in figure.what
    )
