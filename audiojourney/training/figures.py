"""Figures of the updates between two lines of the log."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import torch
from accelerate import Accelerator

from audiojourney.training import parallel
from audiojourney.training.progress import Window
from audiojourney.training.update import Figures

Explain = Callable[[int, str, float], Exception]


class Pending:
    """Collects figures as they lie on the device and reads them when that costs little.

    On a CPU alone each update is read at once; elsewhere reading would make the host wait for the device, so it
    happens at the next line of the log or checkpoint.

    Args:
        accelerator: device and processes.
        rate: learning rate of an update, counted from 0.
    """

    def __init__(self, accelerator: Accelerator, rate: Callable[[int], float]) -> None:
        self.rate = rate
        self.accelerator = accelerator
        self.at_once = accelerator.device.type == "cpu" and accelerator.num_processes == 1
        self.items: list[tuple[int, Figures]] = []
        self.window = Window()
        self.last_loss: float | None = None
        self.since, self.updates = time.monotonic(), 0

    def add(self, step: int, figures: Figures) -> None:
        """Take the figures of the update that made `step` updates complete."""
        self.items.append((step, figures))
        self.updates += 1

    def settle(self, explain: Explain, force: bool) -> None:
        """Read what has been collected.

        Raises:
            Exception: what `explain(step, name, value)` returns, for the first figure that is not finite.
        """
        if not (force or self.at_once):
            return
        for step, figures in self.items:
            values = self._read(figures)
            for name in ("loss", "grad_norm", "adversary_loss", "adversary_grad_norm"):
                if not math.isfinite(values.get(name, 0.0)):
                    raise explain(step, name, values[name])
            self.window.add(values)
        self.items.clear()

    def line(self, step: int) -> dict[str, Any]:
        """Return the line of the log after `step` updates: means since the last line, and the updates a second."""
        now = time.monotonic()
        speed = self.updates / max(now - self.since, 1e-9)
        self.since, self.updates = now, 0
        means = self.window.means()
        self.last_loss = means.get("loss", self.last_loss)
        return {"kind": "train", "step": step, **means, "lr": self.rate(step - 1), "steps_per_s": round(speed, 4)}

    def _read(self, figures: Figures) -> dict[str, float]:
        """Return plain numbers, each the mean over all processes."""
        if self.at_once:
            return {name: float(value) for name, value in figures.items()}
        device = self.accelerator.device
        tensors = [torch.as_tensor(value, dtype=torch.float32, device=device) for value in figures.values()]
        values = parallel.mean_over_processes(self.accelerator, torch.stack(tensors)).tolist()
        return dict(zip(figures, values, strict=True))
