"""Two folders of sounds in the working directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.recipes.eval.sets import write_sounds


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make `generated/` and `reference/` with sounds of the same names, and go there."""
    write_sounds(tmp_path / "generated", loud=0.1)
    write_sounds(tmp_path / "reference", first=1)
    monkeypatch.chdir(tmp_path)
    return tmp_path
