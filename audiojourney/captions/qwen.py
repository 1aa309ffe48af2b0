"""Captions by Qwen2-Audio: the base model goes on behind a fixed beginning, the other one answers a question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from audiojourney import config
from audiojourney.captions.audio_lm import AudioLMCaptioner, AudioLMSettings, label_of
from audiojourney.captions.names import CaptionerOptions
from audiojourney.hub import without_network
from audiojourney.models.audio_lm import QWEN2, AudioLanguageModel

MODEL = "Qwen/Qwen2-Audio-7B"
BEGINNING = "Generate the caption in English:"
QUESTION = "Describe what you hear in one sentence."


@dataclass(frozen=True, kw_only=True)
class QwenSettings(AudioLMSettings):
    """See `AudioLMSettings`.

    Attributes:
        chat: whether the model is asked in a conversation; null asks so if its name says that it takes instructions.
    """

    chat: bool | None = None


def build(options: CaptionerOptions) -> AudioLMCaptioner:
    """Open Qwen2-Audio.

    Raises:
        MissingError: the weights are absent.
        UsageError: a setting is unknown or out of its range.
    """
    settings = config.build(QwenSettings, options.settings, "settings")
    name = options.model or MODEL
    chat = "instruct" in label_of(name).lower() if settings.chat is None else settings.chat
    with without_network(options.offline):
        model = AudioLanguageModel(QWEN2, name, options.device, options.dtype)
    asked = replace(settings, prompt=settings.prompt or (QUESTION if chat else BEGINNING))
    ask = AudioLanguageModel.chat if chat else continue_caption
    return AudioLMCaptioner("qwen2-audio", model, label_of(name), ask, asked)


def continue_caption(model: AudioLanguageModel, waves: Sequence[np.ndarray], prompt: str) -> dict[str, Tensor]:
    """Return the inputs of the base model: each sound (T,) between its marks, then the beginning of an answer."""
    return model.plain(waves, f"<|audio_bos|><|AUDIO|><|audio_eos|>{prompt}")
