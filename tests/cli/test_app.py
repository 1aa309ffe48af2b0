"""`aj` itself: its help, its shared options, its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import typer

from audiojourney import __version__
from audiojourney.cli import _boundary, _ui
from audiojourney.cli._commands import COMMANDS
from audiojourney.errors import ClipError, GateError, MissingError, PartialError, UsageError

HEAVY = {"torch", "numpy", "transformers", "diffusers", "accelerate", "huggingface_hub", "soundfile", "rich"}
NOT_BUILT = [name for name, entry in COMMANDS.items() if entry.module is None]


def modules_after(*arguments: str) -> set[str]:
    """Run `aj` in a process of its own and return the top-level modules it has loaded."""
    script = (
        "import sys\nfrom audiojourney.cli.app import app\n"
        f"try: app({list(arguments)!r})\nexcept SystemExit: pass\n"
        "print('\\n@', *{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.rpartition("@")[2].split())


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["genrate"],
        ["generate", "--help"],
        ["augment-classifier"],
        ["recaption", "--help"],
        ["eval", "--help"],
        ["filter", "--help"],
        ["data", "stats", "--help"],
    ],
)
def test_trivial_calls_load_nothing_heavy(arguments):
    assert modules_after(*arguments) & HEAVY == set()


def test_importing_the_package_loads_nothing_heavy():
    script = "import sys, audiojourney; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & HEAVY == set()


def test_help_lists_the_seven_verbs_and_the_exit_codes(aj):
    result = aj("--help")
    assert result.exit_code == 0
    for name in ("recaption", "filter", "pretrain", "finetune", "generate", "eval", "augment-classifier"):
        assert f"\n  {name} " in result.stdout
    for code in ("0 done", "1 failed", "2 wrong usage", "3 something", "4 a gate", "5 some items", "130"):
        assert code in result.stdout


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_every_help_page_fits_eighty_columns_and_is_plain(aj, name):
    result = aj(*([name] if name else []), "--help")
    assert result.exit_code == 0, result.output
    assert max(map(len, result.stdout.splitlines())) <= 80
    assert not set(result.stdout) & set("\x1b╭│─")


@pytest.mark.parametrize("name", NOT_BUILT)
def test_what_is_not_built_says_so_and_ends_with_3(aj, name):
    result = aj(name, "clips/", "--clap-threshold", "0.45")
    assert result.exit_code == 3
    assert "not in this version yet" in result.stderr
    assert result.stdout == ""


def test_version(aj):
    assert aj("--version").stdout == f"aj {__version__}\n"


def test_python_m_is_the_same_command():
    done = subprocess.run([sys.executable, "-m", "audiojourney", "--version"], capture_output=True, text=True)
    assert done.stdout == f"aj {__version__}\n"


def test_no_command_shows_help_and_ends_with_2(aj):
    assert aj().exit_code == 2


def test_unknown_command_offers_the_nearest(aj):
    result = aj("genrate", "rain")
    assert result.exit_code == 2
    assert "Did you mean 'generate'?" in result.stderr


def test_unknown_option_offers_the_nearest(aj):
    result = aj("generate", "rain", "--step", "3")
    assert result.exit_code == 2
    assert "--steps" in result.stderr


CODES = {
    2: UsageError("no such thing 3.", "Use 4."),
    3: MissingError("no weights x."),
    4: GateError("fad 3 > 2."),
    5: PartialError("3 of 9 clips failed."),
}


@pytest.fixture
def failing(monkeypatch):
    """Make `aj doctor` raise what it is given."""

    def prepare(error: BaseException) -> None:
        def raising() -> list:
            raise error

        monkeypatch.setattr("audiojourney.cli.doctor.examine", raising)

    return prepare


@pytest.mark.parametrize("code", CODES)
def test_each_error_has_its_exit_code_and_its_sentence(aj, failing, code):
    failing(CODES[code])
    result = aj("doctor")
    assert result.exit_code == code
    assert result.stderr == f"aj: {CODES[code]}\n"


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ClipError("missing_file", "there is no such file.", "x.wav"), 3, "aj: x.wav: there is no such file.\n"),
        (ClipError("corrupt", "a fault.", "x.wav"), 1, "aj: x.wav: a fault.\n"),
        (PermissionError(13, "Permission denied", "/x"), 1, "aj: /x: Permission denied.\n"),
        (MemoryError(), 1, "not enough memory"),
        (ValueError("odd\nthing"), 1, "aj: ValueError: odd thing\nThis was not expected: set AJ_DEBUG=1"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (BrokenPipeError(), 141, ""),
    ],
)
def test_other_errors_end_without_a_traceback(aj, failing, error, code, told, monkeypatch):
    monkeypatch.setattr(_boundary, "silence_stdout", lambda: None)
    failing(error)
    result = aj("doctor")
    assert result.exit_code == code
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_debug_shows_the_traceback_and_keeps_the_code(aj, failing, monkeypatch):
    monkeypatch.setenv("AJ_DEBUG", "1")
    failing(MissingError("no weights x."))
    result = aj("doctor")
    assert result.exit_code == 3
    assert "Traceback" in result.stderr
    assert "MissingError" in result.stderr


def test_typer_exits_pass_the_boundary():
    with pytest.raises(typer.Exit), _boundary.boundary():
        raise typer.Exit(7)
    with pytest.raises(typer.BadParameter), _boundary.boundary():
        raise typer.BadParameter("x")


def test_shared_options_work_on_both_sides_of_the_command(aj, monkeypatch):
    seen = []

    def look() -> list:
        seen.append((_ui.mode.quiet, _ui.mode.verbose))
        return []

    monkeypatch.setattr("audiojourney.cli.doctor.examine", look)
    for arguments in (["-q", "doctor"], ["doctor", "--quiet"], ["-vv", "doctor"], ["doctor", "-v", "--verbose"]):
        assert aj(*arguments).exit_code == 0
    assert seen == [(True, 0), (True, 0), (False, 2), (False, 2)]


def test_offline_and_no_color_reach_the_libraries(aj, monkeypatch):
    monkeypatch.setenv("AJ_OFFLINE", "")
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setattr("audiojourney.cli.doctor.examine", list)
    aj("doctor", "--offline", "--no-color")
    assert os.environ["AJ_OFFLINE"] == os.environ["NO_COLOR"] == "1"


def test_help_into_a_closed_pipe_ends_quietly():
    reader = subprocess.Popen(
        [sys.executable, "-m", "audiojourney", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with reader:
        reader.stdout.close()
        assert reader.stderr.read() == b""
        assert reader.wait(timeout=280) == 141


def test_json_output_has_null_for_what_is_not_finite(capsys):
    _ui.out_json({"a": float("nan"), "b": [float("inf"), 1.5], "c": {"d": -float("inf")}, "e": "é"})
    line = capsys.readouterr().out
    assert json.loads(line) == {"a": None, "b": [None, 1.5], "c": {"d": None}, "e": "é"}
    assert "é" in line


def test_a_table_is_aligned(capsys):
    _ui.table(("name", "n"), [("a", 1), ("longer", 22)])
    assert capsys.readouterr().out == "name    n\na       1\nlonger  22\n"


def test_progress_outside_a_terminal_is_a_line_a_minute(capsys, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(_ui.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(_ui, "mode", _ui.Mode())
    with _ui.progress("working") as bar:
        for second in range(0, 150, 10):
            clock[0] = float(second)
            bar.update(second, 150)
    assert capsys.readouterr().err == "working: 60 of 150\nworking: 120 of 150\n"


def test_no_progress_when_quiet_or_unwanted(monkeypatch):
    monkeypatch.setattr(_ui, "mode", _ui.Mode(quiet=True))
    with _ui.progress("working") as bar:
        assert bar is None
    monkeypatch.setattr(_ui, "mode", _ui.Mode())
    with _ui.progress("working", shown=False) as bar:
        assert bar is None
