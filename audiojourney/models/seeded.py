"""Drawing words so that a row's draws depend on its own seed alone, not on the batch that it sits in.

B batch, N text tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class SeededSampling:
    """A logits processor that turns greedy decoding into sampling: the largest of logits plus Gumbel noise is a draw.

    Args:
        seeds: of the B rows.
        temperatures: of the rows; 0 takes the likeliest word.
        top_p: smallest share of the likelihood that words are drawn from.
        top_k: words that are drawn from at most; 0 for all.
    """

    def __init__(self, seeds: Sequence[int], temperatures: Sequence[float], top_p: float = 1.0, top_k: int = 0) -> None:
        self._generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        self._temperatures = tuple(temperatures)
        self._top_p = top_p
        self._top_k = top_k

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return scores (B, V) whose largest entries are the drawn words.

        Args:
            input_ids: words so far, shape (B, N).
            scores: their logits, shape (B, V).
        """
        drawn = scores.float().clone()
        for row, (generator, temperature) in enumerate(zip(self._generators, self._temperatures, strict=True)):
            # Drawn at every step, so that the draws of a row do not depend on when another one ends.
            uniform = torch.rand(scores.shape[1], generator=generator, dtype=torch.float64)
            if temperature > 0:
                noise = -(-(uniform.clamp(min=1e-300).log())).clamp(min=1e-300).log()
                drawn[row] = self._likely(drawn[row] / temperature) + noise.to(drawn)
        return drawn

    def _likely(self, logits: Tensor) -> Tensor:
        """Return logits (V,) with minus infinity for the words that are too unlikely to be drawn."""
        ordered, places = logits.sort(descending=True)
        before = ordered.softmax(0).cumsum(0) - ordered.softmax(0)
        out = before >= self._top_p
        if self._top_k:
            out[self._top_k :] = True
        out[0] = False
        return logits.index_fill(0, places[out], float("-inf"))
