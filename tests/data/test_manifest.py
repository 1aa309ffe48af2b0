"""Lists of clips: nothing is lost between writing and reading, and what is wrong is named with its line."""

from __future__ import annotations

import csv
import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audiojourney.data.clip import CAPTION_KINDS, Caption, Clip, Event, Metadata, load_clip
from audiojourney.data.manifest import BadRow, append_clips, data_hash, read_clips, write_clips
from audiojourney.data.write import save_audio
from audiojourney.errors import ClipError, MissingError, UsageError

TEXT = st.text(max_size=20)  # every code point, control characters and half surrogates included
SOME_TEXT = st.text(min_size=1, max_size=20)
SECONDS = st.floats(0, 1e6, allow_nan=False)
MAYBE = st.none() | SECONDS
NAMES = st.from_regex(r"[a-z0-9 _äß雨-]{1,12}(/[a-z.]{1,5}x)?\.(wav|flac)", fullmatch=True)
SCORES = st.none() | st.floats(-1, 1)
CAPTIONS = st.builds(
    Caption,
    SOME_TEXT,
    TEXT,
    st.sampled_from(CAPTION_KINDS),
    st.none() | st.floats(-1, 1),
    TEXT,
    st.none() | st.floats(0, 1),
)
JSON = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


def clips(folder: Path) -> st.SearchStrategy[Clip]:
    return st.builds(
        Clip,
        path=NAMES.map(folder.joinpath),
        id=SOME_TEXT,
        dataset=TEXT,
        split=TEXT,
        fold=st.none() | st.integers(0, 9),
        offset_s=MAYBE,
        duration_s=MAYBE,
        start_s=MAYBE,
        end_s=MAYBE,
        labels=st.lists(TEXT, max_size=3).map(tuple),
        label_scheme=TEXT,
        captions=st.lists(CAPTIONS, max_size=3).map(tuple),
        events=st.lists(st.builds(Event, SOME_TEXT, SECONDS, SECONDS), max_size=2).map(tuple),
        metadata=st.builds(
            Metadata, title=TEXT, description=TEXT, tags=st.lists(TEXT, max_size=2).map(tuple), subtitles=TEXT
        ),
        licence=TEXT,
        attribution=TEXT,
        source_url=TEXT,
        sha256=TEXT,
        extra=st.dictionaries(st.sampled_from(["mood", "x y", "n", "bpm"]), JSON, max_size=3),
    )


FOLDER = Path("/data/set")


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_clips_come_back(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject):
    """Written whole or appended piece by piece, every clip is read back equal, in order."""
    folder = tmp_path_factory.mktemp("set")
    many = data.draw(st.lists(clips(folder), max_size=4, unique_by=lambda clip: clip.id))
    write_clips(folder / "metadata.jsonl", many)
    assert read_clips(folder) == many
    (folder / "metadata.jsonl").unlink()
    for clip in many:
        append_clips(folder / "metadata.jsonl", [clip])
    assert (read_clips(folder) if many else []) == many


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_row_is_a_clip_or_named(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject):
    """Rows with known columns and any values: a clip, or a report with the line; never another error."""
    columns = st.sampled_from(
        ["file_name", "id", "labels", "captions", "caption", "text", "duration", "fold", "events", "tags", "extra", "x"]
    )
    rows = data.draw(st.lists(st.dictionaries(columns, JSON | st.none(), max_size=6), max_size=4))
    path = tmp_path_factory.mktemp("set") / "metadata.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    bad: list[BadRow] = []
    found = read_clips(path, bad.append)
    assert len(found) + len(bad) == len(rows)
    assert all(1 <= row.line <= len(rows) and row.reason for row in bad)


