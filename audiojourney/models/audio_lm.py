"""Language models that hear: a sound and a question in, sampled answers out, around classes of transformers.

B sounds, K answers to each, R = B K rows, N text tokens, T samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from audiojourney import hub
from audiojourney.models.device import find_device
from audiojourney.models.instruct import revision, torch_dtype
from audiojourney.models.seeded import SeededSampling
from audiojourney.models.transformers_parts import read_pretrained, transformers_class


@dataclass(frozen=True)
class Family:
    """One kind of model in transformers.

    Attributes:
        package: its module below `transformers.models`.
        model: class of the model.
        processor: class of what prepares its inputs.
    """

    package: str
    model: str
    processor: str


FLAMINGO = Family("audioflamingo3", "AudioFlamingo3ForConditionalGeneration", "AudioFlamingo3Processor")
QWEN2 = Family("qwen2_audio", "Qwen2AudioForConditionalGeneration", "Qwen2AudioProcessor")


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How answers are drawn.

    Attributes:
        temperature: 0 gives the likeliest answer.
        top_k: words that are drawn from at most; 0 for all.
        top_p: share of the likelihood that words are drawn from.
        max_tokens: longest answer.
    """

    temperature: float = 1.0
    top_k: int = 50
    top_p: float = 0.95
    max_tokens: int = 128


class AudioLanguageModel:
    """A model on this machine.

    Args:
        family: what it is.
        name: Hub id or folder.
        device: torch device, or `auto`.
        dtype: `fp32`, `bf16` or `fp16`.

    Raises:
        MissingError: it is not on this machine and cannot be had.
    """

    def __init__(self, family: Family, name: str, device: str = "cpu", dtype: str = "fp32") -> None:
        folder = hub.resolve_model(name)  # before transformers is imported: what is absent is told at once
        self.revision = revision(folder)
        where = f"models.{family.package}"
        kind = transformers_class(f"{where}.processing_{family.package}", family.processor)
        self.processor: Any = read_pretrained(kind, folder, "processor")
        self.processor.tokenizer.padding_side = "left"
        kind = transformers_class(f"{where}.modeling_{family.package}", family.model)
        model = read_pretrained(kind, folder, "audio language model", dtype=torch_dtype(dtype))
        self.model: Any = model.eval().requires_grad_(False).to(find_device(device))

    @property
    def sample_rate_hz(self) -> int:
        """The rate it listens at."""
        return int(self.processor.feature_extractor.sampling_rate)

    def chat(self, waves: Sequence[np.ndarray], prompt: str) -> dict[str, Tensor]:
        """Return the inputs that ask one question of each sound (T,), in the form of a conversation."""
        turns = [
            [{"role": "user", "content": [{"type": "text", "text": prompt}, {"type": "audio", "audio": wave}]}]
            for wave in waves
        ]
        settings = {"tokenize": True, "add_generation_prompt": True, "return_dict": True, "return_tensors": "pt"}
        return self._placed(self.processor.apply_chat_template(turns, **settings, processor_kwargs=self._settings()))

    def plain(self, waves: Sequence[np.ndarray], text: str) -> dict[str, Tensor]:
        """Return the inputs for a text with one placeholder for each sound (T,)."""
        texts = [text] * len(waves)
        return self._placed(self.processor(text=texts, audio=list(waves), return_tensors="pt", **self._settings()))

    @torch.inference_mode()
    def answer(
        self, inputs: Mapping[str, Tensor], seeds: Sequence[Sequence[int]], sampling: Sampling
    ) -> list[list[str]]:
        """Draw K answers to each of B questions.

        The sounds and questions are read once, whatever K is; a row's draws depend on its own seed alone.

        Args:
            inputs: the questions, as `chat` or `plain` return them.
            seeds: K of each question.
            sampling: how words are drawn.
        """
        count = len(seeds[0])
        rows = [seed for some in seeds for seed in some]
        ids, mask = (inputs[name].repeat_interleave(count, dim=0) for name in ("input_ids", "attention_mask"))
        tokenizer = self.processor.tokenizer
        drawn = self.model.generate(
            input_ids=ids,
            attention_mask=mask,
            past_key_values=self._read(inputs, count),
            max_new_tokens=sampling.max_tokens,
            do_sample=False,
            num_beams=1,
            temperature=None,
            top_p=None,
            top_k=None,
            pad_token_id=tokenizer.pad_token_id if tokenizer.pad_token_id is not None else tokenizer.eos_token_id,
            logits_processor=[SeededSampling(rows, [sampling.temperature] * len(rows), sampling.top_p, sampling.top_k)],
        )
        texts = [text.strip() for text in tokenizer.batch_decode(drawn[:, ids.shape[1] :], skip_special_tokens=True)]
        return [texts[first : first + count] for first in range(0, len(texts), count)]

    def _read(self, inputs: Mapping[str, Tensor], count: int) -> Any:
        """Read all of the questions but their last token; return what is remembered, `count` times each."""
        mask = inputs["attention_mask"]
        short = {name: inputs[name][:, :-1] for name in ("input_ids", "attention_mask")}
        places = (mask.long().cumsum(-1) - 1).clamp(min=0)[:, :-1]
        cache = self.model(**{**inputs, **short}, position_ids=places, use_cache=True).past_key_values
        cache.batch_repeat_interleave(count)
        return cache

    def _settings(self) -> dict[str, Any]:
        """Return how texts and sounds are prepared; sounds always fill the window of the audio encoder."""
        return {"text_kwargs": {"padding": True}, "audio_kwargs": {"sampling_rate": self.sample_rate_hz}}

    def _placed(self, inputs: Mapping[str, Any]) -> dict[str, Tensor]:
        """Return the tensors of inputs on the model's device, sounds in its precision."""
        tensors = {name: value.to(self.model.device) for name, value in inputs.items() if isinstance(value, Tensor)}
        return tensors | {"input_features": tensors["input_features"].to(self.model.dtype)}
