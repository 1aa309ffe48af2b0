from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from audiojourney.data.spool import Counts, FirstSeen, grouped

keys = st.lists(st.text(st.characters(), max_size=3))  # half surrogates, too: names of files need not be UTF-8


@given(keys)
def test_the_first_value_of_a_key_stays(names):
    seen, first = FirstSeen(), {}
    for place, name in enumerate(names):
        assert seen.before(name, place) == first.get(name)
        first.setdefault(name, place)


@given(keys)
def test_counts_of_counts(names):
    counts = Counts()
    for name in names:
        counts.add(name)
    assert counts.spread() == dict(sorted(Counter(Counter(names).values()).items()))


@given(st.lists(st.tuples(st.text(st.characters(), max_size=2), st.integers() | st.text(max_size=2))))
def test_values_are_grouped_in_the_order_in_which_they_came(pairs):
    expected: dict = {}
    for key, value in pairs:
        expected.setdefault(key, []).append(value)
    assert list(grouped(pairs)) == list(expected.items())
