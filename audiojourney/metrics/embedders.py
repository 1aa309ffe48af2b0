"""Networks that listen, behind one form: waveforms in, embeddings and logits out, in batches.

T samples, k rows of a clip, d dimensions, K classes.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from audiojourney.data.mel import GENAU, VGGISH
from audiojourney.errors import UsageError
from audiojourney.metrics.conventions import OURS, Convention
from audiojourney.metrics.front_end import QuickLogMel
from audiojourney.models.fused import fuse
from audiojourney.models.onednn import use_onednn
from audiojourney.models.panns import Cnn14
from audiojourney.models.pocket.listener import Listener, pairs_of
from audiojourney.models.vggish import FRAMES, SHORTEST, VGGish, example_count

BATCH_S = 40.0  # seconds of sound that go through a network at once; more costs memory and gains nothing on a CPU
WINDOW_S = 2.56  # what the pocket listener hears at once for a row, and by how much it moves on
HOP_S = 1.28


@dataclass(frozen=True)
class Heard:
    """What a network makes of one clip.

    Attributes:
        rows: embeddings in the course of the clip, float32, shape (k, d).
        whole: one embedding of the clip, float32, shape (d,); None where the network has none.
        logits: of the classes, float32, shape (K,); None where the network names nothing.
    """

    rows: np.ndarray
    whole: np.ndarray | None = None
    logits: np.ndarray | None = None


class Embedder(Protocol):
    """A network that listens. Another one (OpenL3, a CLAP) needs these four names only.

    Attributes:
        name: as it stands in the names of metrics, such as "vggish".
        rate_hz: sample rate that it takes.
        shortest: samples of the shortest clip that it takes.
    """

    name: str
    rate_hz: int
    shortest: int

    def embed(self, waves: Sequence[np.ndarray]) -> list[Heard]:
        """Listen to clips, each float32 (T,) of any length from `shortest`."""


class VGGishEmbedder:
    """VGGish: a row for each 0.96 s, before the last ReLU and without PCA, as the Frechet audio distance has it."""

    name = "vggish"
    rate_hz = VGGish.rate_hz
    shortest = SHORTEST

    def __init__(self, network: VGGish, device: torch.device | str = "cpu") -> None:
        self.network, self.device = _placed(network, device), device
        self._log_mel = QuickLogMel(VGGISH)

    @torch.inference_mode()
    def embed(self, waves: Sequence[np.ndarray]) -> list[Heard]:
        """Listen to clips at 16 kHz; their examples share batches, whatever their lengths."""
        parts = [self._examples(_tensor(wave, self.device)) for wave in waves]
        rows = self.network(torch.cat(parts)).float().cpu().numpy()
        ends = np.cumsum([len(part) for part in parts])[:-1]
        return [Heard(part) for part in np.split(rows, ends)]

    def _examples(self, wave: Tensor) -> Tensor:
        """Log-mel examples (E, 96, 64) of a waveform (T,), as `audiojourney.models.vggish.examples_of` cuts them."""
        count = example_count(len(wave))
        return self._log_mel(wave)[: count * FRAMES].unflatten(0, (count, FRAMES))


class PannsEmbedder:
    """CNN14: one row a clip, and the logits of 527 classes."""

    name = "panns"

    def __init__(self, network: Cnn14, device: torch.device | str = "cpu") -> None:
        self.network, self.device = _placed(network, device), device
        self.rate_hz, self.shortest = network.config.rate_hz, network.config.shortest

    @torch.inference_mode()
    def embed(self, waves: Sequence[np.ndarray]) -> list[Heard]:
        """Listen to clips; those of one length share a batch, none is padded for another."""
        heard: list[Heard | None] = [None] * len(waves)
        for places in _by_length([len(wave) for wave in waves]):
            out = self.network(torch.stack([_tensor(waves[place], self.device) for place in places]))
            embeddings, logits = (part.float().cpu().numpy() for part in out)
            for place, embedding, row in zip(places, embeddings, logits, strict=True):
                heard[place] = Heard(embedding[None], embedding, row)
        return [found for found in heard if found is not None]


class PocketEmbedder:
    """The shipped listener: rows of overlapping windows, one embedding of the whole clip, logits of its classes."""

    name = "pocket"
    rate_hz = GENAU.rate_hz
    shortest = round(WINDOW_S * GENAU.rate_hz)

    def __init__(self, network: Listener, device: torch.device | str = "cpu") -> None:
        self.network, self.device = copy.deepcopy(network).eval().to(device), device
        self.network.layers = fuse(self.network.layers)
        self._log_mel = QuickLogMel(GENAU)

    @torch.inference_mode()
    def embed(self, waves: Sequence[np.ndarray]) -> list[Heard]:
        """Listen to clips at 16 kHz, one after the other: the windows of a clip are batch enough for a small network.

        Larger batches leave the cache of a processor and are slower; on a GPU decoding takes longer than listening.
        """
        return [self._heard(self._log_mel(_tensor(wave, self.device))) for wave in waves]

    def _heard(self, mel: Tensor) -> Heard:
        """Listen to the windows, and to the whole, of log-mel (F, M)."""
        pairs = pairs_of(mel[None])
        # Windows begin at even frames, so their pairs are pairs of the whole.
        rows = self.network.features_of_pairs(_windows(pairs, frames=2)[0])
        whole = self.network.features_of_pairs(pairs)
        logits = self.network.head(whole)
        return Heard(*(part.float().cpu().numpy() for part in (rows, whole[0], logits[0])))


def prepared(wave: np.ndarray, shortest: int, name: str, convention: Convention = OURS) -> tuple[np.ndarray, bool]:
    """Make a clip ready for a network.

    Args:
        wave: float32 (T,) at the rate of the network.
        shortest: samples that the network needs.
        name: of the clip, for messages.
        convention: whether its mean is removed, and how far short clips are padded.

    Returns:
        the waveform, padded with silence where it is too short, and whether it was too short for the network.

    Raises:
        UsageError: the clip is empty, has several channels, or samples that are not finite.
    """
    if wave.ndim != 1 or not len(wave):
        raise UsageError(f"The clip {name!r} has the shape {wave.shape}; one channel of at least one sample is needed.")
    if not np.isfinite(wave).all():
        raise UsageError(f"{int((~np.isfinite(wave)).sum())} samples of the clip {name!r} are not finite.")
    ready = wave - wave.mean() if convention.remove_offset else wave
    least = max(shortest, convention.shortest_samples)
    return np.pad(ready, (0, max(0, least - len(ready)))), len(wave) < shortest


def embed_clips(
    embedder: Embedder,
    clips: Iterable[tuple[str, np.ndarray]],
    convention: Convention = OURS,
    batch_s: float = BATCH_S,
) -> Iterator[tuple[str, Heard]]:
    """Listen to a stream of clips in batches, in their order; no more than a batch is held.

    Args:
        embedder: the network.
        clips: id and waveform (T,) at the rate of the network.
        convention: see `prepared`.
        batch_s: seconds of sound that go through the network at once.

    Yields:
        id, and what was heard.

    Raises:
        UsageError: a clip that cannot be used; see `prepared`.
    """
    names: list[str] = []
    waves: list[np.ndarray] = []
    for name, wave in clips:
        names.append(name)
        waves.append(prepared(wave, embedder.shortest, name, convention)[0])
        if sum(map(len, waves)) >= batch_s * embedder.rate_hz:
            yield from zip(names, embedder.embed(waves), strict=True)
            names, waves = [], []
    if waves:
        yield from zip(names, embedder.embed(waves), strict=True)


def _placed(network: Any, device: torch.device | str) -> Any:
    """Put a network where it runs, in the layout and with the products that are fast there."""
    use_onednn(network)
    return network.eval().to(device, memory_format=torch.channels_last)


def _tensor(wave: np.ndarray, device: torch.device | str) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(wave, np.float32)).to(device)


def _by_length(lengths: Sequence[int]) -> list[list[int]]:
    """Places of clips of one length, together."""
    groups: dict[int, list[int]] = defaultdict(list)
    for place, length in enumerate(lengths):
        groups[length].append(place)
    return list(groups.values())


def windows(mels: Tensor) -> Tensor:
    """Overlapping windows (B, k, F, M) of log-mel (B, F, M), as the pocket network hears them."""
    return _windows(mels, frames=1)


def _windows(mels: Tensor, frames: int) -> Tensor:
    """The same where each row stands for several frames."""
    frames_s = GENAU.rate_hz / GENAU.hop_length / frames
    size = min(round(WINDOW_S * frames_s), mels.shape[1])
    return mels.unfold(1, size, round(HOP_S * frames_s)).transpose(2, 3)
