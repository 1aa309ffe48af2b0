"""Which files belong to a video, and what a ledger keeps when it is killed."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiojourney.errors import ClipError, MissingError
from audiojourney.recipes.segments.ledger import STREAMS, Ledger
from audiojourney.recipes.segments.merge import join_rows
from audiojourney.recipes.segments.videos import (
    Found,
    find_videos,
    listing_hash,
    media_length_ms,
    milliseconds,
    read_info,
    wanted,
)
from tests.data.formats.published import put_sound, put_text


def test_files_of_a_video_go_by_one_name(tmp_path):
    for name in ("a.en.vtt", "a.en-orig.json3", "a.srt", "a.info.json", "a.txt", ".a.de.vtt", "b.c.en-US.vtt"):
        put_text(tmp_path / name, "x")
    put_sound(tmp_path / "a.wav")
    put_sound(tmp_path / "a.flac")
    one, other = find_videos(tmp_path)
    assert (one.id, one.name, one.info.name, one.media.name) == ("a", "a", "a.info.json", "a.flac")
    assert sorted((found.path.name, found.language) for found in one.transcripts) == [
        ("a.en-orig.json3", "en-orig"),
        ("a.en.vtt", "en"),
        ("a.srt", ""),
    ]
    assert (other.id, [found.language for found in other.transcripts]) == ("b.c", ["en-US"])


def test_a_single_transcript_is_a_video_without_what_lies_beside(tmp_path):
    put_text(tmp_path / "a.en.vtt", "x")
    put_text(tmp_path / "b.en.vtt", "x")
    (video,) = find_videos(tmp_path / "a.en.vtt")
    assert (video.id, video.folder) == ("a", tmp_path)
    with pytest.raises(MissingError, match="absent"):
        list(find_videos(tmp_path / "absent"))


@pytest.mark.parametrize(
    ("language", "languages", "fits"),
    [
        ("en", ("en",), True),
        ("en-GB", ("en",), True),
        ("en-orig", ("en",), True),
        ("de", ("en",), False),
        ("", ("en",), True),
        ("de", (), True),
        ("pt-BR", ("pt-BR",), True),
        ("pt-PT", ("pt-BR",), False),
    ],
)
def test_languages(tmp_path, language, languages, fits):
    found = Found(tmp_path / "a.vtt", language)
    assert wanted([found], languages) == ([found] if fits else [])


def test_the_listing_tells_every_change(tmp_path):
    folder = tmp_path / "in"
    hashes = set()
    steps = (
        lambda: put_text(folder / "a.en.vtt", "x"),
        lambda: put_text(folder / "a.en.vtt", "xy"),
        lambda: put_text(folder / "b" / "a.en.vtt", "x"),
        lambda: put_sound(folder / "a.wav"),
        lambda: (folder / "c.en.vtt").symlink_to("nowhere"),
        lambda: put_text(folder / "nowhere", "there"),
        lambda: (folder / "b" / "a.en.vtt").unlink(),
    )
    for number, step in enumerate(steps, start=1):
        step()
        hashes.add(listing_hash(folder))
        assert len(hashes) == number
        assert listing_hash(folder) in hashes
    put_text(folder / "notes.txt", "of no account")
    assert listing_hash(folder) in hashes


@pytest.mark.parametrize("value", [None, "", "long", -1, 0, math.inf, math.nan, 10**400, "1e999", [], 1e9])
def test_lengths_that_are_none(value):
    assert milliseconds(value) is None


@pytest.mark.parametrize(("value", "length"), [(1.2345, 1234), ("2", 2000), (3, 3000)])
def test_lengths_in_seconds(value, length):
    assert milliseconds(value) == length


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "corrupt"), (b"[1]", "corrupt"), (b"\xff", "corrupt"), (b"[" * 99_999, "corrupt")]
)
def test_descriptions_that_cannot_be_read(tmp_path, content, code):
    (tmp_path / "a.info.json").write_bytes(content)
    with pytest.raises(ClipError) as raised:
        read_info(tmp_path / "a.info.json")
    assert raised.value.code == code


def test_descriptions(tmp_path, monkeypatch):
    path = put_text(tmp_path / "a.info.json", '{"duration": 1e999, "title": "t"}')
    assert read_info(path) == {"duration": None, "title": "t"}
    assert read_info(None) == {}
    for place in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ClipError) as raised:
            read_info(place)
        assert raised.value.code == "unreadable"
    monkeypatch.setattr("audiojourney.data.transcripts.read.LARGEST_BYTES", 3)
    with pytest.raises(ClipError, match="at most 3"):
        read_info(path)


def test_the_length_of_a_sound_is_asked_of_its_header(tmp_path):
    assert media_length_ms(put_sound(tmp_path / "a.wav", seconds=0.25)) == 250
    assert media_length_ms(put_text(tmp_path / "b.wav", "no sound")) is None
    assert media_length_ms(tmp_path / "absent.wav") is None
    assert media_length_ms(None) is None


steps = st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.booleans()), max_size=12)


@given(steps)
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_was_flushed_survives_and_nothing_else(tmp_path, steps):
    folder = tmp_path / "work"
    ledger, kept, pending, done = Ledger(folder, "k"), [], [], 0
    pending_done = 0
    for number, (count, flush, kill) in enumerate(steps):
        rows = [{"n": number, "i": i, "s": "雨\udcff"} for i in range(count)]
        ledger.add({"rows": rows, "errors": rows[:1]}, {"clips": count})
        pending += rows
        pending_done += 1
        if flush:
            ledger.flush()
            kept, pending = kept + pending, []
            done, pending_done = done + pending_done, 0
        if kill:
            if done:
                with (folder / "rows.jsonl").open("ab") as file:
                    file.write(b'{"torn": ')
            ledger, pending, pending_done = Ledger(folder, "k"), [], 0
            assert (ledger.done, ledger.counts["clips"]) == (done, len(kept))
    targets = {name: tmp_path / f"{name}.jsonl" for name in STREAMS}
    seen = []
    ledger.finish(targets, lambda path: seen.append(path.read_bytes()))
    assert [json.loads(line) for line in targets["rows"].read_bytes().splitlines()] == kept + pending
    assert seen == [targets["rows"].read_bytes()]
    assert not folder.exists()
    assert not targets["discarded"].exists()
    assert targets["errors"].exists() == bool(kept + pending)


@pytest.mark.parametrize("state", ["", "[]", "{}", '{"key": "k"}', '{"key": "k", "sizes": 3}'])
def test_a_ledger_whose_state_is_damaged_begins_anew(tmp_path, state):
    ledger = Ledger(tmp_path / "work", "k")
    ledger.add({"rows": [{"n": 1}]}, {})
    ledger.flush()
    put_text(tmp_path / "work" / "state.json", state)
    assert Ledger(tmp_path / "work", "k").done == 0


def piece(start, **fields):
    row = {"file_name": "v.wav", "video_id": "v", "start_ms": start, "end_ms": start + 1000}
    return row | {"captions": [{"text": "rain"}]} | fields


@pytest.mark.parametrize(
    ("first", "last", "id"),
    [
        ({"id": "a", "index": 0}, {"id": "b", "index": 7}, "a-007"),
        ({"id": "a"}, {"id": "b"}, "a+1"),
        ({"id": "a", "index": "0"}, {"index": "one"}, "a+1"),
        ({"index": 3}, {"index": 4}, "v_0-004"),
        ({}, {}, "v_0+1"),
    ],
)
def test_joined_rows_have_an_id_whatever_theirs(first, last, id):
    joined = join_rows([piece(0, **first), piece(1000, **last)])
    assert (joined["id"], joined["duration_ms"], joined["joined"]) == (id, 2000, 2)


@pytest.mark.parametrize("length", ["long", None, [1], math.nan])
def test_levels_of_unknown_length_are_left_out(length):
    checks = {"duration_s": length, "peak_db": -3.0, "rms_db": -20.0, "clipped": 0.0}
    joined = join_rows([piece(0, checks=checks), piece(1000, checks=checks | {"peak_db": -1.0})])
    assert joined["checks"]["peak_db"] == -1.0
    assert joined["checks"]["duration_s"] == 2.0
    if length is not math.nan:
        assert "rms_db" not in joined["checks"]
