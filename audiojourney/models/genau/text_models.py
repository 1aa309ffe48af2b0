"""The frozen FLAN-T5 of GenAu, around a class of transformers. The other text encoder is a CLAP.

Shapes: B batch, N text tokens, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from audiojourney.models.genau.state import State, fill
from audiojourney.models.genau.t5_keys import t5_sizes, t5_state
from audiojourney.models.transformers_parts import transformers_class

T5_TOKENS = 128


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
        """Build from tensors in any of the layouts that `t5_keys.t5_state` knows.

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
