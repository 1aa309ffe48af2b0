"""The GenAu vocoder against the published numbers, weight-norm folding included."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from audiojourney.errors import MissingError, UsageError
from audiojourney.models.genau.hifigan import HiFiGAN, HiFiGANConfig
from audiojourney.models.genau.sizes import vocoder_sizes
from audiojourney.models.genau.state import fold_weight_norm
from tests.models.official_layout import VOCODER_TINY, randomise, tiny_vocoder, with_weight_norm


def test_published_wave(shared_fixtures: Path):
    path = shared_fixtures / "genau" / "hifigan_tiny"
    numbers, notes = (
        load_file(path.with_suffix(".safetensors")),
        json.loads(path.with_suffix(".json").read_text("utf-8")),
    )
    state = fold_weight_norm({name[3:]: tensor for name, tensor in numbers.items() if name.startswith("sd.")})
    tolerance = {"atol": notes["tolerance"]["atol"], "rtol": notes["tolerance"]["rtol"]}
    for name in ("conv_pre.weight", "ups.0.weight"):
        torch.testing.assert_close(state[name], numbers[f"sd_plain.{name}"], **tolerance)
    vocoder = HiFiGAN(HiFiGANConfig.from_json(notes["config"])).eval()
    vocoder.load_state_dict(state)
    assert sum(p.numel() for p in vocoder.parameters()) == notes["parameters_after_folding"]
    with torch.no_grad():
        wave = vocoder(numbers["in.mel"].transpose(1, 2))
    torch.testing.assert_close(wave, numbers["out.wave"][:, 0], **tolerance)
    assert vocoder_sizes(state) == HiFiGANConfig.from_json(notes["config"])


def test_published_sizes():
    with torch.device("meta"):
        vocoder = HiFiGAN(HiFiGANConfig())
        assert vocoder(torch.empty(1, 1024, 64)).shape == (1, 163_872)
    assert sum(p.numel() for p in vocoder.parameters()) == 55_264_897
    assert len(vocoder.state_dict()) == 194


@pytest.mark.parametrize("frames", [1, 7, 32])
def test_length_is_160_a_frame_and_32_more(frames: int):
    with torch.no_grad():
        assert tiny_vocoder()(torch.randn(2, frames, VOCODER_TINY.mel_bins)).shape == (2, 160 * frames + 32)


def test_last_activation_leaks_a_hundredth():
    """With identity-like stages the slope before the last convolution can be read off the output."""
    vocoder = HiFiGAN(replace(VOCODER_TINY, rates=(), kernels=(), width=4, mel_bins=1)).eval()
    with torch.no_grad():
        for parameter in vocoder.parameters():
            parameter.zero_()
        vocoder.conv_pre.weight[0, 0, 3] = 1
        vocoder.conv_post.weight[0, 0, 3] = 1
        wave = vocoder(torch.tensor([[[0.5], [-0.5]]]))
    torch.testing.assert_close(wave[0], torch.tensor([0.5, -0.005]).tanh())


@pytest.mark.parametrize("spelling", ["weight_g", "parametrizations"])
def test_folding_agrees_with_torch(spelling: str):
    torch.manual_seed(0)
    for layer in (nn.Conv1d(6, 8, 3), nn.ConvTranspose1d(6, 8, 4, 2)):
        layer = torch.nn.utils.parametrizations.weight_norm(layer)
        randomise(layer)
        state = {f"layer.{name}": tensor for name, tensor in layer.state_dict().items()}
        if spelling == "weight_g":
            renamed = {"original0": "weight_g", "original1": "weight_v"}
            state = {
                name.replace(f"parametrizations.weight.{old}", new): tensor
                for name, tensor in state.items()
                for old, new in renamed.items()
                if old in name or ("bias" in name and old == "original0")
            }
        folded = fold_weight_norm(state)
        assert set(folded) == {"layer.weight", "layer.bias"}
        torch.testing.assert_close(folded["layer.weight"], layer.weight.detach())


def test_folding_leaves_plain_weights_and_undoes_splitting():
    state = tiny_vocoder().state_dict()
    assert fold_weight_norm(state).keys() == state.keys()
    folded = fold_weight_norm(with_weight_norm(state))
    for name, tensor in state.items():
        torch.testing.assert_close(folded[name], tensor)


def test_half_a_weight_norm_is_reported():
    with pytest.raises(MissingError, match=r"'ups.0.weight_v' but not 'ups.0.weight_g'"):
        fold_weight_norm({"ups.0.weight_v": torch.ones(2, 2, 2)})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"resblock": "2"}, "resblock '2'"),
        ({"num_mels": None}, "lacks 'num_mels'"),
        ({"upsample_rates": [5]}, r"rates \(5,\)"),
    ],
)
def test_configurations_that_cannot_be_are_refused(change: dict[str, object], message: str):
    values: dict[str, object] = {
        "resblock": "1",
        "num_mels": 64,
        "upsample_initial_channel": 64,
        "upsample_rates": [5, 4],
        "upsample_kernel_sizes": [16, 8],
        "resblock_kernel_sizes": [3],
        "resblock_dilation_sizes": [[1]],
        **change,
    }
    with pytest.raises(UsageError, match=message):
        HiFiGANConfig.from_json({name: value for name, value in values.items() if value is not None})


def test_unknown_kernels_need_the_json_file():
    state = HiFiGAN(HiFiGANConfig(width=4, rates=(2,), kernels=(6,))).state_dict()
    with pytest.raises(UsageError, match=r"kernels \(6,\) needs its JSON"):
        vocoder_sizes(state)
