"""Autoencoder, vocoder, listener and packing of the pocket models."""

from __future__ import annotations

import math

import pytest
import torch

from audiojourney.data.mel import GENAU, log_mel
from audiojourney.models.pocket.autoencoder import MelAutoencoder, MelAutoencoderConfig
from audiojourney.models.pocket.convnext import ConvNeXtBlock
from audiojourney.models.pocket.listener import Listener, ListenerConfig
from audiojourney.models.pocket.packing import SCALE, pack, unpack
from audiojourney.models.pocket.spectral_distance import distance, energy_distance, log_magnitudes
from audiojourney.models.pocket.vocoder import (
    SpectralVocoder,
    SpectralVocoderConfig,
    griffin_lim,
    inverse_stft,
    match_mel,
    mel_to_bins,
)

SMALL = MelAutoencoderConfig(channels=16, width=32, depth=1)


def noise(samples: int, seed: int = 0) -> torch.Tensor:
    return 0.1 * torch.randn(1, samples, generator=torch.Generator().manual_seed(seed))


def test_components_alone_reconstruct_what_they_span() -> None:
    torch.manual_seed(0)
    basis = torch.randn(8, 4 * 64)
    mel = (torch.randn(400, 8) @ basis).reshape(10, 160, 64)
    model = MelAutoencoder(SMALL)
    model.fit_components(mel)
    rebuilt = model.decode(model.encode(mel))
    assert (rebuilt - mel).abs().mean() < 1e-3 * mel.abs().mean()


def test_components_are_half_whitened() -> None:
    torch.manual_seed(0)
    mel = torch.randn(50, 160, 64) * torch.linspace(0.1, 3, 64)
    model = MelAutoencoder(SMALL)
    model.fit_components(mel)
    latent = model.encode(mel)
    variance = latent.transpose(1, 2).flatten(0, 1).var(dim=0)
    patches = (mel - model.mean).reshape(-1, 256)
    original = torch.linalg.eigvalsh(patches.T @ patches / len(patches)).flip(0)[:16]
    assert torch.allclose(variance, original.sqrt(), rtol=0.05)


def test_the_global_scale_cancels_between_encode_and_decode() -> None:
    torch.manual_seed(0)
    model, mel = MelAutoencoder(SMALL), torch.randn(2, 16, 64)
    plain = model.decode(model.encode(mel))
    model.scale.fill_(0.25)
    assert torch.allclose(model.decode(model.encode(mel)), plain, atol=1e-5)
    assert model.encode(mel).shape == (2, 16, 4)


def test_a_block_with_gain_zero_is_the_identity() -> None:
    block, x = ConvNeXtBlock(8), torch.randn(2, 8, 20)
    torch.nn.init.zeros_(block.gain)
    assert torch.equal(block(x), x)


def test_inverse_stft_undoes_the_stft_inside_the_signal() -> None:
    wave = noise(160 * 100)
    padded = torch.nn.functional.pad(wave, (432, 432), mode="reflect")
    stft = torch.stft(padded, 1024, 160, window=torch.hann_window(1024), center=False, return_complex=True)
    back = inverse_stft(stft, 1024, 160)
    assert back.shape == wave.shape
    assert torch.allclose(back, wave, atol=1e-5)


def test_bins_of_a_flat_mel_are_flat() -> None:
    matrix = mel_to_bins(GENAU, 321)
    assert torch.allclose(matrix.sum(dim=0), torch.ones(321), atol=1e-6)
    assert (matrix >= 0).all()


def test_vocoder_gives_a_hop_a_frame_and_follows_its_seed() -> None:
    vocoder = SpectralVocoder(SpectralVocoderConfig(width=32, depth=1, noise=4, matching=1)).eval()
    mel = log_mel(noise(16000)).repeat(2, 1, 1)
    waves = vocoder.synthesise(mel, [torch.Generator().manual_seed(s) for s in (1, 2)])
    again = vocoder.synthesise(mel, [torch.Generator().manual_seed(s) for s in (1, 1)])
    assert waves.shape == (2, 16000)
    assert torch.allclose(waves[0], again[0], atol=1e-6)
    assert not torch.allclose(again[0], waves[1], atol=1e-3)
    assert torch.allclose(again[0], again[1], atol=1e-6)


def test_mel_matching_brings_the_mel_nearer() -> None:
    target = log_mel(noise(16000, 1))
    wave = 0.2 * noise(16000, 2)
    before = (log_mel(wave) - target).abs().mean()
    after = (log_mel(match_mel(wave, target.exp(), GENAU)) - target).abs().mean()
    assert after < 0.5 * before


def test_griffin_lim_keeps_the_pitch_of_a_tone() -> None:
    time = torch.arange(16000) / 16000
    mel = log_mel(0.5 * torch.sin(2 * math.pi * 1000 * time)[None])
    wave = griffin_lim(mel, torch.Generator().manual_seed(0), passes=8)
    peak = torch.fft.rfft(wave[0]).abs().argmax()
    assert abs(int(peak) - 1000) < 40


def test_energy_distance_prefers_the_right_texture_to_the_average() -> None:
    real, other, third = (0.1 * torch.randn(8, 16000, generator=torch.Generator().manual_seed(s)) for s in range(3))
    honest = energy_distance(real, other, third)
    averaged = energy_distance(real, 0.3 * other, 0.3 * other)
    assert honest < averaged
    assert float(distance(log_magnitudes(real), log_magnitudes(real))) < 0.01


def test_listener_does_not_hear_loudness() -> None:
    torch.manual_seed(0)
    listener = Listener(ListenerConfig(classes=("a", "b", "c"), widths=(8, 8, 8, 8))).eval()
    mel = torch.randn(2, 100, 64)
    assert torch.allclose(listener(mel), listener(mel + 1.5), atol=1e-5)
    assert listener.features(mel).shape == (2, 16)


def test_packing_keeps_matrices_to_half_a_step_and_shrinks_them() -> None:
    torch.manual_seed(0)
    state = {"w": torch.randn(128, 64), "b": torch.randn(128), "scale": torch.tensor(0.7)}
    packed = pack(state)
    back = unpack(packed)
    assert packed["w"].dtype == torch.int8 and packed["b"].dtype == torch.float16
    step = packed["w" + SCALE]
    assert ((back["w"] - state["w"]).abs() <= step[:, None] * 0.501).all()
    assert back.keys() == state.keys()
    assert torch.equal(back["scale"], state["scale"])


@pytest.mark.parametrize("matrices", [True, False])
def test_unpacking_what_was_never_packed_changes_nothing(matrices: bool) -> None:
    state = {"w": torch.randn(4, 4)}
    assert torch.equal(unpack(state)["w"], state["w"])
    assert torch.allclose(unpack(pack(state, matrices=matrices))["w"], state["w"], atol=1e-2)
