"""What can go wrong with `aj generate`: a clear sentence, the right exit code, nothing lost, no traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
import soundfile

from audiojourney.data.write import read_tag


def left(folder: Path) -> list[str]:
    """Names in a folder, temporary ones included."""
    return sorted(path.name for path in folder.iterdir())


WRONG = {
    "empty prompt": ([""], "empty"),
    "blank prompt": (["  \t"], "empty"),
    "no steps": (["rain", "--steps", "0"], "--steps is 0"),
    "steps in words": (["rain", "--steps", "many"], "--steps"),
    "negative count": (["rain", "-n", "-1"], "--count is -1"),
    "no candidates": (["rain", "--candidates", "0"], "--candidates is 0"),
    "no duration": (["rain", "-d", "0"], "--duration is 0"),
    "endless": (["rain", "-d", "inf"], "--duration is inf"),
    "no number": (["rain", "-d", "nan"], "--duration is nan"),
    "too long": (["rain", "-d", "11"], "at most 10 seconds"),
    "guidance": (["rain", "-g", "-1"], "--guidance is -1"),
    "rate": (["rain", "--rate", "3"], "--rate is 3"),
    "loudness": (["rain", "--loudness", "3"], "--loudness is 3"),
    "seed": (["rain", "--seed", "-3"], "seed -3"),
    "huge seed": (["rain", "--seed", str(2**63)], "out of range"),
    "format": (["rain", "--format", "flak"], "flac"),
    "suffix": (["rain", "-o", "x.mp3"], "'mp3'"),
    "two formats": (["rain", "-o", "x.wav", "--format", "flac"], "disagree"),
    "sampler": (["rain", "--sampler", "ddmi"], "Did you mean 'ddim'?"),
    "keep": (["rain", "--keep", "bst"], "Did you mean 'best'?"),
    "exists": (["rain", "--exists", "renam"], "Did you mean 'rename'?"),
    "device": (["rain", "--device", "gpu"], "'gpu'"),
    "dtype": (["rain", "--dtype", "fp23"], "fp32"),
    "unknown option": (["rain", "--stps", "3"], "--stps"),
    "unknown setting": (["rain", "--set", "stps=3"], "Did you mean 'steps'?"),
    "no text": (["rain \udcff"], "not UTF-8"),
    "dtype that this model lacks": (["rain", "--dtype", "bf16"], "cannot run in bf16"),
    "no setting": (["rain", "--set", "steps"], "'steps'"),
    "several for one file": (["rain", "-n", "2", "-o", "x.wav"], "Name a folder"),
    "several for stdout": (["rain", "wind", "-o", "-"], "Name a folder"),
    "stdin twice": (["-", "-"], "2 times"),
    "sound and JSON on stdout": (["rain", "-o", "-", "--json"], "stdout"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_usage_ends_with_2_and_says_what(aj, tone, case, tmp_path):
    arguments, told = WRONG[case]
    result = aj("generate", *arguments)
    assert (result.exit_code, told in result.stderr) == (2, True), result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert (left(tmp_path), tone.batches) == ([], [])


def test_no_prompt_anywhere(aj, tone):
    result = aj("generate", stdin="")
    assert result.exit_code == 2
    assert "No prompt in standard input" in result.stderr


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("p.txt", b"rain\n\xff\n", "p.txt is not UTF-8"),
        ("p.txt", b"\n  \n", "No prompt in 'p.txt'"),
        ("p.jsonl", b'{"prompt": "rain"}\n{"prompt": }\n', "line 2"),
        ("p.jsonl", b'{"promt": "rain"}\n', "line 1"),
        ("p.jsonl", b'{"prompt": ""}\n', "line 1"),
        ("p.jsonl", b'{"prompt": 7}\n', "line 1"),
        ("p.jsonl", b"[1]\n", "line 1"),
        ("p.jsonl", b'{"prompt": "rain", "seed": 1.5}\n', "seed is 1.5"),
        ("p.jsonl", b'{"prompt": "rain", "seed": true}\n', "seed is True"),
        ("p.jsonl", b'{"prompt": "rain", "duration": "long"}\n', "duration is 'long'"),
        ("p.jsonl", b'{"prompt": "rain", "duration": NaN}\n', "duration is nan"),
        ("p.jsonl", b'{"prompt": "rain", "duration": -1}\n', "--duration is -1"),
        ("p.csv", b"wort\nrain\n", "wort"),
        ("p.csv", b"prompt,seed\nrain,x\n", "seed is 'x'"),
    ],
)
def test_faulty_prompt_files_are_refused_before_any_sound_is_made(aj, tone, tmp_path, name, content, told):
    Path(name).write_bytes(content)
    result = aj("generate", "--prompts", name)
    assert (result.exit_code, told in result.stderr) == (2, True), result.stderr
    assert left(tmp_path) == [name]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("generate: [1", "aj.yaml"),
        ("generate: 3\n", "expected a table"),
        ("- a\n", "expected a table"),
        ("steps: 3\nsteps: 4\n", "'steps' is given twice"),
        ("steps: !!python/object/apply:os.system ['touch owned']\n", "cannot be read"),
        ("generate: {steps: many}\n", "steps: got 'many'"),
        ("generate: {stepps: 3}\n", "Did you mean 'steps'?"),
        ("genrate: {steps: 3}\ngenerate: {}\n", "Did you mean 'generate'?"),
    ],
)
def test_unreadable_configuration_ends_with_2(aj, tone, tmp_path, text, told):
    Path("aj.yaml").write_text(text, encoding="utf-8")
    result = aj("generate", "rain")
    assert (result.exit_code, told in result.stderr) == (2, True), result.stderr
    assert left(tmp_path) == ["aj.yaml"]


ABSENT = {
    "prompt file": (["--prompts", "none.txt"], "'none.txt'"),
    "configuration": (["rain", "--config", "none.yaml"], "'none.yaml'"),
    "earlier sound": (["--like", "none.wav"], "none.wav"),
    "model folder": (["rain", "--model", "./none"], "no model folder 'none'"),
    "misspelt model": (["rain", "--model", "genua-full-l"], "Did you mean 'genau-full-l'?"),
    "weights": (["rain", "--model", "genau-full-l"], "'genau-full-l' are not on this machine"),
    "Hub weights": (["rain", "--model", "some/model"], "aj models pull some/model"),
    "device": (["rain", "--device", "cuda:99"], "cuda:99"),
}


@pytest.mark.parametrize("case", ABSENT)
def test_what_is_absent_ends_with_3_and_one_sentence_on_what_to_do(aj, tone, tmp_path, case):
    arguments, told = ABSENT[case]
    result = aj("generate", *arguments)
    assert (result.exit_code, told in result.stderr) == (3, True), result.stderr
    assert len(result.stderr.strip().splitlines()) <= 2
    assert (result.stdout, left(tmp_path)) == ("", [])


def test_a_sound_that_does_not_say_how_it_was_made(aj, tone):
    soundfile.write("plain.wav", [0.0, 0.1], 16_000)
    result = aj("generate", "--like", "plain.wav")
    assert result.exit_code == 3
    assert "'plain.wav' does not say how it was made" in result.stderr


def test_a_model_that_gives_no_numbers_writes_no_file(aj, tone, tmp_path):
    result = aj("generate", "broken rain", "-o", "out/")
    assert result.exit_code == 1
    assert "16000 samples that are not finite" in result.stderr
    assert left(tmp_path / "out") == []


@pytest.mark.parametrize("output", ["file/x.wav", "file/", "file/deep/"])
def test_output_below_a_file_is_refused_before_any_sound_is_made(aj, tone, output):
    Path("file").write_bytes(b"mine")
    result = aj("generate", "rain", "-o", output)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "cannot be written to" in result.stderr
    assert tone.batches == []


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_folder(aj, tone, tmp_path):
    (tmp_path / "locked").mkdir(mode=0o500)
    assert aj("generate", "rain", "-o", "locked/").exit_code == 1


def test_full_disk_keeps_what_was_finished_and_leaves_no_half_file(process, tmp_path):
    (tmp_path / "p.jsonl").write_text('{"prompt": "a", "duration": 1}\n{"prompt": "b", "duration": 9}\n')

    resource = pytest.importorskip("resource")

    def small_files() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    aj = process("generate", "--prompts", "p.jsonl", "--seed", "1", "-o", "out/", preexec_fn=small_files)
    out, err = aj.communicate(timeout=280)
    assert aj.returncode == 1
    assert b"no space is left" in err
    assert b"Traceback" not in err
    assert out.decode().split() == ["out/00000-a-1.wav"]
    assert left(tmp_path / "out") == ["00000-a-1.wav"]
    assert soundfile.info(tmp_path / "out" / "00000-a-1.wav").frames == 16_000


def test_interrupt_ends_with_130_and_keeps_what_was_finished(process, tmp_path):
    aj = process("generate", "rain", "slow rain", "-s", "1000", "-o", "out/")
    finished = aj.stdout.readline().decode().strip()
    aj.send_signal(signal.SIGINT)
    _, err = aj.communicate(timeout=280)
    assert aj.returncode == 130
    assert b"interrupted" in err
    assert b"Traceback" not in err
    assert left(tmp_path / "out") == [Path(finished).name]
    assert f"the same command with --seed {read_tag(tmp_path / finished)['seed']}\n" in err.decode()


def test_termination_leaves_no_temporary_file(process, tmp_path):
    aj = process("generate", "rain", "slow rain", "--seed", "1", "-s", "1000", "-o", "out/")
    aj.stdout.readline()
    aj.terminate()
    _, err = aj.communicate(timeout=280)
    assert aj.returncode == 143
    assert b"Traceback" not in err
    assert left(tmp_path / "out") == ["00000-rain-1.wav"]


def test_closed_pipe_ends_quietly(process, tmp_path):
    aj = process("generate", "rain", "-n", "20", "--seed", "1", "-o", "out/")
    aj.stdout.readline()
    aj.stdout.close()
    err = aj.stderr.read()
    assert aj.wait(timeout=280) == 141
    assert b"Traceback" not in err
    assert b"Broken" not in err


def test_sound_on_stdout_is_the_file_and_nothing_else(process, aj, tone):
    one = process("generate", "rain", "--seed", "7", "-o", "-")
    out, _ = one.communicate(timeout=280)
    assert one.returncode == 0
    aj("generate", "rain", "--seed", "7", "-o", "x.wav")
    assert out == Path("x.wav").read_bytes()


def test_prompts_on_stdin(aj, tone):
    result = aj("generate", "-", "--seed", "1", stdin="rain\n\n  wind \n")
    assert result.stdout.split() == ["00000-rain-1.wav", "00001-wind-2.wav"]
    assert aj("generate", "--seed", "1", stdin="owl\r\n").stdout == "owl-1.wav\n"
    assert aj("generate", "--prompts", "-", "--seed", "1", stdin=b"\xef\xbb\xbfcat\n").stdout == "cat-1.wav\n"
    assert read_tag("cat-1.wav")["prompt"] == "cat"


def test_a_prompt_that_begins_with_a_dash(aj, tone):
    assert aj("generate", "--seed", "1", "--", "-5 degrees wind").stdout == "5-degrees-wind-1.wav\n"
    assert aj("generate", "--seed", "1", "--", "--quiet").stdout == "quiet-1.wav\n"


def test_ten_thousand_words(aj, tone):
    prompt = "rain on a tin roof " * 2000
    result = aj("generate", prompt, "--seed", "1")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "rain-on-a-tin-roof-rain-1.wav\n"
    assert read_tag("rain-on-a-tin-roof-rain-1.wav")["prompt"] == prompt


@pytest.mark.parametrize("prompt", ["雨", "🌧", "../../etc/passwd", "con", "a\nb", "%00", "'; rm -rf /", "\x07bell"])
def test_any_prompt_makes_a_safe_name_and_is_kept_whole(aj, tone, tmp_path, prompt):
    result = aj("generate", "--json", "--seed", "1", "--", prompt)
    assert result.exit_code == 0, result.stderr
    (name,) = left(tmp_path)
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    assert json.loads(result.stdout)["prompt"] == prompt
    assert read_tag(name)["prompt"] == prompt


def test_without_network_it_fails_before_torch_is_loaded(process):
    # No offline switch: the address does not answer.
    environment = {"HF_ENDPOINT": "http://192.0.2.1:9", "HF_HUB_OFFLINE": "0"}
    script = (
        "import sys; from audiojourney.cli.app import app\n"
        "try: app(['generate', 'rain', '--model', 'some/model'])\n"
        "except SystemExit as end: print(end.code, 'torch' in sys.modules)"
    )
    aj = process(script=("-c", script), env=environment)
    out, err = aj.communicate(timeout=280)
    assert out.decode().split() == ["3", "False"]
    assert b"cannot be reached" in err


def test_no_bar_and_no_colour_outside_a_terminal(process):
    aj = process("generate", "slow rain", "-s", "8", "--seed", "1")
    out, err = aj.communicate(timeout=280)
    assert out == b"slow-rain-1.wav\n"
    assert err == b"pocket/generator, seed 1\n"


@pytest.mark.skipif(os.name != "posix", reason="needs a pseudo-terminal")
def test_a_bar_on_a_terminal_and_only_on_stderr(process):
    import pty

    ours, theirs = pty.openpty()
    aj = process("generate", "slow rain", "-s", "12", "--seed", "1", stderr=theirs)
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 4096):
            shown += chunk
    except OSError:
        pass  # how a pseudo-terminal ends
    assert aj.stdout.read() == b"slow-rain-1.wav\n"
    assert aj.wait(timeout=280) == 0
    assert b"generating" in shown
    assert b"12/12" in shown or b"11/12" in shown


def test_reading_waits_for_nothing_when_a_prompt_is_given(process):
    """Standard input may be a pipe that never ends."""
    aj = process("generate", "rain", "--seed", "1", stdin=subprocess.PIPE)
    deadline = time.monotonic() + 280
    while aj.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    assert aj.poll() == 0
