"""What real subtitle files do that no specification says."""

from __future__ import annotations

import itertools
import json
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiojourney.data.transcripts.cue import LATEST_MS, Cue, Draft, Line, Transcript
from audiojourney.data.transcripts.joining import Piece, join_equal, runs
from audiojourney.data.transcripts.read import parse_transcript, read_small, read_transcript
from audiojourney.data.transcripts.segments import CutConfig, cut, find_segments, has_subtitles
from audiojourney.data.transcripts.text import clean, is_music, is_sound_label
from audiojourney.errors import ClipError, UsageError
from tests.data.transcripts.test_formats import event, json3


def cues(text):
    return [(cue.start_ms, cue.end_ms, cue.text) for cue in parse_transcript(text.encode()).cues]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("<v Ann>hi</v>", "hi"),
        ("<c.colorE5E5E5>a<00:00:01.500><c> b</c></c>", "a b"),
        ("{\\an8}up", "up"),
        ("a&nbsp;&amp;&lt;b&gt;", "a &<b>"),
        ("\u200b\ufeff \u00ad", ""),
        ("a < b > c", "a < b > c"),
        ("<3 you", "<3 you"),
        ("<br/>x<br>", "x"),
        ("  two\t words\n", "two words"),
    ],
)
def test_what_is_seen_of_a_line(raw, text):
    assert clean(raw) == text


def test_entities_that_were_written_over_each_other():
    assert clean("it&amp;#39;s", unescape=2) == "it's"
    assert clean("it&amp;#39;s") == "it&#39;s"


@pytest.mark.parametrize("text", ["[Music]", "[música]", "[音楽]", "♪ la ♪", "(upbeat music)", "[Musik]", "【音乐】"])
def test_music(text):
    assert is_music(text)
    assert not is_sound_label(text)


@pytest.mark.parametrize("text", ["[door slams]", "(birds chirping)", ">> [snorts]", "- [thunder] [rain]", "【咳】"])
def test_labels_of_sounds(text):
    assert is_sound_label(text)
    assert not is_music(text)


@pytest.mark.parametrize(
    "text", ["hello", "[man speaking]", "[door] hello", "", "[singing]", "(whispers)", "[announcer on radio]"]
)
def test_what_is_no_label_of_a_sound(text):
    assert not is_sound_label(text)


@pytest.mark.parametrize(
    ("time", "milliseconds"),
    [
        ("00:01.5", 1500),
        ("01:02:03.004", 3_723_004),
        ("0:00:01", 1000),
        ("99999:00:00.000", None),
        ("1:2.123456", 62_123),
    ],
)
def test_times(time, milliseconds):
    found = parse_transcript(f"WEBVTT\n\n{time} --> 99999:00:00.000\nx\n\n00:01.000 --> 00:02.000\ny\n".encode())
    starts = {cue.start_ms for cue in found.cues}
    assert (milliseconds in starts) if milliseconds is not None else found.lost == 1


def test_numbers_of_srt_may_be_anything_and_numbers_may_be_said():
    text = "7\n00:00:01,000 --> 00:00:02,000\n12\n\n\n7\n00:00:03,000 --> 00:00:04,000\nx\n"
    text += "00:00:05,000 --> 00:00:06,000\ny"
    assert cues(text) == [(1000, 2000, "12"), (3000, 4000, "x"), (5000, 6000, "y")]


def test_an_arrow_within_a_text_starts_nothing():
    assert cues("WEBVTT\n\n00:01.000 --> 00:02.000\nleft --> right\n") == [(1000, 2000, "left --> right")]


def test_windows_and_new_lines_of_json3_are_no_cues():
    events = [
        {"tStartMs": 0, "dDurationMs": 30_000, "id": 1, "wpWinPosId": 1},
        event(1000, 500, "a"),
        {"tStartMs": 1490, "aAppend": 1, "segs": [{"utf8": "\n"}]},
        {"tStartMs": 5, "segs": None},
        {"tStartMs": 2000, "segs": [3, {"utf8": None}, {"utf8": "b"}]},
    ]
    found = parse_transcript(json3(*events).encode())
    assert [(cue.start_ms, cue.end_ms, cue.text) for cue in found.cues] == [(1000, 1500, "a"), (2000, None, "b")]
    assert (found.media_ms, found.lost) == (30_000, 0)


def test_events_that_are_none_are_lost_and_told():
    found = parse_transcript(json3(event(1000, 500, "a"), event(3000, 5, "b"), 3, {"segs": "x"}).encode())
    assert (found.lost, len(found.faults)) == (2, 2)
    assert "event 3" in found.faults[0]
    with pytest.raises(ClipError) as raised:
        parse_transcript(json3(event(1, 2, "a"), 3, 4).encode())
    assert raised.value.code == "corrupt"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\0\0\0\x18ftypmp42", "not_transcript"),
        (b"plain words", "not_transcript"),
        (b"<html></html>", "not_transcript"),
        (b"<!DOCTYPE x><transcript/>", "corrupt"),
        (b'<timedtext><!ENTITY a "b"></timedtext>', "corrupt"),
        (b"<timedtext>" + b"<a>" * 40, "corrupt"),
        (b"<timedtext><body>", "corrupt"),
        (b'{"events": 3}', "corrupt"),
        (b"{" * 9999, "corrupt"),
        (b"\xff\xfeW", "corrupt"),
    ],
)
def test_files_that_are_no_transcripts(tmp_path, data, code):
    (tmp_path / "a.vtt").write_bytes(data)
    with pytest.raises(ClipError) as raised:
        read_transcript(tmp_path / "a.vtt")
    assert raised.value.code == code
    assert raised.value.path.endswith("a.vtt")


