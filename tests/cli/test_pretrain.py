"""`aj pretrain` and `aj finetune` as the user meets them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml

from tests.recipes.tones import write_tones

ROOT = Path(__file__).resolve().parents[2]
FAST = ("--device", "cpu", "--steps", 3, "--set", "loop.threads=1", "--set", "adversary_start=2")


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tones(tmp_path_factory.mktemp("data") / "clips")


@pytest.fixture
def pretrain(aj, clips: Path):
    """Run `aj pretrain` on the smallest autoencoder."""

    def run(*arguments: object):
        return aj("pretrain", "--preset", "tiny/genau-vae", "--data", clips, "-o", "run", *FAST, *arguments)

    return run


def test_stdout_is_the_model_and_stderr_the_story(pretrain):
    result = pretrain()
    assert result.exit_code == 0, result.stderr
    assert result.stdout == str(Path("run/final")) + "\n"
    assert "genau/vae: 96,000 parameters, 1 process(es) on cpu, fp32" in result.stderr
    assert "step 3: l1" in result.stderr
    assert Path("run/final/model.safetensors").is_file()


def test_json_is_one_object_and_nothing_else(pretrain):
    result = pretrain("--json")
    told = json.loads(result.stdout)
    assert result.stderr == ""
    assert (told["status"], told["step"], told["world_size"]) == ("finished", 3, 1)
    assert told["model"] == str(Path("run/final")) and told["loss"] > 0


def test_quiet_says_nothing(pretrain):
    assert pretrain("-q").stderr == ""


def test_again_there_is_nothing_left_to_do(pretrain):
    pretrain()
    before = Path("run/log.jsonl").read_bytes()
    result = pretrain()
    assert result.exit_code == 0 and result.stdout == str(Path("run/final")) + "\n"
    assert Path("run/log.jsonl").read_bytes() == before


def test_stopping_for_time_says_how_to_go_on(pretrain):
    result = pretrain("--set", "loop.stop_after_s=0.000001")
    assert result.exit_code == 0 and result.stdout == ""
    assert "out of time at step 1 of 3; the same command goes on from there." in result.stderr
    assert "continues from step 1 of 3" in pretrain().stderr


def test_dry_run_measures_and_writes_nothing(pretrain):
    result = pretrain("--dry-run")
    assert result.exit_code == 0, result.stderr
    assert "96,000, trained: 96,000" in result.stdout and "(2, 64, 64) float32" in result.stdout
    assert "memory" in result.stdout and "8 clips, 0.00 h" in result.stdout
    assert list(Path().iterdir()) == []


def test_print_config_is_a_file_that_can_be_given_back(pretrain, aj, clips: Path):
    text = pretrain("--set", "kl_weight=3", "--print-config").stdout
    Path("mine.yaml").write_text(text, encoding="utf-8")
    assert yaml.safe_load(text)["kl_weight"] == 3
    assert aj("pretrain", "--config", "mine.yaml", "--print-config").stdout == text


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--set", "kl_wieght=3"), 2, "no setting 'kl_wieght' in 'genau/vae'. Did you mean 'kl_weight'?"),
        (("--preset", "tiny/genau-vea"), 2, "no preset 'tiny/genau-vea'. Did you mean 'tiny/genau-vae'?"),
        (("--data", "nowhere"), 3, "no data at nowhere"),
        (("--lr", "-1"), 2, "loop.lr is -1"),
        (("--dtype", "fp16"), 2, "fp16"),
        (("--device", "cuda:7"), 3, "cuda:7"),
        (("--device", "gpu"), 2, "There is no device 'gpu'"),
        (("--set", "crop_frames"), 2, "'crop_frames' is not of the form"),
        (("--config", "absent.yaml"), 3, "no configuration file 'absent.yaml'"),
        (("--exists", "maybe"), 2, "maybe"),
    ],
)
def test_what_goes_wrong_is_told_in_one_sentence(pretrain, arguments: tuple[str, ...], code: int, message: str):
    result = pretrain(*arguments)
    assert result.exit_code == code, result.stderr
    assert message in result.stderr and "Traceback" not in result.stderr
    assert result.stdout == ""
    assert len(result.stderr.strip().splitlines()) == 1


def test_no_preset_and_no_output(aj, clips: Path):
    assert aj("pretrain", "--data", clips, "-o", "run").exit_code == 2
    result = aj("pretrain", "--data", clips, "--preset", "tiny/genau-vae")
    assert result.exit_code == 2 and "'output' is needed" in result.stderr
    result = aj("pretrain", "--preset", "tiny/genau-vae", "-o", "run")
    assert result.exit_code == 3 and "--data" in result.stderr


def test_presets_are_listed_without_training(aj):
    names = aj("pretrain", "--list-presets").stdout.split()
    assert {"genau/s", "genau/l", "genau/vae", "tiny/genau", "pocket/generator"} <= set(names)
    assert names == sorted(names)


def test_an_unwritable_run_folder(pretrain):
    Path("run").write_text("a file", encoding="utf-8")
    result = pretrain()
    assert result.exit_code in (1, 2) and "run" in result.stderr and "Traceback" not in result.stderr


def test_finetune_goes_on_from_a_run(pretrain, aj, clips: Path):
    pretrain()
    result = aj("finetune", "--init", "run", "--data", clips, "-o", "tuned", "--steps", 2, "--device", "cpu")
    assert result.exit_code == 0, result.stderr
    saved = yaml.safe_load(Path("tuned/config.yaml").read_text(encoding="utf-8"))
    assert saved["loop"]["lr"] == pytest.approx(1e-4) and saved["init"] == "run"
    assert aj("finetune", "--data", clips, "-o", "other").exit_code == 2
    assert aj("finetune", "--init", "nowhere/at/all", "--data", clips, "-o", "other").exit_code == 3


@pytest.mark.parametrize("command", ["pretrain", "finetune"])
def test_help_costs_no_torch_and_states_where_defaults_come_from(command: str):
    code = (
        "import sys; from audiojourney.cli.app import app; from typer.testing import CliRunner; "
        f"text = CliRunner().invoke(app, ['{command}', '--help']).stdout; "
        "assert 'the same command again continues' in ' '.join(text.split()).lower(), text; "
        "sys.exit(bool({'torch', 'numpy', 'accelerate', 'transformers'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_exits_130_and_goes_on(clips: Path, tmp_path: Path, number: signal.Signals):
    command = [sys.executable, "-m", "audiojourney", "pretrain", "--preset", "tiny/genau-vae", "--data", str(clips)]
    command += ["-o", str(tmp_path / "run"), "--steps", "100000", "--device", "cpu", "--set", "loop.log_every=1"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    log = tmp_path / "run" / "log.jsonl"
    while process.poll() is None and not (log.exists() and log.read_text(encoding="utf-8").count("\n") > 3):
        time.sleep(0.05)
    process.send_signal(number)
    out, told = process.communicate()
    assert process.returncode == 130, told
    assert out == "" and "interrupted at step" in told and "the same command goes on" in told
    (saved,) = (tmp_path / "run" / "checkpoints").iterdir()
    step = int(saved.name.removeprefix("step-"))
    last = json.loads(log.read_text(encoding="utf-8").splitlines()[-1])
    assert last["step"] == step
