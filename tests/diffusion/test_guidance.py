"""Guidance costs one forward of 2B rows, and nothing where it does nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from audiojourney.diffusion.guidance import guided, rescaled
from audiojourney.errors import UsageError


class Model:
    """Says x * condition + t and remembers how it was called."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int, int]] = []

    def __call__(self, x: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        self.calls.append((len(x), len(t), len(condition)))
        return x * condition.view(-1, 1, 1) + t.view(-1, 1, 1)


def concat(first: Tensor, second: Tensor) -> Tensor:
    return torch.cat([first, second])


@pytest.fixture
def x() -> Tensor:
    return torch.randn(3, 4, 5, generator=torch.Generator().manual_seed(0))


COND, UNCOND = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.5, 0.25, 0.0])
T = torch.full((3,), 500)


def test_one_call_of_twice_the_rows_and_the_published_formula(x):
    model = Model()
    said = guided(model, COND, UNCOND, 4.0, concat=concat)(x, T)
    assert model.calls == [(6, 6, 6)]
    with_condition, without = Model()(x, T, COND), Model()(x, T, UNCOND)
    torch.testing.assert_close(said, without + 4.0 * (with_condition - without))


def test_scale_one_is_the_conditional_model_bit_for_bit_and_half_the_rows(x):
    model = Model()
    said = guided(model, COND, None, 1.0, concat=concat, rescale=0.7)(x, T)
    assert model.calls == [(3, 3, 3)]
    assert torch.equal(said, Model()(x, T, COND))


def test_scale_zero_is_the_unconditional_model(x):
    said = guided(Model(), COND, UNCOND, 0.0, concat=concat)(x, T)
    assert torch.equal(said, Model()(x, T, UNCOND))


def test_conditional_rows_come_first(x):
    seen = []

    def model(rows: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        seen.append(condition)
        return rows

    guided(model, COND, UNCOND, 2.0, concat=concat)(x, T)
    assert torch.equal(seen[0], torch.cat([COND, UNCOND]))


def test_conditions_are_joined_once_for_all_steps(x):
    joins = []

    def counting(first: Tensor, second: Tensor) -> Tensor:
        joins.append(1)
        return torch.cat([first, second])

    denoise = guided(Model(), COND, UNCOND, 2.0, concat=counting)
    for _ in range(5):
        denoise(x, T)
    assert len(joins) == 1


def test_model_with_memory_can_carry_the_conditional_rows(x):
    """A model may keep state of the conditional rows and show it to both branches at the next step."""
    carried: list[Tensor] = []

    def model(rows: Tensor, t: Tensor, condition: Tensor) -> Tensor:
        past = carried[-1].repeat(len(rows) // len(x), 1, 1) if carried else 0.0
        said = rows * condition.view(-1, 1, 1) + past
        carried.append(said[: len(x)])
        return said

    denoise = guided(model, COND, UNCOND, 3.0, concat=concat)
    first, second = denoise(x, T), denoise(x, T)
    torch.testing.assert_close(second - first, carried[0])


@pytest.mark.parametrize(("t", "acts"), [(100, False), (101, True), (500, True), (900, True), (901, False)])
def test_interval_switches_guidance_and_its_cost(x, t, acts):
    model, times = Model(), torch.full((3,), t)
    said = guided(model, COND, UNCOND, 4.0, concat=concat, interval=(101, 900))(x, times)
    always = guided(Model(), COND, UNCOND, 4.0, concat=concat)(x, times)
    assert model.calls == ([(6, 6, 6)] if acts else [(3, 3, 3)])
    assert torch.equal(said, always if acts else Model()(x, times, COND))


def test_interval_is_decided_row_by_row(x):
    times = torch.tensor([50, 500, 950])
    said = guided(Model(), COND, UNCOND, 4.0, concat=concat, interval=(100, 900))(x, times)
    always = guided(Model(), COND, UNCOND, 4.0, concat=concat)(x, times)
    never = Model()(x, times, COND)
    assert torch.equal(said, torch.stack([never[0], always[1], never[2]]))


@pytest.mark.parametrize("amount", [0.0, 0.3, 1.0])
def test_rescale_pulls_the_spread_towards_the_conditional_one(x, amount):
    conditional, mixed = x, 5 * x.flip(2)
    torch.testing.assert_close(rescaled(mixed, conditional, amount), mixed * (1 - 0.8 * amount))


def test_rescale_of_a_row_does_not_depend_on_its_neighbours(x):
    loud = torch.cat([x[:1], 100 * x[1:]])
    one = guided(Model(), COND, UNCOND, 4.0, concat=concat, rescale=0.7)(x, T)
    other = guided(Model(), COND, UNCOND, 4.0, concat=concat, rescale=0.7)(loud, T)
    assert torch.equal(one[0], other[0])
    plain = guided(Model(), COND, UNCOND, 4.0, concat=concat)(x, T)
    assert bool((one.std((1, 2)) < plain.std((1, 2))).all())


def test_values_without_meaning_are_shown():
    with pytest.raises(UsageError, match=r"\[0, 1\], got 1\.5"):
        guided(Model(), COND, UNCOND, 2.0, concat=concat, rescale=1.5)
    with pytest.raises(UsageError, match=r"\(900, 100\) is empty"):
        guided(Model(), COND, UNCOND, 2.0, concat=concat, interval=(900, 100))
    with pytest.raises(UsageError, match=r"Guidance 2\.0 needs an unconditional"):
        guided(Model(), COND, None, 2.0, concat=concat)
