"""What the loop does with a task: updates, log, samples, averaging, errors."""

import itertools
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from audiojourney.errors import AudioJourneyError, UsageError
from audiojourney.training.loop import LoopConfig, train
from audiojourney.training.progress import Progress, read_log
from audiojourney.training.snapshot import newest
from tests.training.doubles import CurveTask

CONFIG = LoopConfig(steps=12, batch=4, device="cpu", threads=1, log_every=4)


class RowsTask(CurveTask):
    """Hands out the same rows in the same order, however they are cut into batches."""

    def __init__(self) -> None:
        super().__init__()
        self.module = nn.Linear(2, 1)
        nn.init.constant_(self.module.weight, 0.5)
        nn.init.zeros_(self.module.bias)
        rng = np.random.default_rng(3)
        self.rows = ({"x": rng.normal(size=2), "y": rng.normal(size=1)} for _ in itertools.count())

    def batch(self, rng: np.random.Generator, size: int) -> dict:
        rows = list(itertools.islice(self.rows, size))
        return {key: np.stack([row[key] for row in rows]).astype(np.float32) for key in ("x", "y")}

    def loss(self, batch: dict, rng: torch.Generator, step: int) -> tuple[torch.Tensor, dict[str, float]]:
        return (self.module(batch["x"]) - batch["y"]).square().mean(), {}


def weights(task: CurveTask) -> torch.Tensor:
    return torch.cat([param.detach().reshape(-1) for param in task.module.parameters()])


def test_the_loss_falls(tmp_path: Path):
    train(CurveTask(width=32), replace(CONFIG, steps=300, batch=32, lr=1e-2, log_every=50), tmp_path)
    losses = [line["loss"] for line in read_log(tmp_path / "log.jsonl") if line["kind"] == "train"]
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("optimizer", ["adamw", "lamb"])
def test_accumulated_micro_batches_equal_one_batch(tmp_path: Path, optimizer: str):
    base = replace(CONFIG, optimizer=optimizer, steps=6)
    whole, parts = RowsTask(), RowsTask()
    train(whole, replace(base, batch=8), tmp_path / "whole")
    train(parts, replace(base, batch=4, accumulate=2), tmp_path / "parts")
    torch.testing.assert_close(weights(whole), weights(parts), atol=1e-6, rtol=0)
    logs = [read_log(tmp_path / name / "log.jsonl")[1:-1] for name in ("whole", "parts")]
    # Both optimisers forgive a gradient that is twice as large, the norm does not.
    for figure in ("loss", "grad_norm"):
        assert [line[figure] for line in logs[0]] == pytest.approx([line[figure] for line in logs[1]], rel=1e-5)


def test_the_gradient_is_clipped_and_the_log_has_its_norm_before(tmp_path: Path):
    norms = []

    class Watching(RowsTask):
        def loss(self, batch: dict, rng: torch.Generator, step: int) -> tuple[torch.Tensor, dict[str, float]]:
            loss, figures = super().loss(batch, rng, step)
            return 100 * loss, figures

    task = Watching()
    # Read what the optimiser sees: hooks run right before it.
    config = replace(CONFIG, steps=1, clip_norm=0.25, log_every=1)
    task_step = torch.optim.AdamW.step

    def watch(self, *args, **kwargs):
        norms.append(float(torch.nn.utils.get_total_norm([p.grad for p in task.module.parameters()])))
        return task_step(self, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.optim.AdamW, "step", watch)
        train(task, config, tmp_path)
    assert norms == [pytest.approx(0.25, rel=1e-4)]
    assert read_log(tmp_path / "log.jsonl")[1]["grad_norm"] > 10


def test_without_clipping_the_gradient_is_left_alone(tmp_path: Path):
    on, off = RowsTask(), RowsTask()
    # LAMB's moments scale with the gradient, so its weights show whether the gradient was scaled.
    config = replace(CONFIG, steps=2, optimizer="lamb", weight_decay=1.0)
    train(on, replace(config, clip_norm=0.01), tmp_path / "on")
    train(off, replace(config, clip_norm=None), tmp_path / "off")
    assert not torch.equal(weights(on), weights(off))