def write_rows(path: Path, *rows: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (row if isinstance(row, str) else json.dumps(row) for row in rows)
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path


def test_the_file_is_one_that_audiofolder_reads(tmp_path: Path):
    """`file_name` first and relative; one type a column; no null; numbers only where they are known."""
    full = Clip(
        path=tmp_path / "sub" / "a.wav", id="1", labels=("dog",), captions=(Caption("a dog", score=0.5),), fold=1
    )
    bare = Clip(path=tmp_path / "b.wav", id="2")
    write_clips(tmp_path / "metadata.jsonl", [full, bare])
    rows = [json.loads(line) for line in (tmp_path / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [next(iter(row)) for row in rows] == ["file_name", "file_name"]
    assert [row["file_name"] for row in rows] == ["sub/a.wav", "b.wav"]
    assert [row["text"] for row in rows] == ["a dog", ""]
    assert rows[0].keys() - rows[1].keys() == {"fold"}
    assert all(value is not None for row in rows for value in row.values())
    for key in rows[1]:
        assert type(rows[0][key]) is type(rows[1][key])


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"file_name": "a.wav", "label": "baby cry", "license": "CC0-1.0", "author": "x", "source": "http://y"}, None),
        ({"location": "a.wav", "captions": "a dog"}, [Caption("a dog")]),
        ({"audio_filepath": "a.wav", "text": "a dog", "duration": 3}, [Caption("a dog")]),
        ({"file_name": "a.wav", "captions": ["a dog", "barks", ""]}, [Caption("a dog"), Caption("barks")]),
        ({"file_name": "a.wav", "caption_1": "a dog", "caption_2": "barks"}, [Caption("a dog"), Caption("barks")]),
        ({"file_name": "a.wav", "text": "x", "captions": [{"text": "y"}]}, [Caption("x"), Caption("y")]),
        ({"file_name": "a.wav", "captions": [{"text": "y", "model": "m", "score": 1}]}, [Caption("y", "m", "", 1.0)]),
    ],
)
def test_names_that_others_use(tmp_path: Path, row: dict[str, Any], expected: list[Caption] | None):
    (clip,) = read_clips(write_rows(tmp_path / "list.jsonl", row))
    assert clip.path == tmp_path / "a.wav"
    assert list(clip.captions) == (expected or [])
    if expected is None:
        assert (clip.labels, clip.licence, clip.attribution, clip.source_url) == (
            ("baby cry",),
            "CC0-1.0",
            "x",
            "http://y",
        )
        assert clip.extra == {}


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("{not json", "no JSON"),
        ("[1, 2]", "an object was expected"),
        ("{}", "no file_name"),
        ({"file_name": ""}, "no file_name"),
        ({"name": "a.wav"}, "'name'"),
        ({"file_name": "a.wav", "labels": [1]}, r"labels is a list of texts, not \[1\]"),
        ({"file_name": "a.wav", "duration": "long"}, "duration is a number from 0 on, not 'long'"),
        ({"file_name": "a.wav", "duration": -1}, "not -1"),
        ({"file_name": "a.wav", "duration": True}, "not True"),
        ('{"file_name": "a.wav", "duration": 1e999}', "not inf"),
        ({"file_name": "a.wav", "fold": 1.5}, "fold is a whole number, not 1.5"),
        ({"file_name": "a.wav", "captions": [{"score": 1}]}, "objects with a text"),
        ({"file_name": "a.wav", "captions": [{"text": "x", "score": "1"}]}, "not '1'"),
        ({"file_name": "a.wav", "captions": [{"text": "x", "kind": "poem"}]}, "not 'poem'"),
        ({"file_name": "a.wav", "captions": 7}, "not 7"),
        ('{"file_name": "a.wav", "captions": [{"text": "x", "score": 1e999}]}', "not inf"),
        ({"file_name": "a.wav", "events": [{"label": "dog"}]}, "a label, a start and an end"),
        ({"file_name": "a.wav", "events": [{"start": 0, "end": 1}]}, "a label, a start and an end"),
        ({"file_name": "a.wav", "events": "dog"}, "not 'dog'"),
        ({"file_name": "a.wav", "id": {}}, "id is a text, not {}"),
        ({"file_name": "z.wav", "id": "first"}, "the id 'first' is already that of line 1"),
        ('{"file_name": ' + "[" * 100_000, "no JSON"),
    ],
)
def test_bad_rows_are_named_with_their_line(tmp_path: Path, row: Any, told: str):
    good = ({"file_name": "1.wav", "id": "first"}, "", {"file_name": "2.wav", "id": "second"})
    path = write_rows(tmp_path / "metadata.jsonl", *good, row, {"file_name": "3.wav"})
    with pytest.raises(UsageError, match=rf"metadata\.jsonl, line 4: .*{told}"):
        read_clips(tmp_path)
    bad: list[BadRow] = []
    assert [clip.path.name for clip in read_clips(tmp_path, bad.append)] == ["1.wav", "2.wav", "3.wav"]
    assert [(row.path, row.line) for row in bad] == [(path, 4)]


def test_many_bad_rows_are_counted(tmp_path: Path):
    write_rows(tmp_path / "metadata.jsonl", *["nonsense"] * 9)
    with pytest.raises(UsageError, match=r"line 5: .* \(and 4 more\)"):
        read_clips(tmp_path)


