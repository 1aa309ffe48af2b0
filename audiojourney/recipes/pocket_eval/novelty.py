"""Gate: the generator makes new sounds and does not play back those that it was trained on.

N clips, D features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
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
    """Hold generated clips against the recordings of the training, then against its scenes too where they are given.

    The recordings are few and stand alone, because distances among thousands of scenes would hide copies of them.
    """
    recorded, sources = bench.recorded(*SEEN_FOLDS), bench.sources(*SEEN_FOLDS)
    held_out, synthesised = bench.held_out.heard(), _synthesised(bench.config.training)
    everything = recorded + synthesised
    own = set(recorded.concepts)
    figures = []
    for judge in bench.judges:
        counts = judge is bench.strict
        figures += compare(judge, bench.generated.of(own), recorded, sources, held_out.of(own), counts=counts)
        if synthesised.mels:
            sets = (everything, [str(i) for i in range(len(everything))], held_out)
            [found, _] = compare(judge, bench.generated, *sets, counts=counts)
            figures.append(replace(found, what="all classes: copies of training recordings and scenes"))
    return figures


def _synthesised(folders: Sequence[Path]) -> Heard:
    if not folders:
        return Heard((), ())
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
        """The share of clips nearer than a limit."""
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
        figure("ESC-10 classes: copies of training recordings", copy_distance(known, range(len(known))), counts),
        figure("ESC-10 classes: the same, bound from different sources", copy_distance(known, sources), False),
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
