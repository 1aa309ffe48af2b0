"""The package `laion-clap` as a scorer, for those who have it; it can also open checkpoints that fuse crops."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from audiojourney.errors import require
from audiojourney.models.clap.cropping import through_int16, windows
from audiojourney.models.clap.scorer import CLAP_LAION, ClapOptions, EmbeddingScorer
from audiojourney.models.device import find_device
from audiojourney.models.genau.state import read_state

RATE_HZ = 48_000
WINDOW = 10 * RATE_HZ


class PackageScorer(EmbeddingScorer):
    """The network of the package `laion-clap`.

    Args:
        checkpoint: one of LAION's; tensors only, nothing in it is run.
        model: name and hash of its weights.
        device: where it runs.
        options: cropping, batches, memory. A checkpoint that fuses gets the whole sound instead of crops.

    Raises:
        MissingError: the package is absent or cannot be loaded.
    """

    def __init__(self, checkpoint: Path, model: str, device: str, options: ClapOptions) -> None:
        super().__init__(CLAP_LAION, model, RATE_HZ, options)
        package = require("laion_clap", extra="clap", feature="A score by laion-clap")
        state = read_state(checkpoint)
        self.fusing = any("fusion_model" in name or "mel_conv2d" in name for name in state)
        wide = state["audio_branch.norm.weight"].shape[0] > 768  # HTSAT-base; the checkpoints of 630k have HTSAT-tiny
        self.module: Any = package.CLAP_Module(
            enable_fusion=self.fusing, device=find_device(device), amodel="HTSAT-base" if wide else "HTSAT-tiny"
        )
        self.module.model.load_state_dict(state, strict=False)

    def _hear(self, waves: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return a vector (D,) for each wave; random crops of the package come from one seed, sound by sound."""
        heard = []
        for wave in waves:
            pieces = torch.from_numpy(wave)[None] if self.fusing else windows(wave, WINDOW, self.options.crop)
            pieces = through_int16(pieces) if self.options.int16 else pieces
            with _one_seed(), torch.inference_mode():
                vectors = self.module.get_audio_embedding_from_data(x=pieces.numpy(), use_tensor=False)
            heard.append(np.asarray(vectors, np.float32).mean(axis=0))
        return heard

    def _read(self, texts: list[str]) -> np.ndarray:
        """Return vectors (B, D); an empty text goes along, since the package cannot read one text alone."""
        with torch.inference_mode():
            return np.asarray(self.module.get_text_embedding([*texts, ""]), np.float32)[: len(texts)]


@contextmanager
def _one_seed() -> Iterator[None]:
    """Let what draws from Python's and numpy's global generators draw the same each time, and leave them untouched."""
    kept, kept_numpy = random.getstate(), np.random.get_state()
    random.seed(0)
    np.random.seed(0)
    try:
        yield
    finally:
        random.setstate(kept)
        np.random.set_state(kept_numpy)
