"""Shards as tasks of datatrove: on this machine, or as a job array of SLURM. Imported only with the extra `scale`.

A task does one shard in a watched process of its own, as `aj recaption` does without datatrove, so a clip that kills
it costs that clip. Whether a shard is done is told by our markers alone: datatrove's own are not looked at, because a
task that was asked to stop ends in order without having finished.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from datatrove.executor import LocalPipelineExecutor, SlurmPipelineExecutor
from datatrove.pipeline.base import PipelineStep

from audiojourney import config as configuration
from audiojourney.errors import UsageError
from audiojourney.recipes.recaption.config import RecaptionConfig
from audiojourney.recipes.recaption.layout import Order
from audiojourney.recipes.recaption.pool import Pool, Tell
from audiojourney.recipes.recaption.shard import ShardReport

_REQUIRED = ("partition", "time")
_pools: dict[str, Pool] = {}  # one a process: datatrove copies its steps for every task


class CaptionShards(PipelineStep):
    """Does the shard that belongs to a task.

    Args:
        config: settings of the run, as a plain table, so that a cluster can read them back.
        order: the work of the run.
        numbers: the shards, one a task.
    """

    name = "audiojourney recaption"
    type = "captions"

    def __init__(self, config: dict[str, Any], order: Order, numbers: Sequence[int]) -> None:
        super().__init__()
        self.config, self.order, self.numbers = config, order, tuple(numbers)

    def run(self, data: Iterable[Any] | None, rank: int = 0, world_size: int = 1) -> Iterator[Any]:
        """Do the shards of a task; nothing is passed on, the parts are written by the shard itself."""
        numbers = self.numbers[rank::world_size]
        with self.track_time(unit="shard"):
            for report in self._pool().run(self.order, numbers, lambda *progress: None):
                self.stat_update("rows", value=report.rows)
                self.stat_update("errors", value=report.errors)
                _reports.append(report)
        yield from ()

    def _pool(self) -> Pool:
        if self.order.key not in _pools:
            stop = threading.Event()
            _obey(stop)
            _pools[self.order.key] = Pool(configuration.build(RecaptionConfig, self.config), stop.is_set)
        return _pools[self.order.key]


_reports: list[ShardReport] = []  # of the tasks that ran in this process


def launch(config: RecaptionConfig, order: Order, numbers: Sequence[int], tell: Tell) -> list[ShardReport] | None:
    """Run the shards on this machine, or submit them to SLURM.

    Returns:
        What was done, or None when a cluster does it later.

    Raises:
        UsageError: the cluster's partition or time limit is not given.
    """
    if not numbers:
        return []
    order = replace(order, folder=order.folder.absolute(), earlier=tuple(path.absolute() for path in order.earlier))
    step = CaptionShards(configuration.to_table(config), order, numbers)
    logs = str(order.folder / "datatrove")
    if config.executor == "slurm":
        _check_slurm(config)
        given = {"job_name": "aj-recaption", "cpus_per_task": config.threads + 1, **_environment(), **config.slurm}
        SlurmPipelineExecutor([step], tasks=len(numbers), logging_dir=logs, skip_completed=False, **given).run()
        return None
    _reports.clear()
    try:
        LocalPipelineExecutor([step], tasks=len(numbers), workers=1, logging_dir=logs, skip_completed=False).run()
    finally:
        for pool in _pools.values():
            pool.close()
        _pools.clear()
    for report in _reports:
        tell(report.number, report.rows + report.errors, report.rows + report.errors)
    return sorted(_reports, key=lambda report: report.number)


def _check_slurm(config: RecaptionConfig) -> None:
    for name in _REQUIRED:
        if name not in config.slurm:
            told = f"--executor slurm knows no {name}: slurm is {dict(config.slurm)}."
            raise UsageError(told, f"Give it with --set slurm.{name}=...")


def _environment() -> dict[str, str]:
    """Let the jobs run in the virtual environment that this process runs in, if any."""
    return {"venv_path": f"{sys.prefix}/bin/activate"} if sys.prefix != sys.base_prefix else {}


def _obey(stop: threading.Event) -> None:
    """Take what a cluster sends before the time is up as the wish to finish the batch."""
    if threading.current_thread() is not threading.main_thread() or not os.environ.get("SLURM_JOB_ID"):
        return
    for name in ("SIGTERM", "SIGUSR1"):
        signal.signal(getattr(signal, name), lambda number, frame: stop.set())