def test_the_averaged_weights_are_exported_and_the_raw_ones_kept(tmp_path: Path):
    task = CurveTask()
    train(task, replace(CONFIG, ema=0.9), tmp_path)
    final = load_file(tmp_path / "final" / "model.safetensors")
    checkpoint = newest(tmp_path)
    assert torch.equal(final["0.weight"], load_file(checkpoint / "ema.safetensors")["0.weight"])
    assert torch.equal(task.module[0].weight, load_file(checkpoint / "model.safetensors")["0.weight"])
    assert not torch.equal(final["0.weight"], task.module[0].weight)


def test_bf16_runs_in_low_precision_with_weights_in_full(tmp_path: Path):
    seen = []

    class Watching(CurveTask):
        def loss(self, batch: dict, rng: torch.Generator, step: int) -> tuple[torch.Tensor, dict[str, float]]:
            seen.append(self.module[0](batch["x"]).dtype)
            return super().loss(batch, rng, step)

    task = Watching(adversarial=True)
    train(task, replace(CONFIG, dtype="bf16"), tmp_path)
    assert set(seen) == {torch.bfloat16}
    assert weights(task).dtype == torch.float32
    full = CurveTask(adversarial=True)
    train(full, CONFIG, tmp_path / "full")
    assert not torch.equal(weights(full), weights(task))
    torch.testing.assert_close(weights(full), weights(task), atol=0.05, rtol=0)


def test_every_log_line_is_there_once_with_its_figures(tmp_path: Path):
    train(CurveTask(), replace(CONFIG, eval_every=6, sample_every=5, steps=11), tmp_path)
    log = read_log(tmp_path / "log.jsonl")
    assert [line["step"] for line in log if line["kind"] == "train"] == [4, 8, 11]
    assert [line["step"] for line in log if line["kind"] == "val"] == [6, 11]
    assert {"loss", "lr", "grad_norm", "steps_per_s", "error"} <= log[1].keys()
    assert log[0]["kind"] == "run" and log[0]["world_size"] == 1
    assert {path.name for path in (tmp_path / "samples").iterdir()} == {"step-5.txt", "step-10.txt", "step-11.txt"}


def test_the_first_line_means_over_its_steps(tmp_path: Path):
    train(CurveTask(), replace(CONFIG, steps=4, log_every=1), tmp_path / "each")
    train(CurveTask(), replace(CONFIG, steps=4, log_every=4), tmp_path / "mean")
    each = [line["loss"] for line in read_log(tmp_path / "each" / "log.jsonl") if line["kind"] == "train"]
    mean = [line["loss"] for line in read_log(tmp_path / "mean" / "log.jsonl") if line["kind"] == "train"]
    assert mean == [pytest.approx(sum(each) / 4)]


def test_validation_changes_nothing(tmp_path: Path):
    often, never = CurveTask(), CurveTask()
    train(often, replace(CONFIG, eval_every=1, sample_every=1, ema=0.5), tmp_path / "often")
    train(never, replace(CONFIG, ema=0.5), tmp_path / "never")
    assert often.validations == 12 and torch.equal(weights(often), weights(never))


def test_the_discriminator_is_trained_first_and_only_by_its_own_loss(tmp_path: Path):
    order = []

    class Watching(CurveTask):
        def adversary_loss(self, batch: dict, rng: torch.Generator, step: int) -> torch.Tensor | None:
            order.append("adversary")
            return super().adversary_loss(batch, rng, step)

        def loss(self, batch: dict, rng: torch.Generator, step: int) -> tuple[torch.Tensor, dict[str, float]]:
            order.append("model")
            frozen = not any(param.requires_grad for param in self.adversary.parameters())
            assert frozen, "no gradient may reach the adversary from here"
            return super().loss(batch, rng, step)

    task = Watching(adversarial=True)
    before = [param.detach().clone() for param in task.adversary.parameters()]
    train(task, replace(CONFIG, steps=3, accumulate=2), tmp_path)
    # The adversary rests in the first two steps: asked once, then both micro-batches of the model.
    assert order == ["adversary", "model", "model"] * 2 + ["adversary"] * 2 + ["model"] * 2
    after = list(task.adversary.parameters())
    assert any(not torch.equal(old, new) for old, new in zip(before, after, strict=True))
    assert all(param.requires_grad for param in after)


