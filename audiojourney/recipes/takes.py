"""The plan of a run of `aj generate`: one take for each file that will be written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from audiojourney.errors import UsageError
from audiojourney.recipes import naming
from audiojourney.recipes.generate_config import GenerateConfig
from audiojourney.recipes.prompts import Prompt

MAX_SEED = 2**63 - 1


@dataclass(frozen=True)
class Take:
    """One file to write.

    Attributes:
        index: place in the run, from 0.
        prompt: what to hear.
        seeds: one for each sound to choose from.
        path: where it goes; None is standard output.
    """

    index: int
    prompt: Prompt
    seeds: tuple[int, ...]
    path: Path | None


def plan(config: GenerateConfig, seed: int) -> list[Take]:
    """Return the takes of a run in order.

    Sound i of the run has the seed `seed + i`; a prompt with a seed of its own counts from that. A take that chooses
    the best of several sounds uses as many seeds, and is named by the first.

    Raises:
        UsageError: several takes for one output file, or a seed out of range.
    """
    takes = []
    taken: set[Path] = set()
    for index, (prompt, seeds, only) in enumerate(_seeds(config, seed)):
        if not 0 <= seeds[0] <= seeds[-1] <= MAX_SEED:
            raise UsageError(f"The seed {seeds[0]} is out of range.", f"Seeds run from 0 to {MAX_SEED}.")
        path = _path(config, prompt, index, seeds[0], only)
        if path is not None:
            while path in taken:
                path = path.with_name(f"{path.stem}-{index}{path.suffix}")
            taken.add(path)
        takes.append(Take(index, prompt, seeds, path))
    if len(takes) > 1 and (config.output == "-" or naming.is_file(config.output)):
        raise UsageError(f"The output {config.output!r} holds one sound, not {len(takes)}.", "Name a folder with -o.")
    return takes


def _seeds(config: GenerateConfig, seed: int) -> Iterator[tuple[Prompt, tuple[int, ...], bool]]:
    """Yield prompt, seeds and whether the prompt gets one take only."""
    chosen = config.candidates if config.keep == "best" else 1
    takes = config.count if config.keep == "best" else config.count * config.candidates
    following = seed
    for prompt in config.prompts:
        first = following if prompt.seed is None else prompt.seed
        for number in range(takes):
            start = first + number * chosen
            yield prompt, tuple(range(start, start + chosen)), takes == 1
        if prompt.seed is None:
            following += takes * chosen


def _path(config: GenerateConfig, prompt: Prompt, index: int, seed: int, only: bool) -> Path | None:
    if config.output == "-":
        return None
    if naming.is_file(config.output):
        return Path(config.output)
    if prompt.id is not None:
        name = naming.safe_id(prompt.id) if only else f"{naming.safe_id(prompt.id)}-{seed}"
    else:
        name = f"{naming.slug(prompt.text)}-{seed}"
        name = f"{index:05d}-{name}" if len(config.prompts) > 1 else name
    return Path(config.output) / f"{name}.{config.audio_format}"
