"""VGGish against the public module's numbers, and how clips become examples."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from audiojourney.errors import MissingError, UsageError
from audiojourney.models.vggish import SHORTEST, VGGish, VGGishConfig, VGGishPCA, example_count, examples_of

TINY = VGGishConfig(channels=(2, 3, 4, 4, 5, 5), hidden=6, width=7)


@pytest.fixture(scope="module")
def case(shared_fixtures: Path):
    return np.load(shared_fixtures / "metrics" / "vggish_tiny.npz")


@pytest.fixture(scope="module")
def facts(shared_fixtures: Path):
    return json.loads((shared_fixtures / "metrics" / "network_facts.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def network(case):
    return VGGish.of_state({name[3:]: torch.from_numpy(case[name]) for name in case.files if name.startswith("sd/")})


def test_examples_and_embeddings(case, network):
    examples = examples_of(torch.from_numpy(case["waveform_16k"]))
    np.testing.assert_allclose(examples, case["log_mel_examples"][:, 0], atol=1e-4, rtol=0)
    raw, after = network(examples), network(examples, activation=True)
    scale = np.abs(case["embedding_raw_no_final_relu"]).max()
    np.testing.assert_allclose(raw, case["embedding_raw_no_final_relu"], atol=2e-5 * scale, rtol=0)
    np.testing.assert_allclose(after, case["embedding_after_final_relu"], atol=2e-5 * scale, rtol=0)
    assert raw.min() < 0 <= after.min()


def test_embeddings_of_the_same_examples_are_equal_to_rounding(case, network):
    found = network(torch.from_numpy(case["log_mel_examples"][:, 0]))
    np.testing.assert_allclose(found, case["embedding_raw_no_final_relu"], atol=1e-6, rtol=1e-5)


def test_pca_gives_the_published_bytes(case):
    state = {name: torch.from_numpy(case[name]) for name in ("pca_eigen_vectors", "pca_means")}
    found = VGGishPCA.of_state(state)(torch.from_numpy(case["embedding_after_final_relu"]))
    np.testing.assert_array_equal(found, case["embedding_postprocessed_from_relu"])
    with pytest.raises(UsageError, match="pca_means"):
        VGGishPCA.of_state({"pca_eigen_vectors": state["pca_eigen_vectors"]})


def test_full_size_has_the_public_names_and_shapes(facts):
    with torch.device("meta"):
        network = VGGish()
    found = {name: list(tensor.shape) for name, tensor in network.state_dict().items()}
    assert found == facts["vggish_full"]["state_dict"]
    assert sum(parameter.numel() for parameter in network.parameters()) == facts["vggish_full"]["parameters"]


def test_number_of_examples_at_the_edges(facts):
    for samples, shape in facts["vggish_examples_for_n_samples"].items():
        expected = 0 if isinstance(shape, str) else shape[0]
        assert example_count(int(samples)) == expected, samples
        if expected:
            assert examples_of(torch.zeros(int(samples))).shape == (expected, 96, 64)
        else:
            with pytest.raises(UsageError, match=f"of {samples} samples.*{SHORTEST}"):
                examples_of(torch.zeros(int(samples)))


def test_an_example_depends_on_its_own_second_alone():
    wave = torch.randn(48_000, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(examples_of(wave)[1], examples_of(wave[15_360 : 15_360 + SHORTEST])[0])
    with pytest.raises(UsageError, match=r"\(2, 16000\)"):
        examples_of(torch.zeros(2, 16_000))


def test_other_weights_are_refused():
    state = VGGish(TINY).state_dict()
    assert VGGishConfig.of_state(state) == TINY
    with pytest.raises(UsageError, match=r"'features.0.weight' is not among 1 tensors"):
        VGGish.of_state({"fc1.weight": torch.zeros(2, 2)})
    with pytest.raises(MissingError, match=r"features.3.bias"):
        VGGish.of_state({name: tensor for name, tensor in state.items() if name != "features.3.bias"})


def test_checkpoint_file(tmp_path):
    network = VGGish(TINY)
    torch.save(network.state_dict(), tmp_path / "vggish.pth")
    examples = torch.randn(2, 96, 64)
    torch.testing.assert_close(VGGish.load(tmp_path / "vggish.pth")(examples), network(examples))
