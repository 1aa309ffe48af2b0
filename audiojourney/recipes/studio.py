"""A loaded generator with the settings of a run: takes in, finished sounds out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from audiojourney import __version__, model_folder
from audiojourney.diffusion.samplers.base import OnStep
from audiojourney.errors import MissingError, UsageError
from audiojourney.models.base import Familiarity, Sampling, SoundGenerator
from audiojourney.models.device import find_device
from audiojourney.models.load import load_generator
from audiojourney.recipes.describe import licence
from audiojourney.recipes.generate_config import GenerateConfig
from audiojourney.recipes.prompts import Prompt
from audiojourney.recipes.sound import Sound, finish
from audiojourney.recipes.takes import Take
from audiojourney.registry import offer

GPU_BATCH = 8


@dataclass(frozen=True)
class _Row:
    """One sound to draw: a take has one for each of its candidates."""

    take: Take
    seed: int


class Studio:
    """Makes the sounds of a run.

    Args:
        generator: the opened model.
        config: settings of the run.
        folder: where the model lies; its weights are named in what is made.

    Raises:
        UsageError: a setting that this model cannot follow.
        MissingError: a choice among candidates by a model that cannot rank.
    """

    def __init__(self, generator: SoundGenerator, config: GenerateConfig, folder: Path) -> None:
        self.generator = generator
        self.config = config
        self.model_sha256 = model_folder.fingerprint(folder)
        self.licence = licence(config.model, folder)
        self._batch = config.batch or 1
        self._check()

    @classmethod
    def open(cls, config: GenerateConfig, folder: Path) -> Studio:
        """Load the model that `config` names onto its device."""
        threads = os.environ.get("AJ_NUM_THREADS")
        if threads:
            torch.set_num_threads(int(threads))
        if config.reproducible:
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
            torch.use_deterministic_algorithms(True)
        device = find_device(config.device)
        generator = _load(config.model, device, config.dtype, model_folder.fingerprint(folder))
        studio = cls(generator, config, folder)
        if config.batch is None and device.type != "cpu" and not config.reproducible:
            studio._batch = GPU_BATCH
        return studio

    @property
    def rate_hz(self) -> int:
        """Sample rate of what is made."""
        return self.config.rate_hz or self.generator.sample_rate_hz

    def sampling(self, prompt: Prompt) -> Sampling:
        """Return how sounds of a prompt are drawn, every default filled in."""
        config, default = self.config, self.generator.defaults
        length = prompt.duration_s or config.duration_s or default.duration_s or self.generator.max_duration_s
        return Sampling(
            steps=config.steps or default.steps,
            guidance=default.guidance if config.guidance is None else config.guidance,
            sampler=config.sampler or default.sampler,
            negative=config.negative if prompt.negative is None else prompt.negative,
            duration_s=length,
        )

    def meta(self, prompt: Prompt, seeds: tuple[int, ...], seed: int) -> dict[str, Any]:
        """Return what a file says about how it was made; the same settings and seed give the same table."""
        sampling = self.sampling(prompt)
        meta: dict[str, Any] = {
            "version": __version__,
            "model": self.config.model,
            "model_sha256": self.model_sha256,
            "license": self.licence,
            "prompt": prompt.text,
            "negative": sampling.negative,
            "seed": seed,
            "steps": sampling.steps,
            "guidance": sampling.guidance,
            "sampler": sampling.sampler,
            "duration": sampling.duration_s,
            "native_rate": self.generator.sample_rate_hz,
            "rate": self.rate_hz,
            "dtype": self.config.dtype,
        }
        if self.config.loudness_lufs is not None:
            meta["loudness"] = self.config.loudness_lufs
        if prompt.id is not None:
            meta["id"] = prompt.id
        if len(seeds) > 1:
            meta |= {"candidates": len(seeds), "first_seed": seeds[0]}
        return meta

    def unfamiliar(self, prompts: Iterable[Prompt]) -> list[tuple[Prompt, Familiarity]]:
        """Return the different prompts that are far from all that the model knows, each with what is nearest."""
        found = []
        for prompt in {prompt.text: prompt for prompt in prompts}.values():
            familiarity = self.generator.familiarity(prompt.text)
            if familiarity is not None and not familiarity.known:
                found.append((prompt, familiarity))
        return found

    def record(self, takes: Iterable[Take], on_step: OnStep | None = None) -> Iterator[tuple[Take, Sound]]:
        """Yield each take with its sound as soon as it is made.

        Args:
            takes: what to make, in order.
            on_step: called with steps done and steps in all, counted over all takes.
        """
        rows = [_Row(take, seed) for take in takes for seed in take.seeds]
        pending: list[tuple[int, Tensor]] = []
        for row, wave in self._waves(rows, on_step):
            pending.append((row.seed, wave))
            if len(pending) == len(row.take.seeds):
                yield row.take, self._chosen(row.take, pending)
                pending = []

    def _check(self) -> None:
        config, generator = self.config, self.generator
        if config.sampler is not None and config.sampler not in generator.samplers:
            raise UsageError(
                f"{generator.name} has no sampler {config.sampler!r}.", offer(config.sampler, generator.samplers)
            )
        for length in [config.duration_s, *(prompt.duration_s for prompt in config.prompts)]:
            if length is not None and length > generator.max_duration_s:
                raise UsageError(
                    f"--duration is {length:g}; {generator.name} makes at most {generator.max_duration_s:g} seconds."
                )
        chooses = config.candidates > 1 and config.keep == "best"
        if chooses and generator.rank(["silence"], torch.zeros(1, generator.sample_rate_hz)) is None:
            raise MissingError(f"{generator.name} cannot rank {config.candidates} candidates.", "Use --keep all.")

    def _waves(self, rows: Sequence[_Row], on_step: OnStep | None) -> Iterator[tuple[_Row, Tensor]]:
        """Draw the sounds of rows in batches of equal sampling."""
        total = sum(self._steps(row) for row in rows)
        done = 0
        for _, group in groupby(rows, key=lambda row: self.sampling(row.take.prompt)):
            queue = list(group)
            while queue:
                part = queue[: self._batch]
                waves = self._draw(part, partial(_report, on_step, done, len(part), total) if on_step else None)
                yield from zip(part, waves, strict=False)
                done += sum(self._steps(row) for row in part[: len(waves)])
                queue = queue[len(waves) :]

    def _steps(self, row: _Row) -> int:
        return self.sampling(row.take.prompt).steps or 1

    def _draw(self, rows: Sequence[_Row], on_step: OnStep | None) -> Tensor:
        """Return waves (b, T) of the first b rows: all, or as many as there is memory for."""
        while True:
            part = rows[: self._batch]
            try:
                return self.generator.generate(
                    [row.take.prompt.text for row in part],
                    [row.seed for row in part],
                    self.sampling(part[0].take.prompt),
                    on_step,
                )
            except torch.OutOfMemoryError:
                if len(part) == 1:
                    raise
                self._batch = len(part) // 2

    def _chosen(self, take: Take, drawn: Sequence[tuple[int, Tensor]]) -> Sound:
        """Finish the best of the sounds drawn for a take."""
        waves = torch.stack([wave for _, wave in drawn])
        scores = self._scores(take.prompt.text, waves) if self.config.candidates > 1 else None
        best = int(scores.argmax()) if scores is not None else 0
        native_hz, rate_hz = self.generator.sample_rate_hz, self.rate_hz
        length = self.sampling(take.prompt).duration_s or waves.shape[1] / native_hz
        wave = waves[best].to("cpu", torch.float32).numpy()
        samples = finish(wave, native_hz, rate_hz, round(length * rate_hz), self.config.loudness_lufs)
        score = float(scores[best]) if scores is not None else None
        return Sound(samples, rate_hz, self.meta(take.prompt, take.seeds, drawn[best][0]), score)

    def _scores(self, prompt: str, waves: Tensor) -> Tensor | None:
        """Rank waves (B, T), shape (B,), or None; networks that listen want a second at least, so silence is added."""
        lacking = max(0, self.generator.sample_rate_hz - waves.shape[1])
        return self.generator.rank([prompt] * len(waves), torch.nn.functional.pad(waves, (0, lacking)))


@lru_cache(maxsize=1)
def _load(model: str, device: torch.device, dtype: str, fingerprint: str) -> SoundGenerator:
    """Load a model once in a row; the fingerprint tells new weights of the same name."""
    generator = load_generator(model, str(device), dtype)
    if dtype != "fp32" and not hasattr(generator, "place"):
        raise UsageError(f"{model} cannot run in {dtype}.", "Leave --dtype out.")
    return generator


def _report(on_step: OnStep, done: int, rows: int, total: int, step: int, steps: int) -> None:
    on_step(done + rows * step, total)
