"""Settings: layers, types, messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiojourney import config
from audiojourney.convert import convert
from audiojourney.errors import MissingError, UsageError


@dataclass(frozen=True, kw_only=True)
class Inner:
    rate: float = 1e-4
    sizes: tuple[int, ...] = (1, 2)


@dataclass(frozen=True, kw_only=True)
class Outer:
    name: str
    inner: Inner = field(default_factory=Inner)
    steps: int = 5
    folder: Path | None = None
    kind: Literal["dit", "fit"] = "dit"
    mix: dict[str, float] = field(default_factory=dict)
    flag: bool = False
    number: int | float = 0
    anything: Any = None


def test_nested_tables_become_dataclasses():
    built = config.build(Outer, {"name": "x", "inner": {"rate": 2, "sizes": [3]}, "folder": "a/b", "mix": {"r": 1}})
    assert built == Outer(name="x", inner=Inner(rate=2.0, sizes=(3,)), folder=Path("a/b"), mix={"r": 1.0})
    assert type(built.inner.rate) is float
    assert type(built.mix["r"]) is float


def test_a_built_dataclass_survives_saving_and_loading(tmp_path):
    built = Outer(name="ü: #", inner=Inner(rate=1e-5, sizes=()), folder=Path("a"), kind="fit", flag=True)
    config.save(built, tmp_path / "config.yaml")
    assert config.build(Outer, config.load_yaml(tmp_path / "config.yaml")) == built


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"name": "x", "stepps": 3}, "There is no setting 'stepps'. Did you mean 'steps'?"),
        ({"name": "x", "inner": {"rat": 3}}, "There is no setting 'inner.rat'. Did you mean 'rate'?"),
        ({}, "'name' is needed"),
        ({"name": 3}, "name: got 3, expected text"),
        ({"name": "x", "steps": "3"}, "steps: got '3', expected a whole number"),
        ({"name": "x", "steps": 3.5}, "steps: got 3.5, expected a whole number"),
        ({"name": "x", "steps": True}, "steps: got True, expected a whole number"),
        ({"name": "x", "steps": None}, "steps: got None, expected a whole number"),
        ({"name": "x", "flag": 1}, "flag: got 1, expected true or false"),
        ({"name": "x", "kind": "dot"}, "Did you mean 'dit'?"),
        ({"name": "x", "inner": 3}, "inner: got 3, expected a table of settings"),
        ({"name": "x", "inner": {"sizes": 3}}, "inner.sizes: got 3, expected a list"),
        ({"name": "x", "inner": {"sizes": [1, "b"]}}, "inner.sizes[1]: got 'b'"),
        ({"name": "x", "mix": {"a": "b"}}, "mix.a: got 'b', expected a number"),
        ({"name": "x", "folder": 3}, "folder: got 3, expected a path"),
    ],
)
def test_what_cannot_be_meant_is_named_with_its_value(settings, told):
    with pytest.raises(UsageError) as caught:
        config.build(Outer, settings)
    assert told in str(caught.value)


def test_whole_floats_are_whole_numbers_and_whole_numbers_are_floats():
    assert convert(1e5, int) == 100_000
    assert type(convert(1e5, int)) is int
    assert type(convert(3, float)) is float


def test_unions_keep_the_exact_type():
    assert type(convert(2, int | float)) is int
    assert type(convert(2, float | int)) is int
    assert type(convert(2.5, int | float)) is float
    assert convert(None, int | None) is None
    assert convert("x", int | str) == "x"
    assert convert({"rate": 1}, Inner | None) == Inner(rate=1.0)


def test_containers():
    assert convert([1, 2.5], tuple[int, float]) == (1, 2.5)
    with pytest.raises(UsageError, match="a list of 2"):
        convert([1], tuple[int, float])
    assert convert([[1], [2]], list[tuple[int, ...]]) == [(1,), (2,)]
    assert convert({"a": {"rate": 3}}, dict[str, Inner]) == {"a": Inner(rate=3.0)}
    assert convert({"a": 1}, Mapping[str, int]) == {"a": 1}


# Tables of tables, as settings are: a name is always a table or always a value.
TABLES = st.dictionaries(st.sampled_from("abc"), st.dictionaries(st.sampled_from("xyz"), st.integers(), max_size=3))


@given(TABLES, TABLES, TABLES)
def test_merging_is_associative_has_a_neutral_table_and_changes_nothing(one, two, three):
    before = repr((one, two))
    assert config.merge(config.merge(one, two), three) == config.merge(one, config.merge(two, three))
    assert config.merge(one, {}) == config.merge({}, one) == one
    assert repr((one, two)) == before


def test_later_layers_win_and_tables_are_combined():
    assert config.merge({"a": {"x": 1, "y": 1}, "b": 1}, {"a": {"y": 2}, "b": {"z": 3}}) == {
        "a": {"x": 1, "y": 2},
        "b": {"z": 3},
    }


def test_settings_from_the_command_line():
    parsed = config.parse_settings(["a.b=1e-4", "a.c=[1, x]", "d=", "e=null", "f=a=b", "g=off", "a.b=2"])
    assert parsed == {"a": {"b": 2, "c": [1, "x"]}, "d": "", "e": None, "f": "a=b", "g": False}
    assert config.parse_settings(["a=1e-4"]) == {"a": 0.0001}
    assert config.parse_settings(["a=-3E+2"]) == {"a": -300.0}


@pytest.mark.parametrize("setting", ["a", "=3", "a..b=3", ".a=3", "a=[1"])
def test_faulty_settings_from_the_command_line(setting):
    with pytest.raises(UsageError) as caught:
        config.parse_settings([setting])
    assert setting in str(caught.value)


def test_python_objects_in_yaml_are_refused(tmp_path):
    with pytest.raises(UsageError, match="cannot be read"):
        config.parse_yaml(f"!!python/object/apply:pathlib.Path.touch [{tmp_path / 'owned'}]", "x")
    assert list(tmp_path.iterdir()) == []


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(MissingError, match=r"none\.yaml"):
        config.load_yaml(tmp_path / "none.yaml")
    with pytest.raises(UsageError, match="cannot be read"):
        config.load_yaml(tmp_path)
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    with pytest.raises(UsageError, match=r"latin\.yaml"):
        config.load_yaml(tmp_path / "latin.yaml")
    (tmp_path / "empty.yaml").write_text("", encoding="utf-8")
    assert config.load_yaml(tmp_path / "empty.yaml") == {}


def test_a_file_holds_a_table_for_each_verb_or_the_settings_of_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert config.load_settings(None, "generate") == {}
    (tmp_path / "aj.yaml").write_text("generate: {steps: 3}\npretrain:\n", encoding="utf-8")
    assert config.load_settings(None, "generate") == {"steps": 3}
    assert config.load_settings(None, "pretrain") == config.load_settings(None, "finetune") == {}
    (tmp_path / "run.yaml").write_text("steps: 4\n", encoding="utf-8")
    assert config.load_settings(tmp_path / "run.yaml", "generate") == {"steps": 4}


def test_variables_are_read_as_their_fields_want_them():
    variables = {
        "AJ_NAME": "123",
        "AJ_STEPS": "7",
        "AJ_FLAG": "true",
        "AJ_FOLDER": "a: b",
        "AJ_HOME": "/x",
        "STEPS": "1",
    }
    found = config.environment(Outer, variables)
    assert found == {"name": "123", "steps": 7, "flag": True, "folder": "a: b"}


def test_layers_in_their_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(config, "PRESETS", tmp_path)
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "x.yaml").write_text("name: preset\nsteps: 1\nnumber: 1\n", encoding="utf-8")
    (tmp_path / "aj.yaml").write_text("steps: 2\nflag: true\nnumber: 2\n", encoding="utf-8")
    monkeypatch.setenv("AJ_STEPS", "3")
    built = config.resolve(Outer, "generate", preset="tiny/x", flags={"number": 4, "kind": None}, settings=["number=5"])
    assert (built.name, built.steps, built.flag, built.number, built.kind) == ("preset", 3, True, 5, "dit")
    monkeypatch.delenv("AJ_STEPS")
    assert config.resolve(Outer, "generate", preset="tiny/x").steps == 2


def test_unknown_presets_are_answered_with_the_nearest(tmp_path, monkeypatch):
    monkeypatch.setattr(config, "PRESETS", tmp_path)
    (tmp_path / "pocket").mkdir()
    (tmp_path / "pocket" / "generator.yaml").write_text("a: 1\n", encoding="utf-8")
    assert config.preset_names() == ("pocket/generator",)
    assert config.load_preset("pocket/generator") == {"a": 1}
    for wrong in ("pocket/genrator", "../pocket/generator", "pocket/generator.yaml"):
        with pytest.raises(UsageError, match="Did you mean 'pocket/generator'"):
            config.load_preset(wrong)
