"""`aj recaption` as it is typed: what it says where, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audiojourney.captions.names import CAPTIONERS
from audiojourney.errors import require
from audiojourney.recipes.recaption import engines, models
from tests.recipes.recaption.conftest import rows
from tests.recipes.recaption.double import install, write_clips


@pytest.fixture(autouse=True)
def stub_models(monkeypatch):
    """Models that cost nothing, in this process."""
    monkeypatch.setattr(CAPTIONERS, "_table", dict(CAPTIONERS))
    monkeypatch.setattr(models.SCORERS, "_table", {})
    monkeypatch.setattr(models, "_loaded", {})
    monkeypatch.setenv("AJ_ISOLATE", "false")
    install()


def test_in_a_folder_with_data_the_bare_command_is_enough(aj):
    write_clips(Path("data"), 12)
    done = aj("recaption", "--clap-threshold", 0.45)
    assert (done.exit_code, done.stdout) == (0, f"{Path('data/captions.jsonl')}\n")
    assert "12 clips: captions by stub@1" in done.stderr
    assert "threshold 0.45" in done.stderr
    assert "clips/s" in done.stderr
    again = aj("recaption", "--clap-threshold", 0.45)
    assert (again.exit_code, again.stdout) == (0, done.stdout)
    assert "nothing to do" in again.stderr
    other = aj("recaption", "--clap-threshold", 0.2)
    assert (other.exit_code, "no sound was read" in other.stderr) == (0, True)


def test_without_data_the_sentence_says_what_to_do(aj):
    done = aj("recaption")
    assert done.exit_code == 3
    assert "There is no folder 'data' here" in done.stderr
    assert "aj recaption FOLDER" in done.stderr


def test_json_is_one_line_of_figures(aj):
    write_clips(Path("data"), 4)
    Path("data/clip-00002.wav").write_bytes(b"junk")
    done = aj("recaption", "--json")
    report = json.loads(done.stdout)
    assert done.exit_code == 5
    assert (report["clips"], report["rows"], report["errors"]) == (4, 3, 1)
    assert set(report["seconds"]) == {"load", "decode", "wait", "caption", "score", "write"}
    assert "named in data/errors.jsonl" in done.stderr.replace("\\", "/")
    assert aj("recaption", "--json", "--allow-errors", 1).exit_code == 0
    assert aj("recaption", "--json").exit_code == 5


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--captioner", "pokcet"), 2, "'pocket'"),
        (("--shards", "9/8"), 2, "'9/8'"),
        (("--keep", 2, "--candidates", 1), 2, "2 of 1 candidates"),
        (("--drop-keywords", "speach"), 2, "speech"),
        (("--batch", "many"), 2, "many"),
        (("absent/",), 3, "absent"),
        (("--strict",), 1, "clip-00000.wav"),
    ],
)
def test_each_kind_of_error_has_its_exit_code(aj, arguments, code, told):
    write_clips(Path("data"), 4)
    Path("data/clip-00000.wav").write_bytes(b"junk")
    done = aj("recaption", *arguments)
    assert done.exit_code == code
    assert told in done.stderr
    assert done.stdout == ""


def test_other_settings_ask_for_force(aj):
    write_clips(Path("data"), 3)
    aj("recaption")
    done = aj("recaption", "--seed", 5)
    assert done.exit_code == 2
    assert "seed 0, not 5" in done.stderr
    assert aj("recaption", "--seed", 5, "--force").exit_code == 0


def test_options_reach_the_run(aj):
    write_clips(Path("data"), 5)
    done = aj("recaption", "data", "-o", "out.jsonl", "--candidates", 4, "--keep", 2, "--limit", 3, "--batch", 2, "-q")
    assert (done.exit_code, done.stderr) == (0, "")
    found = rows("out.jsonl")
    assert [len(row["captions"]) for row in found] == [4, 4, 4]
    assert found[0]["file_name"] == "data/clip-00000.wav"
    shown = aj("recaption", "--print-config", "--drop-keywords", "", "--min-duration", 2, "--batch", "auto").stdout
    assert "drop_keywords: []" in shown
    assert "min_duration_s: 2.0" in shown


def test_standard_input_names_the_clips(aj):
    write_clips(Path("data"), 3)
    done = aj("recaption", "-", stdin="data/clip-00001.wav\ndata/clip-00002.wav\n")
    assert done.exit_code == 0
    assert [row["id"] for row in rows("captions.jsonl")] == ["data/clip-00001.wav", "data/clip-00002.wav"]


def test_datatrove_is_an_extra(aj, monkeypatch):
    def absent(module, **said):
        return require("no_such_module", **said)

    monkeypatch.setattr(engines, "require", absent)
    write_clips(Path("data"), 2)
    done = aj("recaption", "--engine", "datatrove")
    assert done.exit_code == 3
    assert 'pip install "audiojourney[scale]"' in done.stderr


def test_the_other_parts_are_left_to_others(aj):
    write_clips(Path("data"), 8)
    done = aj("recaption", "--shards", "1/2", "--set", "shard_clips=4")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "1 of 2 shards are left" in done.stderr
    assert aj("recaption", "--shards", "2/2", "--set", "shard_clips=4").stdout
