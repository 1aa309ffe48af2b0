"""Settings of the measurement; this file imports no torch, so that a command line can read the defaults.

All random numbers follow from the seeds here. Scenes for training pocket models are numbered from zero on, so numbers
from ten million on are scenes that no model was trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from audiojourney import hub
from audiojourney.errors import UsageError

HELD_OUT_FOLD = 4  # no generator, autoencoder or vocoder whose figures are published was trained on it
SEEN_FOLDS = (1, 2, 3)
REAL_SEEDS = 30_000_000  # fresh scenes that stand for real clips
OTHER_REAL_SEEDS = 40_000_000  # a second set, for the distance from real to real
PAIR_SEEDS = 50_000_000  # fresh scenes of two sounds
RESULTS = Path("docs/results.md")


@dataclass(frozen=True, kw_only=True)
class PocketEvalConfig:
    """What is measured, on what.

    Attributes:
        recordings: folder of ESC-10 recordings with folds; every gate but "size" needs it.
        model: name or folder of the generator; autoencoder and vocoder are those that it names.
        per_class: clips of each sound.
        duration_s: length of generated clips of one sound; recordings have 5 s.
        scene_s: length of clips of two sounds.
        batch: clips generated at a time; part of what decides the last bits of a clip.
        training: folders of synthesised clips that the generator was trained on; without them novelty is measured
            against recordings alone.
        only: gates to measure; empty means all.
        output: page to write, with a JSON file beside it.
    """

    recordings: Path | None = None
    model: str = hub.DEFAULT_MODEL
    per_class: int = 10
    duration_s: float = 5.12
    scene_s: float = 10.24
    batch: int = 14
    training: tuple[Path, ...] = ()
    only: tuple[str, ...] = ()
    output: Path | None = RESULTS

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant.

        Raises:
            UsageError: a number below 1.
        """
        for name in ("per_class", "batch"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}.", "Give 1 or more.")
