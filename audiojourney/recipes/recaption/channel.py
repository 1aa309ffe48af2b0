"""JSON lines between a run and the processes that do its work.

A run starts `python -m audiojourney.recipes.recaption.worker` and talks to it through its standard input and output.
The pipe to its input is its lifeline as well: when the run is gone, for whatever reason, the worker ends too.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import IO, Any

from audiojourney import config as configuration
from audiojourney.captions.names import CAPTIONERS
from audiojourney.errors import AudioJourneyError, MissingError, UsageError
from audiojourney.recipes.recaption.config import RecaptionConfig
from audiojourney.recipes.recaption.models import SCORERS

MODULE = "audiojourney.recipes.recaption.worker"
STOP_S = 5.0
_TAIL_BYTES = 4096
_ERRORS = {cls.__name__: cls for cls in (AudioJourneyError, UsageError, MissingError)}

Message = dict[str, Any]


class Channel:
    """A worker process.

    Args:
        config: settings of the run.
        on_message: is called, from a thread, with each message of the worker, and with None after the last.
        rank: number of the worker among its like.
    """

    def __init__(self, config: RecaptionConfig, on_message: Callable[[Message | None], None], rank: int = 0) -> None:
        self._noise: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the worker
        self._process = subprocess.Popen(
            [sys.executable, "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=None if os.environ.get("AJ_DEBUG") else self._noise,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )
        self._on_message = on_message
        self._said = ""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        table = configuration.to_table(config)
        self.send({"config": table, "captioners": dict(CAPTIONERS), "scorers": dict(SCORERS), "rank": rank})

    def send(self, message: Message) -> None:
        """Give the worker something to do; one that has ended hears nothing."""
        assert self._process.stdin is not None
        with suppress(OSError, ValueError):  # a pipe that is broken, or closed
            self._process.stdin.write(json.dumps(message).encode("ascii") + b"\n")
            self._process.stdin.flush()

    def stop(self) -> None:
        """Ask the worker to end after the batch that it is at."""
        self.send({"do": "stop"})

    def close(self) -> int:
        """Let the worker go, wait for its end, and return its exit status; below 0 it is a signal."""
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()
        if not self._noise.closed:
            self._said = self._reason(self._process.wait())
            self._noise.close()
        return self._process.wait()

    def last_words(self) -> str:
        """End the worker, and return why it ended: the signal, and the last line that it wrote to standard error."""
        self.close()
        return self._said

    def _reason(self, status: int) -> str:
        size = self._noise.seek(0, os.SEEK_END)
        self._noise.seek(max(0, size - _TAIL_BYTES))
        lines = [line.strip() for line in self._noise.read().decode("utf-8", "replace").splitlines() if line.strip()]
        fatal = next((line for line in reversed(lines) if line.startswith("Fatal Python error")), "")
        said = fatal or (lines[-1] if lines and status > 0 else "")
        return f"{_name(status)}: {said}" if said else _name(status)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            try:
                message = json.loads(line)
            except ValueError:
                continue  # cut by the end of the process
            self._on_message(message)
        self._on_message(None)


def raised(message: Message) -> AudioJourneyError:
    """Return the error that a worker has told of in a message `failed`."""
    return _ERRORS.get(message["kind"], AudioJourneyError)(message["message"], message["hint"])


def _name(status: int) -> str:
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"
