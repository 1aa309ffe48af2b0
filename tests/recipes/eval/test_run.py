"""Evaluations of whole folders: values, names, fallbacks, and what is told of odd inputs."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from audiojourney import hub
from audiojourney.errors import ClipError, MissingError, UsageError
from audiojourney.metrics.frechet import frechet_distance
from audiojourney.models.clap.scorer import ClapOptions, EmbeddingScorer
from audiojourney.recipes.eval import listen, plan
from audiojourney.recipes.eval import run as recipe
from audiojourney.recipes.eval.networks import Network, ScorerEmbedder, open_network
from audiojourney.recipes.eval.result import read_result
from audiojourney.recipes.eval.settings import EvalConfig
from tests.recipes.eval.sets import RATE_HZ, wave, write_manifest, write_sounds

POCKET = ("pocket",)
FAST = EvalConfig(embedding=POCKET, draws=4)


def measure(**options):
    """Run with the shipped network alone; returns the report and the warnings."""
    told = []
    report = recipe.run(
        replace(FAST, **options), lambda event: told.append(event.text) if isinstance(event, recipe.Warned) else None
    )
    text = json.dumps(report.result.table(), allow_nan=False)
    assert "NaN" not in text
    assert list(report.result.warnings) == told
    return report, told


def value(report, name):
    return report.result.metric(name).value


def embeddings(folder: Path, part: str) -> np.ndarray:
    network = open_network("pocket")
    waves = [soundfile.read(path, dtype="float32")[0] for path in sorted(folder.glob("*.wav"))]
    return np.concatenate([np.atleast_2d(getattr(heard, part)) for heard in network.embedder.embed(waves)])


def test_values_are_those_of_the_functions(folders):
    report, told = measure()
    assert told == []
    names = [row.name for row in report.result.metrics if row.name != "clap_laion"]
    assert names[:5] == ["fad_pocket", "fd_pocket", "is_pocket", "kl_pocket", "kl_sigmoid_pocket"]
    assert not {"fad", "fd", "kl"} & set(names)
    for name, part in (("fad_pocket", "rows"), ("fd_pocket", "whole")):
        sides = [embeddings(folders / side, part) for side in ("reference", "generated")]
        assert value(report, name) == pytest.approx(frechet_distance(*sides), rel=1e-6)
    row = report.result.metric("fd_pocket")
    assert row.n == (12, 12)
    assert row.low <= row.value <= row.high
    assert (row.network, len(row.weights_hash), row.better) == ("pocket/listener", 64, "lower")
    assert row.convention["convention"] == "ours"
    first = report.result.files[0]
    assert (first.id, first.generated, first.reference) == ("c00.wav", "generated/c00.wav", "reference/c00.wav")
    assert first.scores["kl_pocket"] > 0
    assert np.mean([file.scores["kl_pocket"] for file in report.result.files]) == pytest.approx(
        value(report, "kl_pocket")
    )
    assert report.missing == () and report.unmet == () and report.failed == 0


def test_a_set_against_itself(folders):
    report, told = measure(generated="reference", reference="reference", metrics=("fad", "fd", "kl", "prdc"))
    assert value(report, "fad_pocket") == value(report, "fd_pocket") == 0
    assert value(report, "precision_pocket") == value(report, "coverage_pocket") == 1
    assert any("12 generated files are copies of reference files" in text for text in told)


def test_standard_networks_fall_back_visibly(folders, monkeypatch):
    monkeypatch.setenv("AJ_OFFLINE", "1")
    report, told = measure(embedding=(), metrics=("fad", "fd"))
    assert [row.name for row in report.result.metrics] == ["fad_pocket", "fd_pocket"]
    assert report.missing == ()
    assert len(told) == 2
    assert "vggish-10086976.pth" in told[0] and "as fad_pocket" in told[0]
    assert "Cnn14_16k_mAP=0.438.pth" in told[1] and "as fd_pocket" in told[1]


def test_a_full_name_has_no_stand_in(folders, monkeypatch):
    monkeypatch.setenv("AJ_OFFLINE", "1")
    report, _ = measure(embedding=(), metrics=("fad_vggish", "kl_reverse_pocket"))
    assert report.result.metric("fad_vggish").value is None
    assert "vggish-10086976.pth" in report.result.metric("fad_vggish").reason
    assert value(report, "kl_reverse_pocket") > 0
    assert len(report.missing) == 1 and report.missing[0].startswith("fad_vggish")
    with pytest.raises(MissingError, match="vggish-10086976"):
        measure(embedding=("vggish",), metrics=("fad",))


def test_files_are_not_blamed_when_nothing_can_listen(folders, monkeypatch):
    monkeypatch.setenv("AJ_OFFLINE", "1")
    report, told = measure(embedding=(), metrics=("fad_vggish",))
    assert (told, report.failed) == ([], 0)
    assert [row.notes for row in report.result.files] == [()] * 12
    assert len(report.missing) == 1


@pytest.mark.parametrize("given", ("generated", "reference"))
def test_missing_conventional_folders(folders, given):
    for path in (folders / given).iterdir():
        path.unlink()
    (folders / given).rmdir()
    with pytest.raises(MissingError, match=f"There is no folder '{given}'"):
        measure()


def test_names_that_are_nothing(folders):
    (folders / "empty").mkdir()
    with pytest.raises(MissingError, match="no sounds in 'empty'"):
        measure(generated="empty", reference="reference")
    with pytest.raises(MissingError, match="no folder 'genrated' to be measured, and no model"):
        measure(generated="genrated", reference="reference")
    with pytest.raises(MissingError, match="no data at genrated"):
        measure(generated="genrated/", reference="reference")
    with pytest.raises(MissingError, match="no data at no"):
        measure(generated="generated", reference="no/where")
    with pytest.raises(UsageError, match="Did you mean 'fad'"):
        measure(metrics=("fadd",))
    with pytest.raises(UsageError, match="no convention 'aldm'"):
        measure(convention="aldm")


def test_unreadable_nan_and_silent_files_are_counted(folders):
    generated = folders / "generated"
    (generated / "c00.wav").write_bytes(b"no sound at all")
    soundfile.write(generated / "c01.wav", np.full(48_000, np.nan, np.float32), RATE_HZ, "FLOAT")
    soundfile.write(generated / "c02.wav", np.zeros(48_000, np.float32), RATE_HZ)
    soundfile.write(generated / "c03.wav", wave(3, seconds=0.5), RATE_HZ)
    (generated / "c04.wav").write_bytes(b"")
    report, told = measure()
    text = "\n".join(told)
    assert "3 generated files could not be used" in text
    for reason in ("not_audio", "non_finite", "empty_file", "'c00.wav', 'c01.wav', 'c04.wav'"):
        assert reason in text
    assert "1 of 9 generated clips are silent: 'c02.wav'" in text
    assert "1 generated clips are shorter than pocket needs and were padded: 'c03.wav'" in text
    assert "9 generated and 12 reference clips" in text
    assert report.failed == 3
    assert report.result.metric("fad_pocket").n == (12, 9)
    assert report.result.metric("kl_pocket").n == (9,)
    files = {row.id: row for row in report.result.files}
    assert files["c02.wav"].notes == ("silent",)
    assert files["c00.wav"].scores["kl_pocket"] is None and "not_audio" in files["c00.wav"].notes[0]
    with pytest.raises(ClipError, match=r"c00\.wav"):
        measure(on_error="fail")


def test_silent_sets_are_finite(folders):
    for path in (folders / "generated").glob("*.wav"):
        soundfile.write(path, np.zeros(48_000, np.float32), RATE_HZ)
    report, told = measure()
    assert any("12 of 12 generated clips are silent" in text for text in told)
    assert any("11 generated files are copies of others" in text for text in told)
    assert math.isfinite(value(report, "fad_pocket"))
    assert value(report, "is_pocket") == pytest.approx(1)


def test_rates_lengths_and_channels_are_told(folders):
    write_sounds(folders / "generated", loud=0.1, rate_hz=8000, seconds=2.7)
    stereo = np.stack([wave(3), wave(5)], axis=1)
    soundfile.write(folders / "reference" / "c03.wav", stereo, RATE_HZ)
    report, told = measure(metrics=("fd",))
    text = "\n".join(told)
    assert "12 of 12 generated files have a sample rate below the 16000 Hz" in text
    assert "sample rates differ: generated files at 8000 Hz and reference files at 16000 Hz" in text
    assert "generated clips last 2.70 s and reference clips 3.00 s" in text
    assert "reference files have 1 (11), 2 (1) channels" in text
    assert value(report, "fd_pocket") > 0
    with pytest.raises(UsageError, match="sample rate below"):
        measure(metrics=("fd",), rate_check="error")


def test_one_clip_is_no_set(folders):
    for path in sorted((folders / "generated").glob("*.wav"))[1:]:
        path.unlink()
    report, _ = measure(allow_missing=True)
    for name in ("fad_pocket", "fd_pocket", "is_pocket", "kad_pocket", "recall_pocket", "fad_inf_pocket"):
        row = report.result.metric(name)
        assert row.value is None and "2 clips or more, not 1 on the generated side" in row.reason
    assert value(report, "kl_pocket") > 0
    assert measure(metrics=("fad",))[0].missing[0].startswith("fad_pocket: it needs 2 clips")


def test_ids_that_differ_spare_what_needs_no_pairs(folders):
    (folders / "generated" / "c11.wav").rename(folders / "generated" / "other.wav")
    report, told = measure()
    assert value(report, "fad_pocket") > 0
    reason = report.result.metric("kl_pocket").reason
    assert "1 generated clips have no reference: 'other.wav'" in reason and "--allow-missing" in reason
    assert any("1 reference clips were not generated: 'c11.wav'" in text for text in told)
    report, _ = measure(allow_missing=True, metrics=("kl",))
    assert report.result.metric("kl_pocket").n == (11,)
    write_sounds(folders / "strange", names="x{}")
    report, told = measure(generated="strange", reference="reference")
    assert "no id is on both sides" in report.result.metric("kl_pocket").reason or "no name" in told[-1]


def test_duplicate_ids_are_refused(folders):
    rows = [json.dumps({"file_name": f"c0{number}.wav", "id": "same"}) for number in range(2)]
    (folders / "generated" / "metadata.jsonl").write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(UsageError, match="'same' is already that of line 1"):
        measure()


def test_pairs_by_manifest_by_name_and_by_order(folders):
    write_manifest(folders / "reference", ids="ref/{}")
    report, _ = measure(metrics=("kl",))
    by_name = value(report, "kl_pocket")
    assert report.result.files[3].label == "odd"
    assert report.result.files[3].caption == "tone number 3"
    assert value(measure(metrics=("kl",), pair="order")[0], "kl_pocket") == pytest.approx(by_name)
    assert measure(metrics=("kl",), pair="id")[0].result.metric("kl_pocket").value is None
    assert value(measure(metrics=("kl",), pair="order", limit=5)[0], "kl_pocket") > 0


def test_what_was_heard_is_kept_by_content(folders, monkeypatch):
    calls = []
    original = listen.load
    monkeypatch.setattr(listen, "load", lambda *args, **options: calls.append(args[0]) or original(*args, **options))
    first = measure(metrics=("fad", "kl"))[0]
    assert len(calls) == 24
    again = measure(metrics=("fad", "kl", "is"))[0]
    assert len(calls) == 24, "nothing is decoded again"
    assert value(again, "fad_pocket") == value(first, "fad_pocket")
    (folders / "generated" / "c00.wav").rename(folders / "generated" / "z.wav")
    measure(metrics=("fad",))
    assert len(calls) == 24, "names do not matter"
    soundfile.write(folders / "generated" / "z.wav", wave(77), RATE_HZ)
    changed = measure(metrics=("fad",))[0]
    assert len(calls) == 25
    assert value(changed, "fad_pocket") != value(first, "fad_pocket")
    measure(metrics=("fad",), convention="audioldm_eval")
    assert len(calls) == 49, "another convention hears other sounds"
    measure(metrics=("fad",), cache=False)
    assert len(calls) == 73
    assert not list(folders.rglob("*.zip")), "nothing lies beside the sounds"
    assert list(hub.cache("embeddings").rglob("*.zip"))


def test_workers_and_order_change_no_digit(folders):
    values = {value(measure(metrics=("fad",), workers=workers, cache=False)[0], "fad_pocket") for workers in (1, 2, 5)}
    assert len(values) == 1


def test_an_interrupted_run_keeps_what_it_heard(folders, monkeypatch):
    def stop(event):
        if isinstance(event, recipe.Step) and event.done == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recipe.run(replace(FAST, metrics=("fad",), workers=1), stop)
    calls = []
    original = listen.load
    monkeypatch.setattr(listen, "load", lambda *args, **options: calls.append(args[0]) or original(*args, **options))
    measure(metrics=("fad",))
    assert len(calls) <= 4


def test_statistics_stand_in_for_the_reference(folders):
    whole = measure(metrics=("fad", "fd"))[0]
    saved, _ = measure(generated="reference", save_stats=Path("ref.npz"))
    assert saved.result.metric("fad_pocket").reason == "there is no reference" and saved.missing == ()
    report, _ = measure(generated="generated", reference_stats=Path("ref.npz"))
    for name in ("fad_pocket", "fd_pocket"):
        assert value(report, name) == pytest.approx(value(whole, name), rel=1e-9)
    assert [row.name for row in report.result.metrics if row.value is None and row.name != "clap_laion"] == []
    with pytest.raises(UsageError, match="follow the convention 'ours'"):
        measure(generated="generated", reference_stats=Path("ref.npz"), convention="audioldm_eval")
    Path("odd.npz").write_bytes(b"x")
    with pytest.raises(UsageError, match="holds no statistics"):
        measure(generated="generated", reference_stats=Path("odd.npz"))
    with pytest.raises(MissingError, match="no file of statistics"):
        measure(generated="generated", reference_stats=Path("none.npz"))


def test_results_are_written_read_and_compared(folders):
    measure(metrics=("fad", "kl"), output=Path("first.json"))
    first = read_result(Path("first.json"))
    assert first.metric("fad_pocket").value > 0 and first.settings["convention"] == "ours"
    with pytest.raises(UsageError, match=r"'first.json' exists"):
        measure(output=Path("first.json"))
    same, _ = measure(metrics=("fad", "kl"), compare=Path("first.json"))
    by_name = {row.name: row for row in same.result.differences}
    assert by_name["fad_pocket"].difference == 0 and by_name["fad_pocket"].comparable
    assert (by_name["kl_pocket"].low, by_name["kl_pocket"].high) == (0, 0)
    other, _ = measure(metrics=("fad", "is"), convention="audioldm_eval", limit=11, compare=Path("first.json"))
    by_name = {row.name: row for row in other.result.differences}
    assert "other numbers of clips (12 and 12 then, 11 and 11 now)" in by_name["fad_pocket"].note
    assert "another convention" in by_name["fad_pocket"].note
    assert not by_name["fad_pocket"].comparable
    assert by_name["is_pocket"].note == "not in the earlier result"
    assert by_name["kl_pocket"].note == "only in the earlier result"
    Path("odd.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(UsageError, match="no result of aj eval"):
        measure(compare=Path("odd.json"))


def test_gates(folders):
    report, _ = measure(metrics=("fad",), fail_if=("fad_pocket>1e9", "fad_pocket<1e9", "fd_panns>1"))
    assert len(report.unmet) == 2
    assert report.unmet[0].startswith("fad_pocket is ") and "fd_panns was not measured" in report.unmet[1]
    for wrong in ("fad_pocket", "fad>2", "fad_pocket>x", "nonsense>1", "fad_pocket>1e999"):
        with pytest.raises(UsageError):
            measure(fail_if=(wrong,))


def test_conventions_reach_the_numbers(folders):
    ours, theirs = (measure(metrics=("is", "kl"), convention=name)[0] for name in ("ours", "audioldm_eval"))
    assert theirs.result.metric("is_pocket").convention["splits"] == 10
    assert value(theirs, "is_pocket") < value(ours, "is_pocket")
    write_sounds(folders / "few", count=3)
    report, _ = measure(generated="few", metrics=("is",), convention="audioldm_eval")
    assert "3 clips cannot be cut into 10 splits" in report.result.metric("is_pocket").reason


class Scorer(EmbeddingScorer):
    """Hears loudness and reads the number at the end of a sentence."""

    def __init__(self):
        super().__init__("clap_pocket", "tiny@abc", RATE_HZ, ClapOptions())

    def _hear(self, waves):
        return [np.array([1.0, np.abs(wave).max()], np.float32) for wave in waves]

    def _read(self, texts):
        return np.array([[1.0, float(text.split()[-1])] for text in texts], np.float32)


@pytest.fixture
def scorer(no_scorer, monkeypatch):
    """Put a small CLAP in place of the shipped one."""
    scorer = Scorer()
    network = Network(ScorerEmbedder(scorer), "tiny", "abc", parallel=False, scorer=scorer)
    monkeypatch.setattr(plan, "open_scorer", lambda name, device: network)
    monkeypatch.setenv("AJ_OFFLINE", "1")
    return scorer


def test_clap_by_the_shipped_scorer(folders, scorer):
    write_manifest(folders / "generated")
    report, told = measure(metrics=("clap",))
    row = report.result.metric("clap_pocket")
    expected = [
        float(scorer.embed_audio([soundfile.read(file.generated)[0]])[0] @ scorer.embed_text([file.caption])[0])
        for file in report.result.files
    ]
    assert [file.scores["clap_pocket"] for file in report.result.files] == pytest.approx(expected, abs=1e-5)
    assert row.value == pytest.approx(np.mean(expected), abs=1e-5)
    assert row.low <= row.value <= row.high and row.better == "higher"
    assert (row.network, row.weights_hash, row.n) == ("tiny", "abc", (12,))
    assert "clap_laion" in told[0] and "as clap_pocket" in told[0]


def test_a_clap_and_a_listener_of_one_name_are_kept_apart(folders, scorer):
    write_manifest(folders / "reference")
    measure(generated="reference", save_stats=Path("ref.npz"))
    report, _ = measure(generated="generated", reference_stats=Path("ref.npz"), captions=folders / "reference")
    assert value(report, "fad_pocket") > 0 and value(report, "clap_pocket") is not None
    assert report.result.metric("fad_pocket").network == "pocket/listener"
    assert report.result.metric("clap_pocket").network == "tiny"


def test_captions_for_clap_come_from_a_file_or_partners(folders, scorer):
    report, _ = measure(metrics=("clap",))
    assert "no clip that could be heard has a caption" in report.result.metric("clap_pocket").reason
    assert report.missing
    write_manifest(folders / "reference")
    by_partner = value(measure(metrics=("clap",))[0], "clap_pocket")
    Path("captions.csv").write_text("id,caption\nc00,number 9\nc03.wav,number 8\n", encoding="utf-8")
    report, _ = measure(metrics=("clap",), captions=Path("captions.csv"))
    assert [file.caption for file in report.result.files][:4] == [
        "number 9",
        "tone number 1",
        "tone number 2",
        "number 8",
    ]
    assert value(report, "clap_pocket") != by_partner


def test_captions_without_clip_and_clips_without_caption_are_counted(folders, scorer):
    Path("captions.csv").write_text("id,caption\nc00,number 1\nc01.wav,number 2\nzz,number 3\n", encoding="utf-8")
    report, told = measure(metrics=("clap",), captions=Path("captions.csv"))
    assert "1 of 3 captions are of no clip: 'zz'" in told
    assert any(text.startswith("10 generated clips have no caption and no CLAP score: 'c02.wav'") for text in told)
    assert report.result.metric("clap_pocket").n == (2,)
    _, told = measure(metrics=("fad",), captions=Path("captions.csv"))
    assert not any("CLAP" in text for text in told)


def test_a_zero_embedding_spoils_no_evaluation(folders, scorer, monkeypatch):
    write_manifest(folders / "generated")
    original = type(scorer).embed_audio
    soundfile.write(folders / "generated" / "c00.wav", np.zeros(48_000, np.float32), RATE_HZ)

    def embed(self, waves, *rest):
        found = original(self, waves, *rest)
        return np.stack([row if np.any(wave) else np.zeros_like(row) for row, wave in zip(found, waves, strict=True)])

    monkeypatch.setattr(type(scorer), "embed_audio", embed)
    report, _ = measure(metrics=("clap", "fad"))
    row = report.result.metric("clap_pocket")
    assert row.n == (11,) and row.warnings[0].startswith("1 clips have no CLAP score")
    assert report.result.files[0].scores["clap_pocket"] is None
    for path in (folders / "generated").glob("*.wav"):
        soundfile.write(path, np.zeros(48_000, np.float32), RATE_HZ)
    report, _ = measure(metrics=("clap", "fad"))
    assert report.result.metric("clap_pocket").reason.startswith("12 clips have no CLAP score")
    assert value(report, "fad_pocket") > 0
