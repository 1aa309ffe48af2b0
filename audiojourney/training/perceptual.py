"""How different two log-mel spectrograms look, without weights or with those of LPIPS.

B batch, F mel frames, M mel bins.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from audiojourney.errors import MissingError

SCALES = 4

# The convolutions of VGG-16 by their published numbers; a slice ends before each pooling.
_SLICES = ((0, 2), (5, 7), (10, 12, 14), (17, 19, 21), (24, 26, 28))
_WIDTHS = (64, 128, 256, 512, 512)


class SpectralPerceptual(nn.Module):
    """Compares edges and local contrast of two spectrograms at several resolutions.

    It stands where GenAu has LPIPS, a network that was trained on photographs: like it, it is blind to small shifts of
    level and asks for sharp detail, which an absolute error alone averages away. It is another loss with other values.
    """

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the distance of log-mel spectrograms (B, F, M), shape (B,)."""
        total = first.new_zeros(len(first))
        for _ in range(SCALES):
            for axis in (1, 2):
                edges = first.diff(dim=axis) - second.diff(dim=axis)
                total = total + edges.abs().mean(dim=(1, 2))
            total = total + (_contrast(first) - _contrast(second)).abs().mean(dim=(1, 2))
            first, second = (F.avg_pool2d(mel[:, None], 2)[:, 0] for mel in (first, second))
        return total / (3 * SCALES)


class Lpips(nn.Module):
    """LPIPS (Zhang et al. 2018, equation 1) on VGG-16, for those who have its weights.

    Parameter names equal those inside published autoencoder checkpoints (`loss.perceptual_loss.`).
    """

    shift: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.net = nn.ModuleDict()
        before = 3
        for number, (layers, width) in enumerate(zip(_SLICES, _WIDTHS, strict=True), start=1):
            convolutions = nn.ModuleDict()
            for layer in layers:
                convolutions[str(layer)] = nn.Conv2d(before, width, 3, padding=1)
                before = width
            self.net[f"slice{number}"] = convolutions
            self.add_module(f"lin{number - 1}", nn.ModuleDict({"model": nn.ModuleDict({"1": _one_channel(width)})}))
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188])[None, :, None, None])
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450])[None, :, None, None])
        self.requires_grad_(False).eval()

    @classmethod
    def load(cls, path: Path) -> Lpips:
        """Read the weights from a `.safetensors` or a `.pt` file, or from an autoencoder checkpoint that holds them.

        Raises:
            MissingError: the file is absent or holds others.
        """
        if not path.is_file():
            raise MissingError(f"There are no LPIPS weights at {path}.", "Leave `lpips` out to use the spectral loss.")
        network = cls()
        given = _read(path)
        own = network.state_dict()
        found = {name: given[key] for name in own for key in given if key.endswith(f"perceptual_loss.{name}")}
        found = found or {name: given[name] for name in own if name in given}
        missing = own.keys() - found.keys() - {"shift", "scale"}
        if missing:
            raise MissingError(f"{path} lacks {len(missing)} of the LPIPS weights, such as {min(missing)}.")
        network.load_state_dict(found, strict=False)
        return network

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the distance of log-mel spectrograms (B, F, M) taken as grey images, shape (B,)."""
        total = first.new_zeros(len(first))
        for number, (a, b) in enumerate(zip(self._features(first), self._features(second), strict=True)):
            weights = self.get_submodule(f"lin{number}.model.1")
            total = total + weights((_unit(a) - _unit(b)).square()).mean(dim=(1, 2, 3))
        return total

    def _features(self, mel: Tensor) -> list[Tensor]:
        """Return what VGG sees in (B, F, M) before each pooling."""
        x = (mel[:, None].expand(-1, 3, -1, -1) - self.shift) / self.scale
        features = []
        for number, layers in enumerate(_SLICES, start=1):
            x = F.max_pool2d(x, 2) if number > 1 else x
            for layer in layers:
                x = F.relu(self.get_submodule(f"net.slice{number}.{layer}")(x))
            features.append(x)
        return features


def _contrast(mel: Tensor) -> Tensor:
    """Return the standard deviation around each point of (B, F, M), over 3 x 3 points, shape (B, F - 2, M - 2)."""
    image = mel[:, None]
    mean = F.avg_pool2d(image, 3, 1)
    # The small term keeps the slope of the root finite in silence.
    return (F.avg_pool2d(image.square(), 3, 1) - mean.square()).clamp(min=0).add(1e-4).sqrt()[:, 0]


def _unit(features: Tensor) -> Tensor:
    """Return features (B, C, H, W) with length one over C."""
    return features / (features.norm(dim=1, keepdim=True) + 1e-10)


def _one_channel(width: int) -> nn.Conv2d:
    return nn.Conv2d(width, 1, 1, bias=False)


def _read(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file, read without executing anything in it."""
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        return load_file(path)
    loaded = torch.load(path, map_location="cpu", weights_only=True)
    return loaded.get("state_dict", loaded)
