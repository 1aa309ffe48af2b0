"""Settings of `aj recaption`, each default in one place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from audiojourney.captions.filters import FilterConfig
from audiojourney.captions.names import CAPTIONERS, DEFAULT_CAPTIONER
from audiojourney.errors import UsageError
from audiojourney.recipes.recaption.choice import check_choice
from audiojourney.registry import offer

DEFAULT_INPUT = "data"
NO_SCORER = "none"
_MOST_WORKERS = 4


@dataclass(frozen=True, kw_only=True)
class RecaptionConfig:
    """Settings of `aj recaption`.

    Attributes:
        inputs: folders, manifests, sound files, tar shards; `-` reads a list of them from standard input.
        output: list of captions to write; None puts `captions.jsonl` into the folder of the input.
        captioner: name of the captioner.
        model: its weights; None takes its own.
        endpoint: server that it asks, where it asks one.
        examples: file of examples that it shows to a language model.
        options: settings of that captioner alone.
        candidates: captions written for each clip; None writes as many as are kept.
        keep: captions kept of them, by score.
        clap: scorer of the captions, or `none`.
        clap_threshold: lowest score of a caption that is kept (tau).
        drop_keywords: lists, files and `+words`; a caption with one of them is dropped. Empty drops none.
        filter: further limits, such as lengths; `keep`, `clap_threshold` and `drop_keywords` go into it.
        seed: seed of the run; each clip has one of its own, made of this and its id.
        limit: take the first so many clips only.
        shards: do a part of the shards: `2/8` is the second eighth, `120-133` are these by number.
        shard_clips: clips of a shard, the unit of a task and of a marker.
        flush_clips: clips after which a shard's work so far is put on the disk.
        flush_s: seconds after which it is, whatever their number.
        batch: clips that the models are given at once; `auto` halves on lack of memory.
        workers: threads that decode; None takes the cores, up to 4.
        nproc: processes, each with models of its own; on GPUs one each.
        engine: `local`, or `datatrove` with the extra `scale`.
        executor: what datatrove runs on: `local` or `slurm`.
        slurm: arguments of datatrove's SlurmPipelineExecutor: partition, time, cpus_per_task, ...
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        dtype: precision of the networks.
        max_error_rate: a shard with a larger share of failed clips is failed itself.
        strict: the first failed clip ends the run.
        allow_errors: failed clips that are no reason for exit code 5.
        retry: try clips again that failed in an earlier run.
        force: replace an output that was made in another way.
        isolate: run the models in a process of their own, so that a clip that kills it is found and left out.
        dry_run: say what would be done.
    """

    inputs: tuple[str, ...] = (DEFAULT_INPUT,)
    output: Path | None = None
    captioner: str = DEFAULT_CAPTIONER
    model: str | None = None
    endpoint: str | None = None
    examples: Path | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    candidates: int | None = None
    keep: int = 1
    clap: str = "pocket"
    clap_threshold: float | None = None
    drop_keywords: tuple[str, ...] = ("speech", "music")
    filter: FilterConfig = field(default_factory=FilterConfig)
    seed: int = 0
    limit: int | None = None
    shards: str | None = None
    shard_clips: int = 1024
    flush_clips: int = 256
    flush_s: float = 1.0
    batch: int | Literal["auto"] = "auto"
    workers: int | None = None
    nproc: int = 1
    engine: Literal["local", "datatrove"] = "local"
    executor: Literal["local", "slurm"] = "local"
    slurm: Mapping[str, Any] = field(default_factory=dict)
    device: str = "auto"
    dtype: Literal["fp32", "bf16", "fp16"] = "fp32"
    max_error_rate: float = 0.5
    strict: bool = False
    allow_errors: int = 0
    retry: bool = False
    force: bool = False
    isolate: bool = True
    dry_run: bool = False

    def __post_init__(self) -> None:
        """Check what can be checked without reading anything.

        Raises:
            UsageError: a value that cannot be meant.
        """
        for name in ("candidates", "keep", "limit", "shard_clips", "flush_clips", "workers", "nproc"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise UsageError(f"--{name.replace('_', '-')} is {value}; expected 1 or more.")
        if isinstance(self.batch, int) and self.batch < 1:
            raise UsageError(f"--batch is {self.batch}; expected 1 or more, or auto.")
        if not 0 <= self.max_error_rate <= 1:
            raise UsageError(f"--max-error-rate is {self.max_error_rate}; expected a share from 0 to 1.")
        if self.allow_errors < 0:
            raise UsageError(f"--allow-errors is {self.allow_errors}; expected 0 or more.")
        if self.captioner not in CAPTIONERS:
            raise UsageError(f"There is no captioner {self.captioner!r}.", offer(self.captioner, CAPTIONERS))
        if self.candidates is not None and self.candidates < self.keep:
            raise UsageError(f"--keep is {self.keep} of {self.candidates} candidates.", "Raise --candidates.")
        if self.clap == NO_SCORER and self.limits.clap_threshold is not None:
            told = f"--clap-threshold {self.limits.clap_threshold} cannot be met: --clap none measures nothing."
            raise UsageError(told, "Name a scorer with --clap, or leave out the threshold.")
        for name, own in (("keep_best", "keep"), ("drop_keywords", "drop_keywords")):
            if getattr(self.filter, name):
                raise UsageError(f"filter.{name} is {getattr(self.filter, name)!r}.", f"Say it with {own}.")
        if self.shards is not None:
            check_choice(self.shards)

    @property
    def count(self) -> int:
        """Captions asked for, a clip."""
        return self.candidates or self.keep

    @property
    def threads(self) -> int:
        """Threads that decode."""
        return self.workers or min(_MOST_WORKERS, os.cpu_count() or 1)

    @property
    def limits(self) -> FilterConfig:
        """All that a caption must meet to be kept."""
        tau = self.filter.clap_threshold if self.clap_threshold is None else self.clap_threshold
        return replace(self.filter, keep_best=self.keep, drop_keywords=self.drop_keywords, clap_threshold=tau)
