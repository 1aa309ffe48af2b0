"""Each format read from a few lines of its own."""

from __future__ import annotations

import json

import pytest

from audiojourney.data.transcripts.read import parse_transcript, read_transcript
from audiojourney.errors import ClipError

VTT = "WEBVTT\n\nSTYLE\n::cue { color: red }\n\nintro\n00:01.000 --> 00:02.500 line:90%\n<v Ann>Hello &amp; bye\n"
SRT = "1\n00:00:01,000 --> 00:00:02,500\n{\\an8}Hello <i>you</i>\n\n2\n00:00:03,5 --> 00:00:04,000\n42\n"
SRV1 = (
    '<?xml version="1.0"?><transcript>'
    '<text start="1.5" dur="2">it&amp;#39;s</text><text start="4">on</text></transcript>'
)
SRV3 = (
    '<timedtext format="3"><body><w t="0"/>'
    '<p t="100" d="50"><s>one</s><s t="20"> two</s></p><p t="200">x</p></body></timedtext>'
)


def cues(text):
    return [(cue.start_ms, cue.end_ms, cue.text) for cue in parse_transcript(text.encode()).cues]


def json3(*events):
    return json.dumps({"wireMagic": "pb3", "events": list(events)})


def event(start, length, *texts):
    return {"tStartMs": start, "dDurationMs": length, "segs": [{"utf8": text} for text in texts]}


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        (VTT, "vtt", [(1000, 2500, "Hello & bye")]),
        (SRT, "srt", [(1000, 2500, "Hello you"), (3500, 4000, "42")]),
        (SRV1, "srv1", [(1500, 3500, "it's"), (4000, None, "on")]),
        (SRV3, "srv3", [(100, 150, "one two"), (200, None, "x")]),
        (json3(event("100", 50.0, "a", "b"), event(0, 10, "first")), "json3", [(0, 10, "first"), (100, 150, "ab")]),
    ],
)
def test_formats(text, kind, expected):
    assert cues(text) == expected
    assert parse_transcript(text.encode()).format == kind


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends_do_not_matter(encoding, ends):
    for text in (VTT, SRT):
        data = text.replace("\n", ends).encode(encoding)
        assert parse_transcript(data).cues == parse_transcript(text.encode()).cues


def test_old_srt_files_are_not_in_utf8():
    data = "1\n00:00:01,000 --> 00:00:02,000\n[Música]\n".encode("cp1252")
    assert parse_transcript(data).cues[0].text == "[Música]"


def test_a_line_with_a_blank_does_not_end_a_cue():
    assert cues("WEBVTT\n\n00:01.000 --> 00:02.000\n \ntext\n") == [(1000, 2000, "text")]


def test_a_cue_right_below_the_header_is_read():
    assert cues("WEBVTT\n00:01.000 --> 00:02.000\ntext\n") == [(1000, 2000, "text")]


def test_text_in_vtt_without_a_time_belongs_to_no_cue():
    assert cues("WEBVTT\n\n00:01.000 --> 00:02.000\n\nlost\n\n00:03.000 --> 00:04.000\nkept\n") == [
        (3000, 4000, "kept")
    ]


def test_srt_text_after_an_empty_line_still_counts():
    assert cues("1\n00:00:01,000 --> 00:00:02,000\n\nlate\n\n2\n00:00:03,000 --> 00:00:04,000\n&nbsp;\n\n3\n") == [
        (1000, 2000, "late"),
        (3000, 4000, "3"),
    ]


def test_srt_blocks_without_lines_between_or_numbers():
    text = "00:00:01,000 --> 00:00:02,000\none\n2\n00:00:03,000 --> 00:00:04,000\n&nbsp;\n"
    assert cues(text) == [(1000, 2000, "one")]


