"""One update: losses of all micro-batches, gradients over all processes, clipping, optimiser."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn.utils import clip_grads_with_norm_, get_total_norm

from audiojourney.training import parallel
from audiojourney.training.base import Batch, Trainable
from audiojourney.training.optim import build_optimizer
from audiojourney.training.schedule import learning_rate
from audiojourney.training.settings import LoopConfig
from audiojourney.training.streams import ADVERSARY, LOSS, torch_stream

# Numbers, or tensors of shape () that stay on the device until somebody reads them.
Figures = dict[str, Any]


class Part:
    """A network with its optimiser.

    Args:
        module: the network.
        config: settings of the loop.
        lr: its highest learning rate.
    """

    def __init__(self, module: nn.Module, config: LoopConfig, lr: float) -> None:
        self.module, self.config = module, config
        self.share = lr / config.lr
        self.params = [param for param in module.parameters() if param.requires_grad]
        self.optimizer = build_optimizer(config, module, lr)

    def apply(self, accelerator: Accelerator, lr: float) -> Tensor:
        """Average, clip and apply the gradients, then drop them; return their norm before clipping, shape ()."""
        parallel.average_gradients(accelerator, self.params)
        grads = [param.grad for param in self.params if param.grad is not None]
        norm = get_total_norm(grads)
        if self.config.clip_norm is not None:
            clip_grads_with_norm_(self.params, self.config.clip_norm, norm)
        for group in self.optimizer.param_groups:
            group["lr"] = lr * self.share
        self.optimizer.step()
        self.optimizer.zero_grad()
        return norm.detach()

    @contextmanager
    def resting(self) -> Iterator[None]:
        """Keep gradients out of this network while another one is trained through it."""
        for param in self.params:
            param.requires_grad_(False)
        try:
            yield
        finally:
            for param in self.params:
                param.requires_grad_(True)


class Update:
    """The whole update of one step, discriminator first.

    Args:
        task: model, adversary and losses.
        config: settings of the loop.
        accelerator: device and processes.
    """

    def __init__(self, task: Trainable, config: LoopConfig, accelerator: Accelerator) -> None:
        self.task, self.config, self.accelerator = task, config, accelerator
        self.model = Part(task.module, config, config.lr)
        adversary_lr = config.adversary_lr or config.lr
        self.adversary = Part(task.adversary, config, adversary_lr) if task.adversary is not None else None

    def __call__(self, step: int, batches: Sequence[Batch]) -> Figures:
        """Make update `step`, counted from 0; return loss, norm and the figures of the task."""
        batches = [to_device(batch, self.accelerator.device) for batch in batches]
        rate = learning_rate(self.config, step)
        figures = self._adversary(step, batches, rate) if self.adversary else {}
        with self.adversary.resting() if self.adversary else nullcontext():
            figures |= self._model(step, batches)
        norm = self.model.apply(self.accelerator, rate)
        return figures | {"grad_norm": norm}

    def _model(self, step: int, batches: Sequence[Batch]) -> Figures:
        """Accumulate the gradients of the model; return the mean loss and figures of the micro-batches."""
        sums: Figures = {}
        share = 1 / len(batches)
        for micro, batch in enumerate(batches):
            with self._precision():
                loss, figures = self.task.loss(batch, self._stream(step, micro, LOSS), step)
            (loss / len(batches)).backward()
            told: Figures = {**figures, "loss": loss.detach()}
            for name, value in told.items():
                sums[name] = sums.get(name, 0.0) + value * share
        return sums

    def _adversary(self, step: int, batches: Sequence[Batch], rate: float) -> Figures:
        """Update the discriminator, unless its task lets it rest at this step."""
        assert self.adversary is not None, "called for a task without an adversary"
        total: float | Tensor = 0.0
        for micro, batch in enumerate(batches):
            with self._precision():
                loss = self.task.adversary_loss(batch, self._stream(step, micro, ADVERSARY), step)
            if loss is None:
                return {}
            (loss / len(batches)).backward()
            total = total + loss.detach() / len(batches)
        norm = self.adversary.apply(self.accelerator, rate)
        return {"adversary_loss": total, "adversary_grad_norm": norm}

    def _stream(self, step: int, micro: int, use: int) -> torch.Generator:
        return torch_stream(self.config, step, micro, self.accelerator.process_index, use)

    def _precision(self) -> AbstractContextManager[Any]:
        """Return the context in which losses are computed."""
        if self.config.dtype == "fp32":
            return nullcontext()
        return torch.autocast(self.accelerator.device.type, torch.bfloat16)


def to_device(batch: Batch, device: torch.device) -> Batch:
    """Return the batch with its arrays as tensors on `device`; words and other objects stay as they are."""
    moved = {}
    for name, value in batch.items():
        if isinstance(value, np.ndarray) and value.dtype.kind in "biuf":
            value = torch.from_numpy(np.ascontiguousarray(value))
        moved[name] = value.to(device, non_blocking=True) if isinstance(value, Tensor) else value
    return moved
