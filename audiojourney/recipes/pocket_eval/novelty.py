"""Gate: the generator makes new sounds and does not play back those that it was trained on.

N clips, D features.
"""

from __future__ import annotations

import numpy as np

from audiojourney.data.bank import open_bank
from audiojourney.data.mel import GENAU
from audiojourney.data.scenes.concepts import concept_of
from audiojourney.recipes.pocket_eval.bench import Bench
from audiojourney.recipes.pocket_eval.figures import Figure
from audiojourney.recipes.pocket_eval.judges import Judge
from audiojourney.recipes.pocket_eval.prompts import KNOWN_FIRST
from audiojourney.recipes.pocket_eval.settings import SEEN_FOLDS
from audiojourney.recipes.pocket_eval.sounds import Heard, hear

GATE = "novelty"
MOST = 0.05
QUANTILE = 0.05  # of the distances from training clip to nearest training clip: nearer than that is a copy


def measure(bench: Bench) -> list[Figure]:
    """Hold generated clips against the recordings, and the synthesised clips where they are given, of the training."""
    training = bench.recorded(*SEEN_FOLDS) + _synthesised(bench)
    heard = set(training.concepts)
    generated, held_out = bench.generated.of(heard), bench.held_out.heard().of(heard)
    return [compare(judge, generated, training, held_out, counts=judge is bench.strict) for judge in bench.judges]


def _synthesised(bench: Bench) -> Heard:
    if not bench.config.training:
        return Heard((), ())
    bank = open_bank(bench.config.training, GENAU.rate_hz, keep=lambda clip: len(clip.labels) == 1)
    return Heard(
        tuple(concept_of(clip.labels[0]) for clip in bank.clips), tuple(hear(bank.wave(i)) for i in range(len(bank)))
    )


def compare(judge: Judge, generated: Heard, training: Heard, held_out: Heard, *, counts: bool) -> Figure:
    """Share of generated clips that lie nearer to a training clip than training clips lie to each other."""
    known = judge.features(training.mels)
    limit = copy_distance(known)
    near = nearest(judge.features(generated.mels), known)
    return Figure(
        gate=GATE,
        what="share of clips that are copies of training clips",
        judge=judge.recipe.name,
        sign="<=",
        limit=MOST,
        counts=counts,
        reached=float(np.mean(near < limit)),
        real=float(np.mean(nearest(judge.features(held_out.mels), known) < limit)),
        chance=float(np.mean(nearest(known, known) < limit)),
        chance_of="the training clips themselves",
        clips=len(near),
        share=True,
        seeds=f"{KNOWN_FIRST} on",
        detail={
            "distance of a copy": limit,
            "median distance of generated clips": float(np.median(near)),
            "training clips": len(training),
            "held-out clips": len(held_out),
        },
    )


def nearest(rows: np.ndarray, others: np.ndarray, *, leave_self: bool = False) -> np.ndarray:
    """Distance of each row (N, D) to the nearest of `others` (M, D), shape (N,).

    Args:
        rows: from where.
        others: to where.
        leave_self: the two sets are the same, and a row is not its own neighbour.
    """
    squares = np.square(rows).sum(axis=1)[:, None] + np.square(others).sum(axis=1)[None] - 2 * rows @ others.T
    if leave_self:
        np.fill_diagonal(squares, np.inf)
    return np.sqrt(np.maximum(squares.min(axis=1), 0))


def copy_distance(training: np.ndarray) -> float:
    """Below this distance two clips count as copies: a quantile of nearest distances among training rows (M, D)."""
    return float(np.quantile(nearest(training, training, leave_self=True), QUANTILE))
