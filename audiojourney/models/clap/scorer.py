"""Scores of sentences for sounds: the cosine of two vectors.

B batch, D width, T samples.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from audiojourney.errors import UsageError
from audiojourney.models.clap.cropping import Crop, through_int16, windows
from audiojourney.models.clap.network import Clap
from audiojourney.models.device import find_device
from audiojourney.models.threads import side_by_side

CLAP_LAION = "clap_laion"
_PRODUCTS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True, kw_only=True)
class ClapOptions:
    """How sounds and texts reach the network.

    Attributes:
        crop: what is heard of a sound longer than the network's window: its `centre`, its `start`, or all of it in
            `windows`, whose vectors are averaged.
        int16: pass sounds through 16-bit integers first, as LAION's own scripts do.
        batch: windows, or texts, that go through the network at once; on a processor one does.
        texts_kept: texts whose vectors are remembered.
    """

    crop: Crop = "centre"
    int16: bool = False
    batch: int = 16
    texts_kept: int = 8192

    def __post_init__(self) -> None:
        if self.batch < 1 or self.texts_kept < 0:
            raise UsageError(f"A batch of {self.batch} and {self.texts_kept} kept texts cannot be meant.")

    @property
    def mark(self) -> str:
        """What of this changes a score, to stand behind the name of a model; empty for the defaults."""
        changed = [self.crop] * (self.crop != "centre") + ["int16"] * self.int16
        return "".join(f"+{part}" for part in changed)


class EmbeddingScorer(ABC):
    """A scorer that turns sounds and texts into vectors; vectors of texts are remembered.

    Args:
        name: what its scores are called.
        model: name and hash of the weights.
        sample_rate_hz: the rate it listens at.
        options: batches and memory.
    """

    def __init__(self, name: str, model: str, sample_rate_hz: int, options: ClapOptions) -> None:
        self.name = name
        self.model = model + options.mark
        self.sample_rate_hz = sample_rate_hz
        self.options = options
        self._texts: OrderedDict[str, np.ndarray] = OrderedDict()

    def score(self, waves: Sequence[np.ndarray], texts: Sequence[Sequence[str]]) -> list[list[float]]:
        """Return the cosine, from -1 to 1, of each text with its wave (T,), float32 mono at `sample_rate_hz`.

        Raises:
            UsageError: there are not as many lists of texts as waves, or a wave is empty.
        """
        if len(waves) != len(texts):
            raise UsageError(f"{len(waves)} sounds came with {len(texts)} lists of texts.")
        if not any(texts):
            return [[] for _ in texts]
        heard = self.embed_audio(waves)
        read = iter(self.embed_text([text for row in texts for text in row]))
        return [[float(next(read) @ vector) for _ in row] for vector, row in zip(heard, texts, strict=True)]

    def embed_audio(self, waves: Sequence[np.ndarray]) -> np.ndarray:
        """Return vectors (B, D) of length one, float32, of waves (T,) at `sample_rate_hz`.

        Raises:
            UsageError: a wave is empty or has several channels.
        """
        return _unit(np.stack([*self._hear(waves)]) if len(waves) else np.zeros((0, 1), np.float32))

    def embed_text(self, texts: Sequence[str]) -> np.ndarray:
        """Return vectors (B, D) of length one, float32; a text that was met lately is not read again."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self._texts]
        # Texts of like length share a batch, which spares padding.
        ordered = sorted(fresh, key=lambda text: (len(text), text))
        known = {text: self._texts[text] for text in texts if text in self._texts}
        for first in range(0, len(ordered), self.options.batch):
            part = ordered[first : first + self.options.batch]
            known |= dict(zip(part, _unit(self._read(part)), strict=True))
        self._remember({text: known[text] for text in dict.fromkeys(texts)})
        return np.stack([known[text] for text in texts]) if texts else np.zeros((0, 1), np.float32)

    @abstractmethod
    def _hear(self, waves: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return a vector (D,) for each wave (T,)."""

    @abstractmethod
    def _read(self, texts: list[str]) -> np.ndarray:
        """Return vectors (B, D) of at most `options.batch` texts."""

    def _remember(self, vectors: dict[str, np.ndarray]) -> None:
        for text, vector in vectors.items():
            self._texts[text] = vector
            self._texts.move_to_end(text)
        while len(self._texts) > self.options.texts_kept:
            self._texts.popitem(last=False)


class ClapScorer(EmbeddingScorer):
    """A CLAP as a scorer.

    Args:
        clap: the network.
        model: name and hash of its weights.
        device: where it runs.
        dtype: `fp32`, or `bf16` or `fp16` for matrix products of that precision; weights stay float32.
        options: cropping, batches, memory.
    """

    def __init__(
        self, clap: Clap, model: str, device: str = "cpu", dtype: str = "fp32", options: ClapOptions | None = None
    ) -> None:
        if dtype not in _PRODUCTS:
            raise UsageError(f"CLAP does not run in {dtype!r}.", f"Use {', '.join(_PRODUCTS)}.")
        super().__init__(CLAP_LAION, model, clap.mel.rate_hz, options or ClapOptions())
        self.clap = clap.place(find_device(device))
        self._products = _PRODUCTS[dtype]

    def _hear(self, waves: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return a vector (D,) for each wave: that of its window, or the mean over its windows."""
        cut = [windows(wave, self.clap.samples, self.options.crop) for wave in waves]
        ends = np.cumsum([len(part) for part in cut])[:-1]
        with torch.inference_mode():
            if self.clap.device.type == "cpu":  # one by one as well, which its cache holds
                vectors = side_by_side(self._vectors, torch.cat(cut).split(1))
            else:
                vectors = [self._vectors(piece) for piece in torch.cat(cut).split(self.options.batch)]
        return [part.mean(axis=0) for part in np.split(np.concatenate(vectors), ends)]

    def _read(self, texts: list[str]) -> np.ndarray:
        # One by one where batches gain little, so that no vector depends on its neighbours in any digit.
        parts = [[text] for text in texts] if self.clap.device.type == "cpu" else [texts]
        with torch.inference_mode(), self._precision():
            return torch.cat([self.clap.text(part) for part in parts]).cpu().numpy()

    def _vectors(self, piece: torch.Tensor) -> np.ndarray:
        """Return vectors (B, D) of windows (B, T)."""
        with self._precision():
            return self.clap.hear(self._prepared(piece)).cpu().numpy()

    def _prepared(self, piece: torch.Tensor) -> torch.Tensor:
        """Return windows (B, T) on the device of the network, through 16-bit integers where asked."""
        piece = piece.to(self.clap.device)
        return through_int16(piece) if self.options.int16 else piece

    def _precision(self) -> torch.autocast:
        coarse = self._products is not torch.float32
        return torch.autocast(self.clap.device.type, self._products if coarse else None, enabled=coarse)


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors (B, D) of length one; zeros stay zeros."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.maximum(length, 1e-12)).astype(np.float32)
