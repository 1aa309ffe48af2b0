"""Start a task from trained weights, whole or through a low-rank change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from audiojourney import config as configuration
from audiojourney import hub
from audiojourney.errors import UsageError
from audiojourney.model_folder import read_provenance, read_weights
from audiojourney.models.pocket.packing import unpack
from audiojourney.recipes.run_folder import CONFIG
from audiojourney.training.base import Batch, Trainable
from audiojourney.training.lora import add_lora, merged

FINETUNE_LR = 0.1  # share of the learning rate that the model was trained with


def recipe_of(init: str) -> dict[str, Any]:
    """Return task and settings that a model or run was trained with, learning rate lowered, without its data.

    Raises:
        MissingError: there is no such model.
    """
    run = Path(init).expanduser() / CONFIG
    table: dict[str, Any] = {}
    if run.is_file() and "task" in (saved := configuration.load_yaml(run)):
        table = saved
    else:
        table = dict(read_provenance(hub.resolve_model(init)).get("recipe") or {})
    if not table:
        return {}
    loop = dict(table.get("loop") or {})
    if "lr" in loop:
        loop |= {"lr": loop["lr"] * FINETUNE_LR, "lr_final": loop.get("lr_final", 0.0) * FINETUNE_LR}
    kept = {key: value for key, value in table.items() if key not in ("data", "init", "lora_rank", "nproc", "loop")}
    return {**kept, "loop": loop}


def load_start(task: Trainable, init: str) -> list[str]:
    """Fill the module of `task` with the weights of a model; return the names of tensors that it could not give.

    Raises:
        UsageError: less than half of the tensors fit: it is another model.
    """
    given = unpack(read_weights(hub.resolve_model(init)))
    own = task.module.state_dict()
    fitting = {name: value for name, value in given.items() if name in own and own[name].shape == value.shape}
    if 2 * len(fitting) < len(own):
        raise UsageError(
            f"The model {init!r} gives {len(fitting)} of the {len(own)} tensors that are needed.",
            "Choose the preset that it was made with.",
        )
    task.module.load_state_dict(fitting, strict=False)
    return sorted(own.keys() - fitting.keys())


class LoraTask:
    """A task of which only low-rank changes are trained; they are merged into the weights at export.

    Args:
        task: the task, its weights loaded.
        rank: rank of the changes.
    """

    def __init__(self, task: Trainable, rank: int) -> None:
        self.task = task
        self.module = task.module
        self.adversary = task.adversary
        self.layers = add_lora(task.module, rank)

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        """Draw a batch of the task."""
        return self.task.batch(rng, size)

    def loss(self, batch: Batch, rng: torch.Generator, step: int) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of the task."""
        return self.task.loss(batch, rng, step)

    def adversary_loss(self, batch: Batch, rng: torch.Generator, step: int) -> Tensor | None:
        """Return the loss of the discriminator of the task."""
        return self.task.adversary_loss(batch, rng, step)

    def validate(self) -> dict[str, float]:
        """Measure as the task does."""
        return self.task.validate()

    def sample(self, folder: Path, step: int) -> None:
        """Write the sample sounds of the task."""
        self.task.sample(folder, step)

    def export(self, folder: Path) -> None:
        """Write a model folder that needs no knowledge of the change."""
        with merged(self.module):
            self.task.export(folder)
