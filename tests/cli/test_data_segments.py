"""`aj data segments` as it is called: what it prints, what it refuses, what it leaves behind."""

from __future__ import annotations

import json
import os

import pytest

from audiojourney.data.manifest import read_clips
from tests.data.formats.published import put_sound, put_text

VTT = "WEBVTT\n\n00:03.000 --> 00:05.000\nhello\n\n00:20.000 --> 00:21.000\n[Music]\n\n"


@pytest.fixture
def transcripts(tmp_path):
    """`transcripts/` with one video, in the folder that `aj` runs in."""
    put_text(tmp_path / "transcripts" / "a.en.vtt", VTT)
    return tmp_path / "transcripts"


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_conventional_folder_is_read(aj, transcripts):
    result = aj("data", "segments")
    assert (result.exit_code, result.stdout) == (0, "transcripts/segments.jsonl\n")
    assert "3 clips, 0.01 h, from 2 segments of 1 of 1 videos; 0 clips follow music." in result.stderr
    assert "of unknown length" in result.stderr
    again = aj("data", "segments")
    assert (again.exit_code, again.stdout) == (0, "transcripts/segments.jsonl\n")
    assert "nothing was done" in again.stderr


def test_json_says_all_of_it_in_one_line(aj, transcripts):
    put_text(transcripts / "b.en.vtt", "WEBVTT\n")
    put_text(transcripts / "c.en.vtt", "no transcript")
    result = aj("data", "segments", "--json")
    assert result.exit_code == 5
    (told,) = map(json.loads, result.stdout.splitlines())
    assert (told["status"], told["clips"], told["videos"], told["errors"]) == ("written", 3, 3, 1)
    assert told["discarded"] == {"no_cues": 1}
    assert rows(transcripts / "segments.discarded.jsonl") == [{"id": "b", "reason": "no_cues"}]
    assert told["errors_list"].endswith("errors.jsonl")
    assert json.loads(aj("data", "segments", "--json").stdout)["status"] == "skipped"


def test_options_reach_the_cutter(aj, transcripts, tmp_path):
    options = ("--min", 0.5, "--chunk", 4, "--padding", 0.25, "--media", "{video_id}.flac", "--drop-after-music")
    result = aj("data", "segments", *options, "-o", "x/s.jsonl", "--videos", "videos.csv")
    assert result.exit_code == 3
    put_text(tmp_path / "videos.csv", "id,duration\na,30\n")
    result = aj("data", "segments", *options, "-o", "x/s.jsonl", "--videos", "videos.csv")
    assert result.exit_code == 0
    assert [(row["start_ms"], row["end_ms"]) for row in rows(tmp_path / "x" / "s.jsonl")] == [
        (0, 2750),
        (5250, 9250),
        (9250, 13_250),
        (13_250, 17_250),
        (17_250, 19_750),
    ]
    assert rows(tmp_path / "x" / "s.jsonl")[0]["file_name"] == "../transcripts/a.flac"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (("--chunk", "inf"), "--chunk is inf"),
        (("--min", "nan"), "--min is nan"),
        (("--padding", "-inf"), "--padding is -inf"),
        (("--padding", -1), "padding_ms is -1000"),
        (("--chunk", 0.5), "chunk_ms is 500"),
        (("--timing", "letter"), "letter"),
        (("--media", "x.wav"), "x.wav"),
        (("--drop-keywords", "speech"), "--merge"),
        (("-o", "transcripts"), "is a folder"),
        (("--videos", "no-ids.csv"), "names no video"),
    ],
)
def test_wrong_usage_is_one_sentence(aj, transcripts, tmp_path, options, complaint):
    put_text(tmp_path / "no-ids.csv", "video;seconds\na;30\n")
    result = aj("data", "segments", *options)
    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in result.stderr
    assert not (transcripts / "segments.jsonl").exists()


def test_without_transcripts(aj, tmp_path):
    assert aj("data", "segments").exit_code == 3
    (tmp_path / "empty").mkdir()
    result = aj("data", "segments", "empty")
    assert result.exit_code == 3
    assert "no transcripts in empty" in result.stderr