def test_only_regular_files_of_some_size_are_opened(tmp_path, monkeypatch):
    (tmp_path / "a.vtt").write_bytes(b"WEBVTT\n")
    os.mkfifo(tmp_path / "pipe.vtt")
    (tmp_path / "link.vtt").symlink_to("a.vtt")
    assert read_small(tmp_path / "link.vtt") == b"WEBVTT\n"
    for place in (tmp_path, tmp_path / "pipe.vtt", tmp_path / "absent.vtt"):
        with pytest.raises(ClipError) as raised:
            read_transcript(place)
        assert raised.value.code == "unreadable"
    monkeypatch.setattr("audiojourney.data.transcripts.read.LARGEST_BYTES", 6)
    with pytest.raises(ClipError, match="7 bytes; at most 6") as raised:
        read_transcript(tmp_path / "a.vtt")
    assert raised.value.code == "too_large"


def test_cues_that_cannot_be_meant():
    draft, line = Draft("vtt"), (Line("x"),)
    draft.add("one", None, 5, line)
    draft.add("two", LATEST_MS + 1, None, line)
    draft.add("three", 10, 5, line)
    draft.add("four", None, None, ())
    draft.add("six", 20, None, line)
    draft.add("five", -5, 5, line)
    found = draft.done()
    assert [cue.start_ms for cue in found.cues] == [-5, 20]
    assert (found.lost, len(found.faults)) == (2, 3)


@given(st.lists(st.integers(1, 50), min_size=4, max_size=8), st.booleans())
def test_transcripts_without_pauses(lengths, timed):
    ends = [sum(lengths[: place + 1]) for place in range(len(lengths))]
    words = (1,) if timed else ()
    shown = tuple(Cue(end - length, end, (Line("x", words),)) for end, length in zip(ends, lengths, strict=True))
    assert Transcript("vtt", shown).gapless == (not timed)
    apart = tuple(Cue(cue.start_ms, cue.end_ms - 1, cue.lines) for cue in shown)
    assert not Transcript("vtt", apart).gapless
    assert not Transcript("vtt", shown[:3]).gapless


hundreds = st.integers(-5, 90).map(lambda number: 100 * number)  # so that bounds are met
intervals = st.lists(st.tuples(hundreds, st.none() | hundreds.filter(lambda length: length >= 0)), max_size=8)


@given(intervals, st.integers(0, 3).map(lambda number: 100 * number), st.integers(10, 120).map(lambda n: 100 * n))
def test_segments_are_free_apart_long_enough_and_maximal(spans, padding, media):
    lines = (Line("x"),)
    shown = sorted(((a, None if d is None else a + d) for a, d in spans), key=lambda span: span[0])
    transcript = Transcript("vtt", tuple(Cue(a, b, lines) for a, b in shown))
    config = CutConfig(min_ms=200, padding_ms=padding, chunk_ms=1500)
    found = find_segments(transcript, media, config)
    if not has_subtitles(transcript, media):
        assert found == []
        return
    occupied = [False] * media
    for place, (start, end) in enumerate(shown):
        later = [other for other, _ in shown[place + 1 :] if other > start]
        last = min(end if end is not None else (later[0] if later else media), media)
        if last > max(start, 0):
            occupied[max(0, max(start, 0) - padding) : last + padding] = [True] * (
                min(media, last + padding) - max(0, max(start, 0) - padding)
            )
    expected, free = [], None
    for moment in range(media + 1):
        taken = moment == media or occupied[moment]
        if not taken and free is None:
            free = moment
        if taken and free is not None:
            if moment - free > 200:
                expected.append((free, moment))
            free = None
    assert [(segment.start_ms, segment.end_ms) for segment in found] == expected
    pieces = list(cut(found, config))
    assert all(200 < piece.end_ms - piece.start_ms <= 1500 for piece in pieces)
    assert sum(piece.end_ms - piece.start_ms for piece in pieces) <= sum(b - a for a, b in expected)


@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from("ab"), st.booleans()), max_size=12))
def test_joined_pieces_cover_what_they_were_made_of(parts):
    pieces, at = [], 0
    for length, text, apart in parts:
        at += apart
        pieces.append(Piece(at, at + length, text + " "))
        at += length
    joined = list(join_equal(pieces))
    assert sum(piece.end_ms - piece.start_ms for piece in joined) == sum(length for length, _, _ in parts)
    for one, other in itertools.pairwise(joined):
        assert one.end_ms < other.start_ms or one.text != other.text
    assert [len(run) for run in runs(parts, lambda one, other: True)] == ([len(parts)] if parts else [])


@pytest.mark.parametrize("fields", [{"min_ms": -1}, {"padding_ms": -1}, {"chunk_ms": 1000}, {"min_ms": 10_000}])
def test_lengths_that_cannot_be_meant(fields):
    with pytest.raises(UsageError, match="expected"):
        CutConfig(**fields)


def test_a_description_of_the_length_in_json3_is_the_longest():
    events = [{"tStartMs": 0, "dDurationMs": length, "id": 1} for length in (5, 9, 7)]
    assert parse_transcript(json.dumps({"events": events}).encode()).media_ms == 9