@pytest.mark.parametrize("poison", ["loss", "gradient"])
def test_a_loss_that_is_no_number_stops_the_run(tmp_path: Path, poison: str):
    class Poisoned(CurveTask):
        def loss(self, batch: dict, rng: torch.Generator, step: int) -> tuple[torch.Tensor, dict[str, float]]:
            loss, figures = super().loss(batch, rng, step)
            if step != 6:
                return loss, figures
            # sqrt at zero: a finite loss with an infinite gradient.
            zero = (self.module[0].weight * 0).sum()
            return (loss * float("nan") if poison == "loss" else loss + zero.sqrt()), figures

    config = replace(CONFIG, save_every=3)
    with pytest.raises(AudioJourneyError, match=r"stopped at step 7: (loss|grad_norm) is (nan|inf).*step-00000006"):
        train(Poisoned(), config, tmp_path)
    assert newest(tmp_path).name == "step-00000006"
    assert all(torch.isfinite(value).all() for value in load_file(newest(tmp_path) / "model.safetensors").values())


def test_other_settings_are_refused_with_their_values(tmp_path: Path):
    train(CurveTask(), replace(CONFIG, stop_after_s=1e-6), tmp_path)
    with pytest.raises(UsageError, match=r"lr=0.001, now it is 0.01"):
        train(CurveTask(), replace(CONFIG, lr=0.01), tmp_path)
    with pytest.raises(UsageError, match="does not fit this model"):
        train(CurveTask(width=8), CONFIG, tmp_path)


def test_a_finished_run_does_nothing_more(tmp_path: Path):
    train(CurveTask(), CONFIG, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    report = train(CurveTask(), CONFIG, tmp_path)
    assert report.reason == "finished" and report.step == 12
    assert before == {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}


def test_a_constant_rate_run_can_be_made_longer(tmp_path: Path):
    constant = replace(CONFIG, lr_schedule="constant")
    whole, parts = CurveTask(), CurveTask()
    train(whole, constant, tmp_path / "whole")
    train(CurveTask(), replace(constant, steps=5, ema=None), tmp_path / "parts")
    train(parts, constant, tmp_path / "parts")
    assert torch.equal(weights(whole), weights(parts))
    exported = [load_file(tmp_path / name / "final" / "model.safetensors") for name in ("whole", "parts")]
    assert torch.equal(exported[0]["0.weight"], exported[1]["0.weight"])


class Signalling(Progress):
    """Sends a signal to this process after some steps, as Ctrl-C does."""

    def __init__(self, number: signal.Signals, step: int) -> None:
        self.number, self.at = number, step

    def advance(self, step: int) -> None:
        if step == self.at:
            signal.raise_signal(self.number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_stops_at_the_step_boundary(tmp_path: Path, number: signal.Signals):
    before = signal.getsignal(number)
    report = train(CurveTask(), CONFIG, tmp_path, progress=Signalling(number, 5))
    assert (report.reason, report.step) == ("interrupted", 5)
    assert newest(tmp_path).name == "step-00000005"
    assert not (tmp_path / "final").exists()
    assert signal.getsignal(number) is before


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path):
    class Twice(Signalling):
        def advance(self, step: int) -> None:
            super().advance(step)
            super().advance(step)

    with pytest.raises(KeyboardInterrupt):
        train(CurveTask(), CONFIG, tmp_path, progress=Twice(signal.SIGINT, 5))


def test_an_error_while_drawing_a_batch_reaches_the_caller(tmp_path: Path):
    class Broken(CurveTask):
        def batch(self, rng: np.random.Generator, size: int) -> dict:
            raise OSError("the clip is gone")

    with pytest.raises(OSError, match="the clip is gone"):
        train(Broken(), CONFIG, tmp_path)


def test_the_wrong_number_of_processes_is_refused(tmp_path: Path):
    with pytest.raises(AudioJourneyError, match="2 processes were asked for, 1 came together"):
        train(CurveTask(), CONFIG, tmp_path, world_size=2)
    assert not list(tmp_path.iterdir())
