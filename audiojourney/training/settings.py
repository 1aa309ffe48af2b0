"""Settings of the training loop; this file imports no torch, so that a command line can read the defaults."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

from audiojourney.errors import UsageError

# Settings that decide when something is written or measured, never what the weights become.
OPERATIONAL = frozenset(
    (
        *("device", "eval_every", "keep_last", "log_every", "sample_every"),
        *("save_every", "save_every_s", "stop_after_s", "threads"),
    )
)


@dataclass(frozen=True, kw_only=True)
class LoopConfig:
    """How a model is trained; a step is one update of the weights.

    Attributes:
        steps: updates in all.
        batch: examples of one micro-batch of one process.
        accumulate: micro-batches of one update.
        lr: highest learning rate.
        lr_schedule: what follows the warm-up.
        lr_final: learning rate at the end of "linear" and "cosine".
        lr_every: updates between two changes of the learning rate.
        lr_steps: updates that the schedule spans; None means `steps`.
        warmup: updates of linear warm-up.
        adversary_lr: learning rate of the discriminator; None means `lr`.
        optimizer: "adamw" or "lamb".
        weight_decay: decoupled decay; AdamW spares vectors and scalars, LAMB spares nothing.
        betas: decay rates of the first and second moment.
        eps: term that keeps the division by the second moment finite.
        clip_norm: largest norm of the gradient; None switches clipping off.
        ema: decay of the averaged weights that are measured and exported; None switches them off.
        dtype: arithmetic of the forward pass; weights and optimiser stay float32.
        device: "auto", "cpu" or a torch device.
        seed: seed of batches, noise and dropout.
        log_every: updates between two lines of the log.
        eval_every: updates between two validations; 0 means at the end only.
        sample_every: updates between two sets of sample sounds; 0 means at the end only.
        save_every: updates between two checkpoints; 0 leaves it to `save_every_s`.
        save_every_s: seconds between two checkpoints; 0 leaves it to `save_every`.
        keep_last: checkpoints that stay on disk.
        threads: threads of torch on the CPU; None leaves them alone.
        stop_after_s: seconds after which the loop saves and stops; None means at `steps`.
    """

    steps: int = 1000
    batch: int = 8
    accumulate: int = 1
    lr: float = 1e-3
    lr_schedule: Literal["constant", "linear", "cosine"] = "cosine"
    lr_final: float = 0.0
    lr_every: int = 1
    lr_steps: int | None = None
    warmup: int = 0
    adversary_lr: float | None = None
    optimizer: Literal["adamw", "lamb"] = "adamw"
    weight_decay: float = 0.01
    betas: tuple[float, float] = (0.9, 0.99)
    eps: float = 1e-8
    clip_norm: float | None = 1.0
    ema: float | None = None
    dtype: Literal["fp32", "bf16"] = "fp32"
    device: str = "auto"
    seed: int = 0
    log_every: int = 10
    eval_every: int = 0
    sample_every: int = 0
    save_every: int = 0
    save_every_s: float = 600.0
    keep_last: int = 2
    threads: int | None = None
    stop_after_s: float | None = None

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant.

        Raises:
            UsageError: a setting is out of its range.
        """
        for name in ("steps", "batch", "accumulate", "lr_every", "log_every", "keep_last"):
            _at_least(name, getattr(self, name), 1)
        for name in ("eval_every", "sample_every", "save_every", "save_every_s", "warmup", "seed", "lr_final"):
            _at_least(name, getattr(self, name), 0)
        for name in ("threads", "lr_steps"):
            _at_least(name, getattr(self, name), 1)
        for name in ("lr", "clip_norm", "stop_after_s", "adversary_lr"):
            _above_zero(name, getattr(self, name))
        _one_of("lr_schedule", self.lr_schedule, ("constant", "linear", "cosine"))
        _one_of("optimizer", self.optimizer, ("adamw", "lamb"))
        _one_of("dtype", self.dtype, ("fp32", "bf16"))
        for name, value in (("ema", self.ema), ("betas", self.betas[0]), ("betas", self.betas[1])):
            if value is not None and not 0 <= value < 1:
                raise UsageError(f"loop.{name} is {value}.", "Give a number from 0 up to, but not including, 1.")

    def identity(self) -> dict[str, Any]:
        """Return the settings that decide the weights; a run continues only while these stay.

        With a constant learning rate a longer run begins with the shorter one, so `steps` is left out.
        """
        apart = OPERATIONAL | ({"steps", "lr_steps"} if self.lr_schedule == "constant" else set())
        values = {field.name: getattr(self, field.name) for field in fields(self) if field.name not in apart}
        return values | {"betas": list(self.betas)}


def _at_least(name: str, value: float | None, low: float) -> None:
    """Refuse a value below `low`; None stands for "not set"."""
    if value is not None and not value >= low:
        raise UsageError(f"loop.{name} is {value}.", f"Give {low} or more.")


def _above_zero(name: str, value: float | None) -> None:
    """Refuse zero and less; None stands for "not set"."""
    if value is not None and not value > 0:
        raise UsageError(f"loop.{name} is {value}.", "Give a number above 0.")


def _one_of(name: str, value: str, known: tuple[str, ...]) -> None:
    """Refuse a word that is not in `known`."""
    if value not in known:
        raise UsageError(f"loop.{name} is {value!r}.", f"Give one of: {', '.join(known)}.")
