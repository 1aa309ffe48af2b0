"""Audio language models on tiny random weights: one reading for many answers, draws by seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from audiojourney.errors import MissingError
from audiojourney.models.audio_lm import FLAMINGO, QWEN2, AudioLanguageModel, Sampling
from audiojourney.models.seeded import SeededSampling
from tests.models.audio_lms import save_flamingo, save_qwen

WAVES = [np.random.default_rng(i).normal(size=size).astype(np.float32) for i, size in enumerate((16_000, 40_000))]
SAMPLING = Sampling(max_tokens=8)
SEEDS = [[1, 2, 3], [4, 5, 6]]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, AudioLanguageModel]:
    folder = tmp_path_factory.mktemp("hub")
    return {
        "qwen": AudioLanguageModel(QWEN2, str(save_qwen(folder / "qwen"))),
        "flamingo": AudioLanguageModel(FLAMINGO, str(save_flamingo(folder / "flamingo"))),
    }


@pytest.mark.parametrize("name", ["qwen", "flamingo"])
def test_one_reading_gives_what_reading_for_each_answer_would(models: dict[str, AudioLanguageModel], name: str):
    model = models[name]
    inputs = model.chat(WAVES, "What is it?")
    assert (inputs["attention_mask"] == 0).any(), "the shorter sound is padded"
    repeated = {key: value.repeat_interleave(3, dim=0) for key, value in inputs.items()}
    rows = [seed for some in SEEDS for seed in some]
    draws = [SeededSampling(rows, [1.0] * 6, SAMPLING.top_p, SAMPLING.top_k)]
    plain = model.model.generate(**repeated, max_new_tokens=8, do_sample=False, logits_processor=draws, pad_token_id=1)
    texts = model.processor.tokenizer.batch_decode(plain[:, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    found = model.answer(inputs, SEEDS, SAMPLING)
    assert [text for some in found for text in some] == [text.strip() for text in texts]


@pytest.mark.parametrize("name", ["qwen", "flamingo"])
def test_answers_depend_on_sound_and_seed_alone(models: dict[str, AudioLanguageModel], name: str):
    model = models[name]
    together = model.answer(model.chat(WAVES, "What is it?"), SEEDS, SAMPLING)
    for i in range(2):
        assert model.answer(model.chat(WAVES[i : i + 1], "What is it?"), [SEEDS[i]], SAMPLING) == [together[i]]
    assert len(set(together[0])) == 3
    likeliest = model.answer(model.chat(WAVES, "What is it?"), SEEDS, Sampling(max_tokens=8, temperature=0))
    assert len(set(likeliest[0])) == 1


def test_the_base_model_goes_on_behind_a_text(models: dict[str, AudioLanguageModel]):
    inputs = models["qwen"].plain(WAVES, "<|audio_bos|><|AUDIO|><|audio_eos|>Caption:")
    shown = models["qwen"].processor.tokenizer.decode(inputs["input_ids"][1])
    assert shown.count("<|AUDIO|>") == 62 and shown.endswith("<|audio_eos|>Caption:</s>")
    assert models["qwen"].sample_rate_hz == 16_000


def test_half_precision_reads_sounds_too(tmp_path: Path):
    model = AudioLanguageModel(QWEN2, str(save_qwen(tmp_path)), dtype="bf16")
    assert model.model.dtype == torch.bfloat16
    assert len(model.answer(model.chat(WAVES, "What?"), [[1], [2]], SAMPLING)) == 2


def test_a_folder_without_the_model(tmp_path: Path):
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(MissingError, match="holds no processor"):
        AudioLanguageModel(QWEN2, str(tmp_path))
