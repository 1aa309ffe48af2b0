"""Published YAML files: safe, and found wherever their settings stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from audiojourney.errors import MissingError, UsageError
from audiojourney.models.genau.official_yaml import DATASET_IDS, extent, read_settings, read_yaml
from tests.models.official_layout import YAML


def settings_of(tmp_path: Path, text: str):
    path = tmp_path / "settings.yaml"
    path.write_text(text, encoding="utf-8")
    return read_settings(path)


def test_settings_of_a_published_file(tmp_path: Path):
    found = settings_of(tmp_path, YAML)
    assert (found.group, found.dim_head, found.prediction, found.timesteps) == (8, 8, "epsilon", 1000)
    assert (found.beta_start, found.beta_end) == (0.0015, 0.0195)
    assert found.dataset_ids == {"audiocaps": 0, "clotho": 1, "mine": 12}
    assert found.condition_order == ("clap", "t5")
    assert found.fit["input_size"] == [1, 32, 1]  # the anchor was followed


def test_order_of_text_encoders_is_that_of_the_file(tmp_path: Path):
    turned = YAML.replace("film_clap_cond1: {", "film_flan_t5_cond1: {").replace(
        "film_flan_t5_cond2: {", "film_clap_cond2: {"
    )
    assert settings_of(tmp_path, turned).condition_order == ("t5", "clap")


def test_module_tags_are_text_and_nothing_else_is_built(tmp_path: Path):
    path = tmp_path / "x.yaml"
    path.write_text("a: !module os.system\n", encoding="utf-8")
    assert read_yaml(path) == {"a": "os.system"}
    marker = tmp_path / "made"
    path.write_text(f"a: !!python/object/apply:os.mkdir ['{marker}']\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"cannot be read.*python/object"):
        read_yaml(path)
    assert not marker.exists()


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ("group_size: [1, 8, 1]", "other: 1", MissingError, "group_size, which cannot be read from weights"),
        ("fit_layers.FITBlockV5", "fit_layers.FITBlockV6", UsageError, "FITBlockV6' is not supported"),
        ("rin_layers.Attention", "rin_layers.MultiQuery", UsageError, "MultiQuery' is not supported"),
        ("rin_layers.FeedForward", "rin_layers.XFormersFeedForward", UsageError, "XFormersFeedForward' is not"),
        ("{heads: 2, dim_head: *head}", "{heads: 2, dim_head: 16}", UsageError, r"different dim_head \[8, 16\]"),
        ("parameterization: eps", "parameterization: score", UsageError, "'score' is not supported"),
        ("model:", "model: [", UsageError, "cannot be read"),
    ],
)
def test_settings_that_cannot_be_followed(tmp_path: Path, old: str, new: str, error: type[Exception], message: str):
    assert old in YAML
    with pytest.raises(error, match=message):
        settings_of(tmp_path, YAML.replace(old, new, 1))


def test_xformers_attention_has_the_same_tensors(tmp_path: Path):
    assert settings_of(tmp_path, YAML.replace("rin_layers.Attention", "rin_layers.XFormersAttention")).group == 8


def test_a_file_without_data_sets_has_the_published_ones(tmp_path: Path):
    assert settings_of(tmp_path, YAML.replace("dataset2id", "other")).dataset_ids == DATASET_IDS


def test_an_absent_file_is_missing(tmp_path: Path):
    with pytest.raises(MissingError, match="absent"):
        read_yaml(tmp_path / "no.yaml")


@pytest.mark.parametrize(("value", "expected"), [([1, 32, 1], 32), (16, 16), ("8", 8)])
def test_sizes_along_time(value: object, expected: int):
    assert extent(value) == expected
