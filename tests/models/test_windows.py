"""Fused attention in windows gives what transformers gives."""

from __future__ import annotations

import copy

import pytest
import torch
from transformers.models.clap.configuration_clap import ClapAudioConfig
from transformers.models.clap.modeling_clap import ClapAudioModel

from audiojourney.models.windows import fuse_windows


@pytest.fixture(scope="module")
def plain() -> ClapAudioModel:
    """An HTSAT whose first stages have several windows, shifted in every second block."""
    torch.manual_seed(0)
    config = ClapAudioConfig(
        patch_embeds_hidden_size=16, hidden_size=64, depths=[2, 2, 2], num_attention_heads=[2, 4, 4],
        num_hidden_layers=3, window_size=4, spec_size=64, num_mel_bins=16, attention_probs_dropout_prob=0.0,
        drop_path_rate=0.0, hidden_dropout_prob=0.0,
    )  # fmt: skip
    model = ClapAudioModel(config).eval()
    with torch.no_grad():
        for name, table in model.named_parameters():
            if "bias_table" in name:
                table.normal_()  # zeros of a new model would hide them
    return model


def test_values_gradients_and_state(plain: ClapAudioModel):
    fused, mel = copy.deepcopy(plain), torch.randn(3, 1, 200, 16)
    assert fuse_windows(fused) == 6
    assert fused.state_dict().keys() == plain.state_dict().keys()
    found = []
    for model in (plain, fused):
        out = model(input_features=mel).last_hidden_state
        out.square().sum().backward()
        tables = [value.grad for name, value in model.named_parameters() if "bias_table" in name]
        found.append([out, *tables])
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_other_modules_stay():
    module = torch.nn.Sequential(torch.nn.Linear(3, 3))
    assert fuse_windows(module) == 0


def test_dropout_only_in_training(plain: ClapAudioModel):
    fused, mel = copy.deepcopy(plain), torch.randn(1, 1, 200, 16)
    fuse_windows(fused)
    for part in fused.modules():
        if type(part).__name__ == "ClapAudioSelfAttention":
            part.dropout.p = 0.5
    still = [fused(input_features=mel).last_hidden_state for _ in range(2)]
    assert torch.equal(*still)
    for part in fused.modules():
        if type(part).__name__ == "ClapAudioSelfAttention":
            part.train()
    moving = [fused(input_features=mel).last_hidden_state for _ in range(2)]
    assert not torch.equal(*moving)
