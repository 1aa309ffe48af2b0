"""Entries come back as they were, from whatever part, and damage costs entries alone."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from audiojourney import files
from audiojourney.errors import AudioJourneyError
from audiojourney.recipes.eval import cache
from audiojourney.recipes.eval.cache import EntryCache


def entry(number):
    return {"rows": np.full((2, 3), number, np.float32), "facts": np.array([number, np.nan])}


def filled(folder, numbers):
    made = EntryCache(folder)
    for number in numbers:
        made.put(f"key{number}", entry(number))
    return made


def check(found, number):
    assert found.keys() == {"rows", "facts"}
    np.testing.assert_array_equal(found["rows"], entry(number)["rows"])
    assert found["rows"].dtype == np.float32


def test_entries_come_back_before_and_after_they_are_written(tmp_path):
    made = filled(tmp_path / "c", range(cache.ENTRIES + 3))
    for number in range(cache.ENTRIES + 3):
        check(made.get(f"key{number}"), number)
    assert len(list((tmp_path / "c").iterdir())) == 1
    assert EntryCache(tmp_path / "c").get(f"key{cache.ENTRIES}") is None
    made.close()
    again = EntryCache(tmp_path / "c")
    for number in range(cache.ENTRIES + 3):
        check(again.get(f"key{number}"), number)
    assert again.get("other") is None


def test_many_parts_and_threads(tmp_path):
    for number in range(12):
        filled(tmp_path, [number]).close()
    many, wrong = EntryCache(tmp_path), []

    def read(start):
        for number in range(start, start + 60):
            found = many.get(f"key{number % 12}")
            if found is None or found["facts"][0] != number % 12:
                wrong.append(number)

    threads = [threading.Thread(target=read, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(many._open) <= cache._OPEN


def test_damaged_parts_are_no_entries(tmp_path):
    filled(tmp_path, [1]).close()
    (tmp_path / "cut.zip").write_bytes(next(tmp_path.glob("*.zip")).read_bytes()[:50])
    (tmp_path / "empty.zip").touch()
    damaged = EntryCache(tmp_path)
    check(damaged.get("key1"), 1)
    damaged.close()
    for path in tmp_path.glob("*.zip"):
        path.write_bytes(b"")
    assert damaged.get("key1") is None


def test_a_cache_that_cannot_be_written_is_given_up(tmp_path, monkeypatch):
    def refuse(path, data):
        raise AudioJourneyError(f"{path} was not written: no space is left on the disk.")

    monkeypatch.setattr(files, "write_bytes", refuse)
    made = filled(tmp_path, range(2))
    made.close()
    assert made.get("key0") is None
    made.put("key0", entry(0))
    assert made.get("key0") is None


@pytest.mark.parametrize("seconds", (0.0, 100.0))
def test_slow_work_is_written_by_the_clock(tmp_path, monkeypatch, seconds):
    clock = [0.0]
    monkeypatch.setattr(cache.time, "monotonic", lambda: clock[0])
    made = filled(tmp_path, [1])
    clock[0] = seconds
    made.put("key2", entry(2))
    assert len(list(tmp_path.iterdir())) == (seconds > cache.SECONDS)
