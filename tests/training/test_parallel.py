"""Two processes train one model."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from audiojourney.errors import AudioJourneyError, UsageError
from audiojourney.training.launch import launch
from audiojourney.training.loop import LoopConfig, train
from audiojourney.training.parallel import average_gradients
from audiojourney.training.progress import read_log
from tests.training.doubles import CurveTask
from tests.training.workers import fail_on_one_rank, train_rank

CONFIG = LoopConfig(steps=6, batch=4, device="cpu", threads=1, log_every=2, ema=0.9, save_every=3)


def test_two_processes_end_with_the_same_weights(tmp_path: Path):
    report = launch(train_rank, 2, tmp_path, CONFIG, 2)
    assert (report.reason, report.world_size) == ("finished", 2)
    log = read_log(tmp_path / "log.jsonl")
    assert log[0]["world_size"] == 2
    assert [line["step"] for line in log if line["kind"] == "train"] == [2, 4, 6]
    first, second = (load_file(tmp_path / f"rank{rank}.safetensors") for rank in range(2))
    # Batch statistics belong to the examples that each process saw.
    for name in (name for name in first if "running" not in name):
        assert torch.equal(first[name], second[name]), name
    alone = CurveTask(adversarial=True)
    train(alone, CONFIG, tmp_path / "alone")
    assert not torch.equal(first["module.0.weight"], alone.module[0].weight), "the second process had its say"


def test_a_wrong_world_size_stops_every_process_with_one_sentence(tmp_path: Path):
    with pytest.raises(AudioJourneyError, match="3 processes were asked for, 2 came together"):
        launch(train_rank, 2, tmp_path, CONFIG, 3)


def test_an_error_on_one_rank_is_told_and_ends_the_others():
    with pytest.raises(UsageError, match=r"no such thing as 7\. Do something else\."):
        launch(fail_on_one_rank, 2, "There is no such thing as 7.")


class TwoProcesses:
    """Stands for an accelerator of two processes, the other of which has the given values."""

    num_processes = 2
    device = torch.device("cpu")

    def __init__(self, *others: torch.Tensor) -> None:
        self.others = list(others)

    def reduce(self, tensor: torch.Tensor, reduction: str) -> torch.Tensor:
        total = tensor + self.others.pop(0)
        return total / 2 if reduction == "mean" else total


def test_gradients_are_averaged_and_unused_tensors_stay_without():
    both, other_only, nobody = (nn.Parameter(torch.zeros(2)) for _ in range(3))
    both.grad = torch.tensor([1.0, 2.0])
    other = TwoProcesses(torch.tensor([1.0, 1.0, 0.0]), torch.tensor([3.0, 4.0, 5.0, 6.0]))
    average_gradients(other, [both, other_only, nobody])
    assert both.grad.tolist() == [2.0, 3.0]
    assert other_only.grad.tolist() == [2.5, 3.0]
    assert nobody.grad is None
