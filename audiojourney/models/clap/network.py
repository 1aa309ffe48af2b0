"""The two-branch network: prompts and waveforms to vectors of length one, around `transformers.ClapModel`.

B batch, T samples, F mel frames, M mel bins, N text tokens, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audiojourney.data.mel import CLAP as CLAP_MEL
from audiojourney.data.mel import MelConfig, log_mel
from audiojourney.data.resample import resample
from audiojourney.models.clap.cropping import fit_length
from audiojourney.models.clap.keys import OPTIONAL_IN_CLAP, clap_sizes, clap_state
from audiojourney.models.genau.state import State, fill
from audiojourney.models.onednn import use_onednn
from audiojourney.models.transformers_parts import transformers_class
from audiojourney.models.windows import fuse_windows

CLAP_SECONDS = 10
CLAP_TOKENS = 512


class Clap(nn.Module):
    """Text and sound in one space, both as vectors of length one.

    Args:
        model: a `transformers.ClapModel`.
        tokenizer: its tokenizer.
        drop: share of texts replaced by the empty text. The official GenAu code keeps 0.1 also when it generates, which
            only adds chance; it belongs in training.
        longest: word pieces after which a text is cut.
        mel: the spectrogram that the audio branch reads.
        seconds: how long a sound the audio branch hears at once.
    """

    model: Any

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Any,
        drop: float = 0.0,
        longest: int = CLAP_TOKENS,
        mel: MelConfig = CLAP_MEL,
        seconds: int = CLAP_SECONDS,
    ) -> None:
        super().__init__()
        self.model = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.drop = drop
        self.longest = longest
        self.mel = mel
        self.samples = seconds * mel.rate_hz

    @classmethod
    def from_laion(cls, laion: State, tokenizer: Any, drop: float = 0.0, longest: int = CLAP_TOKENS) -> Clap:
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
        return cls(model, tokenizer, drop, longest)

    def place(self, device: torch.device | str) -> Clap:
        """Move to a device and take the ways that are fast there, equal to rounding; return itself."""
        fuse_windows(self.to(device))
        if self.device.type == "cpu":
            use_onednn(self)
        return self

    def text(self, prompts: Sequence[str]) -> Tensor:
        """Return vectors (B, D) of prompts; a prompt is cut after `longest` word pieces."""
        if self.drop > 0:
            dropped = torch.rand(len(prompts)) < self.drop
            prompts = ["" if gone else prompt for prompt, gone in zip(prompts, dropped, strict=True)]
        pieces = self.tokenizer(
            list(prompts), padding=True, truncation=True, max_length=self._longest(), return_tensors="pt"
        ).to(self.device)
        pooled = self.model.text_model(pieces.input_ids, attention_mask=pieces.attention_mask).pooler_output
        return F.normalize(self.model.text_projection(pooled).float(), dim=-1)

    def audio(self, waves: Tensor, rate_hz: int) -> Tensor:
        """Return vectors (B, D) of waveforms (B, T).

        The first ten seconds are heard; shorter sounds are repeated as often as they fit, then padded with zeros.
        """
        rows = [torch.from_numpy(resample(row, rate_hz, self.mel.rate_hz)) for row in waves.float().cpu().numpy()]
        return self.hear(torch.stack([fit_length(row, self.samples) for row in rows]))

    def hear(self, windows: Tensor) -> Tensor:
        """Return vectors (B, D) of windows (B, T) of exactly `samples` samples at the rate of `mel`."""
        mel = log_mel(windows, self.mel)[:, None].to(self.device)
        pooled = self.model.audio_model(input_features=mel).pooler_output
        return F.normalize(self.model.audio_projection(pooled).float(), dim=-1)

    @property
    def device(self) -> torch.device:
        """Where the network is."""
        return self.model.logit_scale_a.device

    def _longest(self) -> int:
        """Word pieces that the position table has room for: RoBERTa starts to count at 2."""
        return min(self.longest, self.model.text_model.embeddings.position_embeddings.weight.shape[0] - 2)
