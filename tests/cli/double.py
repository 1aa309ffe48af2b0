"""A small honest generator for tests of the command: a tone whose pitch is the prompt's, with noise from its seed.

Run as a script it is `aj` with this generator in place of every model.
"""

from __future__ import annotations

import os
import sys
import time
import types
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from audiojourney.models.base import Familiarity, Sampling

MODEL = "kind: tone\nmodel: {}\n"


class ToneGenerator:
    """Louder than full scale on "loud", not finite on "broken", slow on "slow", unfamiliar with "xyzzy"."""

    name = "tone"
    sample_rate_hz = 16_000
    max_duration_s = 10.0
    defaults = Sampling(steps=4, guidance=3.0, sampler="ddim", duration_s=1.0)
    samplers = ("ddim", "pndm")
    batches: list[int]
    ranks = True
    largest_batch = 100

    def __init__(self) -> None:
        self.batches = []
        self.samplings: list[Sampling] = []

    def generate(
        self,
        prompts: Sequence[str],
        seeds: Sequence[int],
        sampling: Sampling,
        on_step: Callable[[int, int], None] | None = None,
    ) -> Tensor:
        if len(prompts) > self.largest_batch:
            raise torch.OutOfMemoryError(f"{len(prompts)} at once")
        self.batches.append(len(prompts))
        self.samplings.append(sampling)
        steps = sampling.steps or 1
        for step in range(steps):
            if any("slow" in prompt for prompt in prompts):
                time.sleep(0.2)
            if on_step:
                on_step(step + 1, steps)
        return torch.stack([self._wave(*pair, sampling) for pair in zip(prompts, seeds, strict=True)])

    def _wave(self, prompt: str, seed: int, sampling: Sampling) -> Tensor:
        length = round((sampling.duration_s or 1.0) * self.sample_rate_hz)
        hz = 200 + zlib.crc32(f"{prompt}|{sampling.negative}|{sampling.steps}|{sampling.guidance}".encode()) % 2000
        noise = torch.randn(length, generator=torch.Generator().manual_seed(seed))
        wave = 0.3 * torch.sin(torch.arange(length) * (2 * torch.pi * hz / self.sample_rate_hz)) + 0.05 * noise
        wave = wave * 5 if "loud" in prompt else wave
        return wave * float("nan") if "broken" in prompt else wave

    def familiarity(self, prompt: str) -> Familiarity | None:
        known = "xyzzy" not in prompt
        return Familiarity(known, "a dog barking", 0.9 if known else 0.1)

    def rank(self, prompts: Sequence[str], waves: Tensor) -> Tensor | None:
        assert waves.shape[1] >= self.sample_rate_hz, "too short to be listened to"
        return waves[:, :100].sum(dim=1) if self.ranks else None


def install(pocket: Path) -> ToneGenerator:
    """Put the generator in place of all models, with `pocket` as the folder of the shipped ones."""
    from audiojourney import hub

    (pocket / "generator").mkdir(parents=True, exist_ok=True)
    (pocket / "generator" / "config.yaml").write_text(MODEL, encoding="utf-8")
    hub.POCKET = pocket
    generator = ToneGenerator()
    module = types.ModuleType("audiojourney.models.load")
    module.load_generator = lambda name, device, dtype: generator
    sys.modules["audiojourney.models.load"] = module
    return generator


if __name__ == "__main__":
    install(Path(os.environ["AJ_TEST_POCKET"]))
    from audiojourney.cli.app import main

    main()
