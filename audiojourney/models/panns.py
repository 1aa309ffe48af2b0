"""PANNs CNN14 at 16 and 32 kHz: the network behind FD, IS and KL (Kong et al. 2020).

Parameter names are those of the public checkpoints. Their mel matrix is used as it lies in the file; their two fixed
Fourier kernels follow from the front-end and are left out.

B batch, T samples, F mel frames, M mel bins, C channels, D width, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from audiojourney.data.mel import PANNS_16K, PANNS_32K, MelConfig, compress, filterbank, spectrum
from audiojourney.errors import UsageError
from audiojourney.models.genau.state import State, fill, read_state

FRONT_ENDS = {config.rate_hz: config for config in (PANNS_16K, PANNS_32K)}
BLOCKS = 6
SHORTEST_FRAMES = 2 ** (BLOCKS - 1)  # five halvings must leave one frame
_FOURIER = "spectrogram_extractor."


@dataclass(frozen=True, kw_only=True)
class Cnn14Config:
    """Sizes; the defaults are those of the public checkpoints (80.8 million parameters).

    Attributes:
        rate_hz: 16,000 or 32,000.
        channels: outputs of the six blocks.
        width: numbers D of an embedding.
        classes: number K of classes.
    """

    rate_hz: int = 16_000
    channels: tuple[int, ...] = (64, 128, 256, 512, 1024, 2048)
    width: int = 2048
    classes: int = 527

    @property
    def front_end(self) -> MelConfig:
        """The mel front-end of the rate.

        Raises:
            UsageError: there is none.
        """
        if self.rate_hz not in FRONT_ENDS:
            raise UsageError(f"There is no CNN14 front-end at {self.rate_hz} Hz.", f"Known: {sorted(FRONT_ENDS)}.")
        return FRONT_ENDS[self.rate_hz]

    @property
    def shortest(self) -> int:
        """Samples of the shortest clip that the network can take: 31 hops, 0.31 s."""
        return (SHORTEST_FRAMES - 1) * self.front_end.hop_length

    @classmethod
    def of_state(cls, state: State) -> Cnn14Config:
        """Read rate and sizes from the tensors of a checkpoint.

        Raises:
            UsageError: the tensors are those of another network or of an unknown rate.
        """
        names = [f"conv_block{block}.conv1.weight" for block in range(1, BLOCKS + 1)]
        names += ["fc1.weight", "fc_audioset.weight", "logmel_extractor.melW"]
        absent = [name for name in names if name not in state]
        if absent:
            raise UsageError(f"These are no weights of CNN14: {absent[0]!r} is not among {len(state)} tensors.")
        *channels, width, classes, bins = (len(state[name]) for name in names)
        rates = [rate for rate, config in FRONT_ENDS.items() if config.n_fft // 2 + 1 == bins]
        if not rates:
            raise UsageError(f"The mel matrix of this CNN14 has {bins} rows; 257 (16 kHz) and 513 (32 kHz) are known.")
        return cls(rate_hz=rates[0], channels=tuple(channels), width=width, classes=classes)


class Cnn14Output(NamedTuple):
    """What CNN14 says of B clips.

    Attributes:
        embedding: after the ReLU, shape (B, D).
        logits: before softmax or sigmoid, shape (B, K).
    """

    embedding: Tensor
    logits: Tensor


class Cnn14(nn.Module):
    """Waveforms to embeddings and logits."""

    def __init__(self, config: Cnn14Config | None = None) -> None:
        super().__init__()
        self.config = config or Cnn14Config()
        front_end = self.config.front_end
        self.logmel_extractor = _MelMatrix(front_end)
        self.bn0 = nn.BatchNorm2d(front_end.n_mels)
        inputs = 1
        for block, outputs in enumerate(self.config.channels, start=1):
            self.add_module(f"conv_block{block}", _Block(inputs, outputs))
            inputs = outputs
        self.fc1 = nn.Linear(inputs, self.config.width)
        self.fc_audioset = nn.Linear(self.config.width, self.config.classes)

    @classmethod
    def of_state(cls, state: State) -> Cnn14:
        """Build the network of a state dict under the public names, ready for inference.

        Raises:
            UsageError: the tensors are those of another network.
            MissingError: some tensors are absent.
        """
        with torch.device("meta"):
            network = cls(Cnn14Config.of_state(state))
        fill(network, {name: value for name, value in state.items() if not name.startswith(_FOURIER)}, "CNN14")
        return network.requires_grad_(False).eval()

    @classmethod
    def load(cls, path: Path) -> Cnn14:
        """Read a checkpoint such as `Cnn14_16k_mAP=0.438.pth`; see `of_state` for the errors."""
        return cls.of_state(read_state(path))

    def log_mel(self, waves: Tensor) -> Tensor:
        """Log-mel (B, F, M) in decibel of waveforms (B, T), by the mel matrix of the checkpoint.

        Raises:
            UsageError: the clips are shorter than 31 hops.
        """
        if waves.ndim != 2 or waves.shape[1] < self.config.shortest:
            raise UsageError(
                f"CNN14 at {self.config.rate_hz} Hz takes waveforms (B, T) with T of at least {self.config.shortest} "
                f"samples (0.31 s), not {tuple(waves.shape)}.",
                "Pad short clips with silence, or leave them out.",
            )
        front_end = self.config.front_end
        return compress(spectrum(waves, front_end) @ self.logmel_extractor.melW, front_end)

    def forward(self, waves: Tensor) -> Cnn14Output:
        """Embeddings (B, D) and logits (B, K) of waveforms (B, T); each row depends on its own waveform alone."""
        x = self.log_mel(waves)[:, None]
        x = self.bn0(x.transpose(1, 3)).transpose(1, 3)
        for block in range(1, BLOCKS + 1):
            x = self.get_submodule(f"conv_block{block}")(x)
            x = functional.avg_pool2d(x, 2) if block < BLOCKS else x
        over_time = x.mean(dim=3)
        embedding = self.fc1(over_time.amax(dim=2) + over_time.mean(dim=2)).relu()
        return Cnn14Output(embedding, self.fc_audioset(embedding))


class _MelMatrix(nn.Module):
    """Holds the mel matrix (n_fft // 2 + 1, M) under its public name."""

    def __init__(self, front_end: MelConfig) -> None:
        super().__init__()
        self.melW: Tensor
        with torch.device("cpu"):  # the filters are cached, so they must hold numbers even where the network does not
            self.register_buffer("melW", filterbank(front_end).T.contiguous())


class _Block(nn.Module):
    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.bn2 = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, C, F, M) to (B, C, F, M) with other channels."""
        return self.bn2(self.conv2(self.bn1(self.conv1(x)).relu_())).relu_()
