"""Settings, the choice of shards, and what makes two runs the same."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiojourney.captions.filters import FilterConfig
from audiojourney.errors import UsageError
from audiojourney.recipes.recaption import models
from audiojourney.recipes.recaption.choice import check_choice, choose
from audiojourney.recipes.recaption.config import RecaptionConfig
from audiojourney.recipes.recaption.keys import clip_seed, settings_that_matter


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"keep": 0}, "--keep is 0"),
        ({"batch": 0}, "--batch is 0"),
        ({"max_error_rate": 1.5}, "--max-error-rate is 1.5"),
        ({"allow_errors": -1}, "--allow-errors is -1"),
        ({"captioner": "pockt"}, "'pocket'"),
        ({"candidates": 2, "keep": 3}, "3 of 2 candidates"),
        ({"clap": "none", "clap_threshold": 0.4}, "0.4 cannot be met"),
        ({"shards": "3/2"}, "'3/2'"),
        ({"shards": "0/2"}, "1/2|2/8"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_value(settings, told):
    with pytest.raises(UsageError, match=told):
        RecaptionConfig(**settings)


def test_limits_gather_what_is_said_in_three_places():
    limits = RecaptionConfig(keep=2, clap_threshold=0.4, drop_keywords=("music",)).limits
    assert (limits.keep_best, limits.clap_threshold, limits.drop_keywords) == (2, 0.4, ("music",))
    assert RecaptionConfig(candidates=5, keep=2).count == 5
    assert RecaptionConfig(keep=2).count == 2


@given(st.integers(1, 40), st.integers(0, 200))
def test_parts_share_all_shards_between_them(parts, count):
    chosen = [choose(f"{part}/{parts}", count) for part in range(1, parts + 1)]
    assert sorted(number for numbers in chosen for number in numbers) == list(range(count))


def test_a_range_names_shards_by_number():
    assert choose("2-4", 10) == [2, 3, 4]
    assert choose("8-12", 10) == [8, 9]
    assert choose(None, 3) == [0, 1, 2]
    check_choice("1/1")


def test_limits_threads_and_batches_do_not_make_another_run():
    base = RecaptionConfig()
    same = replace(base, clap_threshold=0.5, keep=1, workers=3, batch=7, nproc=2, device="cpu", limit=9, force=True)
    assert settings_that_matter(same) == settings_that_matter(base)


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"captioner": "labels"}, {"model": "x/y"}, {"clap": "clap"}, {"candidates": 3}, {"keep": 2}]
)
def test_what_captions_depend_on_makes_another_run(other):
    assert settings_that_matter(replace(RecaptionConfig(), **other)) != settings_that_matter(RecaptionConfig())


def test_weights_in_a_local_folder_count_by_size_and_date(tmp_path):
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"1")
    config = RecaptionConfig(model=str(tmp_path))
    before = settings_that_matter(config)
    weights.write_bytes(b"22")
    assert settings_that_matter(config) != before


@given(st.integers(0, 2**40), st.text(max_size=20))
def test_the_seed_of_a_clip_depends_on_run_and_id(seed, clip_id):
    assert clip_seed(seed, clip_id) == clip_seed(seed, clip_id)
    assert 0 <= clip_seed(seed, clip_id) < 2**31
    assert clip_seed(seed, clip_id) != clip_seed(seed + 1, clip_id)
    assert clip_seed(seed, clip_id) != clip_seed(seed, clip_id + "x")


@pytest.mark.parametrize("limits", [{"keep_best": 2}, {"drop_keywords": ("speech",)}])
def test_a_limit_that_has_a_setting_of_its_own_is_not_left_unused(limits):
    with pytest.raises(UsageError, match=f"filter.{next(iter(limits))}"):
        RecaptionConfig(filter=FilterConfig(**limits))


def test_the_threshold_may_stand_in_either_place_and_the_nearer_one_counts():
    limits = FilterConfig(clap_threshold=0.3, min_words=2)
    assert RecaptionConfig(filter=limits).limits.clap_threshold == 0.3
    assert RecaptionConfig(filter=limits, clap_threshold=0.5).limits.clap_threshold == 0.5
    assert RecaptionConfig(filter=limits).limits.min_words == 2


@pytest.mark.parametrize(
    ("device", "loaded", "cuda", "expected"),
    [
        ("cpu", True, True, False),
        ("cuda:1", False, False, True),
        ("mps", True, False, True),
        ("auto", False, True, False),
        ("auto", True, True, True),
        ("auto", True, False, False),
    ],
)
def test_where_networks_run_is_known_without_loading_torch(monkeypatch, device, loaded, cuda, expected):
    backends = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: False))
    torch = SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: cuda), backends=backends)
    monkeypatch.setitem(sys.modules, "torch", torch if loaded else None)
    assert models._on_gpu(device) is expected


@pytest.mark.parametrize(("said", "threads"), [("3", "3"), ("0", None), ("", None), ("many", None)])
def test_threads_are_bounded_where_that_is_asked_for(monkeypatch, said, threads):
    monkeypatch.setattr(os, "environ", {"AJ_NUM_THREADS": said})
    models._limit_threads()
    assert os.environ.get("OMP_NUM_THREADS") == threads and os.environ["OMP_WAIT_POLICY"] == "PASSIVE"


def test_models_are_loaded_once_for_the_same_settings_and_one_set_at_a_time(monkeypatch):
    made: list[RecaptionConfig] = []
    monkeypatch.setattr(models, "_load", lambda config: made.append(config) or object())
    first = models.load_models(RecaptionConfig())
    assert models.load_models(RecaptionConfig(clap_threshold=0.5, batch=3)) is first
    other = models.load_models(RecaptionConfig(captioner="template"))
    assert other is not first and list(models._loaded.values()) == [other]
    assert models.load_models(RecaptionConfig()) is not first and len(made) == 3
