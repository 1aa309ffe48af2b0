"""Verdicts on rows."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiojourney.captions.duplicates import Duplicates, sound_key, text_key
from audiojourney.captions.filters import (
    KEPT,
    REASONS,
    FilterConfig,
    Verdict,
    duration_of,
    judge,
    mark,
    row_verdict,
)
from audiojourney.captions.rejudge import judge_again
from audiojourney.errors import UsageError


def row(*captions, **fields):
    made = [{"text": c} if isinstance(c, str) else c for c in captions]
    return {"id": "a", "file_name": "a.wav", "captions": made, **fields}


def scored(text, score, **fields):
    return {"text": text, "score": score, **fields}


def reasons(a_row, **limits):
    return [verdict.reason for verdict in judge(a_row, FilterConfig(**limits))]


@pytest.mark.parametrize(
    ("a_row", "limits", "expected"),
    [
        (row(scored("rain", 0.45)), {"clap_threshold": 0.45}, ""),
        (row(scored("rain", 0.4499)), {"clap_threshold": 0.45}, "score: 0.4499 < 0.45"),
        (row("rain"), {"clap_threshold": 0.45}, "no_score"),
        (row(scored("rain", None)), {"clap_threshold": -1}, "no_score"),
        (row(scored("rain", float("nan"))), {"clap_threshold": 0.1}, "no_score"),
        (row(scored("rain", True)), {"clap_threshold": 0.1}, "no_score"),
        (row("rain"), {"clap_threshold": 0.45, "unscored": "keep"}, ""),
        (row("A man talks"), {"drop_keywords": ("speech",)}, "keyword: talks"),
        (row({"text": "rain", "entailment": 0.2}), {"entailment_threshold": 0.5}, "entailment: 0.2 < 0.5"),
        (row("rain"), {"entailment_threshold": 0.5}, "no_entailment"),
        (row("soft rain"), {"min_words": 3}, "few_words: 2 < 3"),
        (row("soft rain"), {"max_words": 1}, "many_words: 2 > 1"),
        (row("  "), {}, "few_words: 0"),
        (row("rain", duration=4.999), {"min_duration_s": 5}, "short: 4.999 s < 5 s"),
        (row("rain", start=3.2, end=8.2), {"min_duration_s": 5}, ""),
        (row("rain", checks={"duration_s": 11}), {"max_duration_s": 10}, "long: 11.000 s > 10 s"),
        (row("rain"), {"max_duration_s": 10}, "no_duration"),
        (row("rain"), {"max_duration_s": 10, "unscored": "keep"}, ""),
        (row("rain", checks={"rms_db": -60.1}), {}, "near_silent: -60.1 dB < -60 dB"),
        (row("rain", checks={"rms_db": -60.1}), {"min_level_db": None}, ""),
        (row("rain", checks={"rms_db": None}), {}, ""),
        (row("rain", checks={"clipped": 0.02}), {"max_clipped": 0.01}, "clipped: 0.020 > 0.01"),
        (row("rain", labels=["Rain"]), {"keep_labels": ("rain",)}, ""),
        (row("rain", labels=["dog", "cat"]), {"keep_labels": ("rain",)}, "label: dog, cat"),
        (row("rain"), {"keep_labels": ("rain",)}, "label: none"),
    ],
)
def test_reasons(a_row, limits, expected):
    (verdict,) = judge(a_row, FilterConfig(**limits))
    assert verdict == Verdict(not expected, expected)
    assert not expected or verdict.code in REASONS


def test_nothing_is_limited_by_itself_but_silence():
    assert reasons(row("a man talks", "music")) == ["", ""]


def test_a_fault_of_the_clip_is_one_of_all_captions():
    assert reasons(row("a", "b", duration=1), min_duration_s=2) == ["short: 1.000 s < 2 s"] * 2


def test_the_best_of_those_that_are_kept_stay():
    captions = [scored("one", 0.5), scored("a song", 0.9), "unscored", scored("two", 0.7), scored("three", 0.5)]
    found = reasons(row(*captions), keep_best=2, drop_keywords=("music",))
    assert found == ["", "keyword: song", "rank: beyond the best 2", "", "rank: beyond the best 2"]


@given(st.lists(st.one_of(st.none(), st.floats(-1, 1)), max_size=6), st.floats(-1, 1), st.floats(-1, 1))
def test_a_higher_threshold_keeps_a_part_of_what_a_lower_one_keeps(scores, one, other):
    a_row = row(*[scored("rain", score) for score in scores])
    low, high = (judge(a_row, FilterConfig(clap_threshold=tau)) for tau in sorted((one, other)))
    assert all(below.kept or not above.kept for below, above in zip(low, high, strict=True))


def test_clap_subsets_are_those_worked_out(shared_fixtures):
    case = json.loads((shared_fixtures / "transcripts" / "merge_filter.json").read_text(encoding="utf-8"))
    rules = {
        "0.1": FilterConfig(clap_threshold=0.1),
        "0.4": FilterConfig(clap_threshold=0.4),
        "0.4 and >= 5 s": FilterConfig(clap_threshold=0.4, min_duration_s=5),
        "0.5": FilterConfig(clap_threshold=0.5),
    }
    for name, expected in case["clap_subsets"]["expected"].items():
        kept = []
        for item in case["clap_subsets"]["input"]:
            seconds = {"start": item["start_ms"] / 1000, "end": item["end_ms"] / 1000}
            verdicts = judge(row(scored("rain", item.get("CLAP_SIM")), **seconds), rules[name])
            kept += [item["id"]] if row_verdict(verdicts).kept else []
        assert kept == expected


def test_marks_put_kept_captions_first_and_change_nothing_else():
    a_row = row(scored("a", 0.1, source="x"), scored("b", 0.9), raw="said")
    marked = mark(a_row, judge(a_row, FilterConfig(clap_threshold=0.5)))
    assert marked == {
        **a_row,
        "captions": [
            {"text": "b", "score": 0.9, "kept": True, "reason": ""},
            {"text": "a", "score": 0.1, "source": "x", "kept": False, "reason": "score: 0.1 < 0.5"},
        ],
    }
    assert a_row["captions"][0] == scored("a", 0.1, source="x")


def test_a_clip_is_kept_with_any_caption():
    assert row_verdict([Verdict(False, "score: 1"), KEPT]) == KEPT
    assert row_verdict([Verdict(False, "score: 1"), Verdict(False, "rank")]).code == "score"
    assert row_verdict([]) == Verdict(False, "no_caption")


def test_lengths_are_looked_for_in_three_places():
    assert duration_of({"duration": 3, "checks": {"duration_s": 2}}) == 3
    assert duration_of({"checks": {"duration_s": 2}, "start": 1, "end": 9}) == 2
    assert duration_of({"start": 1, "end": 9}) == 8
    assert duration_of({"duration": "3", "checks": None}) is None


@pytest.mark.parametrize(
    "limits",
    [
        {"clap_threshold": 1.5},
        {"clap_threshold": float("nan")},
        {"entailment_threshold": -0.1},
        {"max_clipped": 2},
        {"keep_best": 0},
        {"min_words": -1},
        {"min_words": 4, "max_words": 3},
        {"min_duration_s": 4, "max_duration_s": 3},
        {"drop_keywords": ("nonsense",)},
    ],
)
def test_limits_that_cannot_be_meant(limits):
    with pytest.raises(UsageError):
        FilterConfig(**limits)


def test_repeated_captions_are_dropped_after_the_first_that_is_kept():
    duplicates = Duplicates("text")
    silent = row("Birds chirp", checks={"rms_db": -90})
    rows = [silent, row("Birds chirp.", "rain"), row("birds  chirp"), row("RAIN", "rain"), row("wind")]
    found = [[v.reason for v in duplicates.judge(r, judge(r, FilterConfig()))] for r in rows]
    repeated = "duplicate_text"
    assert found == [["near_silent: -90.0 dB < -60 dB"], ["", ""], [repeated], [repeated, repeated], [""]]


def test_repeated_sounds_are_dropped():
    hashes = {"a.wav": "11", "b.wav": "11", "c.wav": ""}
    duplicates = Duplicates("audio", lambda r: hashes[r["file_name"]])
    rows = [row("a"), row("b", file_name="b.wav"), row("c", file_name="c.wav"), row("d", file_name="c.wav")]
    kept = [duplicates.judge(r, judge(r, FilterConfig()))[0].kept for r in rows]
    assert kept == [True, False, True, True]
    own = Duplicates("audio")
    assert [own.judge(row("x", sha256="7"), (KEPT,))[0].reason for _ in range(2)] == ["", "duplicate_audio"]


def test_without_dedupe_nothing_is_compared():
    duplicates = Duplicates("none")
    assert [duplicates.judge(row("x", sha256="7"), (KEPT,)) for _ in range(2)] == [(KEPT,), (KEPT,)]


def test_what_is_compared():
    assert text_key("A dog, barking!") == text_key("a DOG barking") != text_key("dog a barking")
    assert sound_key({"audio_offset": 1.0, "duration": 2}, "h") != sound_key({"audio_offset": 3.0, "duration": 2}, "h")
    assert sound_key({"audio_offset": None}, "h") == "h" and sound_key({"audio_offset": 1.0}, "") == ""


def test_an_earlier_verdict_stands_unless_its_limit_is_set_anew():
    a_row = row(scored("one", 0.4, kept=False, reason="score: 0.4 < 0.45"), scored("two", 0.5, kept=True, reason=""))
    assert [v.reason for v in judge_again(a_row, FilterConfig(min_words=1))] == ["score: 0.4 < 0.45", ""]
    assert [v.kept for v in judge_again(a_row, FilterConfig(clap_threshold=0.35))] == [True, True]
    assert [v.kept for v in judge_again(a_row, FilterConfig(), ["score"])] == [True, True]


@pytest.mark.parametrize("reason", ["unreadable: corrupt", "", None])
def test_reasons_that_no_limit_decides_always_stand(reason):
    a_row = row({"text": "rain", "score": 0.9, "kept": False, "reason": reason})
    verdict = judge_again(a_row, FilterConfig(clap_threshold=0.1, keep_best=1))[0]
    assert verdict == Verdict(False, reason or "dropped before")


def test_the_best_are_chosen_among_those_that_are_still_in():
    a_row = row(scored("a song", 0.9, kept=False, reason="keyword: song"), scored("rain", 0.5), scored("hail", 0.4))
    assert [v.code for v in judge_again(a_row, FilterConfig(keep_best=1))] == ["keyword", "", "rank"]
