"""Gate: the generator makes new sounds and does not play back those that it was trained on.

N clips, D features.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

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
    training, sources = bench.recorded(*SEEN_FOLDS), bench.sources(*SEEN_FOLDS)
    if bench.config.training:
        synthesised = _synthesised(bench.config.training)
        training, sources = training + synthesised, (*sources, *(f"scene {i}" for i in range(len(synthesised))))
    heard = set(training.concepts)
    generated, held_out = bench.generated.of(heard), bench.held_out.heard().of(heard)
    figures = []
    for judge in bench.judges:
        figures += compare(judge, generated, training, sources, held_out, counts=judge is bench.strict)
    return figures


def _synthesised(folders: Sequence[Path]) -> Heard:
    bank = open_bank(folders, GENAU.rate_hz, keep=lambda clip: len(clip.labels) == 1)
    return Heard(
        tuple(concept_of(clip.labels[0]) for clip in bank.clips), tuple(hear(bank.wave(i)) for i in range(len(bank)))
    )


def compare(
    judge: Judge, generated: Heard, training: Heard, sources: Sequence[str], held_out: Heard, *, counts: bool
) -> list[Figure]:
    """Share of generated clips that lie nearer to a training clip than training clips lie to each other.

    The second figure, for comparison, sets the bound from training clips of different sources alone: several recordings
    of one source are almost copies themselves.

    Args:
        judge: whose features are taken.
        generated: clips of the concepts that the training clips have.
        training: clips that the generator was trained on.
        sources: where each of them comes from.
        held_out: real clips that it was not trained on.
        counts: whether the gate hangs on this judge.
    """
    known, made, others = (judge.features(heard.mels) for heard in (training, generated, held_out))
    near, near_others, itself = nearest(made, known), nearest(others, known), nearest(known, known)

    def figure(what: str, limit: float, counted: bool) -> Figure:
        return Figure(
            gate=GATE,
            what=what,
            judge=judge.recipe.name,
            sign="<=",
            limit=MOST,
            counts=counted,
            reached=float(np.mean(near < limit)),
            real=float(np.mean(near_others < limit)),
            chance=float(np.mean(itself < limit)),
            chance_of="the training clips themselves",
            clips=len(near),
            share=True,
            seeds=f"{KNOWN_FIRST} on",
            detail={
                "distance of a copy": limit,
                "median distance": float(np.median(near)),
                "training clips": len(known),
            },
        )

    return [
        figure("share of clips that are copies of training clips", copy_distance(known, range(len(known))), counts),
        figure("the same, bound from clips of different sources", copy_distance(known, sources), False),
    ]


def nearest(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Distance of each row (N, D) to the nearest of `others` (M, D), shape (N,)."""
    return distances(rows, others).min(axis=1)


def distances(rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Distance of each row (N, D) to each of `others` (M, D), shape (N, M)."""
    squares = np.square(rows).sum(axis=1)[:, None] + np.square(others).sum(axis=1)[None] - 2 * rows @ others.T
    return np.sqrt(np.maximum(squares, 0))


def copy_distance(training: np.ndarray, sources: Sequence[object]) -> float:
    """Below this distance two clips count as copies: a quantile of nearest distances among training rows (M, D).

    Clips of the same source, such as a clip and itself, are no neighbours.
    """
    groups = np.unique([str(source) for source in sources], return_inverse=True)[1]
    apart = np.where(groups[:, None] == groups[None], np.inf, distances(training, training))
    return float(np.quantile(apart.min(axis=1), QUANTILE))
