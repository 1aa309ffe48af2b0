"""Classifier-free guidance: a conditional model, told twice what to do, becomes a denoiser.

Ho and Salimans, "Classifier-Free Diffusion Guidance" (2022), equation 6 with scale = 1 + w.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor

from audiojourney.errors import UsageError

Denoise = Callable[[Tensor, Tensor], Tensor]
Cond = TypeVar("Cond")


def guided(
    model: Callable[[Tensor, Tensor, Cond], Tensor],
    condition: Cond,
    unconditional: Cond | None,
    scale: float,
    *,
    concat: Callable[[Cond, Cond], Cond],
    interval: tuple[float, float] | None = None,
    rescale: float = 0.0,
) -> Denoise:
    """Return a denoiser that says `unconditional + scale * (conditional - unconditional)`.

    Both branches go through the model in one forward of 2B rows. **Rows 0 .. B-1 are the conditional branch**, so a
    model that carries state between steps can keep what it needs of either branch. With scale 1, and outside the
    interval, the model is called with the B conditional rows alone and nothing else is computed.

    Args:
        model: maps latents (R, ...), times (R,) and a condition of R rows to a prediction (R, ...).
        condition: what is asked for, B rows; opaque to this function.
        unconditional: what to move away from, B rows: the empty prompt, or a negative one. Unused when scale is 1.
        scale: 1 follows the condition alone, more exaggerates it, 0 ignores it.
        concat: joins two conditions row-wise, the first argument's rows first; called once.
        interval: lowest and highest time at which guidance acts, both included (Kynkaanniemi et al., "Applying
            Guidance in a Limited Interval", 2024); None means always.
        rescale: how far the spread of each guided row is pulled back to that of its conditional row, in [0, 1] (Lin
            et al. 2023, equations 15 and 16); 0.7 is usual there.

    Raises:
        UsageError: rescale is outside [0, 1], the interval is empty, or there is nothing to move away from.
    """
    if not 0 <= rescale <= 1:
        raise UsageError(f"Guidance rescale must lie in [0, 1], got {rescale}.")
    if interval is not None and interval[0] > interval[1]:
        raise UsageError(f"The guidance interval {interval} is empty.", "Give the lower time first.")
    if scale == 1:
        return lambda x, t: model(x, t, condition)
    if unconditional is None:
        raise UsageError(f"Guidance {scale} needs an unconditional branch.", "Give one, or use guidance 1.")
    both = concat(condition, unconditional)

    def denoise(x: Tensor, t: Tensor) -> Tensor:
        """Ask for both branches at once, or only for the conditional one where guidance rests."""
        active = torch.ones_like(t, dtype=torch.bool) if interval is None else _within(t, interval)
        if interval is not None and not bool(active.any()):
            return model(x, t, condition)
        with_condition, without = model(torch.cat([x, x]), torch.cat([t, t]), both).chunk(2)
        mixed = rescaled(without + scale * (with_condition - without), with_condition, rescale)
        return mixed if interval is None else torch.where(_column(active, x), mixed, with_condition)

    return denoise


def rescaled(mixed: Tensor, conditional: Tensor, amount: float) -> Tensor:
    """Pull the standard deviation of each guided row back to that of its conditional row.

    Lin et al. 2023, equations 15 and 16: large scales otherwise make the signal louder and more contrasted.

    Args:
        mixed: guided prediction, shape (B, ...).
        conditional: conditional prediction, shape (B, ...).
        amount: 0 changes nothing, 1 restores the spread fully.
    """
    if amount == 0:
        return mixed
    dims = tuple(range(1, mixed.ndim))
    # A network that says nothing has no spread to restore.
    ratio = conditional.std(dims, keepdim=True) / mixed.std(dims, keepdim=True).clamp(min=1e-8)
    return mixed * (1 + amount * (ratio - 1))


def _within(t: Tensor, interval: tuple[float, float]) -> Tensor:
    return (t >= interval[0]) & (t <= interval[1])


def _column(rows: Tensor, like: Tensor) -> Tensor:
    return rows.view(-1, *[1] * (like.ndim - 1))
