"""The two frozen text encoders of GenAu, CLAP and FLAN-T5, around classes of transformers.

transformers takes seconds to import, so that happens inside functions.
Shapes: B batch, N text tokens, T samples, D width.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audiojourney.data.mel import CLAP as CLAP_MEL
from audiojourney.data.mel import log_mel
from audiojourney.data.resample import resample
from audiojourney.errors import MissingError
from audiojourney.models.genau.laion_keys import OPTIONAL_IN_CLAP, clap_sizes, clap_state, t5_sizes, t5_state
from audiojourney.models.genau.state import State, fill

CLAP_SECONDS = 10
CLAP_TOKENS = 512
T5_TOKENS = 128


def transformers_class(module: str, name: str) -> Any:
    """Import a class of transformers from its own module.

    Raises:
        MissingError: transformers, or something that it tries to import, cannot be loaded.
    """
    try:
        return getattr(importlib.import_module(f"transformers.{module}"), name)
    except (ImportError, OSError, RuntimeError, AttributeError) as error:  # a broken torchvision raises any of these
        raise MissingError(f"transformers.{name} cannot be loaded ({error}).", "Run: aj doctor") from error


def read_tokenizer(folder: Path) -> Any:
    """Return the tokenizer in a local folder.

    Raises:
        MissingError: the folder holds none.
    """
    auto = transformers_class("models.auto.tokenization_auto", "AutoTokenizer")
    try:
        return auto.from_pretrained(str(folder), local_files_only=True)
    except (OSError, ValueError) as error:
        raise MissingError(f"{str(folder)!r} holds no tokenizer ({str(error).splitlines()[0]}).") from error


class Clap(nn.Module):
    """Text and sound in one space, both as vectors of length one.

    Args:
        model: a `transformers.ClapModel`.
        tokenizer: its tokenizer.
        drop: share of texts replaced by the empty text. The official code keeps 0.1 also when it generates, which only
            adds chance; it belongs in training.
    """

    model: Any

    def __init__(self, model: nn.Module, tokenizer: Any, drop: float = 0.0) -> None:
        super().__init__()
        self.model = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.drop = drop

    @classmethod
    def from_laion(cls, laion: State, tokenizer: Any, drop: float = 0.0) -> Clap:
        """Build from the tensors of a LAION checkpoint.

        Raises:
            MissingError: tensors are missing.
            UsageError: tensors do not fit, or the model is of an unsupported kind.
        """
        state = clap_state(laion)
        config = transformers_class("models.clap.configuration_clap", "ClapConfig")(**clap_sizes(state))
        model = transformers_class("models.clap.modeling_clap", "ClapModel")(config)
        known = model.state_dict()
        kept = {name: tensor for name, tensor in state.items() if name in known or not name.endswith(OPTIONAL_IN_CLAP)}
        fill(model, kept, "CLAP", optional=OPTIONAL_IN_CLAP)
        return cls(model, tokenizer, drop)

    def text(self, prompts: Sequence[str]) -> Tensor:
        """Return vectors (B, D) of prompts; a prompt is cut after 512 word pieces."""
        if self.drop > 0:
            dropped = torch.rand(len(prompts)) < self.drop
            prompts = ["" if gone else prompt for prompt, gone in zip(prompts, dropped, strict=True)]
        device = self.model.logit_scale_a.device
        pieces = self.tokenizer(
            list(prompts), padding=True, truncation=True, max_length=self._longest(), return_tensors="pt"
        ).to(device)
        pooled = self.model.text_model(pieces.input_ids, attention_mask=pieces.attention_mask).pooler_output
        return F.normalize(self.model.text_projection(pooled), dim=-1)

    def audio(self, waves: Tensor, rate_hz: int) -> Tensor:
        """Return vectors (B, D) of waveforms (B, T).

        The first ten seconds are heard; shorter sounds are repeated as often as they fit, then padded with zeros.
        """
        length = CLAP_SECONDS * CLAP_MEL.rate_hz
        rows = [torch.from_numpy(resample(row, rate_hz, CLAP_MEL.rate_hz)) for row in waves.float().cpu().numpy()]
        fitted = torch.stack([fit_length(row, length) for row in rows])
        mel = log_mel(fitted, CLAP_MEL)[:, None].to(self.model.logit_scale_a.device)
        pooled = self.model.audio_model(input_features=mel).pooler_output
        return F.normalize(self.model.audio_projection(pooled), dim=-1)

    def _longest(self) -> int:
        """Word pieces that the position table has room for: RoBERTa starts to count at 2."""
        return min(CLAP_TOKENS, self.model.text_model.embeddings.position_embeddings.weight.shape[0] - 2)


class FlanT5(nn.Module):
    """Prompts to one vector each: the mean over the outputs of a T5 encoder.

    Args:
        model: a `transformers.T5EncoderModel`.
        tokenizer: its tokenizer.
        together: encode a batch padded to its longest prompt and average over the padding too, as the official code
            does; a vector then depends on its neighbours. Otherwise prompts are encoded one by one, which is what the
            official code makes of a single prompt.
    """

    model: Any

    def __init__(self, model: nn.Module, tokenizer: Any, together: bool = False) -> None:
        super().__init__()
        self.model = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.together = together

    @classmethod
    def from_state(cls, state: State, tokenizer: Any, together: bool = False) -> FlanT5:
        """Build from tensors in any of the layouts that `laion_keys.t5_state` knows.

        Raises:
            MissingError: tensors are missing.
            UsageError: tensors do not fit.
        """
        state = t5_state(state)
        config = transformers_class("models.t5.configuration_t5", "T5Config")(**t5_sizes(state))
        model = transformers_class("models.t5.modeling_t5", "T5EncoderModel")(config)
        known = model.state_dict()
        fill(model, {k: v for k, v in state.items() if k in known or "embed_tokens" not in k}, "FLAN-T5")
        return cls(model, tokenizer, together)

    def text(self, prompts: Sequence[str]) -> Tensor:
        """Return vectors (B, D) of prompts; a prompt is cut after 128 word pieces."""
        if self.together:
            return self._mean(list(prompts))
        return torch.cat([self._mean([prompt]) for prompt in prompts])

    def _mean(self, prompts: list[str]) -> Tensor:
        pieces = self.tokenizer(prompts, padding=True, truncation=True, max_length=T5_TOKENS, return_tensors="pt")
        pieces = pieces.to(self.model.shared.weight.device)
        # Padding is masked inside the encoder, but its outputs take part in the mean.
        return self.model(input_ids=pieces.input_ids, attention_mask=pieces.attention_mask).last_hidden_state.mean(1)


def fit_length(wave: Tensor, length: int) -> Tensor:
    """Return `length` samples of a waveform (T,): cut, or repeated whole and padded with zeros."""
    repeated = wave.repeat(max(length // len(wave), 1))[:length]
    return F.pad(repeated, (0, length - len(repeated)))
