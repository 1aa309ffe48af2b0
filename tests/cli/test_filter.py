"""`aj filter` and `aj data segments` as the user runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def row(number, score, text="rain falls"):
    captions = [{"text": text, "score": score, "score_name": "clap_pocket", "kept": True, "reason": ""}]
    return {"id": f"c{number}", "file_name": f"c{number}.wav", "captions": captions, "checks": {"duration_s": 2.0}}


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    rows = [row(0, 0.3), row(1, 0.5, "a man talks"), row(2, 0.6), row(3, 0.45)]
    (folder / "captions.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return folder


def test_the_data_of_the_folder_is_filtered(aj, data):
    done = aj("filter", "--clap-threshold", 0.45, "--drop-keywords", "speech,music", "--dropped", "d.jsonl")
    assert (done.exit_code, done.stdout) == (0, "data/filtered.jsonl\n")
    assert "2 of 4 clips are kept (50.0%)" in done.stderr and "keyword 1, score 1" in done.stderr
    again = aj("filter", "--clap-threshold", 0.45, "--drop-keywords", "speech,music", "--json")
    told = json.loads(again.stdout)
    assert (told["status"], told["output"], told["kept"]["clips"]) == ("skipped", "data/filtered.jsonl", 2)
    other = aj("filter", "--clap-threshold", 0.35)
    assert other.exit_code == 2 and "--force" in other.stderr and other.stdout == ""
    assert aj("filter", "--clap-threshold", 0.35, "--force").exit_code == 0


def test_a_sweep_prints_and_writes_nothing(aj, data):
    done = aj("filter", "--sweep", "0.45,0.55")
    assert done.exit_code == 0
    table = done.stdout.splitlines()
    assert table[0].split() == ["threshold", "clips", "captions", "share", "hours", "mean", "score"]
    assert table[1].split()[:4] == ["0.45", "3", "3", "75.0%"] and "  0.450  rain falls  (c3)" in table
    levels = [json.loads(line) for line in aj("filter", "--sweep", "0.45,0.55", "--json").stdout.splitlines()]
    assert [(level["threshold"], level["clips"]) for level in levels] == [(0.45, 3), (0.55, 1)]
    assert [path.name for path in data.iterdir()] == ["captions.jsonl"]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--sweep", "0.4,x"], 2, "'x'"),
        (["--sweep", ","], 2, "','"),
        (["--sweep", ""], 2, "''"),
        (["--min-level", "nan"], 2, "min_level_db is nan"),
        (["--preset", "autorecap-h"], 2, "autorecap-hq"),
        (["--drop-keywords", "speach"], 2, "'speech'"),
        (["--dedupe", "sound"], 2, "dedupe"),
        (["--clap-threshold", "7"], 2, "7"),
        (["absent/"], 3, "absent"),
        (["--entailment-threshold", "0.5"], 3, "entailment"),
    ],
)
def test_refusals(aj, data, arguments, code, told):
    done = aj("filter", *arguments)
    assert done.exit_code == code and told in done.stderr and done.stdout == ""


def test_without_data_the_sentence_says_so(aj):
    done = aj("filter")
    assert done.exit_code == 3 and "'data'" in done.stderr


def test_captions_without_scores_name_what_measures_them(aj, data):
    (data / "captions.jsonl").write_text(json.dumps(row(0, None)) + "\n", encoding="utf-8")
    done = aj("filter", "--clap-threshold", 0.4)
    assert done.exit_code == 3 and "aj recaption" in done.stderr and "--score" in done.stderr


def test_bad_rows_end_with_five(aj, data):
    with (data / "captions.jsonl").open("a", encoding="utf-8") as file:
        file.write("nonsense\n")
    done = aj("filter")
    assert done.exit_code == 5 and "data/errors.jsonl" in done.stderr and done.stdout == "data/filtered.jsonl\n"


def test_scores_of_several_scorers_are_warned_of(aj, data):
    other = row(9, 0.9) | {"captions": [{"text": "x", "score": 0.9, "score_name": "clap_laion"}]}
    with (data / "captions.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(other) + "\n")
    assert "clap_laion (1), clap_pocket (4)" in aj("filter").stderr


def test_presets_and_flags_go_together(aj, data):
    done = aj(
        "filter", "--preset", "autorecap-mq-l", "--min-duration", 1, "--set", "rules.min_words=2", "--print-config"
    )
    assert "clap_threshold: 0.4\n" in done.stdout and "min_duration_s: 1.0" in done.stdout
    assert "min_words: 2" in done.stdout


def test_the_line_of_json_names_the_list_of_failures_and_their_number(aj, data):
    with (data / "captions.jsonl").open("a", encoding="utf-8") as file:
        file.write("nonsense\n")
    done = aj("filter", "--json")
    told = json.loads(done.stdout)
    assert (done.exit_code, told["errors"], told["errors_file"]) == (5, 1, "data/errors.jsonl")
    assert json.loads(aj("filter", "--json").stdout)["errors_file"] == "data/errors.jsonl"


def test_a_dry_run_says_what_would_be_kept(aj, data):
    done = aj("filter", "--clap-threshold", 0.45, "--dry-run")
    assert (done.exit_code, done.stdout) == (0, "")
    assert "3 of 4 clips are kept" in done.stderr and "nothing was written" in done.stderr
    told = json.loads(aj("filter", "--clap-threshold", 0.45, "--dry-run", "--json").stdout)
    assert (told["status"], told["output"], told["kept"]["clips"]) == ("planned", None, 3)
    assert [path.name for path in data.iterdir()] == ["captions.jsonl"]


@pytest.fixture
def transcripts(tmp_path):
    folder = tmp_path / "transcripts"
    folder.mkdir()
    text = "WEBVTT\n\n00:03.000 --> 00:05.000\nhello\n\n00:20.000 --> 00:21.000\n[Music]\n"
    (folder / "a.en.vtt").write_text(text, encoding="utf-8")
    return folder


def test_segments_of_the_folder(aj, transcripts):
    done = aj("data", "segments")
    assert (done.exit_code, done.stdout) == (0, "transcripts/segments.jsonl\n")
    assert "3 clips" in done.stderr and "1 videos are of unknown length" in done.stderr
    told = json.loads(aj("data", "segments", "--json").stdout)
    assert (told["status"], told["clips"], told["segments"]) == ("skipped", 3, 2)
    done = aj("data", "segments", "--chunk", 5, "--timing", "word", "--drop-after-music", "-o", "s.jsonl", "--json")
    assert json.loads(done.stdout)["clips"] == 4


def test_broken_and_missing_transcripts_are_named(aj, transcripts):
    (transcripts / "b.en.srt").write_text("nothing", encoding="utf-8")
    (transcripts / "c.de.vtt").write_text("WEBVTT\n", encoding="utf-8")
    done = aj("data", "segments")
    assert done.exit_code == 5 and "transcripts/errors.jsonl" in done.stderr and "language 1" in done.stderr
    assert json.loads(aj("data", "segments", "--language", "any", "--force", "--json").stdout)["discarded"] == {
        "no_cues": 1
    }


def test_captioned_segments_are_joined(aj, transcripts):
    aj("data", "segments", "-o", "s.jsonl")
    captions = [{"text": "wind blows"}]
    rows = [
        json.loads(line) | {"captions": captions} for line in Path("s.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    Path("c.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    done = aj("data", "segments", "--merge", "c.jsonl", "--drop-keywords", "speech")
    assert (done.exit_code, done.stdout) == (0, "merged.jsonl\n") and "3 clips were joined to 2" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["absent"], 3), (["--drop-keywords", "speech"], 2), (["--chunk", 1], 2), (["--media", "x"], 2)],
)
def test_segments_refuse_what_cannot_be_meant(aj, transcripts, arguments, code):
    done = aj("data", "segments", *arguments)
    assert done.exit_code == code and done.stdout == ""
