"""Each row of the noise depends on its own seed alone."""

from __future__ import annotations

import torch

from audiojourney.diffusion.noise import RowNoise


def test_row_does_not_depend_on_its_neighbours():
    batch = RowNoise([1, 2, 3], (4, 6))
    alone = [RowNoise([seed], (4, 6)) for seed in (1, 2, 3)]
    for _ in range(3):
        assert torch.equal(batch(), torch.cat([noise() for noise in alone]))


def test_seeds_and_calls_differ():
    noise = RowNoise([1, 2], (4, 6))
    first, second = noise(), noise()
    assert not torch.equal(first[0], first[1])
    assert not torch.equal(first, second)


def test_wanted_type_is_a_rounding_of_the_same_draw():
    plain, half = RowNoise([7], (3, 5))(), RowNoise([7], (3, 5), dtype=torch.bfloat16)()
    assert plain.shape == (1, 3, 5) and half.dtype == torch.bfloat16
    assert torch.equal(plain.bfloat16(), half)


def test_global_seed_is_left_alone():
    state = torch.random.get_rng_state()
    RowNoise([1], (2, 2))()
    assert torch.equal(state, torch.random.get_rng_state())
