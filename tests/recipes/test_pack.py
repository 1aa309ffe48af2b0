"""Packing training runs as shipped models."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from audiojourney import hub
from audiojourney.errors import UsageError
from audiojourney.model_folder import read_config, read_provenance, read_weights, write_model
from audiojourney.models.pocket.packing import unpack
from audiojourney.recipes.pack import pack_run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(hub, "POCKET", tmp_path / "pocket")
    folder = tmp_path / "run"
    folder.mkdir()
    model = {"text": "/home/somebody/text", "vocoder": "griffin-lim", "steps": 20}
    tensors = {"w": torch.randn(128, 64, generator=torch.Generator().manual_seed(0)), "b": torch.ones(3)}
    record = {"recipe": {"model": dict(model), "init": "/home/somebody/runs/first"}, "seed": 3}
    write_model(folder, {"kind": "pocket-generator", "model": model}, tensors, record, "# card\n")
    return folder


def test_parts_get_their_shipped_names_and_no_folder_is_told(run: Path) -> None:
    target = pack_run(str(run), "generator")
    assert read_config(target)["model"] == {"text": "pocket/text", "vocoder": "pocket/vocoder", "steps": 20}
    record = read_provenance(target)
    assert record["recipe"]["init"] == "first" and record["seed"] == 3
    assert not any("somebody" in path.read_text(errors="ignore") for path in target.iterdir())


def test_weights_are_a_quarter_and_nearly_the_same(run: Path) -> None:
    target = pack_run(str(run), "generator")
    before, after = read_weights(run), unpack(read_weights(target))
    assert (target / "model.safetensors").stat().st_size < 0.4 * (run / "model.safetensors").stat().st_size
    assert torch.allclose(before["w"], after["w"], atol=0.02)


def test_unknown_names_are_refused(run: Path) -> None:
    with pytest.raises(UsageError, match="drums"):
        pack_run(str(run), "drums")
