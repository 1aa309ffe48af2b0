"""Networks that tell made from real: on spectrograms as images, and on waveforms (HiFi-GAN, section 2.3).

B batch, F mel frames, M mel bins, T samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

from audiojourney.errors import UsageError

Norm = Callable[[nn.Module], nn.Module]
PERIODS = (2, 3, 5, 7, 11)
SCALES = 3
SLOPE = 0.1

# Inputs and outputs, kernel, stride and groups of each layer of a scale discriminator.
_SCALE_LAYERS = (
    (1, 128, 15, 1, 1),
    (128, 128, 41, 2, 4),
    (128, 256, 41, 2, 16),
    (256, 512, 41, 4, 16),
    (512, 1024, 41, 4, 16),
    (1024, 1024, 41, 1, 16),
    (1024, 1024, 5, 1, 1),
)
_PERIOD_WIDTHS = (1, 32, 128, 512, 1024)


class PatchDiscriminator(nn.Module):
    """Judges overlapping patches of a log-mel spectrogram (Isola et al. 2017, appendix 6.1.2).

    Args:
        width: channels of the first layer.
        layers: layers that halve the resolution.
    """

    def __init__(self, width: int = 64, layers: int = 3) -> None:
        super().__init__()
        widths = [width * min(2**i, 8) for i in range(layers + 1)]
        stack: list[nn.Module] = [nn.Conv2d(1, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for i in range(1, layers + 1):
            stride = 2 if i < layers else 1
            stack += [
                nn.Conv2d(widths[i - 1], widths[i], 4, stride, 1, bias=False),
                nn.BatchNorm2d(widths[i]),
                nn.LeakyReLU(0.2),
            ]
        self.stack = nn.Sequential(*stack, nn.Conv2d(widths[-1], 1, 4, 1, 1))
        self.apply(_start_small)

    def forward(self, mel: Tensor) -> Tensor:
        """Map log-mel (B, F, M) to one answer a patch, shape (B, N)."""
        return self.stack(mel[:, None]).flatten(1)


class PeriodDiscriminator(nn.Module):
    """Looks at every p-th sample of a waveform.

    Args:
        period: p.
        shrink: divisor of all channel counts, for small models.
    """

    def __init__(self, period: int, shrink: int = 1) -> None:
        super().__init__()
        self.period = period
        widths = [max(1, width // shrink) for width in (*_PERIOD_WIDTHS, _PERIOD_WIDTHS[-1])]
        strides = (3, 3, 3, 3, 1)
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(before, after, (5, 1), (stride, 1), (2, 0)))
            for before, after, stride in zip(widths[:-1], widths[1:], strides, strict=True)
        )
        self.last = weight_norm(nn.Conv2d(widths[-1], 1, (3, 1), 1, (1, 0)))

    def forward(self, wave: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Map waveforms (B, T) to answers (B, N) and the features of every layer."""
        padded = F.pad(wave[:, None], (0, -wave.shape[-1] % self.period), "reflect")
        return _through(self.layers, self.last, padded.unflatten(-1, (-1, self.period)))


class ScaleDiscriminator(nn.Module):
    """Looks at a whole waveform through grouped convolutions.

    Args:
        norm: normalises a layer's weight.
        shrink: divisor of all channel counts, for small models.
    """

    def __init__(self, norm: Norm, shrink: int = 1) -> None:
        super().__init__()
        if shrink > 8 or shrink & (shrink - 1):
            raise UsageError(f"shrink is {shrink}.", "Give 1, 2, 4 or 8.")
        self.layers = nn.ModuleList(
            norm(nn.Conv1d(max(1, i // shrink), o // shrink, kernel, stride, kernel // 2, groups=groups))
            for i, o, kernel, stride, groups in _SCALE_LAYERS
        )
        self.last = norm(nn.Conv1d(_SCALE_LAYERS[-1][1] // shrink, 1, 3, padding=1))

    def forward(self, wave: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Map waveforms (B, T) to answers (B, N) and the features of every layer."""
        return _through(self.layers, self.last, wave[:, None])


class WaveDiscriminators(nn.Module):
    """Five periods and three scales, each scale at half the rate of the one before.

    Args:
        shrink: divisor of all channel counts, for small models.
    """

    def __init__(self, shrink: int = 1) -> None:
        super().__init__()
        self.periods = nn.ModuleList(PeriodDiscriminator(period, shrink) for period in PERIODS)
        norms: list[Norm] = [spectral_norm] + [weight_norm] * (SCALES - 1)
        self.scales = nn.ModuleList(ScaleDiscriminator(norm, shrink) for norm in norms)

    def forward(self, wave: Tensor) -> tuple[list[Tensor], list[list[Tensor]]]:
        """Map waveforms (B, T) to the answers (B, N) and the features of each discriminator."""
        found = [network(wave) for network in self.periods]
        for network in self.scales:
            found.append(network(wave))
            wave = F.avg_pool1d(wave[:, None], 4, 2, padding=2)[:, 0]
        return [answers for answers, _ in found], [features for _, features in found]


def _through(layers: Sequence[nn.Module] | nn.ModuleList, last: nn.Module, x: Tensor) -> tuple[Tensor, list[Tensor]]:
    """Apply layers and the last one to (B, C, ...); return answers (B, N) and all features."""
    features = []
    for layer in layers:
        x = F.leaky_relu(layer(x), SLOPE)
        features.append(x)
    x = last(x)
    return x.flatten(1), [*features, x]


def _start_small(module: nn.Module) -> None:
    """Draw convolutions from N(0, 0.02) and gains from N(1, 0.02), as the patch discriminator begins."""
    if isinstance(module, nn.Conv2d):
        nn.init.normal_(module.weight, 0.0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
        nn.init.zeros_(module.bias)


def trainable_weight_norm(module: nn.Module) -> nn.Module:
    """Split the weight of every convolution of `module` into length and direction while it is trained."""
    for layer in list(module.modules()):
        if isinstance(layer, nn.Conv1d | nn.ConvTranspose1d):
            weight_norm(layer)
    return module


def plain_state(module: nn.Module) -> dict[str, Tensor]:
    """Return the state of a module with its normalised weights as plain tensors under their plain names."""
    state = {name: tensor for name, tensor in module.state_dict().items() if ".parametrizations." not in name}
    for name, layer in module.named_modules():
        if "weight" in getattr(layer, "parametrizations", ()):
            state[f"{name}.weight"] = torch.as_tensor(layer.weight).detach()
    return state
