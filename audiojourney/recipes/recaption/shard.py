"""One shard from its list of clips to its marker. Every engine runs this one function."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from audiojourney import __version__
from audiojourney.recipes.recaption import batches, quarantine
from audiojourney.recipes.recaption.config import RecaptionConfig
from audiojourney.recipes.recaption.decode import Decoder, Heard, hear, in_order
from audiojourney.recipes.recaption.folder import Item, Outcome, Part
from audiojourney.recipes.recaption.inputs import Job
from audiojourney.recipes.recaption.models import Models
from audiojourney.recipes.recaption.quarantine import Probe
from audiojourney.recipes.recaption.step import Spent, strict_error

Status = Literal["done", "failed", "stopped"]


@dataclass(frozen=True)
class Work:
    """What the shards of a run share.

    Attributes:
        config: the settings.
        folder: where the work of the run lies.
        key: of the run.
        models: opens the models, once a process; called when there is something for them to do.
        probe: tries clips one by one in a process of their own.
        watched: somebody sees the end of this process and starts another, so that clips can be tried one by one here.
        guilty: clips that have ended a process, and how.
        known: the row of a clip from an earlier run, where it still holds.
        stop: says whether to end after this batch.
        on_progress: is told the shard, how many of its clips are done and how many it has.
    """

    config: RecaptionConfig
    folder: Path
    key: str
    models: Callable[[], Models]
    probe: Probe = quarantine.probe
    watched: bool = False
    guilty: Mapping[str, str] = field(default_factory=dict)
    known: Callable[[Job], Item | None] = lambda job: None
    stop: Callable[[], bool] = lambda: False
    on_progress: Callable[[int, int, int], None] = lambda number, done, total: None


@dataclass(frozen=True)
class ShardReport:
    """What was done on a shard.

    Attributes:
        number: of the shard.
        status: `done`, `failed` (too many clips did), or `stopped`.
        rows: clips with captions, stopped or not.
        errors: clips that failed.
        fresh: clips worked on just now, stored ones left out.
        spent: where the time went.
    """

    number: int
    status: Status
    rows: int
    errors: int
    fresh: int = 0
    spent: Spent = field(default_factory=Spent)


def process_shard(work: Work, number: int) -> ShardReport:
    """Write the captions of a shard; what an earlier attempt has stored is not done again.

    Clips that fail become records. A shard in which more than `max_error_rate` of them do is marked as failed.

    Raises:
        AudioJourneyError: models cannot run, the disk is full, or with `strict` a clip failed.
    """
    part = Part(work.folder, number)
    marker = part.read_marker()
    if marker and not (work.config.retry and marker["errors"]):
        return ShardReport(number, "done", marker["rows"], marker["errors"])
    if marker:
        part.reopen()
    return _Run(work, part).run()


class _Run:
    """The work on one shard."""

    def __init__(self, work: Work, part: Part) -> None:
        self.work, self.part, self.config = work, part, work.config
        self.jobs = part.read_jobs()
        self.spent = Spent()
        self.fresh = 0
        self.started = self.flushed_at = time.monotonic()
        self.done = part.read_subs([job.clip.id for job in self.jobs])  # flushed
        self.new: list[Outcome] = []  # not flushed

    def run(self) -> ShardReport:
        """Do what is left, then store it."""
        ready = self._ready()
        missing = self._advance(ready)
        if missing and not self.work.stop():
            with Decoder(self._models().rates_hz, self.config.threads) as decoder:
                for heard in self._heard(decoder, missing):
                    self._do(heard, ready)
                    if self.work.stop():
                        break
        return self._finish() if self._at == len(self.jobs) else self._stopped()

    @property
    def _at(self) -> int:
        """Clips whose outcome is known without a gap."""
        return len(self.done) + len(self.new)

    def _ready(self) -> dict[str, Outcome]:
        """Collect what is known of clips without asking the models here: failed shards, earlier runs, suspects."""
        left = self.jobs[len(self.done) :]
        ready = {one.id: one for one in self.part.read_failed(errors=not self.config.retry)}
        ready |= {clip_id: quarantine.crash(clip_id, reason) for clip_id, reason in self.work.guilty.items()}
        for job in left:
            row = None if job.clip.id in ready else self.work.known(job)
            if row is not None:
                ready[job.clip.id] = Outcome(job.clip.id, row)
        suspects = set(self.part.read_flight())
        tried = [job for job in left if job.clip.id in suspects and job.clip.id not in ready]
        if tried and not self.work.stop():
            alone = self._alone(tried) if self.work.watched else self.work.probe(self.config, tried, self.work.stop)
            ready |= {one.id: one for one in alone}
            self.fresh += len(alone)
        return ready

    def _alone(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Do clips one by one, each named on disk as the only one: when this process ends, it was that one."""
        models = self._models()
        found: list[Outcome] = []
        for job in jobs:
            if self.work.stop():
                break
            self.part.set_flight([job.clip.id])
            found += batches.perform([hear(job, models.rates_hz)], models, self.config, self.spent)
            self.work.on_progress(self.part.number, self._at + len(found), len(self.jobs))
        return found

    def _advance(self, ready: Mapping[str, Outcome]) -> list[Job]:
        """Take over what is ready at the front; return the clips that the models must do."""
        left = self.jobs[self._at :]
        missing = [job for job in left if job.clip.id not in ready]
        for job in left:
            if job.clip.id not in ready:
                break
            self._note(ready[job.clip.id])
        return missing

    def _note(self, outcome: Outcome) -> None:
        self.new.append(outcome)
        if outcome.failed and self.config.strict:
            self._flush()
            self.part.clear_flight()
            raise strict_error({"id": outcome.id, **outcome.item})

    def _models(self) -> Models:
        start = time.perf_counter()
        models = self.work.models()
        self.spent.load += time.perf_counter() - start
        return models

    def _heard(self, decoder: Decoder, jobs: Sequence[Job]) -> Iterator[list[Heard]]:
        """Yield batches whose sounds are read; the next ones are being read meanwhile."""
        left, ahead = deque(jobs), deque[tuple[list[str], list[Future[Heard]]]]()
        while left or ahead:
            size = batches.size(self.config, self.work.models().on_gpu)
            while left and len(ahead) <= 1 + 2 * self.config.threads // size:
                chunk = [left.popleft() for _ in range(min(size, len(left)))]
                ids = [job.clip.id for job in chunk]
                # Told before any of them is touched, since reading a sound may end the process as well.
                self.part.set_flight([clip_id for others, _ in ahead for clip_id in others] + ids)
                ahead.append((ids, decoder.start(chunk)))
            yield self._wait(ahead[0][1])
            ahead.popleft()

    def _wait(self, futures: list[Future[Heard]]) -> list[Heard]:
        start = time.perf_counter()
        heard = list(in_order(futures))
        self.spent.wait += time.perf_counter() - start
        self.spent.decode += sum(one.seconds for one in heard)
        return heard

    def _do(self, heard: list[Heard], ready: dict[str, Outcome]) -> None:
        """Caption a batch, and store what is whole where it is time to."""
        for outcome in batches.perform(heard, self.work.models(), self.config, self.spent):
            ready[outcome.id] = outcome
        self.fresh += len(heard)
        self._advance(ready)
        due = time.monotonic() - self.flushed_at >= self.config.flush_s
        if self.new and (due or len(self.new) >= self.config.flush_clips):
            self._flush()
        self.work.on_progress(self.part.number, self._at, len(self.jobs))

    def _flush(self) -> None:
        start = time.perf_counter()
        if self.new:
            self.part.write_sub(len(self.done), self.new)
        self.done += self.new
        self.new = []
        self.flushed_at = time.monotonic()
        self.spent.write += time.perf_counter() - start

    def _stopped(self) -> ShardReport:
        self._flush()
        self.part.clear_flight()
        return self._report("stopped")

    def _finish(self) -> ShardReport:
        outcomes = self.done + self.new
        failed = sum(one.failed for one in outcomes) > self.config.max_error_rate * len(outcomes)
        start = time.perf_counter()
        self.part.finish(outcomes, self._about(), failed=failed)
        self.done, self.new = outcomes, []
        self.spent.write += time.perf_counter() - start
        return self._report("failed" if failed else "done")

    def _about(self) -> dict[str, Any]:
        device = self.config.device
        wall = round(time.monotonic() - self.started, 3)
        return {"config_sha256": self.work.key, "version": __version__, "wall_s": wall, "device": device}

    def _report(self, status: Status) -> ShardReport:
        errors = sum(one.failed for one in self.done)
        return ShardReport(self.part.number, status, len(self.done) - errors, errors, self.fresh, self.spent)
