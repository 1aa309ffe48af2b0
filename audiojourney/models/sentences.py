"""Sentence encoders of the Hub, in the layout of the package sentence-transformers, which is not needed for them.

B batch, N text tokens, D width.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audiojourney import hub
from audiojourney.errors import MissingError, UsageError
from audiojourney.models.device import find_device
from audiojourney.models.genau.state import read_state, under
from audiojourney.models.transformers_parts import read_pretrained, read_tokenizer, transformers_class

# The two kinds that Audio-Journey compares; which checkpoints it used is not known.
ENCODERS = {"t5": "sentence-transformers/sentence-t5-base", "bert": "sentence-transformers/bert-base-nli-mean-tokens"}
LONGEST = 256
_ACTIVATIONS = {"Identity": nn.Identity, "Tanh": nn.Tanh}


class SentenceEncoder:
    """Sentences to vectors of length one: a text encoder, the mean or the first of its outputs, and perhaps a layer.

    Args:
        name: `t5`, `bert`, a Hub id or a folder.
        device: torch device, or `auto`.

    Raises:
        MissingError: it is not on this machine and cannot be had.
        UsageError: it pools or projects in a way that is not known.
    """

    def __init__(self, name: str, device: str = "cpu") -> None:
        folder = hub.resolve_model(ENCODERS.get(name, name))
        auto = transformers_class("models.auto.modeling_auto", "AutoModelForTextEncoding")
        self._device = find_device(device)
        self._model: Any = read_pretrained(auto, folder, "text encoder").eval().requires_grad_(False).to(self._device)
        self._tokenizer = read_tokenizer(folder)
        self._first = _pools_first(folder / "1_Pooling" / "config.json")
        self._dense = _dense(folder / "2_Dense").to(self._device)

    @torch.inference_mode()
    def encode(self, sentences: Sequence[str], batch: int = 32) -> np.ndarray:
        """Return vectors (B, D), float32, of sentences; one is cut after 256 word pieces."""
        parts = [list(sentences[first : first + batch]) for first in range(0, len(sentences), batch)]
        return torch.cat([self._encode(part) for part in parts]).cpu().numpy()

    def similarity(self, sentences: Sequence[str], others: Sequence[str]) -> list[float]:
        """Return the cosine of each sentence with the one at its place among the others."""
        if len(sentences) != len(others):
            raise UsageError(f"{len(sentences)} sentences came with {len(others)} others.")
        if not sentences:
            return []
        return [float(one @ other) for one, other in zip(self.encode(sentences), self.encode(others), strict=True)]

    def _encode(self, sentences: list[str]) -> Tensor:
        pieces = self._tokenizer(sentences, padding=True, truncation=True, max_length=LONGEST, return_tensors="pt")
        ids, mask = pieces["input_ids"].to(self._device), pieces["attention_mask"].to(self._device)
        states = self._model(input_ids=ids, attention_mask=mask).last_hidden_state
        weights = mask[:, :, None].to(states)
        pooled = states[:, 0] if self._first else (states * weights).sum(1) / weights.sum(1).clamp(min=1)
        return F.normalize(self._dense(pooled).float(), dim=-1)


def _pools_first(path: Path) -> bool:
    """Say whether the first output is taken instead of the mean over all."""
    said = _json(path) if path.is_file() else {}
    kinds = [key for key, on in said.items() if key.startswith("pooling_mode_") and on]
    if set(kinds) - {"pooling_mode_mean_tokens", "pooling_mode_cls_token"}:
        raise UsageError(f"{str(path)!r} pools by {kinds[0]!r}, which is not supported.")
    return kinds == ["pooling_mode_cls_token"]


def _dense(folder: Path) -> nn.Module:
    """Return the layer behind the pooling; nothing where there is none."""
    if not folder.is_dir():
        return nn.Identity()
    said = _json(folder / "config.json")
    activation = str(said.get("activation_function", "Identity")).rsplit(".", 1)[-1]
    if activation not in _ACTIVATIONS:
        raise UsageError(f"{str(folder)!r} has the activation {activation!r}, which is not supported.")
    layer = nn.Linear(said["in_features"], said["out_features"], bias=said.get("bias", True))
    file = next(
        (folder / name for name in ("model.safetensors", "pytorch_model.bin") if (folder / name).is_file()), None
    )
    if file is None:
        raise MissingError(f"{str(folder)!r} holds no weights.")
    layer.load_state_dict(under(read_state(file), "linear."))
    return nn.Sequential(layer, _ACTIVATIONS[activation]()).requires_grad_(False)


def _json(path: Path) -> dict[str, Any]:
    try:
        loaded = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MissingError(f"{str(path)!r} cannot be read ({error}).") from error
    return loaded if isinstance(loaded, dict) else {}
