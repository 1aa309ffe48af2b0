"""Runs of the recipe with models that cost nothing, in this process unless a test says otherwise."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audiojourney import config as configuration
from audiojourney import files
from audiojourney.captions.names import CAPTIONERS
from audiojourney.recipes.recaption import batches, models
from audiojourney.recipes.recaption.config import RecaptionConfig
from audiojourney.recipes.recaption.run import run
from tests.recipes.recaption import double


@pytest.fixture(autouse=True)
def stub_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Put the stub in place of the shipped models, and the test into an empty folder."""
    for name in ("_flush", "_flush_folder"):
        monkeypatch.setattr(files, name, lambda path: None)  # no test cuts the power, and a flush takes its time
    monkeypatch.setattr(CAPTIONERS, "_table", dict(CAPTIONERS))
    monkeypatch.setattr(models.SCORERS, "_table", {})
    monkeypatch.setattr(models, "_loaded", {})
    monkeypatch.setattr(batches, "_fitting", {})
    monkeypatch.chdir(tmp_path)
    double.install()


@pytest.fixture
def go():
    """Run with these settings, in this process; returns the report."""

    def start(**settings):
        settings = {"isolate": False, "shard_clips": 8, "flush_clips": 3, "batch": 2, "workers": 1} | settings
        return run(configuration.build(RecaptionConfig, settings))

    return start


def rows(path: Path | str) -> list[dict]:
    """The rows of a JSON lines file."""
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]
