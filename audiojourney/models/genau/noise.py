"""Where the noise of GenAu comes from: a seed a row, or the prompt itself as in the official code."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import torch
from torch import Tensor

from audiojourney.diffusion.noise import RowNoise


def prompt_seed(prompt: str) -> int:
    """Return the seed that the official code gives a prompt: the MD5 of its file name, modulo 2^32.

    The file name is the prompt with spaces and quote characters replaced by underscores.
    """
    name = re.sub("[ '\"]", "_", prompt)
    return int(hashlib.md5(name.encode("utf-8"), usedforsecurity=False).hexdigest(), 16) % 2**32


def official_start(prompts: Sequence[str], shape: Sequence[int]) -> Tensor:
    """Return x_T of shape (B, *shape) as the official code draws it.

    Each prompt has one generator; candidates of the same prompt are successive draws from it, whatever the seed.
    """
    generators: dict[str, torch.Generator] = {}
    for prompt in prompts:
        if prompt not in generators:
            generators[prompt] = torch.Generator().manual_seed(prompt_seed(prompt))
    return torch.stack([torch.randn(tuple(shape), generator=generators[prompt]) for prompt in prompts])


class GenAuNoise:
    """Noise of a batch: the first call makes x_T, the others feed stochastic samplers.

    Args:
        prompts: what is asked for, B texts.
        seeds: one a row.
        shape: shape of one row, (C, L).
        official: draw x_T from the prompts, as the official code does; the seeds then drive later noise only.
        device: where the noise is wanted.
    """

    def __init__(
        self,
        prompts: Sequence[str],
        seeds: Sequence[int],
        shape: Sequence[int],
        *,
        official: bool,
        device: torch.device,
    ) -> None:
        self._rows = RowNoise(seeds, shape, device=device)
        self._start = official_start(prompts, shape).to(device) if official else None

    def __call__(self) -> Tensor:
        """Return the next noise, shape (B, C, L)."""
        if self._start is None:
            return self._rows()
        start, self._start = self._start, None
        return start
