"""`aj filter` from lists on disk to lists on disk."""

from __future__ import annotations

import json
import logging
import sys
import tracemalloc
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from audiojourney.captions.filters import FilterConfig
from audiojourney.data.manifest import read_clips
from audiojourney.data.write import save_audio
from audiojourney.errors import AudioJourneyError, ClipError, MissingError, UsageError
from audiojourney.recipes.filter import run as recipe
from audiojourney.recipes.filter.config import FilterRunConfig, preset
from audiojourney.recipes.filter.rows import find, read
from audiojourney.recipes.filter.scores import scored
from audiojourney.recipes.filter.sweep import Sweep

TAU = FilterConfig(clap_threshold=0.45)


def row(number, *scores, text="rain", **fields):
    captions = [
        {"text": f"{text} {index}", "source": "x", "score": score, "score_name": "clap_pocket"}
        for index, score in enumerate(scores)
    ]
    checks = {"rms_db": -20.0, "duration_s": 2.0}
    return {"id": f"c{number}", "file_name": f"c{number}.wav", "captions": captions, "checks": checks, **fields}


def write(path: Path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return path


def lines(path: Path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def data(tmp_path):
    write(tmp_path / "data" / "captions.jsonl", [row(0, 0.5, 0.3), row(1, 0.2), row(2, 0.46, 0.9), row(3)])
    return tmp_path / "data"


def test_each_caption_is_in_one_of_the_two_lists(data):
    dropped = data / "dropped.jsonl"
    report = recipe.run(FilterRunConfig(inputs=(data,), dropped=dropped, rules=TAU))
    kept = lines(report.output)
    assert report.output == data / "filtered.jsonl"
    assert [(r["id"], r["text"], [c["score"] for c in r["captions"]]) for r in kept] == [
        ("c0", "rain 0", [0.5]),
        ("c2", "rain 0", [0.46, 0.9]),
    ]
    assert [(r["id"], r["reason"]) for r in lines(dropped)] == [
        ("c0", "score: 0.3 < 0.45"),
        ("c1", "score: 0.2 < 0.45"),
        ("c3", "no_caption"),
    ]
    assert [caption.text for caption in read_clips(report.output)[1].captions] == ["rain 0", "rain 1"]
    assert report.counts["seen"] == {"clips": 4, "captions": 5, "hours": round(8 / 3600, 6)}
    assert report.counts["kept"] == {"clips": 2, "captions": 3, "hours": round(4 / 3600, 6)}
    assert {code: amount["clips"] for code, amount in report.counts["dropped_clips"].items()} == {
        "score": 1,
        "no_caption": 1,
    }
    assert report.counts["rejection_rate"] == 0.5 and report.counts["mean_score"] == round((0.5 + 0.46 + 0.9) / 3, 6)


def test_the_same_again_does_nothing_and_another_way_is_refused(data):
    config = FilterRunConfig(inputs=(data,), rules=TAU)
    first = recipe.run(config)
    before = first.output.stat().st_mtime_ns
    again = recipe.run(config)
    assert again.again and again.counts == first.counts and first.output.stat().st_mtime_ns == before
    other = FilterRunConfig(inputs=(data,), rules=FilterConfig(clap_threshold=0.35))
    with pytest.raises(UsageError, match=r"clap_threshold was 0.45 and is 0.35.*--force"):
        recipe.run(other)
    assert recipe.run(FilterRunConfig(inputs=(data,), rules=other.rules, force=True)).counts["kept"]["clips"] == 2
    write(data / "captions.jsonl", [row(0, 0.9)])
    with pytest.raises(UsageError, match="inputs have changed"):
        recipe.run(other)


def test_a_list_of_unknown_origin_is_not_replaced(data):
    config = FilterRunConfig(inputs=(data,), rules=TAU)
    output = recipe.run(config).output
    with output.open("a", encoding="utf-8") as file:
        file.write("{}\n")
    with pytest.raises(UsageError, match="not known how"):
        recipe.run(config)


def test_a_run_that_fails_at_the_end_leaves_what_was_there(data, monkeypatch):
    config = FilterRunConfig(inputs=(data,), rules=TAU)
    output = recipe.run(config).output
    before = output.read_bytes()
    monkeypatch.setattr("audiojourney.files._flush", lambda path: (_ for _ in ()).throw(OSError(28, "full")))
    other = FilterRunConfig(inputs=(data,), force=True)
    with pytest.raises(AudioJourneyError, match="no space"):
        recipe.run(other)
    assert output.read_bytes() == before


def test_errors_of_others_are_left_alone(data):
    (data / "errors.jsonl").write_text("theirs\n", encoding="utf-8")
    with (data / "captions.jsonl").open("a", encoding="utf-8") as file:
        file.write("nonsense\n")
    config = FilterRunConfig(inputs=(data,), rules=TAU)
    own = recipe.run(config).errors_path
    assert own.name == "filtered.errors.jsonl" and recipe.run(config).errors_path == own
    write(data / "captions.jsonl", [row(0, 0.5)])
    assert recipe.run(FilterRunConfig(inputs=(data,), rules=TAU, force=True)).errors_path is None
    assert not own.exists() and (data / "errors.jsonl").read_text(encoding="utf-8") == "theirs\n"


def test_presets_are_the_published_subsets(tmp_path):
    from audiojourney import config

    rows = [row(i, score, checks={"duration_s": length}) for i, (score, length) in enumerate([(0.1, 9), (0.4, 4.9)])]
    rows += [row(i + 2, score, checks={"duration_s": 5}) for i, score in enumerate([0.4, 0.5, 0.09])]
    source = write(tmp_path / "xl.jsonl", rows)
    kept = {}
    for name in ("autorecap-xl", "autorecap-mq", "autorecap-mq-l", "autorecap-hq"):
        flags = {"inputs": [str(source)], "output": str(tmp_path / f"{name}.jsonl")}
        report = recipe.run(config.resolve(FilterRunConfig, "filter", flags=flags, preset=preset(name)))
        kept[name] = [r["id"] for r in lines(report.output)]
    assert kept == {
        "autorecap-xl": ["c0", "c1", "c2", "c3"],
        "autorecap-mq": ["c1", "c2", "c3"],
        "autorecap-mq-l": ["c2", "c3"],
        "autorecap-hq": ["c3"],
    }
    with pytest.raises(UsageError, match="'autorecap-hq'"):
        preset("autorecap-hp")


def test_the_lists_of_autorecap_xl_are_read_as_they_are_published(tmp_path):
    def part(start, end, score):
        return {"start": start, "end": end, "text": "wind", "CLAP_SIM": score}

    videos = [
        {"a": {"intervals": [part(0, 10, 0.45), part(20.0, 24.5, 0.6)]}},
        {"b": {"intervals": [part(0.1, 5.1, 0.4), part(5, 15, None), part(3, 1, 0.9)]}, "c": 3},
    ]
    source = tmp_path / "xl.json"
    source.write_text("".join(json.dumps(video) + ",\n" for video in videos) + "broken\n", encoding="utf-8")
    report = recipe.run(FilterRunConfig(inputs=(source,), rules=FilterConfig(clap_threshold=0.4, min_duration_s=5)))
    assert [(r["id"], r["file_name"], r["text"]) for r in lines(report.output)] == [
        ("autorecap/a/0", "a_000.wav", "wind"),
        ("autorecap/b/100", "b_000.wav", "wind"),
    ]
    assert [clip.captions[0].score for clip in read_clips(report.output)] == [0.45, 0.4]
    assert {code: amount["clips"] for code, amount in report.counts["dropped_clips"].items()} == {
        "no_score": 1,
        "short": 1,
    }
    assert report.errors == 3 and report.counts["score_names"] == {"clap_autorecap": 3}


def test_any_manifest_is_read(tmp_path):
    table = tmp_path / "table.csv"
    table.write_text(
        "file_name,caption_1,caption_2,duration\na.wav,a man talks,rain,3\na.wav,wind,,1\n", encoding="utf-8"
    )
    rules = FilterConfig(drop_keywords=("speech",), min_duration_s=0.5)
    report = recipe.run(FilterRunConfig(inputs=(table,), rules=rules))
    kept = lines(report.output)
    assert [(r["file_name"], r["text"], len(r["captions"])) for r in kept] == [
        ("a.wav", "rain", 1),
        ("a.wav", "wind", 1),
    ]
    assert [clip.text for clip in read_clips(report.output)] == ["rain", "wind"]


def test_a_folder_of_sounds_with_texts_beside_them(tmp_path):
    (tmp_path / "data" / "dogs").mkdir(parents=True)
    for name in ("x", "y"):
        (tmp_path / "data" / "dogs" / f"{name}.wav").touch()
    (tmp_path / "data" / "dogs" / "x.txt").write_text("a dog\na man talks\n", encoding="utf-8")
    config = FilterRunConfig(inputs=(tmp_path / "data",), rules=FilterConfig(drop_keywords=("speech",)))
    (kept,) = lines(recipe.run(config).output)
    assert (kept["file_name"], kept["text"]) == ("dogs/x.wav", "a dog")
    assert recipe.run(config).again


def test_file_names_lead_to_the_sound_from_wherever_the_list_lies(data, tmp_path):
    output = tmp_path / "lists" / "kept.jsonl"
    recipe.run(FilterRunConfig(inputs=(data,), output=output, rules=TAU))
    assert lines(output)[0]["file_name"] == "../data/c0.wav"
    assert read_clips(output)[0].path.resolve() == (data / "c0.wav").resolve()


def test_several_lists_become_one(data, tmp_path):
    other = write(tmp_path / "more" / "list.jsonl", [row(9, 0.8)])
    report = recipe.run(FilterRunConfig(inputs=(data, other), rules=TAU))
    assert [r["file_name"] for r in lines(report.output)] == ["c0.wav", "c2.wav", "../more/c9.wav"]


def test_bad_rows_are_named_and_the_others_done(data, caplog):
    with (data / "captions.jsonl").open("ab") as file:
        file.write(
            b'[1]\n{"id": "x"}\n{"file_name": "c", "checks": 3}\n{"file_name": "c", "captions": [7]}\nnot json\n{"cut'
        )
    with caplog.at_level(logging.WARNING):
        report = recipe.run(FilterRunConfig(inputs=(data,), rules=TAU))
    assert report.errors == 5 and report.counts["kept"]["clips"] == 2
    assert [error["line"] for error in lines(report.errors_path)] == [5, 6, 7, 8, 9]
    assert "line 10" in caplog.text


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ({"clap_threshold": 0.4}, r"no scores.*\(3 clips\).*aj recaption.*--score"),
        ({"entailment_threshold": 0.4}, "entailment"),
        ({"min_duration_s": 1}, "how long"),
    ],
)
def test_a_limit_on_what_was_never_measured_is_told(tmp_path, rules, told):
    source = write(tmp_path / "list.jsonl", [row(i, None, checks={}) for i in range(3)])
    with pytest.raises(MissingError, match=told):
        recipe.run(FilterRunConfig(inputs=(source,), rules=FilterConfig(**rules)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["list.jsonl"]
    kept = FilterRunConfig(inputs=(source,), rules=FilterConfig(**rules, unscored="keep"))
    assert recipe.run(kept).counts["kept"]["clips"] == 3


def test_it_is_told_early_in_long_lists(tmp_path, monkeypatch):
    monkeypatch.setattr("audiojourney.recipes.filter.tally.PROBE_CLIPS", 5)
    source = write(tmp_path / "list.jsonl", [row(i, None) for i in range(50)])
    with pytest.raises(MissingError, match=r"\(5 clips\)"):
        recipe.run(FilterRunConfig(inputs=(source,), rules=TAU))


def test_without_captions_there_is_nothing_to_filter(tmp_path):
    write(tmp_path / "data" / "metadata.jsonl", [{"file_name": "a.wav"}])
    with pytest.raises(MissingError, match=r"no captions.*aj recaption"):
        recipe.run(FilterRunConfig(inputs=(tmp_path / "data",)))
    with pytest.raises(MissingError, match="absent"):
        recipe.run(FilterRunConfig(inputs=(tmp_path / "absent",)))


def test_inputs_are_never_overwritten(data):
    for fields in ({"output": data / "captions.jsonl"}, {"output": data}, {"dropped": data / "filtered.jsonl"}):
        with pytest.raises(UsageError):
            recipe.run(FilterRunConfig(inputs=(data,), force=True, **fields))


def test_repeated_sounds_are_found_by_their_bytes(tmp_path):
    for number, value in enumerate((0.1, 0.2, 0.1)):
        save_audio(tmp_path / f"c{number}.wav", np.full(2000, value), 16_000)
    source = write(tmp_path / "list.jsonl", [row(i, 0.5) for i in range(4)])
    report = recipe.run(FilterRunConfig(inputs=(source,), rules=FilterConfig(dedupe="audio")))
    assert [r["id"] for r in lines(report.output)] == ["c0", "c1", "c3"]
    assert lines(report.errors_path)[0]["id"] == "c3"


def test_memory_does_not_grow_with_the_list(tmp_path):
    peaks = []
    for count in (300, 3000):
        source = write(tmp_path / f"{count}.jsonl", (row(i, 0.5, text=f"rain number {i}") for i in range(count)))
        config = FilterRunConfig(
            inputs=(source,), output=tmp_path / f"o{count}.jsonl", rules=FilterConfig(dedupe="text")
        )
        tracemalloc.start()
        recipe.run(config)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0] + 200_000


class Loudness:
    """A scorer that gives each text the mean level of the wave."""

    name, model, sample_rate_hz = "clap_mock", "mock@1", 8000

    def __init__(self):
        self.batches = []

    def score(self, waves, texts):
        self.batches.append(len(waves))
        return [[float(np.abs(wave).mean())] * len(row) for wave, row in zip(waves, texts, strict=True)]


@pytest.fixture
def sounds(tmp_path):
    for number in range(4):
        save_audio(tmp_path / f"c{number}.wav", np.full(1600, 0.1 * (number + 1)), 8000)
    (tmp_path / "c2.wav").write_bytes(b"no sound")
    return tmp_path


def test_missing_scores_are_measured(sounds, monkeypatch):
    rows = [row(0, None, None), row(1, 0.9), row(2, None), row(3, None, 0.7)]
    source = write(sounds / "list.jsonl", rows)
    scorer = Loudness()
    loader = SimpleNamespace(load_scorer=lambda *_: scorer)
    monkeypatch.setitem(sys.modules, "audiojourney.models.clap.load", loader)
    config = FilterRunConfig(inputs=(source,), score=True, batch=3, rules=FilterConfig(clap_threshold=0.3))
    report = recipe.run(FilterRunConfig(**{**vars(config), "dropped": sounds / "dropped.jsonl"}))
    kept = {r["id"]: [(c["score"], c["score_name"]) for c in r["captions"]] for r in lines(report.output)}
    assert kept == {
        "c1": [(0.9, "clap_pocket")],
        "c3": [(pytest.approx(0.4, abs=1e-3), "clap_mock"), (0.7, "clap_pocket")],
    }
    assert scorer.batches == [1, 1]
    dropped = {r["id"]: r["reason"].partition(":")[0] for r in lines(sounds / "dropped.jsonl")}
    assert dropped == {"c0": "score", "c2": "unreadable"}
    assert [(e["id"], e["code"]) for e in lines(report.errors_path)] == [("c2", "not_audio")]
    assert report.counts["score_names"] == {"clap_mock": 3, "clap_pocket": 2}


def test_rows_stay_in_their_order_whatever_the_batch(sounds):
    rows = [row(i % 4, None if i % 3 else 0.5) for i in range(10)]
    faults: list[ClipError] = []
    runs = [
        list(scored(iter(rows), sounds, Loudness(), batch, lambda _, error: faults.append(error)))
        for batch in (1, 4, 99)
    ]
    assert runs[0] == runs[1] == runs[2] and [r["id"] for r in runs[0]] == [r["id"] for r in rows]
    assert len(faults) == 3 * sum(r["id"] == "c2" and r["captions"][0]["score"] is None for r in rows)


def test_a_sweep_agrees_with_filtering_at_each_threshold(tmp_path):
    scores = np.random.default_rng(0).uniform(0, 1, (60, 2)).round(2)
    rows = [row(i, *map(float, pair), text=f"rain {i} no") for i, pair in enumerate(scores)]
    rows[0]["captions"][0] |= {"kept": False, "reason": "keyword: x", "score": 0.99}
    rows[1]["captions"][0] |= {"kept": False, "reason": "score: x", "score": 0.98}
    source = write(tmp_path / "list.jsonl", rows)
    taus = (0.5, 0.35, 0.99)
    report = recipe.run(FilterRunConfig(inputs=(source,), sweep=taus, rules=TAU))
    assert report.output is None and sorted(path.name for path in tmp_path.iterdir()) == ["list.jsonl"]
    assert [level["threshold"] for level in report.sweep] == sorted(taus)
    for level in report.sweep:
        rules = FilterConfig(clap_threshold=level["threshold"])
        alone = recipe.run(FilterRunConfig(inputs=(source,), rules=rules, output=tmp_path / "o.jsonl", force=True))
        assert {key: level[key] for key in ("clips", "captions", "hours")} == alone.counts["kept"]
        assert level["mean_score"] == pytest.approx(alone.counts["mean_score"] or 0) or not level["clips"]
        above = sorted(c["score"] for r in lines(tmp_path / "o.jsonl") for c in r["captions"])
        assert [example["score"] for example in level["examples"]] == above[:3]


def test_examples_show_each_text_once():
    sweep = Sweep((0.1,))
    for number, (text, score) in enumerate([("a", 0.5), ("a", 0.4), ("b", 0.3), ("c", 0.6), ("d", 0.2), ("d", 0.25)]):
        a_row = {"id": str(number), "captions": [{"text": text, "score": score}]}
        sweep.add(a_row, recipe.judge_again(a_row, FilterConfig()))
    assert [(e.text, e.score) for e in sweep.levels[0].examples] == [("d", 0.2), ("b", 0.3), ("a", 0.4)]


def test_the_list_of_a_folder_is_its_captions(tmp_path):
    write(tmp_path / "metadata.jsonl", [])
    assert find(tmp_path).path.name == "metadata.jsonl"
    write(tmp_path / "captions.jsonl", [])
    assert find(tmp_path).path.name == "captions.jsonl"


def test_a_row_whose_text_is_no_caption_of_it_gains_one(tmp_path):
    source = write(tmp_path / "l.jsonl", [row(0, 0.5, text="rain") | {"text": "said by a person"}])
    (found,) = read(find(source), print)
    assert [caption["text"] for caption in found["captions"]] == ["said by a person", "rain 0"]


@pytest.mark.parametrize(
    "fields", [{"inputs": ()}, {"batch": 0}, {"sweep": (2.0,)}, {"sweep": (0.1,), "output": Path("x.jsonl")}]
)
def test_settings_that_cannot_be_meant(fields):
    with pytest.raises(UsageError):
        FilterRunConfig(**fields)


def test_a_list_of_others_is_not_replaced_by_what_is_dropped(data):
    dropped = data / "dropped.jsonl"
    dropped.write_text("mine\n", encoding="utf-8")
    config = FilterRunConfig(inputs=(data,), dropped=dropped, rules=TAU)
    with pytest.raises(UsageError, match=r"dropped\.jsonl is there.*--force"):
        recipe.run(config)
    assert dropped.read_text(encoding="utf-8") == "mine\n" and not (data / "filtered.jsonl").exists()
    dropped.unlink()
    first = recipe.run(config)
    again = recipe.run(config)
    assert again.again and again.counts == first.counts and "dropped_sha256" not in again.counts
    dropped.unlink()
    assert not recipe.run(config).again and len(lines(dropped)) == 3
    dropped.write_text("mine\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"dropped\.jsonl"):
        recipe.run(config)
    recipe.run(FilterRunConfig(**{**vars(config), "force": True}))
    assert len(lines(dropped)) == 3


def test_what_is_dropped_is_asked_for_later(data):
    recipe.run(FilterRunConfig(inputs=(data,), rules=TAU))
    later = FilterRunConfig(inputs=(data,), rules=TAU, dropped=data / "d.jsonl")
    assert not recipe.run(later).again and len(lines(data / "d.jsonl")) == 3
    assert recipe.run(later).again


def test_a_rehearsal_counts_and_writes_nothing(data):
    with (data / "captions.jsonl").open("a", encoding="utf-8") as file:
        file.write("nonsense\n")
    rehearsed = recipe.run(FilterRunConfig(inputs=(data,), rules=TAU, dropped=data / "d.jsonl", dry_run=True))
    assert sorted(path.name for path in data.iterdir()) == ["captions.jsonl"]
    done = recipe.run(FilterRunConfig(inputs=(data,), rules=TAU))
    assert (rehearsed.counts, rehearsed.errors) == (done.counts, 1) and rehearsed.output is None


def test_clips_of_which_scores_cannot_be_told_keep_their_place_among_the_dropped(sounds, monkeypatch):
    monkeypatch.setitem(
        sys.modules, "audiojourney.models.clap.load", SimpleNamespace(load_scorer=lambda *_: Loudness())
    )
    rows = [row(2, None), {**row(1, None), "start": "soon"}, row(0, None)]
    source = write(sounds / "list.jsonl", rows)
    report = recipe.run(FilterRunConfig(inputs=(source,), score=True, dropped=sounds / "d.jsonl"))
    assert [r["id"] for r in lines(report.output)] == ["c0"]
    assert next(r["id"] for r in lines(sounds / "d.jsonl")) == "c2"
    assert report.errors == 2
