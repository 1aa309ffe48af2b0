"""The log of a run, and what a display may show of it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from audiojourney.errors import AudioJourneyError


class Progress:
    """Receives what happens in the loop; this one shows nothing, a display overrides what it needs."""

    def start(self, step: int, steps: int) -> None:
        """Learn that `step` of `steps` updates are done already."""

    def advance(self, step: int) -> None:
        """Learn that update number `step` is done; called at every step, so it must be cheap."""

    def line(self, figures: Mapping[str, Any]) -> None:
        """Receive one line of the log."""

    def note(self, message: str) -> None:
        """Receive one sentence for the user."""

    def stop(self) -> None:
        """Learn that the loop ended, for whatever reason."""


class Log:
    """JSON lines of a run, one object a line.

    Args:
        path: file to append to.
        progress: who else is told of each line.
        active: False for a process that must not write.
    """

    def __init__(self, path: Path, progress: Progress, active: bool = True) -> None:
        self.path, self.progress, self.active = path, progress, active

    def rewind(self, step: int) -> None:
        """Drop lines later than `step` and a line that was cut short, so that a continued run has each step once."""
        if not self.active or not self.path.exists():
            return
        lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if _step_of(line) <= step]
        if kept != lines:
            temporary = self.path.with_suffix(".tmp")
            temporary.write_text("".join(kept), encoding="utf-8")
            temporary.replace(self.path)

    def write(self, figures: Mapping[str, Any]) -> None:
        """Append one line; it is out of this process when the call returns.

        Raises:
            AudioJourneyError: the file cannot be written.
        """
        if not self.active:
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(figures) + "\n")
        except OSError as error:
            raise AudioJourneyError(
                f"The log {self.path} cannot be written ({error.strerror or error}).",
                "Make room or choose another run folder, then run the same command again.",
            ) from error
        self.progress.line(figures)

    def sync(self) -> None:
        """Flush the file to the disk, so that no checkpoint is newer than the log."""
        if self.active and self.path.exists():
            with self.path.open("a", encoding="utf-8") as file:
                os.fsync(file.fileno())


def read_log(path: Path) -> list[dict[str, Any]]:
    """Return all whole lines of a log."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if _step_of(line) < float("inf")]


class Window:
    """Means over the updates since the last line of the log.

    Its sums are part of a checkpoint, so that a continued run writes the line that an unbroken one would.

    Args:
        sums: sum of each figure so far.
        counts: updates that had it.
    """

    def __init__(self, sums: Mapping[str, float] | None = None, counts: Mapping[str, int] | None = None) -> None:
        self.sums = dict(sums or {})
        self.counts = dict(counts or {})

    def add(self, figures: Mapping[str, float]) -> None:
        """Take in the figures of one update."""
        for name, value in figures.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
            self.counts[name] = self.counts.get(name, 0) + 1

    def means(self) -> dict[str, float]:
        """Return the mean of each figure and start again."""
        means = {name: value / self.counts[name] for name, value in self.sums.items()}
        self.sums, self.counts = {}, {}
        return means


def _step_of(line: str) -> float:
    """Return the step of a line, infinity for one that was cut short."""
    try:
        return float(json.loads(line)["step"]) if line.endswith("\n") else float("inf")
    except (ValueError, KeyError, TypeError):
        return float("inf")
