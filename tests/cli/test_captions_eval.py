"""The command that measures the shipped captioner and scorer."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from audiojourney.cli.captions_eval import app
from audiojourney.recipes.captions_eval import run as recipe
from audiojourney.recipes.captions_eval.settings import CaptionsEvalConfig
from audiojourney.recipes.pocket_eval.figures import Figure


@pytest.mark.parametrize(("reached", "code"), [(0.9, 0), (0.5, 4)])
def test_a_missed_gate_is_exit_code_four(reached: float, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[CaptionsEvalConfig] = []

    def run(config: CaptionsEvalConfig, say: recipe.Say) -> recipe.CaptionsEvalReport:
        asked.append(config)
        figure = Figure(gate="named", what="clips", sign=">=", limit=0.8, reached=reached, clips=10)
        return recipe.CaptionsEvalReport(figures=(figure,), facts={})

    monkeypatch.setattr(recipe, "run", run)
    result = CliRunner().invoke(app, ["--recordings", "clips", "--fold", "3", "--json"])
    assert result.exit_code == code
    assert json.loads(result.stdout)["reached"] == reached
    assert asked[0].recordings == Path("clips") and asked[0].fold == 3 and asked[0].output is None
