"""Numbers that no column can hold are no value, wherever they stand."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiojourney.data.finite_json import DECODER, decode, finite

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(values)
def test_what_json_writes_is_read_with_none_for_what_is_not_finite(value):
    text = json.dumps(value)
    assert decode(text) == DECODER.decode(text) == finite(json.loads(text))
    json.dumps(decode(text), allow_nan=False)


@given(values)
def test_values_without_such_numbers_stay(value):
    try:
        text = json.dumps(value, allow_nan=False)
    except ValueError:
        return
    assert decode(text) == value
    assert finite(value) == value


@pytest.mark.parametrize("text", ["NaN", "-Infinity", "1e999", "-1e999", "9" * 301, "-" + "9" * 300, "9" * 6000])
def test_numbers_beyond_all_floats_are_no_value(text):
    assert decode(text) is None
    assert decode(f'{{"a": [{text}, 1]}}') == {"a": [None, 1]}


def test_large_numbers_that_a_float_holds_stay():
    assert math.isfinite(float(decode("9" * 300)))
    assert decode("1.5e300") == 1.5e300


@pytest.mark.parametrize("text", ["", "{", "[1,]", "{'a': 1}", b"\xff"])
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ValueError):
        decode(text)
