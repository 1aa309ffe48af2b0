"""Shards as tasks of datatrove; a stand-in with its names runs the tasks, and the real one where it is installed."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import sys
import types
from pathlib import Path

import pytest

from audiojourney.errors import AudioJourneyError, UsageError
from tests.recipes.recaption.conftest import rows
from tests.recipes.recaption.double import write_clips

ENGINE = "audiojourney.recipes.recaption.datatrove_engine"
SLURM = {"partition": "gpu", "time": "1:00:00"}


class Step:
    """What a pipeline step inherits."""

    def track_time(self, unit):
        return contextlib.nullcontext()

    def stat_update(self, name, value):
        self.counted = getattr(self, "counted", {}) | {name: value}


class LocalExecutor:
    """Runs the tasks one after the other."""

    def __init__(self, pipeline, tasks, **options):
        assert options["skip_completed"] is False
        assert options["workers"] == 1
        self.pipeline, self.tasks = pipeline, tasks

    def run(self):
        for rank in range(self.tasks):
            assert list(self.pipeline[0].run(None, rank, self.tasks)) == []


class SlurmExecutor:
    """Notes what is submitted."""

    submitted: list[dict] = []  # noqa: RUF012

    def __init__(self, pipeline, **options):
        self.options = options | {"numbers": pipeline[0].numbers}

    def run(self):
        self.submitted.append(self.options)


@pytest.fixture
def stand_in(monkeypatch):
    """Put the stand-in in place of datatrove."""
    names = ("datatrove", "datatrove.executor", "datatrove.pipeline", "datatrove.pipeline.base")
    modules = {name: types.ModuleType(name) for name in names}
    modules["datatrove.executor"].LocalPipelineExecutor = LocalExecutor
    modules["datatrove.executor"].SlurmPipelineExecutor = SlurmExecutor
    modules["datatrove.pipeline.base"].PipelineStep = Step
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.delitem(sys.modules, ENGINE, raising=False)
    monkeypatch.setattr(SlurmExecutor, "submitted", [])
    yield
    sys.modules.pop(ENGINE, None)


def test_tasks_here_give_what_the_own_loop_gives(go, stand_in):
    write_clips(Path("data"), 12)
    Path("data/clip-00003.wav").write_bytes(b"junk")
    go(output="expected/captions.jsonl")
    report = go(output="tasks/captions.jsonl", engine="datatrove")
    assert (report.status, report.fresh, report.shards) == ("written", 12, (2, 2))
    for name in ("captions.jsonl", "errors.jsonl"):
        assert Path("expected", name).read_bytes() == Path("tasks", name).read_bytes()


def test_a_cluster_is_given_the_shards_that_are_not_done(go, stand_in):
    write_clips(Path("data"), 24)
    go(shards="2/3")
    slurm = {"engine": "datatrove", "executor": "slurm"}
    with pytest.raises(UsageError, match="no partition"):
        go(**slurm)
    assert go(**slurm, slurm=SLURM).status == "submitted"
    (job,) = SlurmExecutor.submitted
    assert (job["numbers"], job["tasks"], job["partition"]) == ((0, 2), 2, "gpu")
    assert Path(job["logging_dir"]).is_absolute()
    go()
    assert go(**slurm, slurm=SLURM).status == "unchanged"


def test_shards_that_a_cluster_has_failed_are_not_submitted_again(go, stand_in):
    write_clips(Path("data"), 8)
    for number in range(6):
        Path(f"data/clip-{number:05d}.wav").write_bytes(b"junk")
    with pytest.raises(AudioJourneyError, match="6 of 8"):
        go()
    slurm = {"engine": "datatrove", "executor": "slurm", "slurm": SLURM}
    with pytest.raises(AudioJourneyError, match="6 of 8"):
        go(**slurm)
    assert SlurmExecutor.submitted == []
    assert go(**slurm, retry=True).status == "submitted"


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("datatrove") is None, reason="datatrove is not installed")
def test_datatrove_itself_runs_the_tasks():
    write_clips(Path("data"), 12)
    write_clips(Path("data"), 1, names="clip-00005-deadly{}.wav")
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-m", "tests.recipes.recaption.double", "recaption", "--engine", "datatrove"]
    done = subprocess.run(
        [*command, "--set", "shard_clips=5"], env={**os.environ, "PYTHONPATH": str(root)}, check=False
    )
    assert done.returncode == 5
    assert len(rows("data/captions.jsonl")) == 12
    assert [item["code"] for item in rows("data/errors.jsonl")] == ["worker_crash"]
