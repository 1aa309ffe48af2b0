"""Where networks run."""

from __future__ import annotations

import torch

from audiojourney.errors import MissingError, UsageError


def find_device(name: str = "auto") -> torch.device:
    """Return a device by name; `auto` is the first CUDA GPU, else an Apple GPU, else the CPU.

    Raises:
        UsageError: torch knows no such device.
        MissingError: this machine, or this build of torch, has none.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise UsageError(f"There is no device {name!r}.", "Use auto, cpu, cuda, cuda:1 or mps.") from error
    cuda = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device.type == "cuda" and (device.index or 0) >= cuda:
        raise MissingError(f"The device {name!r} is not there: torch sees {cuda} CUDA devices.", "Use --device cpu.")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise MissingError(f"The device {name!r} is not there: torch sees no Apple GPU.", "Use --device cpu.")
    if device.type not in ("cpu", "cuda", "mps"):
        raise UsageError(f"The device {name!r} is not supported.", "Use auto, cpu, cuda, cuda:1 or mps.")
    return device
