from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audiojourney.recipes.ordered import AHEAD, ordered


@given(st.lists(st.integers(), max_size=40), st.integers(1, 4))
def test_results_come_in_the_order_of_the_items(items, workers):
    assert list(ordered(lambda item: item * 2, items, workers)) == [item * 2 for item in items]


def test_few_items_are_begun_ahead():
    taken = []

    def items():
        for number in range(1000):
            taken.append(number)
            yield number

    results = ordered(lambda item: item, items(), 2)
    assert next(results) == 0
    assert len(taken) <= 2 * AHEAD
    results.close()
    assert threading.active_count() < 50


def test_items_are_read_in_the_calling_thread():
    def items():
        yield threading.get_ident()

    assert list(ordered(lambda item: item, items(), 3)) == [threading.get_ident()]


@pytest.mark.parametrize("workers", [1, 3])
def test_a_fault_ends_the_work(workers):
    with pytest.raises(ZeroDivisionError):
        list(ordered(lambda item: 1 // item, [1, 0, 1], workers))
