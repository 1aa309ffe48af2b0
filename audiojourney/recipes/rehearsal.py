"""`--dry-run`: build the model on a few clips and measure what a run would need, leaving no trace."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from audiojourney import hub
from audiojourney.data.clip import Clip
from audiojourney.data.manifest import NAME, write_clips
from audiojourney.recipes.train import build_task, check
from audiojourney.recipes.train_config import TrainConfig
from audiojourney.recipes.train_data import clip_sources, clips_of, hours
from audiojourney.training.base import Batch, Trainable
from audiojourney.training.streams import LOSS, batch_stream, torch_stream
from audiojourney.training.update import to_device

CLIPS = 128  # enough of every class for the data code, few enough to be decoded while one waits


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """What a run would need.

    Attributes:
        clips: clips of the data.
        hours: their length, None where a manifest does not state it.
        parameters: numbers in the model.
        trainable: those that training changes.
        adversary: numbers in the discriminator.
        weights_mb: weights, gradients, optimiser state and averages of one process.
        activations_mb: what the forward pass of one micro-batch keeps for the backward pass.
        batch: shape of each tensor of the first batch.
        steps: updates.
        examples: examples that all processes see in them.
    """

    clips: int
    hours: float | None
    parameters: int
    trainable: int
    adversary: int
    weights_mb: float
    activations_mb: float
    batch: dict[str, str]
    steps: int
    examples: int

    @property
    def memory_mb(self) -> float:
        """Memory of one process without the data."""
        return self.weights_mb + self.activations_mb

    def to_json(self) -> dict[str, Any]:
        """Return all figures as one table."""
        return {**asdict(self), "memory_mb": self.memory_mb}


def rehearse(config: TrainConfig) -> Rehearsal:
    """Measure model, memory and first batch of a run; neither its folder nor a cache is written.

    Raises:
        UsageError: settings do not fit.
        MissingError: device, data or weights are absent.
    """
    check(config)
    clips = clips_of(config.data)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, hub.scratch():
        sources = clip_sources(config.data)
        few = [_copied(_spread(clips, CLIPS), Path(folder))] if clips else []
        data = (*few, *(path for path in config.data if path not in sources))
        task = build_task(replace(config, data=data))
        batch = task.batch(batch_stream(config.loop, 0, 0, 0), config.loop.batch)
        activations = _activations(task, config)
    trained = [param for param in task.module.parameters() if param.requires_grad]
    adversary = [] if task.adversary is None else list(task.adversary.parameters())
    copies = 4 + (config.loop.ema is not None)
    frozen = [param for param in task.module.parameters() if not param.requires_grad]
    return Rehearsal(
        clips=len(clips),
        hours=hours(clips),
        parameters=_count(task.module.parameters()),
        trainable=_count(trained),
        adversary=_count(adversary),
        weights_mb=4e-6 * (copies * _count(trained) + 4 * _count(adversary) + _count(frozen)),
        activations_mb=1e-6 * activations * config.loop.batch,
        batch={name: _shape(value) for name, value in batch.items()},
        steps=config.loop.steps,
        examples=config.loop.steps * config.loop.batch * config.loop.accumulate * config.nproc,
    )


def _activations(task: Trainable, config: TrainConfig) -> float:
    """Return the bytes that one example keeps for the backward pass, counted once a storage."""
    size = min(2, config.loop.batch)
    batch: Batch = to_device(task.batch(batch_stream(config.loop, 0, 0, 0), size), torch.device("cpu"))
    weights = {param.untyped_storage().data_ptr() for param in task.module.parameters()}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        """Count the memory that a tensor keeps for the backward pass."""
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    bf16 = config.loop.dtype == "bf16"
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            loss, _ = task.loss(batch, torch_stream(config.loop, 0, 0, 0, LOSS), 0)
        return sum(kept.values()) / size if loss.requires_grad else 0.0


def _spread(clips: Sequence[Clip], count: int) -> list[Clip]:
    """Return up to `count` clips, of every fold and first label in turn."""
    groups: dict[tuple[int | None, tuple[str, ...]], list[Clip]] = {}
    for clip in clips:
        groups.setdefault((clip.fold, clip.labels[:1]), []).append(clip)
    turns = zip_longest(*groups.values())
    return [clip for turn in turns for clip in turn if clip is not None][:count]


def _copied(clips: Sequence[Clip], folder: Path) -> Path:
    """Copy clips into `folder` with a manifest of their own; return it."""
    moved = []
    for number, clip in enumerate(clips):
        path = folder / f"{number:05d}{clip.path.suffix}"
        shutil.copyfile(clip.path, path)
        moved.append(replace(clip, path=path))
    write_clips(folder / NAME, moved)
    return folder


def _count(params: Any) -> int:
    return sum(param.numel() for param in params)


def _shape(value: Any) -> str:
    if isinstance(value, Tensor | np.ndarray):
        return f"{tuple(value.shape)} {str(value.dtype).removeprefix('torch.')}"
    return f"{type(value).__name__} of {len(value)}" if hasattr(value, "__len__") else type(value).__name__
