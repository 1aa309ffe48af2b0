"""Several processes on this machine, started by the program itself."""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from audiojourney import errors
from audiojourney.errors import AudioJourneyError

T = TypeVar("T")


def launch(function: Callable[..., T], nproc: int, *args: Any) -> T:
    """Run `function(*args)` in `nproc` new processes that form one group; return what the first returned.

    Args:
        function: importable by its name, since every process starts afresh.
        nproc: number of processes.
        args: values that can be pickled.

    Raises:
        AudioJourneyError: the error of the process that failed first.
        KeyboardInterrupt: a signal ended the processes.
    """
    # Its tracebacks of every process would bury the one sentence that tells what is wrong.
    logging.getLogger("torch.distributed.elastic").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        fault = Path(folder) / "fault.json"
        try:
            return elastic_launch(_settings(nproc), _run)(function, args, fault)[0]
        except SignalException as error:
            raise KeyboardInterrupt from error
        except ChildFailedError as error:
            raise _fault(fault, error) from error


def _settings(nproc: int) -> LaunchConfig:
    """Return settings for one machine, a free port, no second try and no talk."""
    return LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=nproc,
        run_id=f"aj-{os.getpid()}",
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        max_restarts=0,
        monitor_interval=0.1,
        start_method="spawn",
    )


def _run(function: Callable[..., T], args: tuple[Any, ...], fault: Path) -> T:
    """Run in a new process; leave the error that a user may meet where the first process can read it."""
    try:
        return function(*args)
    except AudioJourneyError as error:
        told = {"kind": type(error).__name__, "message": error.message, "hint": error.hint}
        own = fault.with_name(f"{os.getpid()}.json")
        own.write_text(json.dumps(told), encoding="utf-8")
        own.replace(fault)
        raise


def _fault(path: Path, error: ChildFailedError) -> AudioJourneyError:
    """Return the error that a process left, or one made of its exit status."""
    if path.exists():
        told = json.loads(path.read_text(encoding="utf-8"))
        kind = getattr(errors, told["kind"], AudioJourneyError)
        return kind(told["message"], told["hint"])
    rank, failure = error.get_first_failure()
    return AudioJourneyError(f"Process {rank} ended with exit code {failure.exitcode}: {failure.message}.")
