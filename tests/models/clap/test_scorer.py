"""Scores of tiny random CLAPs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import ClapFeatureExtractor, ClapModel, ClapProcessor

from audiojourney.errors import UsageError
from audiojourney.models.clap.load import load_scorer
from audiojourney.models.clap.scorer import ClapOptions, EmbeddingScorer
from tests.models.clap.tiny import PREPROCESSOR, write_hub_folder

TEXTS = ["rain", "a dog barks in the yard", "thunder rolls over a tin roof"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_hub_folder(tmp_path_factory.mktemp("hub") / "tiny-clap")


@pytest.fixture(scope="module")
def scorer(folder: Path) -> EmbeddingScorer:
    return load_scorer(str(folder))


def noise(seconds: float, seed: int = 0) -> np.ndarray:
    """Return noise at 48 kHz whose colour depends on the seed."""
    wave = np.random.default_rng(seed).standard_normal(int(seconds * 48_000)).astype(np.float32)
    return 0.1 * (np.cumsum(wave) / 50 if seed % 2 else wave).astype(np.float32)


def test_scores_are_those_of_transformers(folder: Path, scorer: EmbeddingScorer):
    processor = ClapProcessor(ClapFeatureExtractor(**PREPROCESSOR), scorer.clap.tokenizer)
    wave = noise(3)
    batch = processor(text=TEXTS, audio=wave, sampling_rate=48_000, return_tensors="pt", padding=True)
    batch.pop("is_longer", None)
    model = ClapModel.from_pretrained(folder)
    with torch.no_grad():
        out = model(**batch)
        expected = (out.logits_per_audio / model.logit_scale_a.exp())[0]
    assert scorer.score([wave], [TEXTS])[0] == pytest.approx(expected.tolist(), abs=1e-4)
    assert (scorer.name, scorer.sample_rate_hz) == ("clap_laion", 48_000)


def test_each_wave_meets_its_own_texts(scorer: EmbeddingScorer):
    waves = [noise(1, 0), noise(2, 1), noise(12, 2)]
    together = scorer.score(waves, [TEXTS, [], TEXTS[1:]])
    assert [len(row) for row in together] == [3, 0, 2]
    assert together[2] == pytest.approx(scorer.score([waves[2]], [TEXTS[1:]])[0], abs=1e-5)
    assert all(-1 <= score <= 1 for row in together for score in row)
    assert scorer.score([], []) == []
    assert scorer.score(waves[:2], [[], []]) == [[], []]


def test_scores_do_not_depend_on_batches(folder: Path):
    waves = [noise(seconds, seed) for seed, seconds in enumerate((1, 25, 3, 11))]
    texts = [TEXTS, TEXTS[:1], TEXTS[::-1], TEXTS[2:]]
    for crop in ("centre", "windows"):
        one, many = (load_scorer(str(folder), options=ClapOptions(crop=crop, batch=size)) for size in (1, 16))
        for left, right in zip(one.score(waves, texts), many.score(waves, texts), strict=True):
            assert left == pytest.approx(right, abs=1e-5)


def test_a_text_is_read_once_while_it_is_remembered(folder: Path, monkeypatch: pytest.MonkeyPatch):
    scorer = load_scorer(str(folder), options=ClapOptions(texts_kept=2))
    read: list[str] = []
    original = scorer._read
    monkeypatch.setattr(scorer, "_read", lambda texts: (read.extend(texts), original(texts))[1])
    first = scorer.embed_text(["rain", "rain", "wind"])
    assert sorted(read) == ["rain", "wind"]
    assert np.array_equal(scorer.embed_text(["rain", "hail"])[0], first[0])
    assert read[2:] == ["hail"]
    scorer.embed_text(["wind"])  # the oldest was forgotten
    assert read[3:] == ["wind"]


def test_vectors_have_length_one(scorer: EmbeddingScorer):
    for vectors in (scorer.embed_audio([noise(1), np.zeros(480_000, np.float32)]), scorer.embed_text(["", "rain"])):
        assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1], abs=1e-5)
        assert vectors.dtype == np.float32
    assert scorer.embed_text([]).shape[0] == scorer.embed_audio([]).shape[0] == 0


def test_crops_differ_and_windows_are_averaged(folder: Path):
    wave = np.concatenate([noise(10, 0), noise(10, 1)])
    start, windows = (load_scorer(str(folder), options=ClapOptions(crop=crop)) for crop in ("start", "windows"))
    halves = start.embed_audio([wave[:480_000], wave[480_000:]])
    assert np.allclose(start.embed_audio([wave])[0], halves[0], atol=1e-6)
    mean = halves.mean(axis=0)
    assert np.allclose(windows.embed_audio([wave])[0], mean / np.linalg.norm(mean), atol=1e-5)
    assert windows.model == f"{start.model.removesuffix('+start')}+windows"


def test_sixteen_bits_are_heard_where_asked(folder: Path, scorer: EmbeddingScorer):
    quiet = noise(2) * 1e-4
    coarse = load_scorer(str(folder), options=ClapOptions(int16=True))
    rounded = (quiet * 32_767).astype(np.int16).astype(np.float32) / 32_767
    assert np.allclose(coarse.embed_audio([quiet]), scorer.embed_audio([rounded]), atol=1e-5)
    assert not np.allclose(coarse.embed_audio([quiet]), scorer.embed_audio([quiet]), atol=1e-3)
    assert coarse.model.endswith("+int16")


@pytest.mark.parametrize("dtype", ["bf16", "fp16"])
def test_half_precision_scores_nearly_the_same(dtype: str, folder: Path, scorer: EmbeddingScorer):
    half = load_scorer(str(folder), dtype=dtype)
    wave = noise(2)
    found, expected = half.score([wave], [TEXTS])[0], scorer.score([wave], [TEXTS])[0]
    assert found == pytest.approx(expected, abs=0.05)
    assert found != expected
    assert half.embed_text(["rain"]).dtype == np.float32


def test_a_text_has_one_vector_whatever_is_read_with_it(folder: Path):
    one, other = load_scorer(str(folder)), load_scorer(str(folder))
    assert np.array_equal(one.embed_text(TEXTS)[0], other.embed_text(TEXTS[:1])[0])


def test_what_cannot_be_meant_is_refused(folder: Path, scorer: EmbeddingScorer):
    with pytest.raises(UsageError, match="2 sounds came with 1"):
        scorer.score([noise(1), noise(1)], [TEXTS])
    with pytest.raises(UsageError, match=r"shape \(0,\)"):
        scorer.score([np.zeros(0, np.float32)], [TEXTS])
    with pytest.raises(UsageError, match="'int8'"):
        load_scorer(str(folder), dtype="int8")
    with pytest.raises(UsageError, match="batch of 0"):
        ClapOptions(batch=0)
