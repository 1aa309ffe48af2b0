"""A run on the screen: loss, steps a second and remaining time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audiojourney.cli import _ui
from audiojourney.training.progress import Progress


class Display(Progress):
    """A bar on a terminal, else a line now and then.

    Args:
        what: what is trained.
        shown: False for silence.
    """

    def __init__(self, what: str, shown: bool) -> None:
        self.what, self.shown = what, shown
        self.steps = 0
        self.bar: _ui.Bar | None = None

    def start(self, step: int, steps: int) -> None:
        """Begin to show."""
        self.steps = steps
        if self.shown and step < steps:
            self.bar = _ui.mode.bar = _ui.Bar(self.what)

    def advance(self, step: int) -> None:
        """Move the bar."""
        if self.bar is None:
            return
        hidden = self.bar.live is None
        self.bar.update(step, self.steps)
        if hidden and self.bar.live is not None:
            # A continued run begins far from 0, which must not count as speed.
            self.bar.live.reset(self.bar.live.task_ids[0], total=self.steps, completed=step)

    def line(self, figures: Mapping[str, Any]) -> None:
        """Put the newest figures before the bar; report validation in a line of its own."""
        if not self.shown:
            return
        if figures["kind"] == "run":
            _ui.say(
                f"{self.what}: {figures['parameters']:,} parameters, {figures['world_size']} process(es) on "
                f"{figures['device']}, {figures['dtype']}"
            )
        elif figures["kind"] == "train" and self.bar is not None:
            self.bar.what = f"{self.what} loss {figures['loss']:.4g}, {figures['steps_per_s']:.3g} steps/s"
            if self.bar.live is not None:
                self.bar.live.update(self.bar.live.task_ids[0], description=self.bar.what)
        elif figures["kind"] == "val":
            values = ", ".join(f"{name} {value:.4g}" for name, value in figures.items() if isinstance(value, float))
            _ui.say(f"step {figures['step']}: {values}")

    def note(self, message: str) -> None:
        """Say one sentence."""
        if self.shown:
            _ui.say(message)

    def stop(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.close()
            self.bar = _ui.mode.bar = None
