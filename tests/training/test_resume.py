"""A run that was killed ends with the bits of one that was not."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from audiojourney.training import checkpoint
from audiojourney.training.loop import LoopConfig, train
from audiojourney.training.progress import Log, read_log
from tests.training.doubles import CurveTask

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, sys
from pathlib import Path
from audiojourney.training.loop import LoopConfig, train
from tests.training.doubles import CurveTask
config = json.loads(sys.argv[2])
config["betas"] = tuple(config["betas"])
train(CurveTask(adversarial=sys.argv[3] == "True"), LoopConfig(**config), Path(sys.argv[1]))
"""
PLAIN = LoopConfig(steps=400, batch=4, device="cpu", threads=1, log_every=7, save_every=20, eval_every=50)
FULL = LoopConfig(**{**asdict(PLAIN), "steps": 200, "ema": 0.95, "accumulate": 2, "optimizer": "lamb"})


def start(run: Path, config: LoopConfig, adversarial: bool) -> subprocess.Popen:
    command = [sys.executable, "-c", PROGRAM, str(run), json.dumps(asdict(config)), str(adversarial)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=environment, cwd=ROOT, stderr=subprocess.DEVNULL)


def kill_when(process: subprocess.Popen, log: Path, step: int, pause_s: float) -> bool:
    """Send SIGKILL soon after the log shows `step`; False when the run ended before."""
    while process.poll() is None:
        if log.exists() and any(line["step"] >= step for line in read_log(log)):
            time.sleep(pause_s)
            process.send_signal(signal.SIGKILL)
            return process.wait() == -signal.SIGKILL
        time.sleep(0.002)
    return False


def curve(run: Path) -> list[dict]:
    lines = [line for line in read_log(run / "log.jsonl") if line["kind"] != "run"]
    return [{key: value for key, value in line.items() if key != "steps_per_s"} for line in lines]


def files(run: Path) -> dict[str, dict[str, torch.Tensor]]:
    return {str(path.relative_to(run)): load_file(path) for path in sorted(run.rglob("*.safetensors"))}


def assert_same(one: Path, other: Path) -> None:
    assert curve(one) == curve(other)
    left, right = files(one), files(other)
    assert left.keys() == right.keys() and left
    for name, tensors in left.items():
        assert tensors.keys() == right[name].keys()
        for key, value in tensors.items():
            assert torch.equal(value, right[name][key]), f"{name}: {key}"


@pytest.mark.parametrize(("config", "adversarial"), [(PLAIN, False), (FULL, True)], ids=["plain", "everything"])
def test_kill_9_at_three_random_moments(tmp_path: Path, config: LoopConfig, adversarial: bool):
    chance = random.Random(os.urandom(4))
    moments = [(chance.uniform(0.05, 0.9) * config.steps, chance.uniform(0, 0.03)) for _ in range(3)]
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    kills = [kill_when(start(killed, config, adversarial), killed / "log.jsonl", *moment) for moment in sorted(moments)]
    assert kills[0], f"the first kill came too late: {moments}"
    assert start(killed, config, adversarial).wait() == 0, f"killed at {moments}"
    train(CurveTask(adversarial), config, whole)
    assert_same(killed, whole)


class Killed(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("victim", ["log line", "checkpoint", "export"])
def test_death_at_every_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, victim: str):
    """Die at the first write, restart, die at the second write of the new process, and so on."""
    config = LoopConfig(**{**asdict(FULL), "steps": 24, "save_every": 5, "eval_every": 6, "log_every": 4})
    train(CurveTask(True), config, tmp_path / "whole")
    where = {"log line": (Log, "write"), "checkpoint": (checkpoint, "sync"), "export": (CurveTask, "export")}[victim]
    function, calls = getattr(*where), {"left": 0}

    def deadly(*args, **kwargs):
        calls["left"] -= 1
        if calls["left"] < 0:
            raise Killed
        return function(*args, **kwargs)

    monkeypatch.setattr(*where, deadly)
    deaths = 0
    while True:
        calls["left"] = deaths
        try:
            train(CurveTask(True), config, tmp_path / "killed")
            break
        except Killed:
            deaths += 1
    assert deaths >= 1
    assert_same(tmp_path / "killed", tmp_path / "whole")


def test_chunks_of_wall_time_join_to_one_run(tmp_path: Path):
    config = LoopConfig(**{**asdict(FULL), "steps": 12, "save_every": 0})
    train(CurveTask(True), config, tmp_path / "whole")
    chunk = LoopConfig(**{**asdict(config), "stop_after_s": 1e-6})
    reports = [train(CurveTask(True), chunk, tmp_path / "parts") for _ in range(12)]
    assert [report.step for report in reports] == list(range(1, 13))
    assert [report.reason for report in reports] == ["out of time"] * 11 + ["finished"]
    assert curve(tmp_path / "parts") == curve(tmp_path / "whole")
    final = "final/model.safetensors"
    for key, value in load_file(tmp_path / "whole" / final).items():
        assert torch.equal(value, load_file(tmp_path / "parts" / final)[key]), key


def test_lines_after_the_checkpoint_are_dropped(tmp_path: Path):
    train(CurveTask(), LoopConfig(steps=10, device="cpu", log_every=1, save_every=4, stop_after_s=1e6), tmp_path)
    checkpoints = tmp_path / "checkpoints"
    for path in checkpoints.iterdir():
        if path.name > "step-00000008":
            checkpoint._remove(path)
    with (tmp_path / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"kind": "train", "st')
    train(CurveTask(), LoopConfig(steps=10, device="cpu", log_every=1, save_every=4), tmp_path)
    assert [line["step"] for line in read_log(tmp_path / "log.jsonl") if line["kind"] == "train"] == list(range(1, 11))
    assert (tmp_path / "log.jsonl").read_text(encoding="utf-8").endswith("\n")
