"""What test processes run; here, because a new process imports it by name."""

from __future__ import annotations

import os
from pathlib import Path

from safetensors.torch import save_file

from audiojourney.errors import UsageError
from audiojourney.training.checkpoint import module_tensors
from audiojourney.training.loop import LoopConfig, LoopReport, train
from tests.training.doubles import CurveTask


def train_rank(run: Path, config: LoopConfig, world_size: int) -> LoopReport:
    """Train with first weights that differ between ranks; leave the last weights of this rank in `run`."""
    rank = int(os.environ["RANK"])
    task = CurveTask(adversarial=True, seed=rank)
    report = train(task, config, run, world_size=world_size)
    tensors = {
        f"{name}.{key}": value
        for name in ("module", "adversary")
        for key, value in module_tensors(getattr(task, name)).items()
    }
    save_file(tensors, run / f"rank{rank}.safetensors")
    return report


def fail_on_one_rank(message: str) -> None:
    """Fail on rank 1 with an error that a user may meet, and wait on the others."""
    if os.environ["RANK"] == "1":
        raise UsageError(message, "Do something else.")
    import torch.distributed

    torch.distributed.init_process_group("gloo")
    torch.distributed.barrier()
