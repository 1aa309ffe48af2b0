"""What a threshold on the scorer's scores makes of the captioner's captions: two networks that may err apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audiojourney.models.pocket.scorer import PocketScorer
from audiojourney.recipes.captions_eval.captioning import Captioned
from audiojourney.recipes.pocket_eval.figures import Figure

GATE = "captions filtered at 0.45"
THRESHOLD = 0.45


def measure(scorer: PocketScorer, waves: Sequence[np.ndarray], found: Sequence[Captioned]) -> Figure:
    """Share of right captions among those kept, beside their share among all."""
    scores = np.concatenate(scorer.score(waves, [clip.texts for clip in found]))
    right = np.concatenate([clip.named for clip in found])
    kept = scores >= THRESHOLD
    return Figure(
        gate=GATE,
        what=f"right among those kept; {kept.mean():.2f} of all are kept, {_share(kept[right]):.2f} of the right ones",
        reached=_share(right[kept]),
        chance=float(right.mean()),
        chance_of="without a filter",
        clips=len(found),
        share=True,
    )


def _share(values: np.ndarray) -> float:
    """Share of true values; 0 of none."""
    return float(values.mean()) if len(values) else 0.0
