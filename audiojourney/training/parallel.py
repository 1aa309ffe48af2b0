"""What several processes of one run agree on: first weights, gradients, when to stop."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from torch import Tensor, nn

from audiojourney.errors import AudioJourneyError
from audiojourney.models.device import find_device


def connect(device: str, world_size: int | None = None) -> Accelerator:
    """Join the processes that a launcher started, or stand alone.

    Args:
        device: "auto", "cpu" or a torch device; each of several processes has the device that its launcher gave it.
        world_size: processes that must be there; None takes what is found.

    Raises:
        AudioJourneyError: another number of processes came together.
        UsageError: torch knows no such device.
        MissingError: this machine has none.
    """
    accelerator = Accelerator(cpu=device == "cpu")
    found = accelerator.num_processes
    if world_size is not None and found != world_size:
        raise AudioJourneyError(
            f"{world_size} processes were asked for, {found} came together.",
            "Leave starting them to --nproc, or give --nproc the number that your launcher starts.",
        )
    if device not in ("auto", "cpu") and found == 1:
        accelerator.state.device = find_device(device)
    return accelerator


def share_weights(accelerator: Accelerator, module: nn.Module) -> None:
    """Give every process the weights of the first."""
    if accelerator.num_processes > 1:
        for tensor in module.state_dict().values():
            tensor.copy_(broadcast(tensor.contiguous()))


def average_gradients(accelerator: Accelerator, params: Sequence[nn.Parameter]) -> None:
    """Replace each gradient by its mean over all processes.

    A tensor that no process used keeps no gradient, so that its optimiser leaves it alone. The loss is a method of the
    task, not the forward pass of one module, hence this instead of DistributedDataParallel.
    """
    if accelerator.num_processes == 1:
        return
    used = torch.tensor([param.grad is not None for param in params], dtype=torch.float32, device=accelerator.device)
    anywhere = accelerator.reduce(used, "sum").tolist()
    shared = [param for param, count in zip(params, anywhere, strict=True) if count]
    grads = [param.grad if param.grad is not None else torch.zeros_like(param) for param in shared]
    flat = accelerator.reduce(torch.cat([grad.reshape(-1) for grad in grads]), "mean")
    for param, part in zip(shared, flat.split([grad.numel() for grad in grads]), strict=True):
        param.grad = part.view_as(param)


def anywhere(accelerator: Accelerator, wishes: Sequence[bool]) -> list[bool]:
    """Return for each wish whether any process has it."""
    if accelerator.num_processes == 1:
        return list(wishes)
    flags = torch.tensor([float(wish) for wish in wishes], device=accelerator.device)
    return [bool(flag) for flag in accelerator.reduce(flags, "sum").tolist()]


def mean_over_processes(accelerator: Accelerator, values: Tensor) -> Tensor:
    """Return the mean of `values`, shape (N,), over all processes."""
    return values if accelerator.num_processes == 1 else accelerator.reduce(values, "mean")
