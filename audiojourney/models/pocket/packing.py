"""Weights at a quarter of their size: matrices as int8 with one scale a row, the rest as float16."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

SCALE = ".row_scale"
LEAST_NUMBERS = 4096  # smaller tensors gain nothing from int8


def pack(state: Mapping[str, Tensor], *, matrices: bool = True) -> dict[str, Tensor]:
    """Return a smaller state; with `matrices` False everything becomes float16."""
    packed: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if matrices and tensor.ndim >= 2 and tensor.numel() >= LEAST_NUMBERS and tensor.is_floating_point():
            scale = (tensor.float().flatten(1).abs().amax(dim=1) / 127).clamp(min=1e-12)
            shaped = scale.view(-1, *[1] * (tensor.ndim - 1))
            packed[name] = (tensor.float() / shaped).round().to(torch.int8)
            packed[name + SCALE] = scale
        else:
            packed[name] = tensor.half() if tensor.dtype == torch.float32 and tensor.ndim else tensor
    return packed


def unpack(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the state as float32, whether it was packed or not."""
    full: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if name.endswith(SCALE):
            continue
        scale = state.get(name + SCALE)
        if scale is not None:
            full[name] = tensor.float() * scale.float().view(-1, *[1] * (tensor.ndim - 1))
        else:
            full[name] = tensor.float() if tensor.is_floating_point() else tensor
    return full
