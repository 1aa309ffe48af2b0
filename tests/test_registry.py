"""Names that are imported when asked for."""

from __future__ import annotations

import sys

import pytest

from audiojourney.errors import UsageError
from audiojourney.registry import Registry, offer


def test_nothing_is_imported_before_load():
    sys.modules.pop("colorsys", None)
    table = Registry("colour", {"hue": "colorsys:rgb_to_hls"})
    assert list(table) == ["hue"]
    assert table["hue"] == "colorsys:rgb_to_hls"
    assert "colorsys" not in sys.modules
    assert table.load("hue").__name__ == "rgb_to_hls"


def test_unknown_names_are_answered_with_the_nearest_or_with_all():
    table = Registry("sampler", {"ddim": "a:b", "pndm": "a:b"})
    with pytest.raises(UsageError, match=r"There is no sampler 'ddmi'\. Did you mean 'ddim'\?"):
        table.load("ddmi")
    with pytest.raises(UsageError, match=r"Known: ddim, pndm\."):
        table.load("euler")
    assert offer("x", []) == "None is known."


def test_registering_checks_the_form_and_does_not_touch_the_given_table():
    given = {"one": "a:b"}
    table = Registry("thing", given)
    table.register("two", "c:d")
    assert dict(table) == {"one": "a:b", "two": "c:d"}
    assert given == {"one": "a:b"}
    with pytest.raises(ValueError, match=r"'c\.d'"):
        table.register("three", "c.d")
