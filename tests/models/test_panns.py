"""CNN14 against the public module's numbers at both rates."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from audiojourney.errors import UsageError
from audiojourney.models.panns import Cnn14, Cnn14Config

RATES = {"16k": 16_000, "32k": 32_000}
TINY = Cnn14Config(channels=(2, 2, 3, 3, 4, 4), width=5, classes=6)


@pytest.fixture(scope="module")
def facts(shared_fixtures: Path):
    return json.loads((shared_fixtures / "metrics" / "network_facts.json").read_text(encoding="utf-8"))


def opened(folder: Path, rate: str):
    case = np.load(folder / "metrics" / f"cnn14_tiny_{rate}.npz")
    state = {name[3:]: torch.from_numpy(case[name]) for name in case.files if name.startswith("sd/")}
    return case, Cnn14.of_state(state)


@pytest.mark.parametrize("rate", RATES)
def test_embeddings_and_logits(shared_fixtures, rate):
    case, network = opened(shared_fixtures, rate)
    assert network.config.rate_hz == RATES[rate]
    wave = torch.from_numpy(case["waveform"])[None]
    np.testing.assert_allclose(network.log_mel(wave)[0], case["logmel"], atol=1e-3, rtol=0)
    found = network(wave)
    np.testing.assert_allclose(found.embedding, case["embedding"], atol=1e-5, rtol=1e-5)
    np.testing.assert_allclose(found.logits, case["logits"], atol=1e-5, rtol=1e-5)
    np.testing.assert_allclose(found.logits.sigmoid(), case["clipwise_output"], atol=1e-5, rtol=1e-5)
    silence = torch.zeros(1, wave.shape[1] // 4)
    np.testing.assert_allclose(network(silence).embedding, case["embedding_of_silence"], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("rate", RATES)
def test_full_size_has_the_public_names_and_shapes(facts, rate):
    with torch.device("meta"):
        network = Cnn14(Cnn14Config(rate_hz=RATES[rate]))
    published = facts[f"cnn14_full_{rate}"]
    found = {name: list(tensor.shape) for name, tensor in network.state_dict().items()}
    own = {name: shape for name, shape in published["state_dict"].items() if "stft" not in name}
    assert found == own
    assert len(own) + 2 == published["n_keys"]
    assert sum(parameter.numel() for parameter in network.parameters()) == published["parameters_trainable"]


@pytest.mark.parametrize("rate", RATES)
def test_shortest_clips(facts, rate):
    network = Cnn14(Cnn14Config(rate_hz=RATES[rate], channels=TINY.channels)).eval()
    for samples, outcome in facts[f"cnn14_{rate}_short_input"].items():
        wave = torch.zeros(1, int(samples))
        if outcome.startswith("["):
            assert network(wave).embedding.isfinite().all()
        else:
            with pytest.raises(UsageError, match=rf"{network.config.shortest} .*\(1, {samples}\)"):
                network(wave)
    assert network.config.shortest == 31 * network.config.front_end.hop_length


def test_rows_of_a_batch_do_not_meet():
    network = Cnn14(TINY).eval()
    random = torch.Generator().manual_seed(0)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, generator=random)
    waves = torch.randn(3, 8_000, generator=random) * torch.tensor([[1.0], [0.1], [0.01]])
    together = network(waves)
    scale = together.logits.abs().max().item()
    assert together.logits.std(dim=0).min() > 1e-3 * scale
    for row in range(3):
        alone = network(waves[row : row + 1])
        torch.testing.assert_close(together.logits[row], alone.logits[0], atol=1e-6 * scale, rtol=1e-5)


def test_the_mel_matrix_of_the_file_counts():
    network = Cnn14(TINY).eval()
    state = network.state_dict()
    louder = Cnn14.of_state({**state, "logmel_extractor.melW": state["logmel_extractor.melW"] * 10})
    waves = torch.randn(1, 8_000)
    torch.testing.assert_close(louder.log_mel(waves), network.log_mel(waves) + 10, atol=1e-3, rtol=0)


def test_published_files_wrap_their_tensors_and_carry_fourier_kernels(tmp_path):
    network = Cnn14(TINY).eval()
    kernel = {"spectrogram_extractor.stft.conv_real.weight": torch.zeros(257, 1, 512)}
    torch.save({"model": {**network.state_dict(), **kernel}}, tmp_path / "Cnn14_16k.pth")
    loaded = Cnn14.load(tmp_path / "Cnn14_16k.pth")
    assert loaded.config == TINY
    waves = torch.randn(1, 8_000)
    torch.testing.assert_close(loaded(waves).embedding, network(waves).embedding)


def test_other_weights_are_refused():
    state = Cnn14(TINY).state_dict()
    with pytest.raises(UsageError, match=r"'conv_block3.conv1.weight' is not among"):
        Cnn14.of_state({name: tensor for name, tensor in state.items() if "conv_block3" not in name})
    with pytest.raises(UsageError, match="129 rows"):
        Cnn14.of_state({**state, "logmel_extractor.melW": torch.zeros(129, 64)})
    with pytest.raises(UsageError, match="8000 Hz"):
        Cnn14(Cnn14Config(rate_hz=8000))
