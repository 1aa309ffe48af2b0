"""`aj` as the user runs it: in this process with CliRunner, or in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from audiojourney import hub
from audiojourney.cli.app import app
from tests.cli import double

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def aj(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run `aj` in this process, in an empty folder; returns click's result with stdout and stderr apart."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, stdin: str | bytes | None = None):
        return CliRunner().invoke(app, [str(argument) for argument in arguments], input=stdin)

    return run


@pytest.fixture
def tone(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> double.ToneGenerator:
    """The small generator in place of every model."""
    monkeypatch.setattr(hub, "POCKET", hub.POCKET)
    for name in ("audiojourney.models.load", "audiojourney.recipes.studio"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setitem(sys.modules, "audiojourney.models.load", None)
    generator = double.install(tmp_path_factory.mktemp("pocket"))
    yield generator
    sys.modules.pop("audiojourney.recipes.studio", None)


@pytest.fixture
def process(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory):
    """Start `aj` with the small generator as a process of its own, in an empty folder; returns the Popen."""
    pocket = tmp_path_factory.mktemp("pocket")
    started: list[subprocess.Popen] = []

    def start(*arguments: object, script: tuple[str, ...] = ("-m", "tests.cli.double"), **options):
        """Take further variables as `env` and the rest as Popen does."""
        environment = {**os.environ, "AJ_TEST_POCKET": str(pocket), "PYTHONPATH": str(ROOT), **options.pop("env", {})}
        command = [sys.executable, *script, *map(str, arguments)]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(command, cwd=tmp_path, env=environment, **(pipes | options)))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        for pipe in (one.stdin, one.stdout, one.stderr):
            if pipe is not None:
                pipe.close()
        one.wait()
