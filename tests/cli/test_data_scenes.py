from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time

import pytest

from audiojourney.data.manifest import read_clips
from tests.cli.conftest import ROOT

SMALL = ("--duration", "1", "--rate", "8000", "--seed", "1")


def start(tmp_path, *arguments, **options):
    command = [sys.executable, "-m", "audiojourney", "data", "scenes", *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, **pipes, **options)


def contents(path):
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_prints_the_list_it_wrote(aj, tmp_path):
    result = aj("data", "scenes", "out", "-n", 3, "--workers", 1, *SMALL)
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"out{os.sep}metadata.jsonl\n"
    assert "3 scenes made" in result.stderr
    clips = read_clips(tmp_path / "out")
    assert [clip.duration_s for clip in clips] == [1.0, 1.0, 1.0]
    assert {clip.extra["rate_hz"] for clip in clips} == {8000}


def test_json_tells_what_was_done(aj):
    result = aj("data", "scenes", "out", "-n", 2, "--workers", 1, "--json", *SMALL)
    told = json.loads(result.stdout)
    assert (told["scenes"], told["made"], told["kept"], told["seed"]) == (2, 2, 0, 1)
    assert told["hours"] == pytest.approx(2 / 3600)


def test_settings_of_scenes_can_be_given(aj, tmp_path):
    result = aj("data", "scenes", "out", "-n", 4, "--workers", 1, *SMALL, "--set", "scene.count_weights=[0, 1, 0]")
    assert result.exit_code == 0, result.stderr
    assert {len(clip.labels) for clip in read_clips(tmp_path / "out")} == {2}
    shown = aj("data", "scenes", "out", "--duration", 3, "--print-config").stdout
    assert "duration_s: 3.0" in shown
    assert "count: 1000" in shown


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("out", "-n", 0), 2, "count is 0"),
        (("out", "--duration", 0.1), 2, "duration_s is 0.1"),
        (("out", "--exists", "maybe"), 2, "maybe"),
        (("out", "--set", "scene.durations=3"), 2, "duration_s"),
        ((), 2, "OUT"),
    ],
)
def test_wrong_usage(aj, arguments, code, complaint):
    result = aj("data", "scenes", *arguments)
    assert result.exit_code == code
    assert complaint in result.stderr
    assert result.stdout == ""


def test_other_settings_in_the_same_folder_are_refused(aj, tmp_path):
    aj("data", "scenes", "out", "-n", 1, "--workers", 1, *SMALL)
    before = contents(tmp_path / "out")
    result = aj("data", "scenes", "out", "-n", 1, "--workers", 1, "--duration", 2, "--rate", 8000, "--seed", 1)
    assert result.exit_code == 2
    assert "duration_s is 1.0 there, 2.0 asked" in result.stderr
    assert contents(tmp_path / "out") == before


def test_a_full_disk_ends_with_one_sentence(tmp_path):
    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))

    process = start(tmp_path, "out", "-n", 6, *SMALL, preexec_fn=limit)
    out, err = process.communicate(timeout=250)
    assert process.returncode == 1
    assert out == ""
    assert "no space is left on the disk" in err
    assert "Traceback" not in err
    assert not list((tmp_path / "out").rglob("*.tmp"))


def test_a_killed_run_continues_to_the_same_folder(aj, tmp_path):
    count = 40
    process = start(tmp_path, "out", "-n", count, *SMALL, "--workers", 2, start_new_session=True)
    while process.poll() is None and len(list((tmp_path / "out").glob("audio/*.flac"))) < 4:
        time.sleep(0.02)
    assert process.poll() is None, "it was killed in the middle"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert aj("data", "scenes", "out", "-n", count, "--workers", 1, *SMALL).exit_code == 0
    assert aj("data", "scenes", "whole", "-n", count, "--workers", 1, *SMALL).exit_code == 0
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_scenes_need_no_torch(tmp_path):
    code = (
        "import sys; from audiojourney.cli import data; assert 'numpy' not in sys.modules; "
        "import audiojourney.recipes.scenes; heavy = {'torch', 'transformers', 'diffusers', 'scipy'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
