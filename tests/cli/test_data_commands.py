from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.cli.conftest import ROOT
from tests.data.formats.published import VIDEO, put_sound, put_text

COMMANDS = ("import", "export", "verify", "stats")


@pytest.fixture
def data(tmp_path):
    """`data/` with three captioned sounds, in the folder that `aj` runs in."""
    rows = []
    for number in range(3):
        put_sound(tmp_path / "data" / f"{number}.wav")
        rows.append({"file_name": f"{number}.wav", "text": f"rain number {number}"})
    put_text(tmp_path / "data" / "metadata.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    return tmp_path / "data"


def test_a_data_set_is_found_out_and_read(aj, tmp_path):
    put_text(tmp_path / "vgg" / "vggsound.csv", f"{VIDEO},30,dog,train\nabsent_____,1,cat,test\n")
    put_sound(tmp_path / "vgg" / f"{VIDEO}_000030.wav")
    result = aj("data", "import", "vgg", "-o", "out")
    assert result.exit_code == 5
    assert result.stdout == "out/metadata.jsonl\n"
    assert "1 clips read as vggsound" in result.stderr
    assert "1 sounds missing" in result.stderr
    assert "errors.jsonl" in result.stderr
    told = json.loads((tmp_path / "out" / "errors.jsonl").read_text(encoding="ascii"))
    assert (told["id"], told["code"]) == ("vggsound/absent_____/1000", "missing_file")
    assert "absent_____" in told["reason"]
    result = aj("data", "import", "vggsound", "vgg", "-o", "out", "--allow-errors", 1, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["failures"] == {"missing_file": 1}


def test_import_goes_to_the_conventional_folder(aj, tmp_path):
    put_sound(tmp_path / "sounds" / "dog" / "a.wav")
    assert aj("data", "import", "sounds").exit_code == 0
    again = aj("data", "import", "sounds")
    assert "Nothing to do: 1 clips" in again.stderr
    assert aj("data", "stats", "--json").exit_code == 0


def test_export_then_verify(aj, data, tmp_path):
    result = aj("data", "export", "--to", "webdataset", "-o", "tars")
    assert (result.exit_code, result.stdout) == (0, "tars\n")
    assert "3 clips written in 1 shards" in result.stderr
    assert aj("data", "verify", "tars").exit_code == 0
    path = tmp_path / "tars" / "train-000000.tar"
    path.write_bytes(path.read_bytes()[:2000])
    result = aj("data", "verify", "tars")
    assert result.exit_code == 5
    assert [line.partition("\t")[0] for line in result.stdout.splitlines()] == ["truncated", "truncated", "wrong_count"]
    result = aj("data", "verify", "tars", "--json", "--allow-errors", 3)
    *problems, report = map(json.loads, result.stdout.splitlines())
    assert result.exit_code == 0
    assert [problem["problem"]["code"] for problem in problems] == ["truncated", "truncated", "wrong_count"]
    assert report["problems"] == {"truncated": 2, "wrong_count": 1}


def test_verify_looks_at_the_conventional_folder(aj, data):
    assert "3 clips: 0 problems" in aj("data", "verify").stderr
    (data / "1.wav").unlink()
    result = aj("data", "verify", "--depth", "present")
    assert result.exit_code == 5
    assert result.stdout.startswith("missing_file\t")


def test_stats_as_a_table_as_json_and_as_a_page(aj, data, tmp_path):
    table = aj("data", "stats")
    assert table.exit_code == 0
    assert "rain 3" in table.stdout
    assert all(len(line) <= 80 for line in table.stdout.splitlines())
    told = json.loads(aj("data", "stats", "--json", "--html", "page.html").stdout)
    assert told["clips"] == 3
    assert (tmp_path / "page.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    again = aj("data", "stats", "--html", "page.html")
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert aj("data", "stats", "--html", "page.html", "--force").exit_code == 0


@pytest.mark.parametrize("command", ["export", "verify", "stats"])
def test_without_data_the_folder_is_named(aj, command):
    more = ("--to", "tango", "-o", "out") if command == "export" else ()
    result = aj("data", command, *more)
    assert result.exit_code == 3
    assert "There is no data at data" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("import",), 2, "SOURCE"),
        (("import", "a", "b", "c"), 2, "a b c"),
        (("import", "nowhere"), 3, "nowhere"),
        (("import", "audiocap", "."), 2, "audiocaps"),
        (("import", "clotho", ".", "-o", "out"), 3, "clotho_captions"),
        (("export", "--to", "tar", "-o", "x"), 2, "form of data set 'tar'"),
        (("export", "--to", "tango"), 2, "output"),
        (("verify", "--depth", "deep"), 2, "deep"),
    ],
)
def test_wrong_usage_is_one_sentence(aj, data, arguments, code, complaint):
    result = aj("data", *arguments)
    assert result.exit_code == code, result.stderr
    assert complaint in result.stderr
    assert result.stdout == ""


def test_settings_of_each_command_are_a_table_of_their_own(aj, data, tmp_path):
    put_text(tmp_path / "aj.yaml", "data:\n  import: {workers: 2, limit: 7}\n  stats: {top: 3}\n")
    assert "limit: 7" in aj("data", "import", "x", "--print-config").stdout
    assert "top: 3" in aj("data", "stats", "--print-config").stdout
    result = aj("data", "verify", "--print-config")
    assert (result.exit_code, "workers: 4" in result.stdout) == (0, True)


def test_dry_runs_write_nothing(aj, data, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    assert "would be read as folder" in aj("data", "import", "data", "-o", "out", "--dry-run").stderr
    assert "would be written" in aj("data", "export", "--to", "tango", "-o", "out", "--dry-run").stderr
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_defaults_within_eighty_columns(aj, command):
    result = aj("data", command, "--help")
    assert result.exit_code == 0
    assert "default:" in result.stdout
    assert all(len(line) <= 80 for line in result.stdout.splitlines())


def test_the_commands_need_no_torch():
    modules = ["data_import", "data_export", "data_verify", "data_stats", "data_stats_page"]
    code = "import sys; " + "; ".join(f"import audiojourney.recipes.{name}" for name in modules)
    code += "; heavy = {'torch', 'transformers', 'diffusers', 'scipy', 'pyarrow'}; assert not heavy & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
