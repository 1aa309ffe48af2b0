"""BLIP-2 and sentence encoders, tiny and random."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import (
    BertConfig,
    BertModel,
    Blip2Config,
    Blip2ForConditionalGeneration,
    Blip2QFormerConfig,
    Blip2VisionConfig,
    OPTConfig,
    T5Config,
    T5EncoderModel,
)

from audiojourney.errors import MissingError, UsageError
from audiojourney.models.blip import MEAN, STD, FrameCaptioner
from audiojourney.models.sentences import SentenceEncoder
from tests.models.official_layout import save_tokenizer

SENTENCES = ["rain", "a dog barks in the yard", ""]


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> FrameCaptioner:
    folder = tmp_path_factory.mktemp("hub") / "tiny-blip"
    torch.manual_seed(0)
    small = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = Blip2Config(
        vision_config=Blip2VisionConfig(image_size=28, patch_size=14, **small),
        qformer_config=Blip2QFormerConfig(encoder_hidden_size=16, vocab_size=30, **small),
        text_config=OPTConfig(
            vocab_size=300, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, ffn_dim=16,
            word_embed_proj_dim=16, pad_token_id=1, bos_token_id=0, eos_token_id=2,
        ),
        num_query_tokens=4,
        image_token_index=299,
    )  # fmt: skip
    model = Blip2ForConditionalGeneration(config)
    with torch.no_grad():
        model.language_model.lm_head.weight *= 30
    model.save_pretrained(folder)
    save_tokenizer(folder, "<s>")
    return FrameCaptioner(str(folder))


def pictures() -> list[np.ndarray]:
    """Return pictures of different sizes."""
    draw = np.random.default_rng(0)
    return [draw.integers(0, 255, (20 + number, 40, 3), dtype=np.uint8) for number in range(3)]


def test_each_picture_is_described_on_its_own(blip: FrameCaptioner):
    together = blip.caption(pictures())
    assert together == [blip.caption([picture])[0] for picture in pictures()]
    assert blip.caption(pictures(), batch=2) == together
    assert blip.caption([]) == []
    assert all(isinstance(text, str) and "<s>" not in text for text in together)
    assert blip.revision == ""


def test_pictures_are_scaled_as_clip_wants_them(blip: FrameCaptioner):
    grey = np.full((50, 30, 3), 128, np.uint8)
    pixels = blip.pixels(grey)
    assert pixels.shape == (3, 28, 28)
    expected = (128 / 255 - torch.tensor(MEAN)) / torch.tensor(STD)
    torch.testing.assert_close(pixels.mean((1, 2)), expected, atol=1e-5, rtol=0)
    with pytest.raises(UsageError, match=r"shape \(5, 5\)"):
        blip.pixels(np.zeros((5, 5), np.uint8))


def write_encoder(folder: Path, kind: str, pooling: str = "mean_tokens", dense: bool = False) -> Path:
    """Write a sentence encoder in the layout of sentence-transformers; return its folder."""
    torch.manual_seed(1)
    if kind == "bert":
        model = BertModel(BertConfig(vocab_size=300, hidden_size=16, num_hidden_layers=1, num_attention_heads=2))
    else:
        model = T5EncoderModel(T5Config(vocab_size=300, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2))
    model.save_pretrained(folder)
    save_tokenizer(folder, "<s>")
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({f"pooling_mode_{pooling}": True}), encoding="utf-8")
    if dense:
        (folder / "2_Dense").mkdir()
        said = {"in_features": 16, "out_features": 5, "bias": False, "activation_function": "torch.nn.modules.Tanh"}
        (folder / "2_Dense" / "config.json").write_text(json.dumps(said), encoding="utf-8")
        torch.save({"linear.weight": torch.eye(5, 16)}, folder / "2_Dense" / "pytorch_model.bin")
    return folder


@pytest.mark.parametrize("kind", ["bert", "t5"])
def test_vectors_are_means_over_words_and_do_not_depend_on_neighbours(kind: str, tmp_path: Path):
    folder = write_encoder(tmp_path / kind, kind)
    encoder = SentenceEncoder(str(folder))
    together = encoder.encode(SENTENCES)
    assert np.linalg.norm(together, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    assert np.allclose(together[1:2], encoder.encode(SENTENCES[1:2]), atol=1e-5)
    assert np.allclose(encoder.encode(SENTENCES, batch=1), together, atol=1e-5)
    pieces = encoder._tokenizer(SENTENCES[1], return_tensors="pt")
    states = encoder._model(pieces["input_ids"], pieces["attention_mask"]).last_hidden_state[0]
    assert np.allclose(torch.nn.functional.normalize(states.mean(0), dim=0), together[1], atol=1e-5)
    assert encoder.similarity(SENTENCES, SENTENCES) == pytest.approx([1, 1, 1], abs=1e-5)
    assert encoder.similarity([], []) == []


def test_first_outputs_and_layers_behind_are_known(tmp_path: Path):
    first = SentenceEncoder(str(write_encoder(tmp_path / "first", "bert", "cls_token")))
    mean = SentenceEncoder(str(write_encoder(tmp_path / "mean", "bert")))
    assert not np.allclose(first.encode(SENTENCES), mean.encode(SENTENCES), atol=1e-2)
    pieces = first._tokenizer(SENTENCES[1], return_tensors="pt")
    states = first._model(pieces["input_ids"], pieces["attention_mask"]).last_hidden_state[0]
    assert np.allclose(torch.nn.functional.normalize(states[0], dim=0), first.encode(SENTENCES)[1], atol=1e-5)
    dense = SentenceEncoder(str(write_encoder(tmp_path / "dense", "bert", dense=True))).encode(SENTENCES)
    assert dense.shape == (3, 5)
    with pytest.raises(UsageError, match="max_tokens"):
        SentenceEncoder(str(write_encoder(tmp_path / "max", "bert", "max_tokens")))
    with pytest.raises(MissingError, match="not on this machine"):
        SentenceEncoder("t5")
    with pytest.raises(UsageError, match="2 sentences came with 1"):
        mean.similarity(["a", "b"], ["c"])


def test_layers_that_are_not_known_or_absent_are_told(tmp_path: Path):
    folder = write_encoder(tmp_path / "odd", "bert", dense=True)
    settings = folder / "2_Dense" / "config.json"
    said = json.loads(settings.read_text(encoding="utf-8"))
    settings.write_text(json.dumps({**said, "activation_function": "torch.nn.GELU"}), encoding="utf-8")
    with pytest.raises(UsageError, match="activation 'GELU'"):
        SentenceEncoder(str(folder))
    settings.write_text(json.dumps(said), encoding="utf-8")
    (folder / "2_Dense" / "pytorch_model.bin").unlink()
    with pytest.raises(MissingError, match="2_Dense' holds no weights"):
        SentenceEncoder(str(folder))
    settings.write_text("{", encoding="utf-8")
    with pytest.raises(MissingError, match="cannot be read"):
        SentenceEncoder(str(folder))


def test_a_class_that_transformers_lacks_is_told():
    from audiojourney.models.transformers_parts import transformers_class

    for module, name in (("models.no_such", "Model"), ("models.bert.modeling_bert", "NoSuchModel")):
        with pytest.raises(MissingError, match=rf"transformers\.{name} cannot be loaded.*aj doctor"):
            transformers_class(module, name)
