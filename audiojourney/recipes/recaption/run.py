"""`aj recaption`: clips in, a list of captions with scores and verdicts out."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from audiojourney import config as configuration
from audiojourney import files
from audiojourney.errors import AudioJourneyError, MissingError
from audiojourney.recipes.recaption import engines, layout
from audiojourney.recipes.recaption.choice import choose
from audiojourney.recipes.recaption.config import DEFAULT_INPUT, RecaptionConfig
from audiojourney.recipes.recaption.folder import Part, parts
from audiojourney.recipes.recaption.inputs import Inputs
from audiojourney.recipes.recaption.keys import digest, settings_that_matter
from audiojourney.recipes.recaption.merge import merge, part_failures
from audiojourney.recipes.recaption.report import RecaptionReport, Status, summed
from audiojourney.recipes.recaption.shard import ShardReport
from audiojourney.recipes.recaption.stamp import Counts, Stamp, read_stamp
from audiojourney.recipes.recaption.step import strict_error
from audiojourney.training.interrupt import Interrupt

# What clusters send before the time is up, besides SIGTERM.
_SIGNALS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGUSR1] if hasattr(signal, "SIGUSR1") else [])]

OnProgress = Callable[[int, int], None]


def run(
    config: RecaptionConfig,
    on_progress: OnProgress = lambda done, total: None,
    stdin: Callable[[], bytes] = lambda: sys.stdin.buffer.read(),
) -> RecaptionReport:
    """Caption the clips that `config` names; what is stored of an earlier run is not done again.

    SIGTERM and SIGUSR1 end the run after the batch it is at, with the status `incomplete`.

    Args:
        config: the settings.
        on_progress: is told how many clips of how many are done.
        stdin: reads standard input, for an input named `-`.

    Raises:
        UsageError: settings that cannot be meant, or an output that was made in another way and `force` is not set.
        MissingError: clips, weights or an extra are absent.
        AudioJourneyError: too many clips of a shard failed, or a file cannot be written.
        KeyboardInterrupt: Ctrl-C; what was finished is stored.
    """
    started = time.monotonic()
    with Interrupt(_SIGNALS) as interrupt:
        report = _Run(config, on_progress, stdin, lambda: interrupt.asked).go()
    if interrupt.typed and report.status == "incomplete":
        raise KeyboardInterrupt
    return replace(report, wall_s=time.monotonic() - started)


def recaption(*inputs: str | Path, on_progress: OnProgress | None = None, **settings: Any) -> RecaptionReport:
    """Caption clips: what `aj recaption` does.

    Args:
        *inputs: folders, manifests, sound files; the folder `data` when none is named.
        on_progress: called with clips done and clips in all.
        **settings: fields of `RecaptionConfig`: output, captioner, candidates, keep, clap, clap_threshold, seed, ...

    Returns:
        Where the captions are, and what became of the clips; failed ones are counted there and named in a file.

    Raises:
        UsageError: an unknown setting, or a value that cannot be meant.
        MissingError: clips, weights or an extra are absent.
    """
    named = {"inputs": [str(path) for path in inputs]} if inputs else {}
    config = configuration.build(RecaptionConfig, named | settings)
    return run(config, on_progress or (lambda done, total: None))


def refuse_failures(all_parts: Sequence[Part], config: RecaptionConfig) -> None:
    """With `strict`, end at the first clip that failed, in an earlier run too.

    Raises:
        AudioJourneyError: there is one.
    """
    for part in all_parts if config.strict else ():
        for item in part_failures(part):
            raise strict_error(item)


class _Run:
    """One run from settings to report."""

    def __init__(
        self, config: RecaptionConfig, on_progress: OnProgress, stdin: Callable[[], bytes], stop: Callable[[], bool]
    ) -> None:
        self.config, self.stop = config, stop
        if config.inputs == (DEFAULT_INPUT,) and not Path(DEFAULT_INPUT).exists():
            told = f"There is no folder {DEFAULT_INPUT!r} here, and no clips are named."
            raise MissingError(told, "Name them: aj recaption FOLDER")
        self.output = layout.output_path(config)
        self.inputs = Inputs(config.inputs, stdin, config.limit)
        self.clips, self.inputs_sha256 = self.inputs.measure()
        if config.strict and self.inputs.failures:
            raise strict_error(self.inputs.failures[0])
        self.settings = settings_that_matter(config)
        self.request = digest([self.settings, self.inputs_sha256])
        # Rows that are no clips are told beside the output, so it is written anew when they differ.
        self.limits = digest([configuration.to_table(config.limits), self.inputs.failures])
        self.done: dict[int, int] = {}  # clips by shard
        self.total = self.clips  # of the chosen shards
        self.on_progress = on_progress

    def go(self) -> RecaptionReport:
        """Do what is left, judge it, write the output."""
        stamp = read_stamp(self.output)
        if self.config.dry_run:
            return RecaptionReport("planned", self.output, self.clips)
        if self._is_done(stamp):
            assert stamp is not None
            return self._report("unchanged", stamp=stamp)
        layout.check_output(self.output, stamp, self.request, self.settings, force=self.config.force)
        files.check_folder(self.output.parent)
        again = self.config.force and stamp is not None and stamp.request == self.request
        if again:
            layout.discard(self.output, self.request)
        backend = engines.Local(self.config, self.stop)
        try:
            order = layout.find(self.output, self.request) or self._create(backend.identity())
            order = order if not again else replace(order, earlier=())
            return self._perform(order, backend)
        finally:
            backend.close()

    def _is_done(self, stamp: Stamp | None) -> bool:
        """Say whether the output is there and is what would be written."""
        if stamp is None or self.config.force or (self.config.retry and stamp.counts.errors):
            return False
        return stamp.request == self.request and stamp.limits == self.limits

    def _create(self, identity: Mapping[str, str]) -> layout.Order:
        about = {"request": self.request, "settings": self.settings, "inputs_sha256": self.inputs_sha256}
        # Shards of one size: in a last one of few clips a single bad one would be a large share.
        shards = -(-self.clips // self.config.shard_clips)
        return layout.create(self.output, about, identity, self.inputs.jobs(), -(-self.clips // shards))

    def _perform(self, order: layout.Order, backend: engines.Local) -> RecaptionReport:
        all_parts = parts(order.folder, order.shards)
        numbers = choose(self.config.shards, order.shards)
        self.done = {number: all_parts[number].glance() for number in numbers}
        self.total = min(self.clips, len(numbers) * -(-self.clips // order.shards))
        todo = [number for number in numbers if self.config.retry or all_parts[number].read_marker() is None]
        if self.config.executor == "slurm" and not self.config.retry:
            self._check([report for part in all_parts for report in self._failed(part)], all_parts)
        if self.config.engine == "datatrove":
            backend.close()  # its tasks open the models themselves
            reports = engines.datatrove(self.config, order, todo, self._tell)
        else:
            reports = backend.run(order, todo, self._tell)
        if reports is None:
            return self._report("submitted", order)
        self._check(reports, all_parts)
        if any(all_parts[number].read_marker() is None for number in numbers):
            return self._report("incomplete", order, reports)
        # Markers of others are looked at closely only when all are there: that reads every list.
        if not all(part.glance() for part in all_parts) or not all(part.read_marker() for part in all_parts):
            return self._report("waiting", order, reports)
        refuse_failures(all_parts, self.config)
        again = read_stamp(self.output)
        about = {"request": self.request, "key": order.key, "limits": self.limits}
        stamp = merge(all_parts, self.output, self.config.limits, self.inputs.failures, about)
        judged = again is not None and again.request == self.request and not todo
        return self._report("judged" if judged else "written", order, reports, stamp)

    def _failed(self, part: Part) -> Iterator[ShardReport]:
        """Yield the report of a shard that a cluster has marked as failed, where it still is by these limits."""
        marker = part.read_failed_marker()
        if marker and marker["errors"] > self.config.max_error_rate * (marker["rows"] + marker["errors"]):
            yield ShardReport(part.number, "failed", marker["rows"], marker["errors"])

    def _check(self, reports: Sequence[ShardReport], all_parts: Sequence[Part]) -> None:
        """Refuse to go on to the output where too much has failed."""
        failed = [report for report in reports if report.status == "failed"]
        if failed:
            first = failed[0]
            clips = first.rows + first.errors
            told = f"{first.errors} of {clips} clips of shard {first.number} failed"
            more = f", and so did too many of {len(failed) - 1} more shards" if len(failed) > 1 else ""
            most = f"more than --max-error-rate {self.config.max_error_rate:g} allows"
            raise AudioJourneyError(f"{told}, {most}{more}.", f"They are named in {all_parts[first.number].errors}.")

    def _tell(self, number: int, done: int, total: int) -> None:
        self.done[number] = done
        self.on_progress(min(sum(self.done.values()), self.total), self.total)

    def _report(
        self,
        status: Status,
        order: layout.Order | None = None,
        reports: Sequence[ShardReport] = (),
        stamp: Stamp | None = None,
    ) -> RecaptionReport:
        order = order or layout.find(self.output, self.request)
        counted = [part.glance() for part in parts(order.folder, order.shards)] if order else []
        done = sum(counted) + sum(report.rows + report.errors for report in reports if report.status == "stopped")
        return RecaptionReport(
            status,
            self.output,
            self.clips,
            errors=self.output.parent / stamp.errors if stamp and stamp.errors else None,
            done=done,
            shards=(sum(map(bool, counted)), len(counted)),
            identity=dict(order.identity) if order else {},
            fresh=sum(report.fresh for report in reports),
            spent=summed(reports),
            counts=stamp.counts if stamp else Counts(),
        )
