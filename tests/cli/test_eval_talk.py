"""What `aj eval` says on stderr: each thing once, and sentences that end once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from audiojourney.recipes.study import build
from tests.recipes.eval.sets import write_sounds


def test_what_several_metrics_say_is_said_once(aj, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [("a", "a dog barks"), ("b", ""), ("c", "rain falls")]
    lines = [json.dumps({"id": name, "caption": text}) for name, text in rows]
    Path("ours.jsonl").write_text("\n".join(lines), encoding="utf-8")
    Path("theirs.json").write_text(json.dumps({"a": "a dog", "b": "a cat", "c": "rain"}), encoding="utf-8")
    result = aj("eval", "ours.jsonl", "theirs.json", "--caption")
    assert result.exit_code == 0
    assert result.stderr.count("1 captions hold no word") == 1
    assert "bleu_1, bleu_2, bleu_3, bleu_4, rouge_l, cider_d, vocabulary: 1 captions" in result.stderr


def test_a_reason_that_is_a_sentence_ends_once(aj, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_sounds(tmp_path / "g", count=2, seconds=0.3)
    result = aj("eval", "g", "g", "--metric", "fad_vggish", "--offline")
    assert result.exit_code == 3
    assert result.stderr.rstrip().endswith(".") and not result.stderr.rstrip().endswith("..")
    assert "could not be used" not in result.stderr


@pytest.mark.parametrize(("silent", "told"), [(0, 0), (2, 1)])
def test_a_study_tells_of_silence(aj, tmp_path, monkeypatch, silent, told):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        write_sounds(tmp_path / name, count=3, seconds=0.5)
    write_sounds(tmp_path / "b", count=silent, loud=0.0, seconds=0.5)
    sounds = build.read_sound
    hushed = [Path("b") / f"c0{number}.wav" for number in range(silent)]
    monkeypatch.setattr(build, "read_sound", lambda path: (lambda w, r: (w * (path not in hushed), r))(*sounds(path)))
    result = aj("study", "a", "b", "-o", "s.html")
    assert result.exit_code == 0, result.stderr
    assert result.stderr.count(f"In {silent} of 3 prompts a sound is silent.") == told
