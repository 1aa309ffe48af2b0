"""The shipped scorer: how well sentences fit a sound, as `clap_pocket`.

T samples, F mel frames, E width of the common space.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from audiojourney import hub, model_folder
from audiojourney.data.mel import GENAU, log_mel
from audiojourney.errors import UsageError
from audiojourney.models.clap.cropping import windows
from audiojourney.models.clap.scorer import ClapOptions, EmbeddingScorer
from audiojourney.models.device import find_device
from audiojourney.models.pocket.clap import PocketClap, describe_sentences
from audiojourney.models.pocket.folders import load_clap, load_text
from audiojourney.models.pocket.text import PocketText

NAME = "clap_pocket"
DEFAULT = "pocket/clap"
SHORTEST_S, WINDOW_S = 1.0, 10.24
SILENT = 1e-4  # a sound whose peak stays below this is no sound
HASH_LETTERS = 12


class PocketScorer(EmbeddingScorer):
    """The pocket audio-text model as a scorer.

    Its scores are calibrated cosines (`Calibration`). Sounds are heard whole up to 10.24 s and longer ones in windows,
    one sound at a time, so that a score never depends on the others of its batch.

    Args:
        clap: the network.
        text: its text encoder.
        model: name and hash of the weights.
        device: where the network runs; sentences are read on the CPU.
    """

    def __init__(self, clap: PocketClap, text: PocketText, model: str, device: str = "cpu") -> None:
        super().__init__(NAME, model, GENAU.rate_hz, ClapOptions())
        self.clap, self.text = clap.to(find_device(device)), text
        self.calibration = clap.config.calibration

    def score(self, waves: Sequence[np.ndarray], texts: Sequence[Sequence[str]]) -> list[list[float]]:
        """Return the calibrated score, from 0 to 0.9, of each text with its wave (T,), float32 mono at 16 kHz.

        About 0.45 is the point at which matched pairs are as often refused as others are let through. A silent wave
        scores 0 with every text.

        Raises:
            UsageError: there are not as many lists of texts as waves, or a wave is empty.
        """
        cosines = super().score(waves, texts)
        return [
            [self.calibration.score(cosine) if is_audible(wave) else 0.0 for cosine in row]
            for wave, row in zip(waves, cosines, strict=True)
        ]

    @torch.inference_mode()
    def _hear(self, waves: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return a vector (E,) for each wave: the mean over its windows; zeros for a silent one."""
        for wave in waves:
            if wave.ndim != 1 or not len(wave):
                raise UsageError(f"A sound of the shape {wave.shape} cannot be scored; one channel is needed.")
        nothing = np.zeros(self.clap.config.width, np.float32)
        return [self._heard(wave) if is_audible(wave) else nothing for wave in waves]

    def _heard(self, wave: np.ndarray) -> np.ndarray:
        mels = log_mel(windows(prepared(wave), _window(len(wave)), "windows"), GENAU)
        vectors, _ = self.clap.hear(mels.to(self.clap.shift.device))
        return vectors.mean(dim=0).cpu().numpy()

    @torch.inference_mode()
    def _read(self, texts: list[str]) -> np.ndarray:
        """Return vectors (B, E) of texts; each is read alone, so that its vector never depends on the others."""
        device = self.clap.shift.device
        described = torch.cat([describe_sentences(self.text, [text]) for text in texts])
        return self.clap.read(described.to(device)).cpu().numpy()


def load_pocket_scorer(name: str = DEFAULT, device: str = "cpu") -> PocketScorer:
    """Open a pocket scorer by name or folder.

    Args:
        name: `pocket/clap`, a model folder or a training run.
        device: torch device, or `auto`.

    Raises:
        MissingError: there is no such model, or it is of another kind.
    """
    folder = hub.resolve_model(name)
    label = name if name in hub.pocket_models() else Path(name).name
    clap = load_clap(folder)
    model = f"{label}@{model_folder.fingerprint(folder)[:HASH_LETTERS]}"
    return PocketScorer(clap, load_text(clap.config.text), model, device)


def is_audible(wave: np.ndarray) -> bool:
    """Whether anything at all is in a waveform (T,)."""
    return bool(np.abs(wave).max(initial=0.0) >= SILENT)


def prepared(wave: np.ndarray) -> np.ndarray:
    """A waveform with its peak at 0.5; one of less than a second is followed by silence."""
    loud = wave * np.float32(0.5 / np.abs(wave).max())
    shortest = round(SHORTEST_S * GENAU.rate_hz)
    return np.pad(loud, (0, max(0, shortest - len(loud))))


def _window(samples: int) -> int:
    """Length of the windows in which a sound of so many samples is heard."""
    return max(round(SHORTEST_S * GENAU.rate_hz), min(samples, round(WINDOW_S * GENAU.rate_hz)))
