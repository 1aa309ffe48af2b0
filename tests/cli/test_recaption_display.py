"""What `aj recaption` says at the end, whichever way it ended."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audiojourney.cli._recaption_display import tell
from audiojourney.errors import PartialError
from audiojourney.recipes.recaption.config import RecaptionConfig
from audiojourney.recipes.recaption.report import RecaptionReport, summed
from audiojourney.recipes.recaption.shard import ShardReport
from audiojourney.recipes.recaption.stamp import Counts
from audiojourney.recipes.recaption.step import Spent

OUT = Path("captions.jsonl")
COUNTS = Counts(rows=1999, captions=4000, kept=1500, kept_clips=1200, dropped={"keyword": 500, "score": 2000})


def report(status: str, **fields) -> RecaptionReport:
    told = {"clips": 2000, "done": 2000, "shards": (2, 2), "counts": COUNTS, "identity": {"captioner": "stub@1"}}
    return RecaptionReport(status, OUT, **{**told, **fields})


@pytest.mark.parametrize(
    ("status", "fields", "said"),
    [
        ("written", {}, "2,000 clips: captions by stub@1.\nkept 1,500 of 4,000 captions (1,200 clips); dropped: "),
        ("written", {}, "keyword 500, score 2,000."),
        ("written", {"clips": 1}, "1 clip: captions"),
        ("judged", {}, "no sound was read"),
        ("unchanged", {}, "nothing to do: captions.jsonl has the captions of 1,999 of 2,000 clips."),
        ("waiting", {"shards": (3, 8)}, "5 of 8 shards are left to others"),
        ("incomplete", {"done": 300}, "1,700 of 2,000 clips are left; the same command goes on from there"),
        ("submitted", {}, "handed to the cluster"),
        ("planned", {}, "dry run: 2,000 clips would be captioned into captions.jsonl; nothing was done."),
    ],
)
def test_each_end_has_its_sentence(capsys, status, fields, said):
    tell(report(status, **fields), RecaptionConfig(), False)
    out, err = capsys.readouterr()
    assert said in err
    assert out == (f"{OUT}\n" if status in ("written", "judged", "unchanged") else "")


def test_scores_and_times_are_told_where_there_are_some(capsys):
    counts = Counts(kept=2, captions=2, kept_clips=2, score_sum=1.0, scored=2)
    done = report("written", counts=counts, identity={"captioner": "a", "score_name": "clap_pocket"}, fresh=50)
    from dataclasses import replace

    done = replace(done, wall_s=2.0, spent=Spent(load=1.25, decode=0.01))
    tell(done, RecaptionConfig(clap_threshold=0.45), False)
    err = capsys.readouterr().err
    assert "mean clap_pocket of the kept 0.500, threshold 0.45." in err
    assert "25.0 clips/s in 2.0 s: load 1.2 s.\n" in err


@pytest.mark.parametrize(("allowed", "fails"), [(0, True), (2, True), (3, False)])
def test_failures_are_an_error_unless_they_are_allowed(capsys, allowed, fails):
    done = report("written", counts=Counts(rows=7, errors=3), errors=Path("errors.jsonl"))
    config = RecaptionConfig(allow_errors=allowed)
    if fails:
        with pytest.raises(PartialError, match=r"3 clips failed, named in errors\.jsonl"):
            tell(done, config, False)
    else:
        tell(done, config, False)


def test_json_has_plain_numbers_and_null_for_what_is_not_known(capsys):
    tell(report("planned", counts=Counts()), RecaptionConfig(), True)
    told = json.loads(capsys.readouterr().out)
    assert (told["mean_score"], told["clips_per_s"], told["errors_file"]) == (None, None, None)
    assert not {"score_sum", "scored"} & set(told) and told["shards_done"] == 2


def test_times_of_shards_are_summed():
    reports = [ShardReport(n, "done", 1, 0, 1, Spent(decode=n, score=0.5)) for n in range(3)]
    assert summed(reports) == Spent(decode=3.0, score=1.5)
    assert summed([]) == Spent()
