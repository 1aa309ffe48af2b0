"""Prompts from all places, plans of takes, and names that are safe everywhere."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiojourney.errors import AudioJourneyError, UsageError
from audiojourney.recipes import naming
from audiojourney.recipes.generate_config import GenerateConfig
from audiojourney.recipes.prompts import Prompt, gather, read_prompts
from audiojourney.recipes.sound import PEAK, Sound, finish
from audiojourney.recipes.takes import plan


def nothing() -> bytes:
    raise AssertionError("standard input was read")


def test_prompts_keep_their_order(tmp_path):
    (tmp_path / "p.txt").write_text("c\n\n d \n", encoding="utf-8")
    prompts = gather(["a", "-", "z"], tmp_path / "p.txt", lambda: b"b\n")
    assert [prompt.text for prompt in prompts] == ["a", "b", "z", "c", "d"]
    assert [prompt.text for prompt in gather(["x"], None, nothing)] == ["x"]


def test_csv_and_jsonl_carry_settings(tmp_path):
    (tmp_path / "p.csv").write_text('id,caption,seed,other\n7,"rain, hard",3,x\n,wind,,\n', encoding="utf-8")
    assert read_prompts(tmp_path / "p.csv") == [Prompt(text="rain, hard", seed=3, id="7"), Prompt(text="wind")]
    lines = '\ufeff{"prompt": "é", "duration": 2, "negative": "n"}\n"owl"\n'
    (tmp_path / "p.jsonl").write_text(lines, encoding="utf-8")
    assert read_prompts(tmp_path / "p.jsonl") == [Prompt(text="é", duration_s=2.0, negative="n"), Prompt(text="owl")]


@given(st.text())
def test_slugs_are_safe_and_never_empty(text):
    slug = naming.slug(text)
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug)
    assert len(slug) <= 48


@given(st.text(min_size=1))
def test_ids_are_safe_file_names(text):
    name = naming.safe_id(text)
    assert Path(name).name == name
    assert name not in ("", ".", "..")
    assert not set(name) & set('<>:"/\\|?*\0\n')
    assert name.lower() not in ("con", "nul", "prn", "aux", "com1", "lpt9")


def test_slugs_of_what_cannot_be_spelt_differ():
    assert naming.slug("Rain on a tin roof, far away at night") == "rain-on-a-tin-roof-far"
    assert naming.slug("Crème brûlée's crack") == "creme-brulees-crack"
    assert naming.slug("雨") != naming.slug("雪")
    assert naming.slug("雨").startswith("sound-")


@pytest.mark.parametrize(
    ("output", "file"),
    [
        ("x.wav", True),
        ("a/x.FLAC", True),
        ("x.mp3", True),
        ("out", False),
        ("v1.0", False),
        ("x.wav/", False),
        ("-", False),
    ],
)
def test_files_and_folders_are_told_apart(tmp_path, monkeypatch, output, file):
    monkeypatch.chdir(tmp_path)
    assert naming.is_file(output) is file


def test_an_existing_folder_is_a_folder_whatever_its_name(tmp_path):
    (tmp_path / "x.wav").mkdir()
    assert not naming.is_file(str(tmp_path / "x.wav"))


def test_a_free_name_is_free_for_all_its_files(tmp_path):
    assert naming.free(tmp_path / "x.wav") == tmp_path / "x.wav"
    (tmp_path / "x.wav").touch()
    (tmp_path / "x-2.png").touch()
    assert naming.free(tmp_path / "x.wav") == tmp_path / "x-2.wav"
    assert naming.free(tmp_path / "x.wav", [".png"]) == tmp_path / "x-3.wav"


def config(*texts: str, **settings) -> GenerateConfig:
    return GenerateConfig(prompts=tuple(Prompt(text=text) for text in texts), **settings)


@given(st.integers(1, 4), st.integers(1, 4), st.sampled_from(["best", "all"]), st.integers(1, 3), st.integers(0, 2**62))
def test_every_sound_of_a_run_has_a_seed_of_its_own_in_one_row(count, candidates, keep, prompts, seed):
    takes = plan(config(*"abc"[:prompts], count=count, candidates=candidates, keep=keep), seed)
    seeds = [one for take in takes for one in take.seeds]
    assert seeds == list(range(seed, seed + count * candidates * prompts))
    assert len({take.path for take in takes}) == len(takes)
    assert [take.index for take in takes] == list(range(len(takes)))


def test_equal_ids_and_equal_prompts_get_files_of_their_own():
    same = GenerateConfig(prompts=(Prompt(text="a", id="x"), Prompt(text="b", id="x"), Prompt(text="c", id="x-1")))
    assert len({take.path for take in plan(same, 1)}) == 3
    assert len({take.path for take in plan(config("a", "a", count=2), 1)}) == 4


def test_a_prompt_with_its_own_seed_does_not_move_the_others():
    prompts = (Prompt(text="a"), Prompt(text="b", seed=90), Prompt(text="c"))
    assert [take.seeds for take in plan(GenerateConfig(prompts=prompts, count=2), 5)] == [
        (5,), (6,), (90,), (91,), (7,), (8,),
    ]  # fmt: skip


def test_level_is_lowered_and_never_raised():
    loud = finish(np.array([0.5, -4.0], np.float32), 100, 100, 2)
    assert np.abs(loud).max() == pytest.approx(PEAK)
    assert loud[0] / loud[1] == pytest.approx(-1 / 8)
    quiet = np.array([0.01, -0.02], np.float32)
    assert np.array_equal(finish(quiet, 100, 100, 2), quiet)
    assert np.array_equal(finish(np.zeros(4, np.float32), 100, 100, 4), np.zeros(4))


@given(st.integers(1, 400), st.sampled_from([(100, 100), (160, 80), (160, 441)]), st.integers(-1, 1))
def test_length_is_exact(samples, rates, off):
    wanted = max(1, round(samples * rates[1] / rates[0]) + off)
    assert len(finish(np.ones(samples, np.float32) * 0.1, *rates, wanted)) == wanted


def test_what_is_not_finite_is_refused_with_its_count():
    with pytest.raises(AudioJourneyError, match="2 samples that are not finite"):
        finish(np.array([0.0, np.nan, -np.inf], np.float32), 100, 100, 3)


def test_a_sound_saves_itself_with_and_without_its_story(tmp_path):
    from audiojourney.data.write import read_tag

    sound = Sound(np.zeros(160, np.float32), 16_000, {"prompt": "rain"})
    assert sound.duration_s == 0.01
    assert read_tag(sound.save(tmp_path / "a.flac"))["prompt"] == "rain"
    assert read_tag(sound.save(tmp_path / "b.flac", metadata=False)) is None
    with pytest.raises(UsageError, match="'mp3'"):
        sound.save(tmp_path / "c.mp3")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.flac", "b.flac"]
