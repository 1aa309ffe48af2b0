"""Runs as the user starts them, and what becomes of them when they are killed, stopped, or killed by a clip."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.recipes.recaption.conftest import rows
from tests.recipes.recaption.double import write_clips

ROOT = Path(__file__).resolve().parents[3]
OUTPUT = Path("data/captions.jsonl")
ERRORS = Path("data/errors.jsonl")
LONG_S = 60.0

Start = Callable[..., subprocess.Popen]


@pytest.fixture
def start():
    """Start `aj recaption` with the stub models as a process of its own, in the folder of the test."""
    started: list[subprocess.Popen] = []

    def begin(*arguments: object) -> subprocess.Popen:
        command = [sys.executable, "-m", "tests.recipes.recaption.double", "recaption", *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        started.append(subprocess.Popen(command, env=environment, text=True, **pipes))
        return started[-1]

    yield begin
    for one in started:
        one.kill()
        one.communicate()


def wait_for(condition: Callable[[], bool], process: subprocess.Popen) -> None:
    """Wait until something is there, or the process has ended."""
    deadline = time.monotonic() + LONG_S
    while not condition() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)


def stored() -> int:
    """Clips whose outcome is on the disk."""
    return sum(len(path.read_bytes().splitlines()) for path in Path("data/.recaption").rglob("*.sub/*.jsonl"))


def working() -> bool:
    return any(Path("data").rglob("*.inflight"))


def test_killed_again_and_again_every_clip_comes_out_once_and_the_same(start: Start, go):
    write_clips(Path("data"), 50)
    Path("data/clip-00030.wav").write_bytes(b"junk")
    go(output="expected", shard_clips=30)
    slow = ("--set", "options.pause_s=0.02", "--set", "flush_clips=8", "--set", "shard_clips=30", "--batch", 4)
    for kill in range(2):
        least = stored() + 9 * bool(kill)
        process = start(*slow)
        wait_for(lambda least=least: working() and stored() >= least, process)
        process.send_signal(signal.SIGKILL)
        process.wait()
    last = start(*slow)
    out, err = last.communicate(timeout=LONG_S)
    assert (last.returncode, out) == (5, "data/captions.jsonl\n"), err
    found = rows(OUTPUT)
    assert len(found) == len({row["id"] for row in found}) == 49
    moved = [row | {"file_name": Path(row["file_name"]).name} for row in rows("expected/captions.jsonl")]
    assert found == moved
    assert [item["id"] for item in rows(ERRORS)] == ["clip-00030.wav"]


def test_no_process_is_left_when_the_run_is_killed(start: Start):
    write_clips(Path("data"), 40)
    process = start("--set", "options.pause_s=0.05")
    wait_for(working, process)
    children = [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]
    assert children
    process.kill()
    process.wait()
    deadline = time.monotonic() + LONG_S
    while any(alive(pid) for pid in children) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [pid for pid in children if alive(pid)] == []


def alive(pid: int) -> bool:
    """Say whether a process runs; one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_clip_that_kills_its_process_is_named_and_the_others_are_done(start: Start):
    write_clips(Path("data"), 20)
    write_clips(Path("data"), 1, names="clip-00005-deadly{}.wav")
    write_clips(Path("data"), 1, names="clip-00005-raise{}.wav")
    process = start("--json", "--workers", 1)
    out, err = process.communicate(timeout=LONG_S)
    assert process.returncode == 5, err
    report = json.loads(out)
    assert (report["rows"], report["errors"], report["status"]) == (20, 2, "written")
    found = {item["id"]: item for item in rows(ERRORS)}
    assert {item["code"] for item in found.values()} == {"worker_crash"}
    assert "SIGSEGV" in found["clip-00005-deadly0.wav"]["reason"]
    assert "no idea of" in found["clip-00005-raise0.wav"]["reason"]
    assert len(rows(OUTPUT)) == 20


@pytest.mark.slow
def test_when_no_clip_gets_through_the_model_is_to_blame(start: Start):
    write_clips(Path("data"), 12, names="raise-{:02d}.wav")
    process = start("--set", "max_error_rate=1.0")
    out, err = process.communicate(timeout=LONG_S)
    assert (process.returncode, out) == (1, "")
    assert "times without a clip done" in err
    assert "no idea of" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1"])
def test_what_a_cluster_sends_ends_the_run_in_order(start: Start, name):
    write_clips(Path("data"), 60)
    slow = ("--set", "options.pause_s=0.02", "--batch", 2)
    process = start(*slow, "--json")
    wait_for(working, process)
    process.send_signal(getattr(signal, name))
    out, err = process.communicate(timeout=LONG_S)
    report = json.loads(out)
    assert (process.returncode, report["status"]) == (0, "incomplete"), err
    assert stored() == report["fresh"] < 60
    assert not working()
    assert not OUTPUT.exists()


def test_ctrl_c_keeps_what_is_finished(start: Start):
    write_clips(Path("data"), 60)
    process = start("--set", "options.pause_s=0.02", "--batch", 2)
    wait_for(working, process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LONG_S)
    assert (process.returncode, out) == (130, "")
    assert "same command again" in err
    assert stored()


def test_several_processes_give_the_same_bytes(start: Start, go):
    write_clips(Path("data"), 20)
    go(output="expected", shard_clips=5)
    process = start("--nproc", 2, "--set", "shard_clips=5", "--device", "cpu")
    assert process.wait(LONG_S) == 0
    moved = [row | {"file_name": Path(row["file_name"]).name} for row in rows("expected/captions.jsonl")]
    assert rows(OUTPUT) == moved
