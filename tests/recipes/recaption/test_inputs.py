"""Which clips are captioned, under which ids."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from audiojourney.data.clip import Clip
from audiojourney.errors import MissingError, UsageError
from audiojourney.recipes.recaption.inputs import Inputs, Job, fingerprint, job_line, read_job
from tests.recipes.recaption.double import write_clips


def ids(*names, stdin=b"", limit=None):
    return [job.clip.id for job in Inputs(names, lambda: stdin, limit).jobs()]


def test_a_folder_a_file_and_a_list_of_them():
    write_clips(Path("data"), 3)
    assert ids("data") == ["clip-00000.wav", "clip-00001.wav", "clip-00002.wav"]
    assert ids("data", limit=2) == ["clip-00000.wav", "clip-00001.wav"]
    assert ids("data/clip-00001.wav") == ["clip-00001.wav"]
    row = json.dumps({"file_name": "data/clip-00002.wav", "id": "two"})
    assert ids("-", stdin=f"data/clip-00000.wav\n\n{row}\n".encode()) == ["data/clip-00000.wav", "two"]


def test_equal_names_in_two_plain_folders_are_told_apart():
    write_clips(Path("a"), 1)
    write_clips(Path("b"), 1)
    assert ids("a", "b") == ["a/clip-00000.wav", "b/clip-00000.wav"]


def test_two_clips_of_one_id_are_refused():
    for name in "ab":
        write_clips(Path(name), 1)
        row = json.dumps({"file_name": "clip-00000.wav", "id": "same"})
        Path(name, "metadata.jsonl").write_text(row + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match="'same'"):
        ids("a", "b")


def test_rows_that_are_no_clips_are_kept_as_failures():
    write_clips(Path("data"), 1)
    Path("data/metadata.jsonl").write_text('{"file_name": "clip-00000.wav"}\n{"labels": []}\n', encoding="utf-8")
    inputs = Inputs(["data"], bytes)
    assert inputs.measure()[0] == 1
    assert [(item["id"], item["code"]) for item in inputs.failures] == [("metadata.jsonl:2", "bad_row")]


def test_nothing_and_no_such_thing_are_missing():
    Path("empty").mkdir()
    with pytest.raises(MissingError, match="'empty'"):
        Inputs(["empty"], bytes).measure()
    with pytest.raises(MissingError, match="'absent'"):
        Inputs(["absent"], bytes).measure()


def test_a_fingerprint_changes_with_record_and_sound():
    write_clips(Path(), 1)
    path = Path("clip-00000.wav")
    first = fingerprint(Clip(path=path, id="a"))
    assert fingerprint(Clip(path=path, id="a")) == first
    assert fingerprint(Clip(path=path, id="a", labels=("dog",))) != first
    os.utime(path, ns=(1, 1))
    assert fingerprint(Clip(path=path, id="a")) != first
    known = fingerprint(Clip(path=path, id="a", sha256="00"))
    os.utime(path, ns=(2, 2))
    assert fingerprint(Clip(path=path, id="a", sha256="00")) == known
    assert fingerprint(Clip(path=Path("absent.wav"), id="a")) != first


def test_a_job_comes_back_from_its_line():
    job = Job(Clip(path=Path("sub/a.wav"), id="ä", labels=("dog",), extra={"own": 1}), "0f")
    line = json.dumps(job_line(job, Path("other")))
    assert json.loads(line)["row"]["file_name"] == "../sub/a.wav"
    back = read_job(line, Path("other"))
    assert back.clip.path.resolve() == Path("sub/a.wav").resolve()
    assert (back.clip.id, back.clip.labels, back.clip.extra, back.input) == ("ä", ("dog",), {"own": 1}, "0f")


def test_a_list_on_standard_input_goes_on_behind_lines_that_are_no_clip():
    write_clips(Path("data"), 2)
    lines = ["data/clip-00000.wav", "data/gone.wav", '{"id": 7', '{"labels": ["dog"]}', "[]", '{"file_name": "x.wav"}']
    listed = "\r\n".join(lines).encode()
    with pytest.raises(MissingError, match=r"'\[\]'"):
        ids("-", stdin=listed)
    inputs = Inputs(["-"], lambda: listed.replace(b"[]", b'{"x": ' + b"[" * 9999))
    assert [job.clip.id for job in inputs.jobs()] == ["data/clip-00000.wav", "data/gone.wav", "x.wav"]
    assert [(item["id"], item["code"]) for item in inputs.failures] == [
        ("stdin:3", "bad_row"),
        ("stdin:4", "bad_row"),
        ("stdin:5", "bad_row"),
    ]
    with pytest.raises(MissingError, match=r"gone\.wav"):
        ids("data/gone.wav")


def test_names_on_standard_input_may_hold_any_letter(tmp_path):
    for name in ("ü b.wav", "line\u2028separator.wav", "next\x85line.wav"):
        Path(name).touch()
    os.close(os.open(b"\xff.wav", os.O_CREAT))
    listed = b"\xef\xbb\xbf" + "ü b.wav\nline\u2028separator.wav\nnext\x85line.wav\n".encode() + b"\xff.wav\n"
    assert ids("-", stdin=listed) == ["ü b.wav", "line\u2028separator.wav", "next\x85line.wav", "\udcff.wav"]


def test_a_file_whose_name_looks_like_a_row_is_a_file():
    write_clips(Path("{x}"), 1)
    assert ids("{x}") == ["clip-00000.wav"]


def test_a_bad_row_of_one_input_does_not_hide_the_sounds_of_another():
    for name in "ab":
        write_clips(Path(name), 1)
    Path("a/metadata.jsonl").write_text("{}\n", encoding="utf-8")
    assert ids("a", "b") == ["b/clip-00000.wav"]
