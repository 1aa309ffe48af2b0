"""Captions by Audio Flamingo 3, the successor in transformers of the model that AF-AudioSet was made with."""

from __future__ import annotations

from dataclasses import replace

from audiojourney import config
from audiojourney.captions.audio_lm import AudioLMCaptioner, AudioLMSettings, label_of
from audiojourney.captions.names import CaptionerOptions
from audiojourney.hub import without_network
from audiojourney.models.audio_lm import FLAMINGO, AudioLanguageModel

MODEL = "nvidia/audio-flamingo-3-hf"  # non-commercial
PROMPT = "Can you briefly describe what you hear in this audio?"  # that of AF-Synthetic; AF-AudioSet's is not published


def build(options: CaptionerOptions) -> AudioLMCaptioner:
    """Open Audio Flamingo 3.

    Raises:
        MissingError: the weights are absent.
        UsageError: a setting is unknown or out of its range.
    """
    settings = config.build(AudioLMSettings, options.settings, "settings")
    name = options.model or MODEL
    with without_network(options.offline):
        model = AudioLanguageModel(FLAMINGO, name, options.device, options.dtype)
    asked = replace(settings, prompt=settings.prompt or PROMPT)
    return AudioLMCaptioner("audio-flamingo", model, label_of(name), AudioLanguageModel.chat, asked)
