"""Fused layers map as the layers they are made of."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from audiojourney.models import onednn
from audiojourney.models.fused import FusedConvolution, fuse


def layers():
    made = nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 6, 3, stride=2, padding=1), nn.BatchNorm2d(6), nn.ReLU()),
        nn.Sequential(
            nn.Conv2d(6, 6, 3, padding=1, groups=2, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2)
        ),
        nn.Conv2d(6, 3, 1),
        nn.BatchNorm2d(3),
    )
    random = torch.Generator().manual_seed(0)
    for tensor in [*made.parameters(), *made.buffers()]:
        if tensor.is_floating_point():
            tensor.data = torch.rand(tensor.shape, generator=random) + 0.1
    return made.eval().requires_grad_(False)


@pytest.mark.parametrize("one_pass", (True, False))
def test_maps_alike(one_pass, monkeypatch):
    monkeypatch.setattr(onednn, "available", lambda: one_pass and hasattr(torch.ops.mkldnn, "_convolution_pointwise"))
    plain, x = layers(), torch.randn(3, 1, 17, 12, generator=torch.Generator().manual_seed(1))
    fused = fuse(plain)
    assert sum(isinstance(layer, FusedConvolution) for layer in fused) == 2
    assert len(fused) == 5
    torch.testing.assert_close(fused(x), plain(x), rtol=1e-5, atol=1e-5)
    for number in range(3):
        torch.testing.assert_close(fused(x[number : number + 1]), fused(x)[number : number + 1], rtol=1e-6, atol=1e-6)


def test_the_original_stays():
    plain = layers()
    before = {name: tensor.clone() for name, tensor in plain.state_dict().items()}
    fuse(plain)
    assert plain.state_dict().keys() == before.keys()
    assert all(torch.equal(tensor, before[name]) for name, tensor in plain.state_dict().items())


def test_other_types_take_the_ordinary_way():
    plain, x = layers().double(), torch.randn(1, 1, 17, 12, dtype=torch.float64)
    torch.testing.assert_close(fuse(plain)(x), plain(x))