def test_any_language(aj, tmp_path):
    put_text(tmp_path / "in" / "a.de.vtt", VTT)
    assert aj("data", "segments", "in").exit_code == 0
    assert rows(tmp_path / "in" / "segments.discarded.jsonl") == [{"id": "a", "reason": "language"}]
    result = aj("data", "segments", "in", "--language", "any", "--force")
    assert "3 clips" in result.stderr
    assert not (tmp_path / "in" / "segments.discarded.jsonl").exists()
    assert "3 clips" in aj("data", "segments", "in", "--language", " de, fr", "-o", "x.jsonl").stderr


def test_links_that_lead_nowhere_cost_their_video_only(aj, transcripts):
    (transcripts / "b.en.vtt").symlink_to("nowhere")
    (transcripts / "c.info.json").symlink_to("nowhere")
    result = aj("data", "segments")
    assert result.exit_code == 5
    assert "3 clips" in result.stderr
    assert [(row["id"], row["code"]) for row in rows(transcripts / "errors.jsonl")] == [("b", "unreadable")]


def test_pipes_are_not_waited_for(aj, transcripts):
    os.mkfifo(transcripts / "b.en.vtt")
    os.mkfifo(transcripts / "a.info.json")
    result = aj("data", "segments")
    assert result.exit_code == 5
    assert [(row["id"], row["code"]) for row in rows(transcripts / "errors.jsonl")] == [
        ("a", "unreadable"),
        ("b", "unreadable"),
    ]
    assert len(rows(transcripts / "segments.jsonl")) == 3


def test_two_inputs_with_a_video_of_the_same_name(aj, transcripts, tmp_path):
    put_text(tmp_path / "more" / "a.en.vtt", VTT)
    put_text(tmp_path / "more" / "b.en.vtt", VTT)
    result = aj("data", "segments", "transcripts", "more", "-o", "all.jsonl")
    assert result.exit_code == 5
    (error,) = rows(tmp_path / "errors.jsonl")
    assert (error["id"], error["code"]) == ("a", "duplicate_id")
    assert len(read_clips(tmp_path / "all.jsonl")) == 6, "every id comes once"


def test_names_with_anything_in_them(aj, tmp_path):
    names = ["a b", "-x", "雨", "it's", "100%", "a.b.c", os.fsdecode(b"r\xe4in")]
    for name in names:
        put_text(tmp_path / "in" / f"{name}.en.vtt", VTT)
    assert aj("data", "segments", "in").exit_code == 0
    clips = read_clips(tmp_path / "in" / "segments.jsonl")
    assert {clip.extra["video_id"] for clip in clips} == set(names)
    put_sound(tmp_path / "in" / "a b.wav", seconds=22)
    assert aj("data", "verify", "in/segments.jsonl", "--limit", 2).exit_code == 5


def test_captioned_neighbours_are_joined(aj, tmp_path):
    pieces = [("rain", 0, 10_000), ("rain", 10_000, 14_000), ("a man speaking", 14_000, 16_000)]
    lines = [
        {"file_name": "v.wav", "id": f"v_{place}", "video_id": "v", "index": place, "start_ms": start, "end_ms": end}
        | {"captions": [{"text": text}], "duration": (end - start) / 1000}
        for place, (text, start, end) in enumerate(pieces)
    ]
    put_text(tmp_path / "captions.jsonl", "".join(json.dumps(row) + "\n" for row in lines))
    result = aj("data", "segments", "--merge", "captions.jsonl", "--drop-keywords", "speech")
    assert (result.exit_code, result.stdout) == (0, "merged.jsonl\n")
    assert "3 clips were joined to 2; 1 of them, 0.00 h, are kept." in result.stderr
    assert "keyword 1" in result.stderr
    assert [row["id"] for row in rows(tmp_path / "merged.jsonl")] == ["v_0-001"]


def test_settings_are_shown_and_kept_in_a_file(aj, tmp_path):
    put_text(tmp_path / "aj.yaml", "data:\n  cut: {chunk_ms: 7000}\n")
    result = aj("data", "segments", "--print-config", "--min", 2)
    assert result.exit_code == 0
    assert "min_ms: 2000" in result.stdout
    assert "chunk_ms: 7000" in result.stdout


def test_help_is_narrow(aj):
    result = aj("data", "segments", "--help")
    assert result.exit_code == 0
    assert all(len(line) <= 80 for line in result.stdout.splitlines())