def test_a_sound_in_several_rows(tmp_path: Path):
    """As lists with a caption a row have it: two clips, with ids of their own."""
    rows = ({"file_name": "a.wav", "caption": "one"}, {"file_name": "a.wav", "caption": "two"})
    first, second = read_clips(write_rows(tmp_path / "metadata.jsonl", *rows))
    assert (first.text, second.text) == ("one", "two")
    assert first.path == second.path and first.id != second.id


@pytest.mark.parametrize("length", [1, 2000])
def test_a_cut_last_line_is_dropped_and_reported(tmp_path: Path, caplog: pytest.LogCaptureFixture, length: int):
    clip = Clip(path=tmp_path / "a.wav", id="1", captions=(Caption("long " * length),))
    path = tmp_path / "metadata.jsonl"
    write_clips(path, [clip, replace(clip, id="2")])
    for cut in (1, 2, 5, 39):
        whole = path.read_bytes()
        path.write_bytes(whole[:-cut])
        with caplog.at_level(logging.WARNING):
            caplog.clear()
            assert [c.id for c in read_clips(path)] == (["1", "2"] if cut == 1 else ["1"])
            assert ("line 2" in caplog.text) == (cut > 1)
        append_clips(path, [replace(clip, id="3")])
        assert [c.id for c in read_clips(path)] == (["1", "2", "3"] if cut == 1 else ["1", "3"])
        path.write_bytes(whole)


def test_a_file_that_begins_with_a_mark_and_has_windows_lines(tmp_path: Path):
    (tmp_path / "metadata.jsonl").write_bytes(b'\xef\xbb\xbf{"file_name": "a.wav"}\r\n\r\n{"file_name": "b.wav"}\r\n')
    assert [clip.id for clip in read_clips(tmp_path)] == ["a.wav", "b.wav"]


def test_bytes_that_are_no_text(tmp_path: Path):
    (tmp_path / "metadata.jsonl").write_bytes(
        b'{"file_name": "a.wav"}\n{"file_name": "\xff.wav"}\n{"file_name": "c.wav"}\n'
    )
    bad: list[BadRow] = []
    assert len(read_clips(tmp_path, bad.append)) == 2
    assert [row.line for row in bad] == [2]
    (tmp_path / "list.csv").write_bytes(b"file_name\n\xff.wav\n")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_clips(tmp_path / "list.csv")


def test_not_a_number_counts_as_absent(tmp_path: Path):
    (clip,) = read_clips(write_rows(tmp_path / "metadata.jsonl", '{"file_name": "a.wav", "duration": NaN, "x": NaN}'))
    assert clip.duration_s is None
    write_clips(tmp_path / "again.jsonl", [clip])
    assert read_clips(tmp_path / "again.jsonl") == [clip]


def test_null_counts_as_absent(tmp_path: Path):
    row = dict.fromkeys(("title", "labels", "captions", "fold", "events", "x"), None) | {"file_name": "a.wav"}
    (clip,) = read_clips(write_rows(tmp_path / "metadata.jsonl", row))
    assert clip == Clip(path=tmp_path / "a.wav", id="a.wav")


def test_other_columns_do_not_replace_known_ones(tmp_path: Path):
    write_clips(tmp_path / "metadata.jsonl", [Clip(path=tmp_path / "a.wav", id="1", extra={"id": "2", "mood": "glad"})])
    (clip,) = read_clips(tmp_path)
    assert (clip.id, clip.extra) == ("1", {"mood": "glad"})


def test_tables(tmp_path: Path):
    rows = [
        ["file_name", "caption_1", "caption_2", "fold", "mood"],
        ["a.wav", 'a "dog", barking\r\nloudly', "", "3", "glad"],
        ["b.wav", "", "rain", "", ""],
    ]
    for name, delimiter in (("list.csv", ","), ("list.tsv", "\t")):
        with (tmp_path / name).open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file, delimiter=delimiter).writerows(rows)
        first, second = read_clips(tmp_path / name)
        assert first.captions == (Caption('a "dog", barking\r\nloudly'),)
        assert (first.fold, first.extra) == (3, {"mood": "glad"})
        assert (second.text, second.fold, second.extra) == ("rain", None, {})


def test_tables_with_rows_of_other_widths(tmp_path: Path):
    (tmp_path / "list.csv").write_text("file_name,fold\na.wav,1\nb.wav\nc.wav,1,2\nd.wav,2\n", encoding="utf-8")
    bad: list[BadRow] = []
    assert [clip.id for clip in read_clips(tmp_path / "list.csv", bad.append)] == ["a.wav", "d.wav"]
    assert [(row.line, row.reason) for row in bad] == [(3, "2 cells were expected"), (4, "2 cells were expected")]


