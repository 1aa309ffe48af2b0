"""Whatever the bytes, a transcript is read or a `ClipError` names what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiojourney.data.transcripts import cue
from audiojourney.data.transcripts.read import parse_transcript
from audiojourney.data.transcripts.segments import CutConfig, cut, find_segments
from audiojourney.errors import ClipError
from tests.data.transcripts.test_formats import SRT, SRV1, SRV3, VTT, event, json3

WHOLE = [text.encode() for text in (VTT, SRT, SRV1, SRV3, json3(event(1, 2, "a", "b"), event(5000, 10, "[Music]")))]
TOKENS = [b"-->", b"\n\n", b"\0", b"<", b'"', b"00:00:01.000", b"&#x0;", b"\xed\xa0\x80", b"9" * 30, b"[]", b"null"]


def survives(data: bytes) -> None:
    try:
        transcript = parse_transcript(data)
    except ClipError as error:
        assert error.code in cue.CODES
        return
    for config in (CutConfig(), CutConfig(timing="word", ignore_sound_labels=True, padding_ms=100)):
        for piece in cut(find_segments(transcript, 60_000, config), config):
            assert 0 <= piece.start_ms < piece.end_ms <= 60_000


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(WHOLE),
    st.lists(
        st.tuples(st.integers(0, 200), st.integers(0, 20), st.one_of(st.sampled_from(TOKENS), st.binary(max_size=4)))
    ),
)
def test_damaged_files(data, damages):
    for place, length, put in damages:
        data = data[:place] + put + data[place + length :]
    survives(data)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([b"", b"WEBVTT\n\n", b"{", b"<timedtext>", b"1\n00:00:01,000 --> "]), st.binary(max_size=60))
def test_any_bytes(head, data):
    survives(head + data)


@pytest.mark.parametrize("data", WHOLE)
def test_files_cut_at_any_byte(data):
    for end in range(len(data)):
        survives(data[:end])