@pytest.mark.parametrize("text", ["&nbsp;", "\u200b \u2060", "<i></i>", "{\\an8}", "&#8203;", "<00:00:01.500><c> </c>"])
def test_what_cannot_be_seen_is_no_text(text):
    assert cues(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{text}\n") == []


def test_what_only_looks_like_a_tag_is_text():
    assert cues("WEBVTT\n\n00:01.000 --> 00:02.000\n<gasps>\n")[0][2] == "<gasps>"


def test_words_have_times_only_where_the_file_tells():
    (cue,) = parse_transcript(b"WEBVTT\n\n00:01.000 --> 00:03.000\nold\nnew<00:00:01.500><c> word</c>\n").cues
    assert [line.words_ms for line in cue.lines] == [(), (1000, 1500)]
    transcript = parse_transcript(SRV3.encode())
    assert [cue.lines[0].words_ms for cue in transcript.cues] == [(100, 120), ()]
    assert transcript.automatic and not parse_transcript(VTT.encode()).automatic


def test_the_window_of_json3_tells_the_length_and_is_no_cue():
    window = {"tStartMs": 0, "dDurationMs": 9000, "id": 1}
    transcript = parse_transcript(json3(window, event(100, 50, "a"), {"tStartMs": 5, "segs": None}).encode())
    assert (transcript.media_ms, len(transcript.cues)) == (9000, 1)


def test_a_cue_that_ends_before_it_starts_is_left_out_and_named():
    transcript = parse_transcript(b"WEBVTT\n\n00:03.000 --> 00:02.000\na\n\n00:04.000 --> 00:05.000\nb\n")
    assert [cue.text for cue in transcript.cues] == ["b"]
    assert transcript.faults == ("the cue of line 3 ends before it starts",) and transcript.lost == 0


def test_gapless_transcripts_are_told_apart():
    lines = "".join(f"00:0{n}.000 --> 00:0{n + 1}.000\nline {n}\n\n" for n in range(1, 6))
    assert parse_transcript(f"WEBVTT\n\n{lines}".encode()).gapless
    assert not parse_transcript(f"WEBVTT\n\n{lines.replace('00:03.000 -->', '00:03.500 -->')}".encode()).gapless


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"hello", "not_transcript"),
        (b"\x89PNG\r\n\x1a\n\0\0", "not_transcript"),
        (b"<tt xmlns='http://www.w3.org/ns/ttml'/>", "not_transcript"),
        (b"<html><p t='1' d='2'>no</p></html>", "not_transcript"),
        (b"<timedtext><body><p t='1' d=", "corrupt"),
        (b"<!DOCTYPE x [<!ENTITY a 'aa'>]><timedtext><p t='1' d='2'>&a;</p></timedtext>", "corrupt"),
        (b"<timedtext>" + b"<p>" * 50 + b"</p>" * 50 + b"</timedtext>", "corrupt"),
        (b'{"events": 3}', "corrupt"),
        (b'{"events": [', "corrupt"),
        (b"[" * 10 + b"{", "not_transcript"),
        (b'{"events":' + b"[" * 100_000, "corrupt"),
        (b"WEBVTT\n\n00:xx --> 00:yy\nwhere am I\n", "corrupt"),
        (b"\xff\xfe\x00", "corrupt"),
    ],
)
def test_files_that_cannot_be_read_are_named(data, code, tmp_path):
    path = tmp_path / "v.en.vtt"
    path.write_bytes(data)
    with pytest.raises(ClipError) as caught:
        read_transcript(path)
    assert (caught.value.code, caught.value.path) == (code, str(path))


@pytest.mark.parametrize("time", ['"x"', "null", "true", "1e999", '"nan"', "1e300", "[1]", "9" * 400])
def test_times_that_are_none_lose_the_cue_only(time):
    text = f'{{"events": [{{"tStartMs": {time}, "segs": [{{"utf8": "a"}}]}}, {json.dumps(event(1, 2, "b"))}]}}'
    transcript = parse_transcript(text.encode())
    assert [cue.text for cue in transcript.cues] == ["b"] and transcript.lost == 1
