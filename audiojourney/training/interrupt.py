"""Ctrl-C and SIGTERM as a flag that the loop reads between two steps."""

from __future__ import annotations

import signal
import threading
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Any


class Interrupt:
    """While this context is open, a signal sets `asked`; a second Ctrl-C interrupts at once.

    A launcher that gets Ctrl-C sends SIGTERM to its workers, which had the Ctrl-C already: that is no second wish.
    """

    def __init__(self, signals: Sequence[int] = (signal.SIGINT, signal.SIGTERM)) -> None:
        self.signals = signals
        self.asked = False
        self.typed = False
        self.earlier: dict[int, Any] = {}

    def __enter__(self) -> Interrupt:
        """Take over the signals; outside the main thread Python forbids that, and they stay as they are."""
        if threading.current_thread() is threading.main_thread():
            for number in self.signals:
                self.earlier[number] = signal.signal(number, self._ask)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the signals back."""
        for number, handler in self.earlier.items():
            signal.signal(number, handler)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        """Note the wish to stop."""
        if number == signal.SIGINT and self.typed:
            raise KeyboardInterrupt
        self.asked = True
        self.typed = self.typed or number == signal.SIGINT
