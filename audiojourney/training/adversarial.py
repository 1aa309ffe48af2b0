"""Losses of adversarial training.

B batch, N anything: discriminators answer with any number of values for a sound.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

MAX_WEIGHT = 1e4


def hinge_discriminator(real: Tensor, made: Tensor) -> Tensor:
    """Return the hinge loss of a discriminator for its answers (B, N) to real and made examples, shape ()."""
    return 0.5 * (torch.relu(1 - real).mean() + torch.relu(1 + made).mean())


def hinge_generator(made: Tensor) -> Tensor:
    """Return the loss of the other side for answers (B, N) to made examples, shape ()."""
    return -made.mean()


def adaptive_weight(reconstruction: Tensor, adversarial: Tensor, last: Tensor) -> Tensor:
    """Return the weight at which both losses pull equally hard at the last layer (Esser et al. 2021, equation 7).

    Args:
        reconstruction: loss of shape ().
        adversarial: loss of shape ().
        last: weight of the last layer of the decoder.
    """
    (rebuilding,) = torch.autograd.grad(reconstruction, last, retain_graph=True)
    (fooling,) = torch.autograd.grad(adversarial, last, retain_graph=True)
    return (rebuilding.norm() / (fooling.norm() + 1e-4)).clamp(0.0, MAX_WEIGHT).detach()


def squares_discriminator(real: Sequence[Tensor], made: Sequence[Tensor]) -> Tensor:
    """Return the least-squares loss of several discriminators (HiFi-GAN, equation 1), shape ()."""
    losses = [(1 - r).square().mean() + m.square().mean() for r, m in zip(real, made, strict=True)]
    return torch.stack(losses).sum()


def squares_generator(made: Sequence[Tensor]) -> Tensor:
    """Return the least-squares loss of the other side (HiFi-GAN, equation 2), shape ()."""
    return torch.stack([(1 - m).square().mean() for m in made]).sum()


def feature_distance(real: Sequence[Sequence[Tensor]], made: Sequence[Sequence[Tensor]]) -> Tensor:
    """Return the absolute difference of all inner features of all discriminators (HiFi-GAN, equation 4), shape ()."""
    pairs = [pair for r, m in zip(real, made, strict=True) for pair in zip(r, m, strict=True)]
    return torch.stack([(r.detach() - m).abs().mean() for r, m in pairs]).sum()