def touch(path: Path, text: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_a_plain_folder(tmp_path: Path):
    """Sounds by suffix in a fixed order, captions from text files of the same name, labels from folder names."""
    for name in (
        "b.wav",
        "a.FLAC",
        "dog/x.ogg",
        "cat/deep/y.mp3",
        "notes.md",
        ".hidden.wav",
        ".cache/z.wav",
        "c.wav.tmp",
    ):
        touch(tmp_path / name)
    touch(tmp_path / "b.txt", "\ufeffa dog barks\r\n\n  rain falls \n")
    (tmp_path / "folder.wav").mkdir()
    found = read_clips(tmp_path)
    assert [clip.id for clip in found] == ["a.FLAC", "b.wav", "cat/deep/y.mp3", "dog/x.ogg"]
    assert [clip.labels for clip in found] == [(), (), ("deep",), ("dog",)]
    assert [c.text for c in found[1].captions] == ["a dog barks", "rain falls"]


def test_folders_of_splits(tmp_path: Path):
    write_rows(tmp_path / "train" / "metadata.jsonl", {"file_name": "a.wav"}, {"file_name": "b.wav", "split": "dev"})
    write_rows(tmp_path / "test" / "metadata.jsonl", {"file_name": "a.wav"})
    found = {(clip.split, clip.path.relative_to(tmp_path).as_posix()) for clip in read_clips(tmp_path)}
    assert found == {("train", "train/a.wav"), ("dev", "train/b.wav"), ("test", "test/a.wav")}


def test_what_is_no_data(tmp_path: Path):
    with pytest.raises(MissingError, match="nowhere"):
        read_clips(tmp_path / "nowhere")
    touch(tmp_path / "list.xlsx")
    with pytest.raises(UsageError, match=r"list\.xlsx is no list"):
        read_clips(tmp_path / "list.xlsx")
    assert read_clips(tmp_path) == []


def test_a_sound_outside_the_folder_is_refused(tmp_path: Path):
    clip = Clip(path=Path("/elsewhere/a.wav"), id="far")
    for write in (write_clips, append_clips):
        with pytest.raises(UsageError, match=r"'far'.*/elsewhere/a\.wav does not lie within"):
            write(tmp_path / "metadata.jsonl", [clip])
    assert not (tmp_path / "metadata.jsonl").exists()


def test_part_of_a_longer_file(tmp_path: Path):
    wave = np.random.default_rng(0).uniform(-0.5, 0.5, 16_000).astype(np.float32)
    save_audio(tmp_path / "long.wav", wave, 16_000)
    rows = [{"file_name": "long.wav", "audio_offset": i / 4, "duration": 0.25} for i in range(4)]
    parts = read_clips(write_rows(tmp_path / "metadata.jsonl", *rows))
    assert [clip.id for clip in parts] == ["long.wav@0", "long.wav@0.25", "long.wav@0.5", "long.wav@0.75"]
    whole = load_clip(Clip(path=tmp_path / "long.wav", id="all", duration_s=1.0), 16_000)
    np.testing.assert_array_equal(np.concatenate([load_clip(clip, 16_000) for clip in parts]), whole)
    with pytest.raises(ClipError, match=r"long\.wav"):
        load_clip(replace(parts[0], offset_s=2.0), 16_000)


def test_the_hash_of_data(tmp_path: Path):
    """Order and place do not count; every sample, caption and label does."""
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        for number in (1, 2):
            save_audio(tmp_path / folder / f"{number}.wav", np.full(100, number / 4), 8_000)
    made = [Clip(path=tmp_path / "one" / f"{n}.wav", id=str(n), labels=("dog",)) for n in (1, 2)]
    digest = data_hash(made)
    assert digest == data_hash(made[::-1])
    assert digest == data_hash([replace(clip, path=tmp_path / "two" / clip.path.name) for clip in made])
    others = [
        [made[0]],
        [made[0], replace(made[1], id="3")],
        [made[0], replace(made[1], labels=("cat",))],
        [made[0], replace(made[1], captions=(Caption("x"),))],
        [made[0], replace(made[1], path=made[0].path)],
        [made[0], replace(made[1], offset_s=0.0)],
    ]
    assert len({digest, *map(data_hash, others)}) == 7
