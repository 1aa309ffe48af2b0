"""Parts of a batch side by side."""

from __future__ import annotations

import threading

import pytest
import torch

from audiojourney.models.threads import side_by_side


@pytest.fixture(autouse=True)
def four_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


def test_order_threads_and_modes():
    meeting = threading.Barrier(2, timeout=60)  # passed only by two parts that run at once

    def work(part: int) -> tuple[int, int, bool]:
        meeting.wait()
        return part, torch.get_num_threads(), torch.is_inference_mode_enabled()

    with torch.inference_mode():
        assert side_by_side(work, [7, 3]) == [(7, 2, True), (3, 2, True)]
    assert torch.get_num_threads() == 4


def test_more_parts_than_threads():
    assert side_by_side(lambda part: (part, torch.get_num_threads()), range(9)) == [(part, 1) for part in range(9)]


def test_one_part_stays_where_it_is():
    assert side_by_side(lambda part: threading.current_thread(), [0]) == [threading.current_thread()]
    assert side_by_side(lambda part: torch.get_num_threads(), [0]) == [4]
    assert side_by_side(lambda part: part, []) == []


@pytest.mark.parametrize("recording", [True, False])
def test_gradients_are_recorded_as_outside(recording: bool):
    weight = torch.ones(2, requires_grad=True)
    with torch.set_grad_enabled(recording):
        found = side_by_side(lambda part: (weight * part).sum(), [1.0, 2.0])
    assert [one.requires_grad for one in found] == [recording] * 2


def test_an_error_comes_through_and_threads_are_as_before():
    def work(part: int) -> None:
        raise ValueError(part)

    with pytest.raises(ValueError, match="5"):
        side_by_side(work, [5, 6])
    assert torch.get_num_threads() == 4
