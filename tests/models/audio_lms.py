"""Audio language models of a few thousand random numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from transformers import (
    AudioFlamingo3Config,
    AudioFlamingo3ForConditionalGeneration,
    AudioFlamingo3Processor,
    AutoTokenizer,
    Qwen2AudioConfig,
    Qwen2AudioForConditionalGeneration,
    Qwen2AudioProcessor,
    WhisperFeatureExtractor,
)

from tests.models.official_layout import save_tokenizer

FORM = (
    "{% for message in messages %}{{ message.role }}: {% for part in message.content %}"
    "{% if part.type == 'audio' %}<sound>{% else %}{{ part.text }}{% endif %}{% endfor %}\n{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)
TEXT = {
    "model_type": "qwen2",
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "vocab_size": 300,
    "pad_token_id": 1,
    "eos_token_id": 2,
    "bos_token_id": 0,
}


def save_qwen(folder: Path) -> Path:
    """Write a Qwen2-Audio; return its folder."""
    tokenizer = _tokenizer(folder, "<|AUDIO|>", "<|audio_bos|>", "<|audio_eos|>")
    audio = {"num_mel_bins": 128, "encoder_layers": 1, "encoder_attention_heads": 2, "encoder_ffn_dim": 16}
    config = Qwen2AudioConfig(
        audio_config=audio | {"d_model": 16, "model_type": "qwen2_audio_encoder"},
        text_config=TEXT,
        audio_token_index=tokenizer.convert_tokens_to_ids("<|AUDIO|>"),
    )
    _save(Qwen2AudioForConditionalGeneration, config, folder)
    Qwen2AudioProcessor(WhisperFeatureExtractor(feature_size=128), tokenizer).save_pretrained(folder)
    return folder


def save_flamingo(folder: Path) -> Path:
    """Write an Audio Flamingo 3; return its folder."""
    tokenizer = _tokenizer(folder, "<sound>")
    audio = {"num_mel_bins": 128, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = AudioFlamingo3Config(
        audio_config=audio | {"hidden_size": 16, "model_type": "audioflamingo3_encoder"},
        text_config=TEXT,
        audio_token_id=tokenizer.convert_tokens_to_ids("<sound>"),
    )
    _save(AudioFlamingo3ForConditionalGeneration, config, folder)
    features = WhisperFeatureExtractor(feature_size=128)
    AudioFlamingo3Processor(features, tokenizer, chat_template=FORM).save_pretrained(folder)
    return folder


def _tokenizer(folder: Path, *special: str) -> Any:
    tokenizer = AutoTokenizer.from_pretrained(save_tokenizer(folder, None))
    tokenizer.add_special_tokens({"additional_special_tokens": list(special)})
    return tokenizer


def _save(kind: Any, config: Any, folder: Path) -> None:
    torch.manual_seed(0)
    model = kind(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    model.generation_config.update(eos_token_id=2, do_sample=True, temperature=0.3)
    model.save_pretrained(folder)
