"""The transcripts whose segments were worked out by hand."""

from __future__ import annotations

import json

import pytest

from audiojourney.data.transcripts.joining import Piece, join_equal
from audiojourney.data.transcripts.read import read_transcript
from audiojourney.data.transcripts.segments import CutConfig, cut, find_segments, has_subtitles
from audiojourney.errors import ClipError
from tests.conftest import SHARED

FOLDER = SHARED / "fixtures" / "transcripts"
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))["files"] if FOLDER.is_dir() else {}
KEPT = sorted(name for name, case in EXPECTED.items() if not case.get("discard"))


def case_of(name):
    case = EXPECTED[name]
    return EXPECTED[case["same_as"]] if "same_as" in case else case


def spans(segments):
    return [[segment.start_ms, segment.end_ms] for segment in segments]


@pytest.mark.parametrize("name", KEPT)
def test_segments_are_those_worked_out_by_hand(name):
    case, transcript = case_of(name), read_transcript(FOLDER / name)
    found = find_segments(transcript, case["media_ms"])
    assert spans(found) == case["strict"]
    assert [segment.after_music for segment in found] == case["after_music"]
    assert spans(cut(found)) == case["strict_chunks"]
    ignoring = CutConfig(ignore_sound_labels=True)
    assert spans(find_segments(transcript, case["media_ms"], ignoring)) == case["ignore_sound_tags"]
    if "word_level" in case:
        words = CutConfig(timing="word")
        assert spans(find_segments(transcript, case["media_ms"], words)) == case["word_level"]
    if "strict_without_media_duration" in case:
        assert spans(find_segments(transcript)) == case["strict_without_media_duration"]
    if "texts" in case:
        assert [cue.text for cue in transcript.cues] == case["texts"]
    assert len(transcript.faults) == len(case.get("warnings", []))


@pytest.mark.parametrize("name", sorted(set(EXPECTED) - set(KEPT)))
def test_transcripts_that_show_nothing_are_no_transcripts(name):
    try:
        transcript = read_transcript(FOLDER / name)
    except ClipError as error:
        assert error.code == "empty_file"
        return
    assert not has_subtitles(transcript, EXPECTED[name]["media_ms"])
    assert find_segments(transcript, EXPECTED[name]["media_ms"]) == []


def test_neighbours_are_joined_as_worked_out(shared_fixtures):
    case = json.loads((shared_fixtures / "transcripts" / "merge_filter.json").read_text(encoding="utf-8"))["merge"]
    assert list(join_equal(Piece(**piece) for piece in case["input"])) == [Piece(**piece) for piece in case["expected"]]
