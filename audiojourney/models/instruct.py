"""Instruction-following language models of the Hub, around classes of transformers.

B batch, N text tokens.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from audiojourney import hub
from audiojourney.errors import MissingError, UsageError
from audiojourney.models.device import find_device
from audiojourney.models.seeded import SeededSampling
from audiojourney.models.transformers_parts import read_pretrained, read_tokenizer, transformers_class

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
# For models without a form of their own for conversations, such as Alpaca.
PLAIN_FORM = "### Instruction:\n{}\n\n### Response:\n"


class InstructModel:
    """A language model that answers questions.

    Args:
        name: Hub id or folder.
        device: torch device, or `auto`.
        dtype: `fp32`, `bf16` or `fp16`.

    Raises:
        MissingError: it is not on this machine and cannot be had.
    """

    def __init__(self, name: str, device: str = "cpu", dtype: str = "fp32") -> None:
        folder = hub.resolve_model(name)
        self.revision = revision(folder)
        self._paired = _is_paired(folder)
        kind = "AutoModelForSeq2SeqLM" if self._paired else "AutoModelForCausalLM"
        auto = transformers_class("models.auto.modeling_auto", kind)
        model = read_pretrained(auto, folder, "language model", dtype=torch_dtype(dtype))
        self._model: Any = model.eval().requires_grad_(False).to(find_device(device))
        self._tokenizer = read_tokenizer(folder)
        self._tokenizer.padding_side = "left"
        if self._tokenizer.pad_token is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token

    @torch.inference_mode()
    def answer(
        self,
        prompts: Sequence[str],
        seeds: Sequence[int],
        temperatures: Sequence[float],
        top_p: float = 1.0,
        max_tokens: int = 128,
    ) -> list[str]:
        """Answer prompts in one batch.

        Args:
            prompts: what is asked.
            seeds: one each; an answer depends on its own alone.
            temperatures: one each; 0 gives the likeliest answer.
            top_p: share of the likelihood that words are drawn from.
            max_tokens: longest answer.
        """
        plain = self._paired or not self._tokenizer.chat_template  # the form of a conversation has its own first token
        pieces = self._tokenizer(
            [self._form(prompt) for prompt in prompts], padding=True, return_tensors="pt", add_special_tokens=plain
        ).to(self._model.device)
        pieces.pop("token_type_ids", None)
        drawn = self._model.generate(
            **pieces,
            max_new_tokens=max_tokens,
            do_sample=False,
            num_beams=1,
            temperature=None,
            top_p=None,
            top_k=None,
            pad_token_id=self._tokenizer.pad_token_id,
            logits_processor=[SeededSampling(seeds, temperatures, top_p)],
        )
        answers = drawn if self._paired else drawn[:, pieces["input_ids"].shape[1] :]
        return [text.strip() for text in self._tokenizer.batch_decode(answers, skip_special_tokens=True)]

    def _form(self, prompt: str) -> str:
        """Return a prompt in the form in which the model was taught conversations."""
        if self._paired:
            return prompt
        if not self._tokenizer.chat_template:
            return PLAIN_FORM.format(prompt)
        # Models that can think aloud are asked not to; others do not know the switch.
        turns = [{"role": "user", "content": prompt}]
        return self._tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True, enable_thinking=False
        )


def torch_dtype(name: str) -> torch.dtype:
    """Return a precision by name.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in DTYPES:
        raise UsageError(f"There is no precision {name!r}.", f"Use {', '.join(DTYPES)}.")
    return DTYPES[name]


def revision(folder: Path) -> str:
    """Return the commit that a folder of the Hub's cache was fetched at, in twelve digits; "" for other folders."""
    return folder.name[:12] if folder.parent.name == "snapshots" else ""


def _is_paired(folder: Path) -> bool:
    """Say whether a model has an encoder for the question and a decoder for the answer, as FLAN-T5 has."""
    try:
        return bool(json.loads((folder / "config.json").read_text(encoding="utf-8")).get("is_encoder_decoder"))
    except (OSError, ValueError, AttributeError) as error:
        raise MissingError(f"{str(folder)!r} holds no language model ({error}).") from error
