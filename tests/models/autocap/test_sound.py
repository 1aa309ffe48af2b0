"""Waveforms as AutoCap hears them."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from audiojourney.errors import ClipError, UsageError
from audiojourney.models.autocap.sound import SAMPLES, excerpt, features, for_clap, prepared
from tests.models.autocap.tiny import tiny_network


def test_a_part_is_chosen_by_the_seed_and_is_not_silent():
    wave = np.zeros(4 * SAMPLES, np.float32)
    wave[3 * SAMPLES :] = np.linspace(0.1, 1, SAMPLES)
    parts = [excerpt(wave, np.random.default_rng(seed)) for seed in range(20)]
    assert all(len(part) == SAMPLES and part.any() for part in parts)
    assert np.array_equal(parts[3], excerpt(wave, np.random.default_rng(3)))
    assert len({part.tobytes() for part in parts}) > 10
    assert not excerpt(wave * 0, np.random.default_rng(0)).any(), "silence throughout is heard as it is"
    short = wave[: SAMPLES // 2]
    assert excerpt(short, np.random.default_rng(0)) is short


def test_prepared_waves():
    wave = np.array([1.0, 3.0] * 100, np.float32)
    out = prepared(wave)
    assert out.shape == (SAMPLES,) and out.dtype == np.float32
    np.testing.assert_allclose(out[:200], [-0.5, 0.5] * 100, atol=1e-6)
    assert not out[200:].any() and not prepared(wave * 0).any()


@pytest.mark.parametrize(("wave", "code"), [(np.zeros(100), "too_short"), (np.full(200, np.nan), "non_finite")])
def test_unusable_waves(wave: np.ndarray, code: str):
    with pytest.raises(ClipError) as caught:
        prepared(wave.astype(np.float32))
    assert caught.value.code == code


def test_shapes():
    waves = [prepared(np.random.default_rng(i).normal(size=9000).astype(np.float32)) for i in range(2)]
    assert features(waves).shape == (2, 1001, 64) and for_clap(waves).shape == (2, 480_000)


def test_blanked_values_are_nought_after_normalisation():
    encoder = tiny_network().htsat
    mel, keep = torch.randn(1, 60, 64) * 20 - 50, torch.ones(1, 60, 64)
    keep[:, 10:30], keep[:, :, 5:9] = 0, 0
    layer = encoder.swin.audio_encoder.batch_norm
    with torch.no_grad():
        layer.bias.zero_()
        blanked = torch.where(keep == 0, layer.running_mean, mel)  # what is normalised to nought
        torch.testing.assert_close(encoder(mel, keep), encoder(blanked), atol=1e-4, rtol=1e-4)
        assert not torch.allclose(encoder(mel, keep), encoder(mel))
    with pytest.raises(UsageError, match="1025 frames"):
        encoder(torch.zeros(1, 1025, 64))
