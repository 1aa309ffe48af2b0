"""Settings of `aj filter`, each default in one place."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from audiojourney.captions.filters import FilterConfig
from audiojourney.config import preset_names
from audiojourney.errors import UsageError
from audiojourney.registry import offer

OUTPUT_NAME = "filtered.jsonl"
_PRESETS = "filter/"


@dataclass(frozen=True, kw_only=True)
class FilterRunConfig:
    """Settings of `aj filter`.

    Attributes:
        inputs: data folders, lists of captions, or any manifests.
        output: list of what is kept; None puts `filtered.jsonl` beside the first input.
        dropped: list of what is not, with reasons and scores; None writes none.
        rules: the limits.
        sweep: thresholds to compare; nothing is written then.
        score: measure the scores that are missing.
        clap: scorer for that.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        dtype: precision of the scorer.
        batch: clips that it is given at once.
        force: replace an output that was made in another way.
        dry_run: count what would be kept, write nothing.
    """

    inputs: tuple[Path, ...] = (Path("data"),)
    output: Path | None = None
    dropped: Path | None = None
    rules: FilterConfig = field(default_factory=FilterConfig)
    sweep: tuple[float, ...] = ()
    score: bool = False
    clap: str = "pocket"
    device: str = "auto"
    dtype: Literal["fp32", "bf16", "fp16"] = "fp32"
    batch: int = 16
    force: bool = False
    dry_run: bool = False

    def __post_init__(self) -> None:
        """Check what can be checked without reading anything.

        Raises:
            UsageError: a value that cannot be meant.
        """
        if not self.inputs:
            raise UsageError(f"There is no list to filter among {self.inputs}.", "Name a folder or a file.")
        if self.batch < 1:
            raise UsageError(f"--batch is {self.batch}; expected 1 or more.")
        for threshold in self.sweep:
            if not -1 <= threshold <= 1:
                raise UsageError(f"--sweep names {threshold}; expected scores from -1 to 1, such as 0.35,0.40,0.45.")
        for name in ("output", "dropped"):
            if self.sweep and getattr(self, name) is not None:
                told = f"--sweep only compares, so {getattr(self, name)} would not be written."
                raise UsageError(told, "Leave out one of them.")


def preset(name: str) -> str:
    """Return the name of a preset of limits among those of the package.

    Raises:
        UsageError: there is none of that name; the nearest is offered.
    """
    known = [found.removeprefix(_PRESETS) for found in preset_names() if found.startswith(_PRESETS)]
    if name not in known:
        raise UsageError(f"There is no preset {name!r}.", offer(name, known))
    return _PRESETS + name
