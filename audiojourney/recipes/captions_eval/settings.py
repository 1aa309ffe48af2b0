"""Settings of the measurement; this file imports no torch, so that a command line can read the defaults.

Scenes for training are numbered from zero on, so numbers from sixty million on are scenes that no model was trained on.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from audiojourney.errors import UsageError
from audiojourney.recipes.pocket_eval.settings import HELD_OUT_FOLD

SINGLE_SEEDS = 60_000_000
SCENE_SEEDS = 61_000_000
BACKDROP_SEEDS = 62_000_000
MIXING_SEED = 7
CAPTION_SEED = 0
PAGE = Path("docs/pocket_captions.md")


@dataclass(frozen=True, kw_only=True)
class CaptionsEvalConfig:
    """What is measured, on what.

    Attributes:
        recordings: folder of ESC-10 recordings with folds.
        fold: the fold that is heard; no model whose figures are published was trained on it.
        captioner: pocket captioner, by name or folder.
        scorer: pocket scorer, by name or folder.
        captions: captions of each clip; each one counts.
        per_class: fresh scenes of each sound that has no recordings.
        mixtures: clips of each kind of mixture.
        duration_s: length of fresh scenes of one sound.
        scene_s: length of fresh scenes of two sounds.
        device: where the networks run.
        output: page to write, with a JSON file beside it; None writes nothing.
    """

    recordings: Path | None = None
    fold: int = HELD_OUT_FOLD
    captioner: str = "pocket/captioner"
    scorer: str = "pocket/clap"
    captions: int = 3
    per_class: int = 5
    mixtures: int = 120
    duration_s: float = 5.12
    scene_s: float = 10.24
    device: str = "cpu"
    output: Path | None = PAGE

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant.

        Raises:
            UsageError: a number below 1.
        """
        for name in ("captions", "per_class", "mixtures"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name} is {getattr(self, name)}.", "Give 1 or more.")
