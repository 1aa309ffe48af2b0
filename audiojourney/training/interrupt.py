"""Ctrl-C and SIGTERM as a flag that the loop reads between two steps."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any


class Interrupt:
    """While this context is open, the first signal sets `asked`; a second one interrupts at once."""

    def __init__(self) -> None:
        self.asked = False
        self.earlier: dict[int, Any] = {}

    def __enter__(self) -> Interrupt:
        """Take over the signals; outside the main thread Python forbids that, and they stay as they are."""
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
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
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
