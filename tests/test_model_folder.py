"""Model folders: written whole, read back equal, never pickled."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from audiojourney import hub, model_folder
from audiojourney.errors import AudioJourneyError, MissingError


@dataclass(frozen=True)
class Sizes:
    width: int = 8
    folder: Path = Path("a/b")


def write(folder: Path, **tensors: torch.Tensor) -> None:
    model_folder.write_model(folder, {"kind": "x", "model": Sizes()}, tensors, {"steps": 3}, card="# x\n")


def test_what_is_written_is_read_back(tmp_path):
    shared = torch.arange(6.0)
    write(tmp_path / "m", a=shared.view(2, 3).T, b=shared, c=torch.tensor(1.5))
    assert model_folder.read_config(tmp_path / "m") == {"kind": "x", "model": {"width": 8, "folder": "a/b"}}
    assert model_folder.read_provenance(tmp_path / "m") == {"steps": 3}
    read = model_folder.read_weights(tmp_path / "m")
    assert torch.equal(read["a"], shared.view(2, 3).T)
    assert torch.equal(read["b"], shared)
    assert read["c"].shape == ()
    names = {path.name for path in (tmp_path / "m").iterdir()}
    assert names == {"config.yaml", "model.safetensors", "provenance.json", "README.md"}


def test_equal_models_give_equal_bytes(tmp_path):
    write(tmp_path / "a", w=torch.ones(3), v=torch.zeros(2))
    write(tmp_path / "b", v=torch.zeros(2), w=torch.ones(3))
    for name in ("config.yaml", "model.safetensors", "provenance.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_folder_is_complete_when_it_has_its_settings(tmp_path, monkeypatch):
    write(tmp_path, w=torch.ones(3))

    def fail(*arguments):
        raise AudioJourneyError("the disk is full")

    monkeypatch.setattr(model_folder.files, "write_bytes", fail)
    with pytest.raises(AudioJourneyError):
        write(tmp_path, w=torch.zeros(3))
    assert not (tmp_path / "config.yaml").exists()


def test_absent_and_damaged_models(tmp_path):
    with pytest.raises(MissingError, match=r"no config\.yaml"):
        model_folder.read_config(tmp_path)
    with pytest.raises(MissingError, match=r"model\.safetensors"):
        model_folder.read_weights(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"\x00" * 20)
    with pytest.raises(AudioJourneyError, match="cannot be read"):
        model_folder.read_weights(tmp_path)
    assert model_folder.read_provenance(tmp_path) == {}
    (tmp_path / "provenance.json").write_text("{", encoding="utf-8")
    with pytest.raises(AudioJourneyError, match="no JSON"):
        model_folder.read_provenance(tmp_path)


def test_fingerprint_is_of_weights_and_settings_alone_and_not_of_the_place(tmp_path):
    write(tmp_path / "a", w=torch.ones(3))
    write(tmp_path / "b", w=torch.ones(3))
    first = model_folder.fingerprint(tmp_path / "a")
    assert first == model_folder.fingerprint(tmp_path / "b")
    (tmp_path / "b" / "README.md").write_text("other", encoding="utf-8")
    (tmp_path / "b" / "provenance.json").write_text("{}", encoding="utf-8")
    assert first == model_folder.fingerprint(tmp_path / "b")
    write(tmp_path / "b", w=torch.zeros(3))
    assert first != model_folder.fingerprint(tmp_path / "b")


def test_models_that_name_each_other_are_each_counted_once(tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "POCKET", tmp_path)
    for name, other in (("a", "pocket/b"), ("b", "pocket/a")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.yaml").write_text(f"model: {{deep: [{other}]}}\n", encoding="utf-8")
    assert model_folder.parts(tmp_path / "a") == [tmp_path / "a", tmp_path / "b"]
