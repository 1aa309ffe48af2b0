"""Learning rate as a function of the step."""

from __future__ import annotations

import math

from audiojourney.training.settings import LoopConfig


def learning_rate(config: LoopConfig, step: int) -> float:
    """Return the learning rate of update `step`, counted from 0.

    GenAu's stepwise schedule is `lr_every=10`: the rate stays for ten updates, warm-up starts at lr / (warmup / 10).
    """
    tick = step // config.lr_every
    warmup = max(1, config.warmup // config.lr_every) if config.warmup else 0
    if tick < warmup:
        first = config.lr / warmup
        return first + (config.lr - first) * tick / warmup
    span = (config.lr_steps or config.steps) // config.lr_every - warmup
    done = min(1.0, (tick - warmup) / max(1, span))
    return config.lr_final + (config.lr - config.lr_final) * _remaining(config.lr_schedule, done)


def _remaining(shape: str, done: float) -> float:
    """Return which share of the way down is left, from 1 to 0, when the share `done` of the steps is over."""
    if shape == "constant":
        return 1.0
    if shape == "linear":
        return 1.0 - done
    return 0.5 * (1.0 + math.cos(math.pi * done))
