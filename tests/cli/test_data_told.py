"""What the commands of `aj data` tell of data that is odd."""

from __future__ import annotations

import json

import pytest

from tests.data.formats.published import VIDEO, put_sound, put_text


@pytest.fixture
def data(tmp_path):
    """`data/` with one captioned sound and two rows that are no clips."""
    put_sound(tmp_path / "data" / "a.wav")
    rows = '{"file_name": "a.wav", "text": "<script>alert(1)</script>", "labels": ["<b>x"]}\n{"no": 1}\nbroken\n'
    put_text(tmp_path / "data" / "metadata.jsonl", rows)
    return tmp_path / "data"


def test_statistics_tell_of_rows_that_were_not_counted(aj, data):
    result = aj("data", "stats")
    assert result.exit_code == 0
    assert "2 rows are no clips and were not counted: aj data verify data" in result.stderr
    told = aj("data", "stats", "--json")
    assert json.loads(told.stdout)["bad_rows"] == 2
    assert "2 rows" in told.stderr
    put_text(data / "metadata.jsonl", '{"file_name": "a.wav"}\n')
    assert "rows are no clips" not in aj("data", "stats").stderr


def test_a_page_runs_nothing_that_captions_say(aj, data, tmp_path):
    assert aj("data", "stats", "--html", "page.html").exit_code == 0
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "<b>x" not in page


def test_problems_are_a_line_and_three_columns_each(aj, tmp_path):
    names = ["a\tb.wav", "line\nbreak.wav", "r\u2028s.wav", "bell\x07.wav", "雨.wav"]
    put_text(tmp_path / "list.jsonl", "".join(json.dumps({"file_name": name}) + "\n" for name in names))
    result = aj("data", "verify", "list.jsonl")
    lines = result.stdout.split("\n")[:-1]
    assert [len(line.split("\t")) for line in lines] == [3] * len(names)
    assert [line.split("\t")[1] for line in lines] == [
        "a\\tb.wav",
        "line\\nbreak.wav",
        "r\\u2028s.wav",
        "bell\\x07.wav",
        "雨.wav",
    ]
    told = [json.loads(line) for line in aj("data", "verify", "list.jsonl", "--json").stdout.split("\n")[:-1]]
    assert [row["problem"]["id"] for row in told[:-1]] == names


def test_an_import_that_was_done_says_how_to_do_it_again(aj, tmp_path):
    put_sound(tmp_path / "in" / "a.wav")
    aj("data", "import", "in", "-o", "out")
    put_sound(tmp_path / "in" / "b.wav")
    again = aj("data", "import", "in", "-o", "out")
    assert "Nothing to do: 1 clips are there; --exists overwrite reads in anew." in again.stderr
    assert "2 clips" in aj("data", "import", "in", "-o", "out", "--exists", "overwrite").stderr


@pytest.mark.parametrize(
    ("arguments", "code", "complaint"),
    [
        (("import", "esc50"), 3, "esc50 is a format; name its source"),
        (("import", "list.bin"), 2, "no known format"),
        (("import", "empty.csv", "-o", "o"), 3, "empty.csv gave no clip"),
        (("import", "empty", "-o", "o"), 3, "empty gave no clip"),
        (("import", "clotho", "empty.csv", "-o", "o"), 2, "no column 'file_name'"),
        (("import", "data", "-o", "o", "--max-duration", "nan"), 2, "max_duration_s is nan"),
        (("import", "data", "-o", "o", "--max-duration", -3), 2, "max_duration_s is -3"),
        (("import", "data", "-o", "o", "--labels", "empty.csv"), 2, "no column 'mid'"),
        (("import", "data", "-o", "o", "--labels", "none.csv"), 3, "none.csv"),
        (("import", "data", "-o", "o", "--exclude-ids", "none.txt"), 3, "none.txt"),
        (("import", "data", "-o", "o", "--segments", "none"), 3, "--segments"),
        (("import", "data", "-o", "list.bin"), 1, "list.bin"),
        (("export", "data", "--to", "tango", "-o", "."), 2, "holds files"),
        (("export", "data", "--to", "tango", "-o", "list.bin"), 2, "is a file"),
        (("export", "data", "--to", "tango", "-o", "o", "--rate", 8000), 2, "--format"),
        (("export", "data", "--to", "genau", "-o", "o", "--limit", 0), 2, "limit is 0"),
        (("verify", "empty"), 3, "nothing to look at"),
        (("verify", "data", "--workers", 0), 2, "workers is 0"),
        (("stats", "empty"), 3, "holds no clip"),
        (("stats", "data", "--top", 0), 2, "top is 0"),
        (("stats", "data", "--html", "list.bin"), 2, "--force"),
        (("scenes", "list.bin", "-n", 1), 1, "list.bin"),
    ],
)
def test_one_sentence_and_no_traceback(aj, data, tmp_path, arguments, code, complaint):
    put_text(tmp_path / "list.bin", "x")
    put_text(tmp_path / "empty.csv", "")
    (tmp_path / "empty").mkdir()
    before = sorted(tmp_path.rglob("*"))
    result = aj("data", *arguments)
    assert result.exit_code == code, result.stderr
    assert complaint in result.stderr
    assert "not expected" not in result.stderr
    assert result.stdout == ""
    assert [path for path in sorted(tmp_path.rglob("*")) if path.is_file()] == [p for p in before if p.is_file()]


def test_strict_names_the_first(aj, tmp_path):
    put_text(tmp_path / "in" / "vggsound.csv", f"gone_______,1,dog,train\n{VIDEO},1,dog,train\n")
    put_sound(tmp_path / "in" / f"{VIDEO}.wav")
    result = aj("data", "import", "in", "-o", "out", "--strict")
    assert result.exit_code == 1
    assert "gone_______" in result.stderr
    assert not (tmp_path / "out" / "metadata.jsonl").exists()


def test_json_is_one_object_a_run(aj, tmp_path):
    put_sound(tmp_path / "in" / "a.wav")
    for fresh in (True, False):
        told = json.loads(aj("data", "import", "in", "-o", "out", "--json").stdout)
        assert (told["fresh"], told["clips"], told["format"]) == (fresh, 1, "folder")
        told = json.loads(aj("data", "export", "out", "--to", "webdataset", "-o", "tars", "--json").stdout)
        assert (told["fresh"], told["clips"], len(told["shards"])) == (fresh, 1, 1)
