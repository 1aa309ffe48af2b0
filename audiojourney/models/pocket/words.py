"""The word table and the tokenizer that all pocket models share.

V words, D width.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

TOKEN = re.compile(r"[a-z]+")
SUFFIXES = (
    ("ies", "y"), ("ves", "f"), ("es", ""), ("es", "e"), ("s", ""), ("ying", "ie"), ("ing", ""), ("ing", "e"),
    ("ied", "y"), ("ed", ""), ("ed", "e"), ("er", ""), ("er", "e"), ("ly", ""), ("y", ""),
)  # fmt: skip


def tokenize(text: str) -> list[str]:
    """Lower-case words of a text, apostrophes joined ("dog's" becomes "dogs")."""
    return TOKEN.findall(text.lower().replace("'", "").replace("\u2019", ""))


class WordTable:
    """Frozen word vectors, eight bits a number.

    Args:
        words: V lower-case words, sorted.
        rows: (V, D) int8.
        scale: (V,) float; a vector is `rows[i] * scale[i]`.
        importance: (V,) float in (0, 1]; small for words that stand everywhere.
    """

    def __init__(self, words: Sequence[str], rows: Tensor, scale: Tensor, importance: Tensor) -> None:
        self.words = tuple(words)
        self.rows = rows
        self.scale = scale.float()
        self.importance = importance.float()
        self._index = {word: i for i, word in enumerate(self.words)}

    @classmethod
    def quantise(cls, words: Sequence[str], vectors: Tensor, importance: Tensor) -> WordTable:
        """Store float vectors (V, D) as int8 rows with one scale each."""
        scale = vectors.abs().amax(dim=1).clamp(min=1e-8) / 127
        return cls(words, (vectors / scale[:, None]).round().to(torch.int8), scale, importance)

    @classmethod
    def load(cls, path: Path) -> WordTable:
        """Read a table written by `save`."""
        with safe_open(path, framework="pt") as file:
            text = bytes(file.get_tensor("words").numpy()).decode("ascii")
            return cls(
                text.split("\n"), file.get_tensor("rows"), file.get_tensor("scale"), file.get_tensor("importance")
            )

    def save(self, path: Path) -> None:
        """Write words, rows and scales as one safetensors file."""
        letters = torch.frombuffer(bytearray("\n".join(self.words).encode("ascii")), dtype=torch.uint8)
        tensors = {
            "words": letters,
            "rows": self.rows,
            "scale": self.scale.half(),
            "importance": self.importance.half(),
        }
        save_file({name: t.contiguous() for name, t in tensors.items()}, path)

    @property
    def width(self) -> int:
        """D, numbers in a vector."""
        return self.rows.shape[1]

    def find(self, word: str) -> int | None:
        """Row of a word or of its base form, or None where neither is known."""
        if word in self._index:
            return self._index[word]
        for suffix, ending in SUFFIXES:
            base = word.removesuffix(suffix) + ending
            if word.endswith(suffix) and len(base) > 2:
                for form in (base, _undouble(base)):
                    if form in self._index:
                        return self._index[form]
        return None

    def vectors(self, rows: Tensor) -> Tensor:
        """Float vectors (..., D) of row numbers (...); -1 gives zeros."""
        safe = rows.clamp(min=0)
        found = self.rows[safe].float() * self.scale[safe][..., None]
        return found * (rows >= 0)[..., None]

    def sentence(self, text: str) -> Tensor:
        """Mean of the vectors of a text's words, rare ones weighted up, at unit length, (D,); zeros without words."""
        rows = [row for word in tokenize(text) if (row := self.find(word)) is not None]
        vectors = torch.nn.functional.normalize(self.rows[rows].float(), dim=1) * self.importance[rows][:, None]
        return torch.nn.functional.normalize(vectors.sum(dim=0), dim=0)

    @cached_property
    def unit(self) -> Tensor:
        """All vectors at unit length, (V, D) float32."""
        return torch.nn.functional.normalize(self.rows.float(), dim=1)

    def neighbours(self, word: str, least: float = 0.6, most: int = 12) -> list[str]:
        """Words whose cosine similarity to `word` is at least `least`, nearest first, itself left out."""
        row = self.find(word)
        if row is None:
            return []
        values, indices = (self.unit @ self.unit[row]).topk(min(most + 1, len(self.words)))
        return [
            self.words[i] for v, i in zip(values.tolist(), indices.tolist(), strict=True) if v >= least and i != row
        ]


def _undouble(word: str) -> str:
    return word[:-1] if len(word) > 2 and word[-1] == word[-2] else word
