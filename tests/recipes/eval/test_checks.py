"""What is told of the two sides: every sentence with its counts, and nothing where nothing is odd."""

from __future__ import annotations

from pathlib import Path

import pytest

from audiojourney.data.clip import Clip
from audiojourney.errors import ClipError
from audiojourney.recipes.eval.checks import Census, notes, rate_warnings, warnings
from audiojourney.recipes.eval.listen import Facts, Listened

RATE_HZ = 16_000


def listened(name, rate=RATE_HZ, channels=1, seconds=3.0, peak=0.5, fault=None, offset=None, sha256=None, short=()):
    clip = Clip(path=Path(f"{name}.wav"), id=name, offset_s=offset, duration_s=None if offset is None else 1.0)
    facts = None if fault else Facts(rate, channels, seconds, peak)
    error = ClipError(fault, "it is odd.", f"{name}.wav") if fault else None
    return Listened(clip, facts=facts, sha256=sha256 or f"hash of {name}", fault=error, short=short)


def census(side, *clips):
    found = Census(side)
    for clip in clips:
        found.count(clip)
    return found


def many(side, count=6, **options):
    return census(side, *(listened(f"{side[0]}{number}", **options) for number in range(count)))


def test_like_sides_leave_nothing_to_say():
    assert warnings(many("generated"), many("reference"), RATE_HZ) == []
    assert warnings(many("generated"), None, RATE_HZ) == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"rate": 8000}, "6 of 6 generated files have a sample rate below the 16000 Hz"),
        ({"rate": 44_100}, "sample rates differ: generated files at 44100 Hz and reference files at 16000 Hz"),
        ({"peak": 0.0005}, "6 of 6 generated clips are silent: 'g0', 'g1', 'g2', 'g3', 'g4' and 1 more"),
        ({"short": ("vggish",)}, "6 generated clips are shorter than vggish needs and were padded: 'g0'"),
        ({"sha256": "same"}, "5 generated files are copies of others on that side: 'g1', 'g2', 'g3', 'g4', 'g5'"),
        ({"count": 5}, "5 generated and 6 reference clips: distances depend on both numbers"),
        ({"seconds": 3.2}, "generated clips last 3.20 s and reference clips 3.00 s at the median"),
    ],
)
def test_each_oddity_has_its_sentence(options, told):
    found = warnings(many("generated", **options), many("reference"), RATE_HZ)
    assert len([text for text in found if text.startswith(told)]) == 1, found
    assert len(found) == (2 if options.get("rate") == 8000 else 1)


def test_lengths_that_differ_by_less_than_a_twentieth_are_alike():
    assert warnings(many("generated", seconds=3.14), many("reference"), RATE_HZ) == []


def test_files_that_cannot_be_used_are_counted_by_reason():
    faults = [listened("bad1", fault="not_audio"), listened("bad2", fault="non_finite")]
    side = census("generated", listened("g0"), *faults, listened("bad3", fault="non_finite"))
    assert side.used == 1 and len(side.failed) == 3
    assert warnings(side, None, RATE_HZ) == [
        "3 generated files could not be used (non_finite (2), not_audio (1)) and were left out: 'bad1', 'bad2', 'bad3'"
    ]


def test_a_side_of_which_nothing_is_left_is_not_compared():
    told = warnings(census("generated", listened("bad", fault="corrupt")), many("reference"), RATE_HZ)
    assert len(told) == 1 and told[0].startswith("1 generated files could not be used (corrupt)")


def test_copies_across_the_sides_are_named_in_order():
    clips = [listened(f"g{number}", sha256=f"hash {number}") for number in range(7)]
    told = warnings(census("generated", *reversed(clips)), census("reference", *clips), RATE_HZ)
    assert told == ["7 generated files are copies of reference files: 'g0', 'g1', 'g2', 'g3', 'g4' and 2 more"]


def test_parts_of_one_file_are_no_copies():
    parts = [listened(f"p{start}", sha256="one file", offset=float(start)) for start in range(3)]
    assert census("generated", *parts).twice == []
    assert census("generated", *parts, listened("again", sha256="one file", offset=1.0)).twice == ["again"]


def test_channels_are_told_only_where_they_are_mixed():
    stereo = many("generated", channels=2)
    assert warnings(stereo, many("reference", channels=2), RATE_HZ) == []
    mixed = census("generated", listened("a"), listened("b", channels=2), listened("c", channels=2))
    assert warnings(mixed, None, RATE_HZ) == ["generated files have 2 (2), 1 (1) channels; several become one"]


def test_rates_below_a_network_count_on_both_sides():
    told = rate_warnings([many("generated", rate=8000), many("reference", rate=8000)], RATE_HZ)
    assert [text.split(" have")[0] for text in told] == ["6 of 6 generated files", "6 of 6 reference files"]
    assert rate_warnings([many("generated", rate=8000)], 8000) == []


def test_notes_of_a_clip():
    assert notes(listened("a")) == ()
    assert notes(listened("a", peak=0.0, short=("vggish", "panns"))) == (
        "silent",
        "too short for vggish",
        "too short for panns",
    )
    assert notes(listened("a", fault="non_finite")) == ("non_finite: it is odd.",)
