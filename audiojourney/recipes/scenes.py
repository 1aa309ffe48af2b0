"""`aj data scenes`: a data set of synthetic scenes, by several processes, continued where a killed run stopped."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from audiojourney.data.clip import Clip
from audiojourney.data.scenes.scene import SceneConfig
from audiojourney.data.scenes.write import SceneFolder
from audiojourney.errors import AudioJourneyError, UsageError

Progress = Callable[[int, int], None]  # (done, total)

# Rows are written out this often: so much work is lost at most when the run is killed.
FLUSH_EVERY_S = 2.0

# Scenes handed to a worker process ahead of the one that is waited for.
AHEAD = 4


@dataclass(frozen=True, kw_only=True)
class ScenesConfig:
    """Settings of `aj data scenes`.

    Attributes:
        output: folder of the data set.
        count: number of scenes that it shall hold.
        seed: seed of the data set; other seeds give other scenes.
        workers: processes; the scenes do not depend on it.
        exists: what to do with a data set that is there: `skip` what is done and make the rest, begin again
            (`overwrite`), or stop (`error`).
        scene: settings of every scene.
        dry_run: plan only.
    """

    output: Path
    count: int = 1000
    seed: int = 0
    workers: int = 2
    exists: Literal["skip", "overwrite", "error"] = "skip"
    scene: SceneConfig = field(default_factory=SceneConfig)
    dry_run: bool = False

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            UsageError: no scene, no worker, or a seed below 0.
        """
        for name, least in (("count", 1), ("workers", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise UsageError(f"{name} is {getattr(self, name)}; expected {least} or more.")


@dataclass(frozen=True, kw_only=True)
class ScenesReport:
    """What was done.

    Attributes:
        output: folder of the data set.
        made: scenes made by this run.
        kept: scenes that were there before.
        hours: length of all scenes.
        seed: seed of the data set.
    """

    output: Path
    made: int
    kept: int
    hours: float
    seed: int


def run(config: ScenesConfig, on_progress: Progress = lambda done, total: None) -> ScenesReport:
    """Write a data set of scenes, or what is missing of it.

    Raises:
        UsageError: the folder holds another data set, or one at all with `exists` "error".
        AudioJourneyError: the disk is full or cannot be written; what was finished stays.
    """
    folder = SceneFolder(config.output, config.seed, config.scene)
    if config.exists == "error" and folder.begun():
        raise UsageError(f"{config.output} holds a data set already.", "Choose another folder, or use --exists skip.")
    if config.dry_run:
        return _report(config, made=0, kept=0)
    if config.exists == "overwrite":
        folder.clear()
    kept = folder.open()
    if kept < config.count:
        folder.reopen()
        _fill(folder, range(kept, config.count), config.workers, on_progress)
    folder.close()
    return _report(config, made=max(0, config.count - kept), kept=kept)


def _report(config: ScenesConfig, made: int, kept: int) -> ScenesReport:
    hours = (made + kept) * config.scene.duration_s / 3600
    return ScenesReport(output=config.output, made=made, kept=kept, hours=hours, seed=config.seed)


def _fill(folder: SceneFolder, indices: range, workers: int, on_progress: Progress) -> None:
    """Make scenes and add their rows in order, a few seconds' worth at a time, also when the run is interrupted."""
    ready: list[Clip] = []
    flushed = time.monotonic()
    made = _made(folder, indices, min(workers, len(indices)))
    try:
        for done, clip in enumerate(made, start=indices.start + 1):
            ready.append(clip)
            on_progress(done, indices.stop)
            if time.monotonic() - flushed >= FLUSH_EVERY_S:
                folder.add(ready)
                ready, flushed = [], time.monotonic()
    finally:
        if ready:
            folder.add(ready)
        made.close()


def _made(folder: SceneFolder, indices: range, workers: int) -> Generator[Clip, None, None]:
    """Scenes in the order of `indices`, however many processes make them."""
    if workers == 1:
        yield from map(folder.make, indices)
        return
    # Spawned, not forked: a fork of a process that has loaded numerical libraries may hang.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_prepare_worker)
    pending: deque[Future[Clip]] = deque()
    try:
        for index in indices:
            pending.append(pool.submit(folder.make, index))
            if len(pending) >= AHEAD * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except BrokenProcessPool as error:
        told = f"One of {workers} processes was ended from outside, often for lack of memory."
        raise AudioJourneyError(told, "Run the same command again with fewer --workers.") from error
    finally:
        pool.shutdown(cancel_futures=True)


def _prepare_worker() -> None:
    """Leave Ctrl-C to the parent, and end with it when it is killed instead of waiting for work for ever."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
