"""`aj eval` as a user meets it: streams, forms, exit codes."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from audiojourney.data.write import read_tag
from audiojourney.errors import MissingError
from audiojourney.recipes.eval import show
from audiojourney.recipes.eval.result import EvalResult, FileRow, MetricRow, read_result
from tests.conftest import ROOT
from tests.recipes.eval.sets import write_manifest, write_sounds

FAST = ("--embedding", "pocket", "--no-intervals")


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    """Make the conventional folders in the working directory of `aj`."""
    write_sounds(tmp_path / "generated", count=6, loud=0.1)
    write_sounds(tmp_path / "reference", count=6, first=1)
    return tmp_path


def test_fad_alone_offline(aj, folders):
    result = aj("eval", "--fad", "--offline")
    assert result.exit_code == 0, result.output
    header, row = result.stdout.splitlines()
    assert header.split() == list(show.HEADER)
    assert row.split()[0] == "fad_pocket"
    assert float(row.split()[1]) > 0
    assert "aj: warning: fad_vggish" in result.stderr and "fad_pocket" in result.stderr
    assert "nan" not in result.stdout.lower()


def test_a_gate_ends_with_4_and_the_result_is_written(aj, folders):
    result = aj("eval", "--fad", "--offline", "--fail-if", "fad_pocket>0", "-o", "r.json")
    assert result.exit_code == 4
    assert "fad_pocket is " in result.stderr and "> 0" in result.stderr
    assert "fad_pocket" in result.stdout
    assert read_result(folders / "r.json").metric("fad_pocket").value > 0
    assert aj("eval", "--fad", *FAST, "--fail-if", "fad_pocket<0").exit_code == 0
    assert aj("eval", "--fad", *FAST, "--fail-if", "fad>1").exit_code == 2
    again = aj("eval", "--fad", *FAST, "-o", "r.json")
    assert again.exit_code == 2 and "'r.json' exists" in again.stderr
    assert aj("eval", "--fad", *FAST, "-o", "r.json", "--force").exit_code == 0


@pytest.mark.parametrize(
    ("options", "code", "told"),
    [
        (["nowhere/", "reference"], 3, "no data at nowhere"),
        (["generated", "reference", "--metric", "fad_vggish", "--offline"], 3, "Not measured: fad_vggish"),
        (["generated", "reference", "--embedding", "vggish", "--offline"], 3, "vggish-10086976.pth"),
        (["generated", "reference", "--embedding", "vgish"], 2, "Did you mean 'vggish'"),
        (["generated", "reference", "--metric", "fad"], 0, ""),
        (["generated", "reference", "--convention", "audioldm"], 2, "Did you mean 'audioldm_eval'"),
        (["generated", "reference", "--pair", "nme"], 2, "pair"),
        (["generated", "reference", "--limit", "0"], 2, "--limit is 0"),
        (["generated", "reference", "--caption", "--fad"], 2, "another kind of file"),
        (["pocket/generator"], 3, "is a model"),
        (["generated", "reference", "--kl", "--pair", "order", "--limit", "1"], 0, ""),
    ],
)
def test_exit_codes(aj, folders, options, code, told):
    result = aj("eval", *options, "--no-intervals", *(() if "--embedding" in options else ("--offline",)))
    assert result.exit_code == code, result.output
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_no_folders_end_with_3(aj):
    result = aj("eval")
    assert result.exit_code == 3
    assert "There is no folder 'generated'" in result.stderr and result.stdout == ""


def test_failed_files_end_with_5(aj, folders):
    (folders / "generated" / "c00.wav").write_bytes(b"x")
    result = aj("eval", "--fad", *FAST)
    assert result.exit_code == 5
    assert "fad_pocket" in result.stdout and "1 files could not be used" in result.stderr
    assert aj("eval", "--fad", *FAST, "--on-error", "fail").exit_code == 1


def test_json_is_one_line_of_all_that_was_found(aj, folders):
    result = aj("eval", *FAST, "--json", "--offline")
    assert result.exit_code == 0
    (line,) = result.stdout.splitlines()
    found = json.loads(line, parse_constant=lambda name: pytest.fail(name))
    assert found["aj_eval"] == 1 and found["unmet"] == [] and "files" not in found
    assert {"name", "value", "low", "high", "n", "convention", "network", "weights_hash", "reason"} <= set(
        found["metrics"][0]
    )
    absent = [row for row in found["metrics"] if row["value"] is None]
    assert all(row["reason"] for row in absent)
    files = json.loads(aj("eval", *FAST, "--json", "--per-file", "--offline").stdout)["files"]
    assert [row["id"] for row in files] == [f"c{number:02d}.wav" for number in range(6)]
    assert files[0]["scores"]["kl_pocket"] > 0


def test_csv_and_latex(aj, folders):
    text = aj("eval", *FAST, "--kl", "--format", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["metric"] for row in rows] == ["kl_pocket", "kl_sigmoid_pocket"]
    assert float(rows[0]["value"]) > 0 and rows[0]["low"] == ""
    files = list(csv.DictReader(io.StringIO(aj("eval", *FAST, "--kl", "--format", "csv", "--per-file").stdout)))
    assert files[1]["id"] == "c01.wav" and float(files[1]["kl_pocket"]) > 0
    latex = aj("eval", *FAST, "--kl", "--format", "latex").stdout
    assert latex.startswith(r"\begin{tabular}") and r"kl\_pocket $\downarrow$ & " in latex


def test_names_are_escaped_in_every_form():
    odd = "a_b & 50% {x}\\"
    result = EvalResult(
        metrics=(MetricRow(name=odd, value=1.0), MetricRow(name="n", reason="none")),
        files=(FileRow(id='<img src="x">', caption='say "hi", twice\n', scores={"n": None}),),
    )
    assert r"a\_b \& 50\% \{x\}\textbackslash{} & 1" in show.to_latex(result)
    assert "n & -- & -- & -- " in show.to_latex(result)
    (row,) = csv.DictReader(io.StringIO(show.to_csv(result, per_file=True)))
    assert (row["id"], row["caption"], row["n"]) == ('<img src="x">', 'say "hi", twice\n', "")


def test_per_file_and_differences_are_further_tables(aj, folders):
    aj("eval", *FAST, "--kl", "-o", "r.json")
    result = aj("eval", *FAST, "--kl", "--per-file", "--compare", "r.json")
    tables = result.stdout.split("\n\n")
    assert len(tables) == 3
    assert tables[1].split()[:6] == list(show.DIFFERENCE_HEADER)
    assert "+0" in tables[1]
    assert tables[2].splitlines()[1].startswith("c00.wav")


def test_a_model_makes_its_sounds_first(aj, tone, tmp_path):
    write_manifest(write_sounds(tmp_path / "reference", count=4, seconds=1.0))
    result = aj("eval", "pocket/generator", "reference", "--kl", "--offline", "--json", "--per-file")
    assert result.exit_code == 3, "the double has no listener"
    assert "pocket/listener" in result.stderr
    made = sorted(Path(tmp_path).rglob("*.wav"))
    assert len(made) == 4, "sounds lie in the home, not here"


def test_sounds_of_a_model_are_made_once(tone, tmp_path, monkeypatch, isolated_home):
    from audiojourney.recipes.eval.make import make_sounds
    from audiojourney.recipes.eval.settings import EvalConfig
    from audiojourney.recipes.eval.sides import read_side

    write_manifest(write_sounds(tmp_path / "reference", count=4, seconds=1.0), ids="a/{}")
    reference = read_side(str(tmp_path / "reference"))
    config = EvalConfig(seed=3)
    made = make_sounds(config, "pocket/generator", reference, lambda text: None, lambda *step: None)
    assert [clip.id for clip in made] == [f"a/c{number:02d}" for number in range(4)]
    assert len(tone.batches) == 4
    tag = read_tag(made[1].path)
    assert (tag["prompt"], tag["id"], tag["duration"]) == ("tone number 1", "a/c01", 1.0)
    assert made[1].path.is_relative_to(isolated_home)
    made[2].path.unlink()
    make_sounds(config, "pocket/generator", reference, lambda text: None, lambda *step: None)
    assert len(tone.batches) == 5, "what is there is not made again"
    other = make_sounds(EvalConfig(seed=4), "pocket/generator", reference, lambda text: None, lambda *step: None)
    assert other[0].path.parent != made[0].path.parent
    told = []
    (reference[0].path.parent / "metadata.jsonl").unlink()
    bare = read_side(str(tmp_path / "reference"))
    with pytest.raises(MissingError, match="none of 4 reference clips has a caption"):
        make_sounds(config, "pocket/generator", bare, told.append, lambda *step: None)


def test_dry_run_and_print_config_measure_nothing(aj, folders):
    result = aj("eval", "--dry-run", "--fad")
    assert result.exit_code == 0 and result.stdout == ""
    assert "fad of 6 clips of generated against 6 clips of reference" in result.stderr
    assert "convention: audioldm_eval" in aj("eval", "--print-config", "--convention", "audioldm_eval").stdout


def test_file_names_that_are_no_utf8(aj, folders):
    odd = b"c\xff.wav".decode("utf-8", "surrogateescape")
    (folders / "generated" / "c00.wav").rename(folders / "generated" / odd)
    result = aj("eval", *FAST, "--fad", "-o", "r.json")
    assert result.exit_code in (0, 5), result.output
    assert "Traceback" not in result.stderr
    assert odd in [row.id for row in read_result(folders / "r.json").files]


def test_eval_loads_no_transformers(folders):
    script = (
        "import sys\nfrom audiojourney.cli.app import app\n"
        "try: app(['eval', '--fad', '--kl', '--embedding', 'pocket'])\nexcept SystemExit: pass\n"
        "print('@', *{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=folders, env=_path()
    )
    assert {"transformers", "diffusers", "torchaudio", "scipy"} & set(done.stdout.rpartition("@")[2].split()) == set()


def _path() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}
