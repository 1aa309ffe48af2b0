from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audiojourney.data.formats import jsonrows
from audiojourney.data.formats.base import Failure
from audiojourney.data.formats.jsonrows import number, read_object, read_objects, text

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
rows = st.lists(st.dictionaries(st.text(max_size=4).filter(lambda key: key != "data"), values, max_size=3), max_size=6)
shared_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=25)


@pytest.mark.parametrize("shape", ["lines", "commas", "array", "indented", "inside"])
@given(rows=rows)
@shared_folder
def test_objects_are_read_from_lines_and_arrays_alike(tmp_path, monkeypatch, shape, rows):
    monkeypatch.setattr(jsonrows, "_CHUNK_CHARS", 7)  # so that every item is cut somewhere
    path = tmp_path / "rows.json"
    lines = [json.dumps(row) for row in rows]
    written = {
        "lines": "\n".join(lines),
        "commas": ",\n".join(lines) + ",\n",
        "array": "[" + ",".join(lines) + "]",
        "indented": json.dumps(rows, indent=2),
        "inside": json.dumps({"n": 1, "data": rows}),
    }
    if shape == "inside":
        monkeypatch.setattr(jsonrows, "_CHUNK_CHARS", 40)  # the key has to be in the first piece
    path.write_text(written[shape], encoding="utf-8")
    found = list(read_objects(path))
    assert [row for _, row in found] == rows


@pytest.mark.parametrize("size", range(2, 35))
def test_an_array_that_is_cut_gives_what_is_whole_and_a_failure(tmp_path, size):
    path = tmp_path / "cut.json"
    path.write_text(json.dumps([{"a": 1}, {"b": "x]"}, {"c": [2]}])[:size] + " ", encoding="utf-8")
    *whole, last = read_objects(path)
    assert isinstance(last, Failure)
    assert all(not isinstance(item, Failure) for item in whole)


def test_what_is_no_object_is_named_by_its_place(tmp_path):
    path = tmp_path / "rows.json"
    path.write_bytes(b'\xef\xbb\xbf{"a": NaN}\n\n[1]\n{broken\n{"b": "\xff"}\n')
    found = list(read_objects(path))
    assert found[0] == (1, {"a": None})
    assert [item.id for item in found if isinstance(item, Failure)] == ["rows.json:3", "rows.json:4"]
    assert found[-1] == (5, {"b": "\ufffd"})


def test_a_file_that_is_not_there_is_a_failure(tmp_path):
    (failure,) = read_objects(tmp_path / "no.json")
    assert failure.code == "bad_row"


def test_values_of_another_kind_count_as_absent():
    row = {"a": " x ", "b": 3, "c": True, "d": float("inf"), "e": -1}
    assert (text(row, "a"), text(row, "b"), text(row, "z")) == ("x", "", "")
    assert [number(row, key) for key in "bcde"] == [3.0, None, None, None]


def test_deep_nesting_is_refused(tmp_path):
    path = tmp_path / "deep.json"
    path.write_text("[" * 200_000, encoding="utf-8")
    with pytest.raises(ValueError, match="deep"):
        read_object(path)
