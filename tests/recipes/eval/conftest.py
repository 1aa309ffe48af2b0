"""Two folders of sounds in the working directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from audiojourney.errors import MissingError
from audiojourney.recipes.eval import plan
from tests.recipes.eval.sets import write_sounds


@pytest.fixture(autouse=True)
def no_scorer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no CLAP be there, as where none was fetched and none ships."""

    def refuse(name: str, device: str) -> None:
        raise MissingError(f"There is no scorer {name!r}.")

    monkeypatch.setattr(plan, "open_scorer", refuse)


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make `generated/` and `reference/` with sounds of the same names, and go there."""
    write_sounds(tmp_path / "generated", loud=0.1)
    write_sounds(tmp_path / "reference", first=1)
    monkeypatch.chdir(tmp_path)
    return tmp_path
