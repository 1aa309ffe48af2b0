"""The text encoders of GenAu on tiny random transformers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import ClapFeatureExtractor

from audiojourney.data.mel import CLAP, log_mel
from audiojourney.errors import MissingError, UsageError
from audiojourney.models import transformers_parts
from audiojourney.models.clap.cropping import fit_length
from audiojourney.models.clap.keys import clap_state
from audiojourney.models.clap.network import Clap
from audiojourney.models.genau.conditioner import GenAuConditioner
from audiojourney.models.genau.text_models import FlanT5
from audiojourney.models.transformers_parts import read_tokenizer
from tests.models.official_layout import (
    CLAP_WIDTH,
    T5_WIDTH,
    laion_state,
    save_tokenizer,
    tiny_clap,
    tiny_t5,
)


@pytest.fixture(scope="module")
def tokenizers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    folder = tmp_path_factory.mktemp("tokenizers")
    return {
        "clap": read_tokenizer(save_tokenizer(folder / "roberta-base", "<s>")),
        "t5": read_tokenizer(save_tokenizer(folder / "flan-t5-large", None)),
    }


@pytest.fixture
def clap(tokenizers: dict[str, object]) -> Clap:
    return Clap(tiny_clap(), tokenizers["clap"])


@pytest.fixture
def t5(tokenizers: dict[str, object]) -> FlanT5:
    return FlanT5(tiny_t5(), tokenizers["t5"])


def test_laion_names_give_the_model_of_transformers(tokenizers: dict[str, object]):
    original = tiny_clap()
    rebuilt = Clap.from_laion(laion_state(original), tokenizers["clap"])
    state = rebuilt.model.state_dict()
    assert state.keys() == original.state_dict().keys()
    for name, tensor in original.state_dict().items():
        assert torch.equal(state[name], tensor), name
    mel, pieces = torch.randn(1, 1, 1001, 64), torch.tensor([[0, 9, 8, 2]])
    with torch.no_grad():
        for one, other in zip(
            (rebuilt.model(input_ids=pieces, input_features=mel)).to_tuple()[:4],
            (original(input_ids=pieces, input_features=mel)).to_tuple()[:4],
            strict=True,
        ):
            assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            lambda s: {k: v for k, v in s.items() if not k.startswith("audio_branch")},
            "no tensors under 'audio_branch.'",
        ),
        (lambda s: {k: v for k, v in s.items() if "mlp.fc1.weight" not in k}, "intermediate.dense.weight"),
        (lambda s: {k: v for k, v in s.items() if "pooler" not in k}, "text_model.pooler.dense.weight"),
    ],
)
def test_missing_clap_tensors_are_named(tokenizers: dict[str, object], spoil, message: str):
    with pytest.raises(MissingError, match=message):
        Clap.from_laion(spoil(laion_state(tiny_clap())), tokenizers["clap"])


def test_fusion_is_refused():
    laion = {**laion_state(tiny_clap()), "audio_branch.patch_embed.mel_conv2d.weight": torch.zeros(1)}
    with pytest.raises(UsageError, match="fusion"):
        clap_state(laion)


@torch.no_grad()
def test_clap_vectors_have_length_one_and_do_not_depend_on_neighbours(clap: Clap):
    together = clap.text(["rain", "a dog barks in the yard"])
    torch.testing.assert_close(together.norm(dim=1), torch.ones(2))
    torch.testing.assert_close(clap.text(["rain"])[0], together[0], atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_clap_drops_texts_only_when_told_to(clap: Clap, tokenizers: dict[str, object]):
    torch.manual_seed(0)
    prompts = ["rain"] * 40
    assert torch.equal(clap.text(prompts), clap.text(prompts))
    empty, full = clap.text([""])[0], clap.text(["rain"])[0]
    dropping = Clap(tiny_clap(), tokenizers["clap"], drop=0.5).text(prompts)
    dropped = (dropping - empty).norm(dim=1) < 1e-4
    kept = (dropping - full).norm(dim=1) < 1e-4
    assert torch.equal(dropped, ~kept)
    assert 5 < int(dropped.sum()) < 35


@torch.no_grad()
def test_long_prompts_are_cut(clap: Clap, t5: FlanT5):
    long = "rain " * 10_000
    assert torch.equal(clap.text([long]), clap.text([long + " and a dog"]))
    assert torch.equal(t5.text([long]), t5.text([long + " and a dog"]))
    assert not torch.equal(t5.text([long[:100]]), t5.text([long]))


@torch.no_grad()
def test_t5_alone_averages_real_tokens(t5: FlanT5):
    pieces = t5.tokenizer(["a dog"], return_tensors="pt")
    hidden = t5.model(**{key: pieces[key] for key in ("input_ids", "attention_mask")}).last_hidden_state
    torch.testing.assert_close(t5.text(["a dog"]), hidden.mean(1))
    torch.testing.assert_close(t5.text(["a dog barks", "a dog"])[1:], hidden.mean(1))


@torch.no_grad()
def test_t5_together_averages_padding_too(tokenizers: dict[str, object]):
    official = FlanT5(tiny_t5(), tokenizers["t5"], together=True)
    prompts = ["a dog barks at a passing train", "rain"]
    pieces = official.tokenizer(prompts, padding=True, return_tensors="pt")
    hidden = official.model(input_ids=pieces.input_ids, attention_mask=pieces.attention_mask).last_hidden_state
    torch.testing.assert_close(official.text(prompts), hidden.mean(1))
    assert pieces.attention_mask[1].sum() < pieces.attention_mask.shape[1]
    assert (official.text(prompts)[1] - official.text(["rain"])[0]).abs().max() > 1e-3


@pytest.mark.parametrize("layout", ["encoder", "once", "whole", "bare"])
def test_layouts_of_t5(layout: str, tokenizers: dict[str, object]):
    original = tiny_t5()
    state = dict(original.state_dict())
    state["encoder.embed_tokens.weight"] = state["shared.weight"]
    if layout == "once":
        del state["encoder.embed_tokens.weight"]
    if layout == "whole":
        state |= {"decoder.block.0.layer.0.SelfAttention.q.weight": torch.zeros(2), "lm_head.weight": torch.zeros(2)}
    if layout == "bare":
        del state["shared.weight"]
        state = {name.removeprefix("encoder."): tensor for name, tensor in state.items()}
    with torch.no_grad():
        rebuilt = FlanT5.from_state(state, tokenizers["t5"])
        assert torch.equal(rebuilt.text(["rain"]), FlanT5(original, tokenizers["t5"]).text(["rain"]))


def test_t5_without_encoder_is_refused(tokenizers: dict[str, object]):
    with pytest.raises(MissingError, match="lacks its embedding or encoder"):
        FlanT5.from_state({"shared.weight": torch.zeros(2, 2)}, tokenizers["t5"])


@torch.no_grad()
def test_condition_is_clap_then_t5_with_the_dataset(clap: Clap, t5: FlanT5):
    condition = GenAuConditioner(clap, t5, "autocap").encode(["rain", ""])
    assert condition.pooled.shape == (2, CLAP_WIDTH + T5_WIDTH)
    torch.testing.assert_close(condition.pooled[:, :CLAP_WIDTH], clap.text(["rain", ""]))
    torch.testing.assert_close(condition.pooled[:, CLAP_WIDTH:], t5.text(["rain", ""]))
    assert condition.dataset_ids.tolist() == [9, 0]  # the empty prompt is unconditional in all three
    turned = GenAuConditioner(clap, t5, order=("t5", "clap")).encode(["rain"])
    torch.testing.assert_close(turned.pooled[0, :T5_WIDTH], condition.pooled[0, CLAP_WIDTH:])


def test_unknown_datasets_and_encoders_are_refused(clap: Clap, t5: FlanT5):
    with pytest.raises(UsageError, match=r"'audiocap'.*Did you mean 'audiocaps'"):
        GenAuConditioner(clap, t5, "audiocap")
    with pytest.raises(UsageError, match="bert"):
        GenAuConditioner(clap, t5, order=("clap", "bert"))


def test_clap_hears_the_spectrogram_that_transformers_makes():
    """Our front-end equals that of the published feature extractor."""
    wave = (0.1 * np.random.default_rng(0).standard_normal(3 * 48_000)).astype(np.float32)
    extractor = ClapFeatureExtractor(frequency_min=50, truncation="rand_trunc", padding="repeatpad")
    expected = extractor(wave, sampling_rate=48_000, return_tensors="pt")["input_features"][0, 0]
    found = log_mel(fit_length(torch.from_numpy(wave), 480_000), CLAP)
    torch.testing.assert_close(found, expected, atol=2e-3, rtol=1e-4)


@torch.no_grad()
def test_clap_hears_ten_seconds_at_any_rate(clap: Clap):
    generator = torch.Generator().manual_seed(0)
    long = torch.randn(1, 12 * 16_000, generator=generator)
    vectors = clap.audio(torch.cat([long, 0.1 * long.flip(1)]), 16_000)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(2))
    changed = long.clone()
    changed[:, -16_000:] = 0
    assert torch.equal(clap.audio(changed, 16_000), clap.audio(long, 16_000))
    assert not torch.equal(vectors[0], vectors[1])


@pytest.mark.parametrize(("length", "expected"), [(2, [1, 2]), (3, [1, 2, 3]), (7, [1, 2, 3, 1, 2, 3, 0])])
def test_short_sounds_repeat_whole(length: int, expected: list[int]):
    assert fit_length(torch.tensor([1, 2, 3]), length).tolist() == expected


def test_a_broken_transformers_is_one_sentence():
    with pytest.raises(MissingError, match=r"transformers.Nothing cannot be loaded.*aj doctor"):
        transformers_parts.transformers_class("models.clap.modeling_clap", "Nothing")


def test_a_folder_without_tokenizer_is_reported(tmp_path: Path):
    with pytest.raises(MissingError, match="holds no tokenizer"):
        read_tokenizer(tmp_path)


def test_gradients_stop_at_the_text_encoders(clap: Clap, t5: FlanT5):
    found: Tensor = GenAuConditioner(clap, t5).encode(["rain"]).pooled
    assert not found.requires_grad
