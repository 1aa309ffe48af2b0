"""Mel front-ends against the numbers of the systems whose weights expect them."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from audiojourney.data import mel
from audiojourney.data.mel import AUDIOLDM, CLAP, GENAU, HTSAT, PANNS_16K, PANNS_32K, VGGISH, MelConfig, log_mel
from audiojourney.errors import UsageError

ALL = {
    "genau": GENAU,
    "audioldm": AUDIOLDM,
    "htsat": HTSAT,
    "clap": CLAP,
    "panns16": PANNS_16K,
    "panns32": PANNS_32K,
    "vggish": VGGISH,
}


def test_genau_front_end(shared_fixtures: Path):
    case = load_file(shared_fixtures / "genau" / "mel_frontend.safetensors")
    torch.testing.assert_close(log_mel(case["out.wave_normalised"]), case["out.log_mel"], atol=1e-4, rtol=1e-4)
    short = log_mel(case["in.wave_short_padded"])
    torch.testing.assert_close(short, case["out.log_mel_short_padded"], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(mel.filterbank(GENAU), case["out.mel_basis"], atol=1e-7, rtol=1e-5)
    assert log_mel(torch.zeros(32_000)).unique().item() == pytest.approx(float(case["out.log_mel_of_zeros_value"]))


def test_audioldm_front_end(shared_fixtures: Path):
    case = load_file(shared_fixtures / "tango" / "frontend.safetensors")
    torch.testing.assert_close(log_mel(case["mel_in_wave"], AUDIOLDM).T, case["mel_out"][0], atol=1e-4, rtol=1e-4)


def test_htsat_front_end(shared_fixtures: Path):
    case = load_file(shared_fixtures / "autocap" / "frontend.safetensors")
    torch.testing.assert_close(log_mel(case["in.wave_32k"], HTSAT)[None], case["out.logmel"], atol=1e-3, rtol=0)
    torch.testing.assert_close(mel.filterbank(HTSAT).T, case["const.mel_filterbank"], atol=1e-7, rtol=1e-5)
    assert (case["out.logmel_silence"] == HTSAT.silence).all()


def test_clap_front_end(shared_fixtures: Path):
    case = load_file(shared_fixtures / "autocap" / "frontend.safetensors")
    found = log_mel(case["out.wave_resampled_48k"], CLAP)
    torch.testing.assert_close(found, case["out.clap_logmel_48k"][0], atol=1e-3, rtol=0)
    torch.testing.assert_close(mel.filterbank(CLAP).T, case["const.clap_mel_filterbank"], atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize(("name", "config"), [("cnn14_tiny_16k", PANNS_16K), ("cnn14_tiny_32k", PANNS_32K)])
def test_panns_front_ends(shared_fixtures: Path, name: str, config: MelConfig):
    case = np.load(shared_fixtures / "metrics" / f"{name}.npz")
    found = log_mel(torch.from_numpy(case["waveform"]), config).numpy()
    np.testing.assert_allclose(found, case["logmel"], atol=1e-3, rtol=0)
    np.testing.assert_allclose(mel.filterbank(config).T, case["sd/logmel_extractor.melW"], atol=1e-7, rtol=1e-5)


def test_vggish_front_end(shared_fixtures: Path):
    case = np.load(shared_fixtures / "metrics" / "vggish_tiny.npz")
    found = log_mel(torch.from_numpy(case["waveform_16k"]), VGGISH).numpy()
    expected = case["log_mel_examples"].reshape(-1, 64)
    np.testing.assert_allclose(found[: len(expected)], expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize(("samples", "frames"), [(15_599, 95), (15_600, 96), (30_959, 191), (30_960, 192)])
def test_vggish_drops_incomplete_frames(samples: int, frames: int):
    assert len(log_mel(torch.zeros(samples), VGGISH)) == frames


def test_vggish_filters():
    """Straight over mel, of unit height, without the constant component."""
    filters = mel.filterbank(VGGISH)
    assert float(filters.sum()) == pytest.approx(230.9136, abs=1e-3)
    assert filters[:, 0].sum() == 0
    assert filters.max() <= 1
    # Between the first and the last centre (154 and 7214 Hz) two straight slopes add up to one.
    np.testing.assert_allclose(filters[:, 5:231].sum(0), 1, atol=1e-6)


@pytest.mark.parametrize("config", ALL.values(), ids=ALL)
def test_silence_is_the_least_value(config: MelConfig):
    """Of silence every bin has the value that the configuration names, and no sound gives less."""
    silent = log_mel(torch.zeros(config.rate_hz), config)
    noise = log_mel(torch.randn(config.rate_hz, generator=torch.Generator().manual_seed(0)), config)
    torch.testing.assert_close(silent, torch.full_like(silent, config.silence), atol=1e-5, rtol=1e-6)
    assert noise.min() >= config.silence


@pytest.mark.parametrize("config", ALL.values(), ids=ALL)
def test_one_frame_a_hop(config: MelConfig):
    """A second has rate / hop frames, save for those at the edges; and batches are rows of single waves."""
    waves = torch.randn(2, config.rate_hz, generator=torch.Generator().manual_seed(1))
    both = log_mel(waves, config)
    assert both.shape == (2, config.frames(config.rate_hz), config.n_mels)
    assert abs(both.shape[1] - config.rate_hz / config.hop_length) <= 2
    torch.testing.assert_close(both[1], log_mel(waves[1], config), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("config", ALL.values(), ids=ALL)
def test_a_tone_peaks_in_the_bin_around_it(config: MelConfig):
    hz = 1000.0
    wave = torch.sin(2 * math.pi * hz * torch.arange(config.rate_hz) / config.rate_hz)
    peak = int(log_mel(wave, config).mean(0).argmax())
    weights = mel.filterbank(config)[peak]
    centre = float((weights * torch.linspace(0, config.rate_hz / 2, len(weights))).sum() / weights.sum())
    assert centre == pytest.approx(hz, rel=0.05)


def test_frames_of_the_papers():
    assert GENAU.frames(163_840) == 1024
    assert AUDIOLDM.frames(163_840) == 1025
    assert HTSAT.frames(320_000) == 1001
    assert VGGISH.frames(160_000) == 998


@pytest.mark.parametrize("config", [GENAU, AUDIOLDM, HTSAT, CLAP, PANNS_16K, PANNS_32K])
def test_filters_equal_librosa(config: MelConfig):
    filters = pytest.importorskip("librosa.filters")
    edges = {"fmin": config.f_min_hz, "fmax": config.f_max_hz}
    expected = filters.mel(sr=config.rate_hz, n_fft=config.n_fft, n_mels=config.n_mels, **edges)
    np.testing.assert_allclose(mel.filterbank(config).numpy(), expected, atol=1e-8, rtol=1e-5)


def test_htk_filters_equal_librosa():
    filters = pytest.importorskip("librosa.filters")
    config = replace(GENAU, mel_scale="htk", area_norm=False)
    expected = filters.mel(sr=16_000, n_fft=1024, n_mels=64, fmin=0, fmax=8000, htk=True, norm=None)
    np.testing.assert_allclose(mel.filterbank(config).numpy(), expected, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize(("config", "samples"), [(GENAU, 432), (HTSAT, 512), (VGGISH, 399), (GENAU, 0)])
def test_too_short_for_a_frame(config: MelConfig, samples: int):
    with pytest.raises(UsageError, match=f"{samples} samples"):
        log_mel(torch.zeros(samples), config)


def test_tensors_cached_in_inference_mode_still_serve_training() -> None:
    config = MelConfig(n_fft=512, win_length=512, pad=176, n_mels=20)
    with torch.inference_mode():
        log_mel(torch.randn(4000), config)
    wave = torch.randn(4000, requires_grad=True)
    log_mel(wave, config).sum().backward()
    assert wave.grad is not None and wave.grad.abs().sum() > 0
