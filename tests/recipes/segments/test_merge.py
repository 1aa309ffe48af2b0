"""Captioned clips that follow each other."""

from __future__ import annotations

import json

import pytest

from audiojourney.data.manifest import read_clips
from audiojourney.errors import UsageError
from audiojourney.recipes.segments import run as recipe
from audiojourney.recipes.segments.config import SegmentsConfig
from audiojourney.recipes.segments.merge import join_rows


def piece(index, start, end, *texts, score=0.5, video="v", **fields):
    captions = [{"text": text, "score": score, "kept": True, "reason": ""} for text in texts]
    return {
        "id": f"{video}_{index:03d}",
        "file_name": f"{video}.wav",
        "video_id": video,
        "index": index,
        "start_ms": start,
        "end_ms": end,
        "duration": (end - start) / 1000,
        "audio_offset": start / 1000,
        "captions": captions,
    } | fields


def merged(tmp_path, rows, **settings):
    path = tmp_path / "captions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    report = recipe.run(SegmentsConfig(inputs=(path,), merge=True, **settings))
    return report, [json.loads(line) for line in report.output.read_text(encoding="utf-8").splitlines()]


def test_the_case_worked_out_by_hand(tmp_path, shared_fixtures):
    case = json.loads((shared_fixtures / "transcripts" / "merge_filter.json").read_text(encoding="utf-8"))["merge"]
    rows = [piece(i, item["start_ms"], item["end_ms"], item["text"]) for i, item in enumerate(case["input"])]
    _, found = merged(tmp_path, rows)
    assert [
        {"start_ms": r["start_ms"], "end_ms": r["end_ms"], "text": r["captions"][0]["text"]} for r in found
    ] == case["expected"]


def test_a_joined_clip_is_read_as_one(tmp_path):
    rows = [piece(0, 0, 10_000, "wind"), piece(1, 10_000, 14_000, "wind ", score=0.3), piece(2, 14_000, 15_500, "rain")]
    report, _ = merged(tmp_path, rows)
    first, second = read_clips(report.output)
    assert (first.id, first.offset_s, first.duration_s, first.text) == ("v_000-001", 0.0, 14.0, "wind")
    assert (first.captions[0].score, second.id) == (0.3, "v_002")
    assert report.counts["clips_before"] == 3 and report.counts["clips_joined"] == report.counts["clips"] == 2
    assert report.counts["hours"] == round(15.5 / 3600, 6)


@pytest.mark.parametrize(
    "other",
    [
        piece(1, 11_000, 12_000, "wind"),
        piece(1, 10_000, 12_000, "Wind"),
        piece(1, 10_000, 12_000, "wind", video="w"),
        piece(1, 10_000, 12_000),
        {"file_name": "x.wav", "captions": [{"text": "wind"}]},
    ],
)
def test_what_does_not_follow_stays_apart(tmp_path, other):
    assert len(merged(tmp_path, [piece(0, 0, 10_000, "wind"), other])[1]) == 2


def test_captions_that_not_all_pieces_have_are_left_out():
    rows = [piece(0, 0, 9, "wind", "a storm"), piece(1, 9, 12, "wind", "a gale")]
    rows[1]["captions"][0] |= {"kept": False, "reason": "score: x"}
    joined = join_rows(rows)
    assert joined["captions"] == [{"text": "wind", "score": 0.5, "kept": False, "reason": "score: x"}]
    assert joined["text"] == "wind"


def test_levels_are_those_of_the_whole():
    rows = [
        piece(0, 0, 3000, "wind", checks={"peak_db": -3, "rms_db": -20.0, "clipped": 0.1, "duration_s": 3.0}),
        piece(1, 3000, 4000, "wind", checks={"peak_db": -1, "rms_db": -10.0, "clipped": 0.5, "duration_s": 1.0}),
    ]
    checks = join_rows(rows)["checks"]
    assert checks == {"duration_s": 4.0, "peak_db": -1, "rms_db": pytest.approx(-14.88, abs=0.01), "clipped": 0.2}
    del rows[1]["checks"]["rms_db"]
    assert "rms_db" not in join_rows(rows)["checks"]


def test_keywords_drop_what_was_joined(tmp_path):
    rows = [piece(0, 0, 10, "a man talks"), piece(1, 10, 20, "a man talks"), piece(2, 20, 30, "rain"), {"bad": 1}]
    report, found = merged(tmp_path, rows, drop_keywords=("speech", "music"))
    assert [row["id"] for row in found] == ["v_002"]
    assert report.counts["discarded"] == {"keyword": 1} and report.counts["rejection_rate"] == 0.5
    discarded = json.loads(report.discarded.read_text(encoding="utf-8"))
    assert discarded == {"id": "v_000-001", "reason": "keyword: talks", "text": "a man talks"}
    assert report.counts["errors"] == 1 and report.errors.name == "errors.jsonl"


def test_lists_without_places_are_refused(tmp_path):
    with pytest.raises(UsageError, match="None of the 1 rows"):
        merged(tmp_path, [{"file_name": "a.wav", "captions": [{"text": "rain"}]}])
    assert not (tmp_path / "merged.jsonl").exists()
