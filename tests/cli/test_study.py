from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.cli.conftest import ROOT
from tests.recipes.study_doubles import answered, data_of, save, tones

PROMPTS = [f"prompt {number}" for number in range(12)]


@pytest.fixture
def folders(tmp_path):
    for name in ("ours", "theirs"):
        tones(tmp_path / name, PROMPTS, duration_s=0.05)
    return "ours", "theirs"


def test_two_folders_make_a_page_whose_path_is_printed(aj, tmp_path, folders):
    result = aj("study", *folders, "-o", "out/test.html", "--seed", 3, "-n", 5, "--title", "Which one?")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.split() == ["out/test.html"]
    assert "5 pairs of 5 prompts" in result.stderr
    study = data_of(tmp_path / "out" / "test.html")
    assert (study["seed"], study["title"], len(study["trials"]), study["ties"]) == (3, "Which one?", 5, True)


def test_make_may_be_named_and_json_tells_what_was_made(aj, folders):
    told = json.loads(aj("study", "make", *folders, "--no-ties", "--json").stdout)
    assert (told["systems"], told["trials"], told["pair"]) == (["ours", "theirs"], 12, "id")
    assert told["output"] == "study.html"


def test_settings_may_stand_in_a_file(aj, tmp_path, folders):
    (tmp_path / "aj.yaml").write_text("study:\n  level: match\n  count: 2\n", encoding="utf-8")
    shown = aj("study", *folders, "--count", 3, "--print-config").stdout
    assert "level: match" in shown and "count: 3" in shown
    assert not (tmp_path / "study.html").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("ours",), 2, "two folders"),
        (("ours", "ours"), 2, "itself"),
        (("ours", "absent"), 3, "absent"),
        (("ours", "theirs", "--design", "some"), 2, "some"),
        (("ours", "theirs", "--set", "max_md=3"), 2, "max_mb"),
        (("ours", "theirs", "-o", "ours/000.wav"), 2, "--force"),
        (("score",), 2, "answers"),
        (("score", "absent.json"), 1, "absent.json"),
    ],
)
def test_wrong_usage(aj, folders, arguments, code, complaint):
    result = aj("study", *arguments)
    assert result.exit_code == code, result.stderr
    assert complaint in result.stderr
    assert result.stdout == ""


def test_without_arguments_the_help_is_shown(aj):
    result = aj("study")
    assert "make" in result.output and "score" in result.output


@pytest.fixture
def answers(aj, tmp_path, folders):
    assert aj("study", *folders).exit_code == 0
    table = answered(tmp_path / "study.html", "Anna", lambda number, criterion: "tie" if number == 0 else "left")
    return save(tmp_path, "answers-anna.json", table)


def test_scores_are_a_table(aj, answers):
    result = aj("study", "score", answers)
    assert result.exit_code == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0].split()[:3] == ["first", "second", "question"]
    assert [line.split()[2] for line in lines[1:]] == ["realism", "quality", "alignment", "overall"]
    assert lines[1].split()[:2] == ["ours", "theirs"]
    assert int(lines[1].split()[4]) == 1, "ties apart"
    assert "Krippendorff" in result.stderr and "100.0 %" in result.stderr


def test_json_says_how_agreement_is_measured(aj, answers):
    told = json.loads(aj("study", "score", answers, "--json", "--level", 0.9).stdout)
    assert "Krippendorff" in told["agreement"]
    assert told["comparisons"][0]["share"]["wilson"]["level"] == 0.9
    assert told["comparisons"][0]["share"]["by_clip"]["method"].startswith("bootstrap over 11 clips")
    assert told["listeners"] == ["Anna"]


def test_malformed_files_are_named_after_the_result(aj, tmp_path, answers):
    (tmp_path / "answers-bad.json").write_text("{", encoding="utf-8")
    result = aj("study", "score", answers, "answers-bad.json", "--json")
    assert result.exit_code == 5
    assert "answers-bad.json" in result.stderr and "1 of 2 files" in result.stderr
    assert json.loads(result.stdout)["bad"][0][0] == "answers-bad.json"


def test_a_listener_who_saved_twice_is_told(aj, tmp_path, answers):
    table = json.loads(answers.read_text(encoding="utf-8"))
    save(tmp_path, "answers-early.json", table | {"answers": table["answers"][:2], "complete": False})
    result = aj("study", "score", answers, "answers-early.json")
    assert result.exit_code == 0
    assert "answers-early.json is left out" in result.stderr


def test_the_command_loads_nothing_heavy():
    code = (
        "import sys; from audiojourney.cli import study; assert 'numpy' not in sys.modules; "
        "import audiojourney.recipes.study.build, audiojourney.recipes.study.score; "
        "heavy = {'torch', 'transformers', 'diffusers', 'scipy'}; "
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
