"""Gaps, compared with a count of every millisecond; and what counts as music or as a label."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiojourney.data.transcripts.cue import Cue, Line, Transcript
from audiojourney.data.transcripts.joining import Piece, join_equal
from audiojourney.data.transcripts.segments import CutConfig, Segment, cut, find_segments, has_subtitles
from audiojourney.data.transcripts.text import is_music, is_sound_label
from audiojourney.errors import UsageError

MEDIA = 400
SMALL = {"min_ms": 10, "chunk_ms": 60}


def transcript(*cues):
    made = [Cue(start, end, (Line(text),)) for start, end, text in cues]
    return Transcript("vtt", tuple(sorted(made, key=lambda cue: cue.start_ms)))


def spans(segments):
    return [(segment.start_ms, segment.end_ms) for segment in segments]


cue_times = st.tuples(st.integers(-20, MEDIA + 20), st.integers(0, 90)).map(lambda pair: (pair[0], sum(pair), "a"))


@settings(deadline=None)
@given(st.lists(cue_times, min_size=1, max_size=8), st.integers(0, 12))
def test_segments_are_the_free_milliseconds(cues, padding):
    config = CutConfig(**SMALL, padding_ms=padding)
    found = find_segments(transcript(*cues), MEDIA, config)
    busy = set()
    for start, end, _ in cues:
        start, end = max(start, 0), min(end, MEDIA)
        if end > start:
            busy |= set(range(start - padding, end + padding))
    if not busy:
        assert found == []
        return
    free = [time not in busy for time in range(MEDIA)] + [False]
    expected, begin = [], 0
    for time, is_free in enumerate(free):
        if not is_free:
            if time - begin > config.min_ms:
                expected.append((begin, time))
            begin = time + 1
    assert spans(found) == expected
    pieces = list(cut(found, config))
    assert all(config.min_ms < piece.end_ms - piece.start_ms <= config.chunk_ms for piece in pieces)
    lost = sum(b - a for a, b in spans(found)) - sum(b - a for a, b in spans(pieces))
    assert 0 <= lost <= config.min_ms * len(found)


def test_the_order_of_cues_and_their_overlap_do_not_matter():
    assert spans(find_segments(transcript((3000, 9000, "b"), (1500, 4000, "a"), (2000, 2000, "c")), 12_000)) == [
        (0, 1500),
        (9000, 12_000),
    ]


def test_a_cue_without_end_lasts_until_the_next_text():
    cues = (Cue(1500, None, (Line("a"),)), Cue(1500, None, (Line("b"),)), Cue(5000, 6000, (Line("c"),)))
    assert spans(find_segments(Transcript("srv1", cues), 8000)) == [(0, 1500), (6000, 8000)]
    assert spans(find_segments(Transcript("srv1", cues[:2]), 8000)) == [(0, 1500)]


def test_the_stretch_after_the_last_cue_needs_the_length():
    one = transcript((2000, 3000, "a"))
    assert spans(find_segments(one)) == [(0, 2000)]
    assert spans(find_segments(one, 9000)) == [(0, 2000), (3000, 9000)]


@pytest.mark.parametrize("cues", [(), ((5, 5, "zero"),), ((9_500, 9_900, "beyond the end"),)])
def test_what_shows_nothing_is_no_transcript(cues):
    assert not has_subtitles(transcript(*cues), 9000)
    assert find_segments(transcript(*cues), 9000) == []


def test_music_is_marked_and_may_be_left_out():
    cues = transcript((2000, 4000, "[Music]"), (6000, 7000, "hello"))
    found = find_segments(cues, 12_000)
    assert [segment.after_music for segment in found] == [False, True, False]
    assert spans(find_segments(cues, 12_000, CutConfig(drop_after_music=True))) == [(0, 2000), (7000, 12_000)]
    padded = find_segments(cues, 12_000, CutConfig(padding_ms=100))
    assert [segment.after_music for segment in padded] == [False, True, False]


def test_pieces_know_their_stretch():
    pieces = list(cut([Segment(0, 25_000, True, 0), Segment(30_000, 41_000, False, 1)]))
    assert [(p.start_ms, p.end_ms, p.after_music, p.stretch) for p in pieces] == [
        (0, 10_000, True, 0),
        (10_000, 20_000, True, 0),
        (20_000, 25_000, True, 0),
        (30_000, 40_000, False, 1),
    ]


def test_words_last_a_second_at_most_and_never_beyond_their_cue():
    words = Cue(1000, 9000, (Line("one two", (1000, 1400)),))
    hold = Cue(9000, 9010, (Line("one two"),))
    short = Cue(12_000, 12_300, (Line("a b", (12_000, 12_100)),))
    found = find_segments(Transcript("vtt", (words, hold, short)), 15_000, CutConfig(timing="word"))
    assert spans(found) == [(2400, 12_000), (12_300, 15_000)]


@pytest.mark.parametrize(
    "text", ["[Music]", "[♪♪♪]", "♪ la la ♪", "[Música]", "[音楽]", "[soft music playing]", "(upbeat song)"]
)
def test_music_labels(text):
    assert is_music(text) and not is_sound_label(text)


@pytest.mark.parametrize(
    "text", ["[Applause]", "[door slams]", "(birds chirping)", ">> [snorts]", "[Applause]\n[car passing]"]
)
def test_sound_labels(text):
    assert is_sound_label(text) and not is_music(text)


@pytest.mark.parametrize(
    "text", ["[speaking Dutch]", "[singing]", "(birds chirping) Look!", "hello", "[indistinct]", "[man talking]"]
)
def test_speech_is_no_sound_label(text):
    assert not is_sound_label(text)


@pytest.mark.parametrize("settings", [{"min_ms": -1}, {"padding_ms": -1}, {"chunk_ms": 1000}])
def test_lengths_that_cannot_be_meant(settings):
    with pytest.raises(UsageError, match=str(next(iter(settings.values())))):
        CutConfig(**settings)


@given(st.lists(st.tuples(st.integers(1, 3), st.booleans(), st.sampled_from(["a", "a ", "b"])), max_size=12))
def test_joining_keeps_all_time_and_leaves_no_equal_neighbours(steps):
    pieces, time = [], 0
    for length, gap, text in steps:
        time += gap
        pieces.append(Piece(time, time + length, text))
        time += length
    joined = list(join_equal(pieces))
    assert sum(p.end_ms - p.start_ms for p in joined) == sum(p.end_ms - p.start_ms for p in pieces)
    for one, other in itertools.pairwise(joined):
        assert one.end_ms < other.start_ms or one.text != other.text
