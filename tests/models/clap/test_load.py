"""Names of scorers."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import torch

from audiojourney import hub
from audiojourney.errors import MissingError, UsageError
from audiojourney.models.clap import load
from audiojourney.models.clap.load import file_hash, load_scorer
from audiojourney.models.clap.scorer import ClapOptions
from tests.models.clap.tiny import PREPROCESSOR, write_hub_folder, write_laion

TEXTS = ["rain", "a dog barks"]
WAVE = (0.1 * np.random.default_rng(0).standard_normal(96_000)).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_hub_folder(tmp_path_factory.mktemp("hub") / "tiny-clap")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_laion(tmp_path_factory.mktemp("laion"))


def test_a_checkpoint_of_laion_scores_as_the_model_it_was_made_of(folder: Path, checkpoint: Path):
    original, converted = load_scorer(str(folder)), load_scorer(str(checkpoint))
    # The same numbers in memory; where they lie in it moves the seventh digit of sums.
    assert converted.score([WAVE], [TEXTS])[0] == pytest.approx(original.score([WAVE], [TEXTS])[0], abs=1e-6)
    for name, tensor in original.clap.model.state_dict().items():
        assert torch.equal(tensor, converted.clap.model.state_dict()[name]), name
    assert converted.model == f"630k-audioset-best.pt@{file_hash(checkpoint)}"
    assert original.model == f"tiny-clap@{file_hash(folder / 'model.safetensors')}"


def test_published_names_lead_to_their_files(checkpoint: Path, monkeypatch: pytest.MonkeyPatch):
    asked = []

    def fetch(repo: str, files: tuple[str, ...], **_: object) -> Path:
        asked.append((repo, *files))
        return checkpoint.parent

    monkeypatch.setattr(hub, "fetch", fetch)
    for name in ("630k-audioset", "630k-audioset-best", "630k-audioset-best.pt"):
        assert load_scorer(name).model.startswith("630k-audioset-best.pt@")
    assert asked == [("lukewys/laion_clap", "630k-audioset-best.pt")] * 3


@pytest.mark.parametrize("name", ["630k-audioset-fusion-best", "630k-fusion-best.pt", "laion/clap-htsat-fused"])
def test_fusing_models_are_refused_before_anything_is_fetched(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hub, "fetch", lambda *_, **__: pytest.fail("fetched"))
    with pytest.raises(UsageError, match=r"with fusion.*is not supported.*unfused"):
        load_scorer(name)


def test_fusing_weights_are_refused(folder: Path, tmp_path: Path):
    with pytest.raises(UsageError, match="fusion"):
        load_scorer(str(write_laion(tmp_path, "mine.pt", fusing=True)))
    fused = tmp_path / "fused"
    fused.mkdir()
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    settings["audio_config"]["enable_fusion"] = True
    (fused / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    with pytest.raises(UsageError, match=r"fusion \(fused\)"):
        load_scorer(str(fused))


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("630k-audiosets", MissingError, "Did you mean '630k-audioset'"),
        ("./absent.pt", MissingError, "no checkpoint './absent.pt'"),
        ("clap", MissingError, "laion/clap-htsat-unfused.*not on this machine"),
        ("laion-clap:clap", UsageError, "names no checkpoint"),
    ],
)
def test_names_that_lead_nowhere(name: str, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        load_scorer(name)


def test_folders_of_something_else_are_refused(folder: Path, tmp_path: Path):
    (tmp_path / "config.json").write_text('{"model_type": "bert"}', encoding="utf-8")
    with pytest.raises(UsageError, match="'bert' model, not a CLAP"):
        load_scorer(str(tmp_path))
    (tmp_path / "config.json").write_text((folder / "config.json").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(MissingError, match="holds no CLAP"):
        load_scorer(str(tmp_path))


def test_missing_weights_are_not_made_up(folder: Path, tmp_path: Path):
    from safetensors.torch import load_file, save_file

    broken = write_hub_folder(tmp_path / "broken")
    state = load_file(broken / "model.safetensors")
    del state["audio_projection.linear1.weight"]
    save_file(state, broken / "model.safetensors", {"format": "pt"})
    with pytest.raises(MissingError, match=r"lacks 1 tensors, such as audio_projection.linear1.weight"):
        load_scorer(str(broken))


@pytest.mark.parametrize("file", ["preprocessor_config.json", "processor_config.json"])
def test_the_spectrogram_is_the_models_own(file: str, tmp_path: Path):
    said = {**PREPROCESSOR, "hop_length": 240, "frequency_min": 0, "sampling_rate": 32_000, "max_length_s": 5}
    written = said if file.startswith("pre") else {"feature_extractor": said}
    (tmp_path / file).write_text(json.dumps(written), encoding="utf-8")
    mel, seconds = load.front_end(tmp_path)
    assert (mel.hop_length, mel.f_min_hz, mel.rate_hz, seconds) == (240, 0, 32_000, 5)


def test_pocket_names_go_to_the_shipped_scorer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shipped = types.ModuleType("scorer")
    shipped.load_pocket_scorer = lambda name, device: (name, device)
    monkeypatch.setitem(sys.modules, "audiojourney.models.pocket.scorer", shipped)
    (tmp_path / "config.yaml").write_text("kind: pocket-scorer\n", encoding="utf-8")
    assert load_scorer("pocket", "cpu") == ("pocket/clap", "cpu")
    assert load_scorer("pocket/other") == ("pocket/other", "cpu")
    assert load_scorer(str(tmp_path)) == (str(tmp_path), "cpu")


class PackageModule:
    """Stands in for the module of laion-clap: a score that depends on the sound, the texts and chance."""

    def __init__(self, enable_fusion: bool, device: torch.device, amodel: str):
        self.made = (enable_fusion, amodel)
        self.model = torch.nn.Linear(2, 2)

    def get_audio_embedding_from_data(self, x: np.ndarray, use_tensor: bool) -> np.ndarray:
        assert use_tensor is False
        return np.stack([np.abs(x[:, :480_000]).mean(axis=1), np.random.rand(len(x))], axis=1)

    def get_text_embedding(self, texts: list[str]) -> np.ndarray:
        assert len(texts) > 1
        return np.array([[len(text), 1.0] for text in texts])


def test_the_package_serves_where_it_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    package = types.ModuleType("laion_clap")
    package.CLAP_Module = PackageModule
    monkeypatch.setitem(sys.modules, "laion_clap", package)
    fusing = load_scorer(f"laion-clap:{write_laion(tmp_path, 'fusion.pt', fusing=True)}")
    assert fusing.module.made == (True, "HTSAT-tiny")
    np.random.seed(7)
    expected = np.random.rand()
    np.random.seed(7)
    first = fusing.score([WAVE, WAVE], [["rain"], ["rain"]])
    assert first[0] == first[1]
    assert np.random.rand() == expected  # others' chance is left alone
    np.random.seed(8)
    assert fusing.score([WAVE], [["rain"]])[0] == first[0]
    plain = load_scorer(f"laion-clap:{write_laion(tmp_path)}", options=ClapOptions(crop="windows", int16=True))
    assert plain.module.made == (False, "HTSAT-tiny")
    assert plain.model.startswith("laion-clap:630k-audioset-best.pt@")
    assert plain.model.endswith("+windows+int16")
    assert plain.embed_text(["a"]).shape == (1, 2)


def test_an_absent_package_is_one_sentence(checkpoint: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "laion_clap", None)
    with pytest.raises(MissingError, match=r"laion_clap.*audiojourney\[clap\]"):
        load_scorer(f"laion-clap:{checkpoint}")


def test_a_fusing_checkpoint_by_name_is_fetched_for_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    write_laion(tmp_path, "630k-fusion-best.pt", fusing=True)
    package = types.ModuleType("laion_clap")
    package.CLAP_Module = PackageModule
    monkeypatch.setitem(sys.modules, "laion_clap", package)
    asked = []
    monkeypatch.setattr(hub, "fetch", lambda repo, files, **_: (asked.append((repo, *files)), tmp_path)[1])
    for name in ("630k-fusion-best", "630k-fusion-best.pt"):
        assert load_scorer(f"laion-clap:{name}").fusing
    assert asked == [("lukewys/laion_clap", "630k-fusion-best.pt")] * 2


def test_settings_that_are_no_json_are_told(tmp_path: Path):
    (tmp_path / "config.json").write_text("{", encoding="utf-8")
    with pytest.raises(UsageError, match=r"config\.json' is no JSON"):
        load_scorer(str(tmp_path))
    (tmp_path / "config.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(UsageError, match="a None model, not a CLAP"):
        load_scorer(str(tmp_path))


@pytest.mark.parametrize("branch", ["text_branch.", "audio_branch.", "text_projection.", "audio_projection."])
def test_a_checkpoint_without_a_branch_is_told_which(checkpoint: Path, branch: str):
    from audiojourney.models.clap.keys import clap_state
    from audiojourney.models.genau.state import read_state

    state = {name: tensor for name, tensor in read_state(checkpoint).items() if not name.startswith(branch)}
    with pytest.raises(MissingError, match=f"no tensors under '{branch}'"):
        clap_state(state)


def test_query_key_and_value_come_apart_in_their_order():
    from audiojourney.models.clap.keys import audio_tensors

    fused = torch.arange(12.0).view(6, 2)
    parts = audio_tensors("layers.0.blocks.1.attn.qkv.weight", fused)
    assert list(parts) == [f"layers.0.blocks.1.attention.self.{part}.weight" for part in ("query", "key", "value")]
    assert torch.equal(torch.cat([*parts.values()]), fused)
    assert list(audio_tensors("bn0.weight", fused)) == ["batch_norm.weight"]
    assert list(audio_tensors("layers.2.blocks.0.mlp.fc2.bias", fused)) == ["layers.2.blocks.0.output.dense.bias"]
