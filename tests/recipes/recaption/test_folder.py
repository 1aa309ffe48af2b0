"""Markers, sub-parts and the list of clips that are worked on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audiojourney.data.clip import Clip
from audiojourney.recipes.recaption.folder import Outcome, Part
from audiojourney.recipes.recaption.inputs import Job

OUTCOMES = [Outcome("a", {"captions": [1]}), Outcome("b", {"code": "bad"}, failed=True), Outcome("c", {"captions": []})]


@pytest.fixture
def part() -> Part:
    part = Part(Path(".recaption/key"), 3)
    part.write_jobs(Job(Clip(path=Path(f"{name}.wav"), id=name), name * 2) for name in "abc")
    return part


def test_a_finished_part_has_rows_failures_and_a_marker(part):
    part.write_sub(0, OUTCOMES)
    part.set_flight(["a"])
    part.finish(OUTCOMES, {"version": "1"})
    marker = part.read_marker()
    assert (marker["rows"], marker["errors"], marker["shard"], marker["version"]) == (2, 1, 3, "1")
    assert [json.loads(line)["id"] for line in part.rows.read_text().splitlines()] == ["a", "c"]
    assert json.loads(part.errors.read_text())["id"] == "b"
    left = {path.name for path in part.folder.iterdir()}
    assert left == {f"part-000003{end}" for end in (".clips.jsonl", ".jsonl", ".errors.jsonl", ".done")}


@pytest.mark.parametrize("name", ["rows", "errors", "clips"])
def test_a_marker_without_its_files_or_with_others_does_not_count(part, name):
    part.finish(OUTCOMES, {})
    path = getattr(part, name)
    path.write_bytes(path.read_bytes() + b"\n")
    assert part.read_marker() is None
    path.unlink()
    assert part.read_marker() is None


def test_a_torn_marker_does_not_count(part):
    part.finish(OUTCOMES, {})
    part.marker.write_text("{", encoding="utf-8")
    assert part.read_marker() is None
    assert part.glance() == 0


def test_a_failed_part_gives_its_rows_and_on_request_its_failures(part):
    part.finish(OUTCOMES, {}, failed=True)
    assert part.read_marker() is None
    assert [one.id for one in part.read_failed(errors=False)] == ["a", "c"]
    assert sorted(part.read_failed(errors=True), key=lambda one: one.id) == OUTCOMES
    part.finish(OUTCOMES, {})
    assert part.read_failed(errors=True) == []
    part.reopen()
    assert part.read_marker() is None
    assert len(part.read_failed(errors=True)) == 3


def test_sub_parts_count_up_to_the_first_gap(part):
    part.write_sub(0, OUTCOMES[:1])
    part.write_sub(2, OUTCOMES[2:])
    assert part.read_subs(list("abc")) == OUTCOMES[:1]
    part.write_sub(1, OUTCOMES[1:2])
    assert part.read_subs(list("abc")) == OUTCOMES
    assert part.read_subs(list("abx")) == OUTCOMES[:2]


def test_a_torn_sub_part_counts_for_nothing(part):
    part.write_sub(0, OUTCOMES)
    path = next(part.subs.iterdir())
    path.write_bytes(path.read_bytes()[:-10])
    assert part.read_subs(list("abc")) == []


def test_the_clips_that_are_worked_on_are_told_until_the_end(part):
    assert part.read_flight() == []
    part.set_flight(["a", "ä\udc80"])
    assert part.read_flight() == ["a", "ä\udc80"]
    part.set_flight(["b"])
    assert part.read_flight() == ["b"]
    with part.flight.open("ab") as file:
        file.write(b'["c", "cut')
    assert part.read_flight() == ["b"]
    part.set_flight(["d"])
    assert part.read_flight() == ["d"]
    for _ in range(3):
        part.set_flight(["x" * 50_000])
    assert part.flight.stat().st_size < 200_000
    assert part.read_flight() == ["x" * 50_000]
    part.clear_flight()
    assert part.read_flight() == []


def test_the_list_of_clips_comes_back(part):
    assert [(job.clip.id, job.input, job.clip.path) for job in part.read_jobs()] == [
        (name, name * 2, part.root / f"{name}.wav") for name in "abc"
    ]
