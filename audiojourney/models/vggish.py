"""VGGish: the network behind the Frechet audio distance (Hershey et al. 2017; Kilgour et al. 2019).

A clip is cut into examples of 0.96 s without overlap, and each becomes 128 numbers. Names of modules and parameters are
those of the public PyTorch checkpoint, so that it loads key by key.

B batch, T samples, E examples, F mel frames, M mel bins, D width.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from audiojourney.data.mel import VGGISH, log_mel
from audiojourney.errors import UsageError
from audiojourney.models.genau.state import State, fill, read_state

FRAMES = 96  # mel frames of an example: 0.96 s
SHORTEST = (FRAMES - 1) * VGGISH.hop_length + VGGISH.win_length  # samples of one example, 0.975 s at 16 kHz
CONVOLUTIONS = (0, 3, 6, 8, 11, 13)  # places of the convolutions among the layers of `features`
_POOLED = (0, 3, 8, 13)  # those that a pooling follows
_CLIP = 2.0  # principal components beyond this are cut before they become 8 bits


@dataclass(frozen=True, kw_only=True)
class VGGishConfig:
    """Sizes; the defaults are those of the public checkpoint (72 million parameters).

    Attributes:
        channels: outputs of the six convolutions.
        hidden: width of the two hidden linear layers.
        width: numbers D of an embedding.
    """

    channels: tuple[int, ...] = (64, 128, 256, 256, 512, 512)
    hidden: int = 4096
    width: int = 128

    @classmethod
    def of_state(cls, state: State) -> VGGishConfig:
        """Read the sizes from the tensors of a checkpoint.

        Raises:
            UsageError: the tensors are those of another network.
        """
        names = [f"features.{place}.weight" for place in CONVOLUTIONS] + ["embeddings.0.weight", "embeddings.4.weight"]
        absent = [name for name in names if name not in state]
        if absent:
            raise UsageError(f"These are no weights of VGGish: {absent[0]!r} is not among {len(state)} tensors.")
        *channels, hidden, width = (len(state[name]) for name in names)
        return cls(channels=tuple(channels), hidden=hidden, width=width)


class VGGish(nn.Module):
    """Log-mel examples to embeddings."""

    rate_hz = VGGISH.rate_hz

    def __init__(self, config: VGGishConfig | None = None) -> None:
        super().__init__()
        self.config = config or VGGishConfig()
        layers: list[nn.Module] = []
        inputs = 1
        for place, outputs in zip(CONVOLUTIONS, self.config.channels, strict=True):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
            layers += [nn.MaxPool2d(2)] if place in _POOLED else []
            inputs = outputs
        self.features = nn.Sequential(*layers)
        flat = inputs * (FRAMES // 16) * (VGGISH.n_mels // 16)
        hidden, width = self.config.hidden, self.config.width
        self.embeddings = nn.Sequential(
            nn.Linear(flat, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, width)
        )

    @classmethod
    def of_state(cls, state: State) -> VGGish:
        """Build the network of a state dict under the public names, ready for inference.

        Raises:
            UsageError: the tensors are those of another network.
            MissingError: some tensors are absent.
        """
        with torch.device("meta"):
            network = cls(VGGishConfig.of_state(state))
        fill(network, state, "VGGish")
        return network.requires_grad_(False).eval()

    @classmethod
    def load(cls, path: Path) -> VGGish:
        """Read a checkpoint such as `vggish-10086976.pth`; see `of_state` for the errors."""
        return cls.of_state(read_state(path))

    def forward(self, examples: Tensor, activation: bool = False) -> Tensor:
        """Embeddings (E, D) of log-mel examples (E, 96, 64).

        Args:
            examples: what `examples_of` returns.
            activation: apply the last ReLU of the classifier; the Frechet audio distance is measured without it.
        """
        maps = self.features(examples[:, None])
        # The public weights expect channels last: time, mel, channel.
        out = self.embeddings(maps.permute(0, 2, 3, 1).flatten(1))
        return out.relu() if activation else out


def example_count(samples: int) -> int:
    """Number of examples E in a waveform of T samples at 16 kHz; 0 below 15,600."""
    frames = (samples - VGGISH.win_length) // VGGISH.hop_length + 1
    return max(0, frames) // FRAMES


def examples_of(wave: Tensor) -> Tensor:
    """Log-mel examples (E, 96, 64) of one waveform (T,) at 16 kHz; what is left of the last 0.96 s is dropped.

    Raises:
        UsageError: the waveform is no single one, or shorter than one example.
    """
    if wave.ndim != 1:
        raise UsageError(f"VGGish takes one waveform (T,) at a time, not {tuple(wave.shape)}.")
    count = example_count(len(wave))
    if not count:
        raise UsageError(
            f"A clip of {len(wave)} samples at 16 kHz is too short for VGGish, which needs {SHORTEST} (0.975 s).",
            "Pad it with silence, or leave it out.",
        )
    return log_mel(wave, VGGISH)[: count * FRAMES].unflatten(0, (count, FRAMES))


@dataclass(frozen=True)
class VGGishPCA:
    """The published whitening of embeddings into bytes. The Frechet audio distance does not use it.

    Attributes:
        vectors: eigenvectors as rows, shape (D, D).
        means: shape (D,).
    """

    vectors: Tensor
    means: Tensor

    @classmethod
    def of_state(cls, state: State) -> VGGishPCA:
        """Take the tensors of the public file, whose means have the shape (D, 1).

        Raises:
            UsageError: they are absent.
        """
        absent = {"pca_eigen_vectors", "pca_means"} - state.keys()
        if absent:
            raise UsageError(f"These are no PCA parameters of VGGish: {sorted(absent)} are absent.")
        return cls(state["pca_eigen_vectors"].float(), state["pca_means"].float().flatten())

    def __call__(self, embeddings: Tensor) -> Tensor:
        """Map embeddings (E, D) after the last ReLU to whole numbers from 0 to 255, as float32 (E, D)."""
        components = (embeddings - self.means) @ self.vectors.T
        return ((components.clamp(-_CLIP, _CLIP) + _CLIP) * (255 / (2 * _CLIP))).round()
