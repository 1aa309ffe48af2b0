"""One training loop for every model.

A step draws its micro-batches, updates the discriminator if there is one, then the model. Between two steps the loop
logs, validates, samples and saves. All random numbers follow from (seed, step, micro-batch, rank), so a killed run that
is started again ends with the same bits as one that was never killed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from accelerate import Accelerator

from audiojourney.errors import AudioJourneyError
from audiojourney.training import parallel, snapshot
from audiojourney.training.base import Trainable
from audiojourney.training.ema import Ema
from audiojourney.training.export import export_model, exported_step
from audiojourney.training.figures import Pending
from audiojourney.training.interrupt import Interrupt
from audiojourney.training.progress import Log, Progress
from audiojourney.training.schedule import learning_rate
from audiojourney.training.settings import LoopConfig
from audiojourney.training.streams import Prefetch
from audiojourney.training.update import Update

__all__ = ["LoopConfig", "LoopReport", "train"]

Reason = Literal["finished", "out of time", "interrupted"]


@dataclass(frozen=True, kw_only=True)
class LoopReport:
    """How a call of `train` ended.

    Attributes:
        run: the run folder.
        step: updates made so far, earlier calls included.
        steps: updates in all.
        reason: why the loop ended.
        loss: mean loss of the last line of the log, None when no update was made.
        wall_s: seconds of this call.
        world_size: processes that took part.
    """

    run: Path
    step: int
    steps: int
    reason: Reason
    loss: float | None
    wall_s: float
    world_size: int


def train(
    task: Trainable,
    config: LoopConfig,
    run: Path,
    *,
    progress: Progress | None = None,
    finish: Callable[[Path], None] | None = None,
    world_size: int | None = None,
) -> LoopReport:
    """Train `task` in the run folder `run`, from its newest checkpoint if it has one.

    Args:
        task: model, data and loss.
        config: how to train.
        run: folder of log, checkpoints, samples and, at the end, the model folder `final`.
        progress: who is told what happens.
        finish: called with the model folder before it gets its name, to add files.
        world_size: processes that must take part; None takes whatever the launcher started.

    Raises:
        UsageError: the checkpoint belongs to other settings.
        AudioJourneyError: the loss is not a finite number, or a checkpoint cannot be written.
    """
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    with Interrupt() as interrupt:
        accelerator = parallel.connect(config.device, world_size)
        loop = _Loop(task, config, run, progress or Progress(), interrupt, accelerator)
        try:
            reason = loop.run_steps()
        finally:
            loop.progress.stop()
        if reason == "finished":
            loop.export(finish)
        return loop.report(reason)


class _Loop:
    """A run that is under way."""

    def __init__(
        self,
        task: Trainable,
        config: LoopConfig,
        run: Path,
        progress: Progress,
        interrupt: Interrupt,
        accelerator: Accelerator,
    ) -> None:
        self.began = self.saved = time.monotonic()
        self.task, self.config, self.run, self.progress, self.interrupt = task, config, run, progress, interrupt
        self.accelerator, self.main = accelerator, accelerator.is_main_process
        for module in filter(None, (task.module, task.adversary)):
            module.to(self.accelerator.device)
            parallel.share_weights(self.accelerator, module)
        self.update = Update(task, config, self.accelerator)
        self.ema = Ema(task.module, config.ema) if config.ema is not None else None
        self.log = Log(run / "log.jsonl", progress, self.main)
        self.pending = Pending(self.accelerator, partial(learning_rate, config))
        self.step = self._resume()
        if self.step < config.steps:
            self.log.write(self._header())

    def run_steps(self) -> Reason:
        """Make updates until the last one, a signal or the end of the time."""
        self.progress.start(self.step, self.config.steps)
        rank = self.accelerator.process_index
        with Prefetch(self.task, self.config, rank, self.step) as batches:
            while self.step < self.config.steps:
                self.task.module.train()
                self.pending.add(self.step + 1, self.update(self.step, batches.next()))
                if self.ema is not None:
                    self.ema.update()
                self.step += 1
                self.progress.advance(self.step)
                reason = self._between_steps()
                if reason is not None:
                    return reason
        return "finished"

    def export(self, finish: Callable[[Path], None] | None) -> None:
        """Write the model folder `final`, unless it holds these weights already."""
        final = self.run / "final"
        if self.main and exported_step(final) != self.step:
            with self._evaluating():
                export_model(self.task, final, self.step, finish)
        self.accelerator.wait_for_everyone()

    def report(self, reason: Reason) -> LoopReport:
        """Return how it ended."""
        return LoopReport(
            run=self.run,
            step=self.step,
            steps=self.config.steps,
            reason=reason,
            loss=self.pending.last_loss,
            wall_s=time.monotonic() - self.began,
            world_size=self.accelerator.num_processes,
        )

    def _between_steps(self) -> Reason | None:
        """Log, measure, sample and save what is due; return why to stop, or None."""
        config, now = self.config, time.monotonic()
        late = config.stop_after_s is not None and now - self.began >= config.stop_after_s
        long_ago = bool(config.save_every_s) and now - self.saved >= config.save_every_s
        wishes = (long_ago, self.interrupt.asked, late)
        long_ago, asked, late = parallel.anywhere(self.accelerator, wishes)
        last = self.step == config.steps
        saving = last or asked or late or long_ago or self._due(config.save_every)
        self.pending.settle(self._explain, force=saving or self._due(config.log_every))
        if last or self._due(config.log_every):
            self.log.write(self.pending.line(self.step))
        if not asked:
            self._evaluate(last)
        if saving:
            self._save()
        if last:
            return None
        return "interrupted" if asked else "out of time" if late else None

    def _due(self, every: int) -> bool:
        """Tell whether something that happens every so many steps happens now."""
        return every > 0 and self.step % every == 0

    def _evaluate(self, last: bool) -> None:
        """Validate and write samples where they are due, in the first process only."""
        validating, sampling = last or self._due(self.config.eval_every), last or self._due(self.config.sample_every)
        if not (validating or sampling):
            return
        if self.main:
            with self._evaluating():
                if validating:
                    self.log.write({"kind": "val", "step": self.step, **self.task.validate()})
                if sampling:
                    (self.run / "samples").mkdir(parents=True, exist_ok=True)
                    self.task.sample(self.run / "samples", self.step)
        self.accelerator.wait_for_everyone()

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        """Lend the averaged weights to the module and switch dropout and gradients off."""
        training = self.task.module.training
        self.task.module.eval()
        with torch.no_grad(), self.ema.swapped() if self.ema is not None else nullcontext():
            yield
        self.task.module.train(training)

    def _save(self) -> None:
        """Write a checkpoint; the log reaches the disk before it."""
        self.log.sync()
        if self.main:
            snapshot.save(self.run, self.step, self.config, self.update, self.ema, self.pending.window, self._world())
        self.accelerator.wait_for_everyone()
        self.saved = time.monotonic()

    def _resume(self) -> int:
        """Load the newest checkpoint, if any, and cut the log there; return its step."""
        if self.main:
            snapshot.clean(self.run)
        self.accelerator.wait_for_everyone()
        step, window = snapshot.load(self.run, self.config, self.update, self.ema, self._world())
        self.pending.window = window
        self.log.rewind(step)
        if step:
            self.progress.note(f"continues from step {step} of {self.config.steps}")
        return step

    def _world(self) -> int:
        return self.accelerator.num_processes

    def _header(self) -> dict[str, Any]:
        """Return the line that each call of `train` begins with."""
        return {
            "kind": "run",
            "step": self.step,
            "steps": self.config.steps,
            "world_size": self._world(),
            "device": str(self.accelerator.device),
            "dtype": self.config.dtype,
            "threads": torch.get_num_threads(),
            "parameters": sum(param.numel() for param in self.update.model.params),
            "torch": torch.__version__,
        }

    def _explain(self, step: int, name: str, value: float) -> AudioJourneyError:
        """Return the error for a value that is not a finite number."""
        kept = snapshot.newest(self.run)
        where = f"The last checkpoint is kept: {kept}." if kept else "No checkpoint had been written."
        return AudioJourneyError(
            f"Training stopped at step {step}: {name} is {value}.",
            f"{where} Try a lower loop.lr (now {self.config.lr}), a longer loop.warmup or a smaller loop.clip_norm.",
        )
