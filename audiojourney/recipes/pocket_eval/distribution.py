"""Gate: generated clips are distributed as real ones are, in features of a judge on their principal axes.

N clips, D features.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from audiojourney.metrics.frechet import PrincipalAxes, frechet_distance
from audiojourney.recipes.pocket_eval.bench import Bench
from audiojourney.recipes.pocket_eval.figures import Figure
from audiojourney.recipes.pocket_eval.judges import Judge
from audiojourney.recipes.pocket_eval.prompts import KNOWN_FIRST
from audiojourney.recipes.pocket_eval.settings import HELD_OUT_FOLD, SEEN_FOLDS
from audiojourney.recipes.pocket_eval.sounds import Heard, white_noise

GATE = "distribution"
AXES = 24
NOISE_SHARE = 0.12  # of the distance of white noise
SHUFFLED_SHARE = 0.6  # of the centroid distance under shuffled names


def measure(bench: Bench) -> list[Figure]:
    """Compare with the strict judge, to which all recordings of the other folds are new; then with the held-out fold.

    The strict judge knows the held-out fold, so there the lenient one listens; the figure of real clips needs a second
    set of recordings, which that fold does not have.
    """
    count = bench.config.per_class
    recorded = bench.recorded(*SEEN_FOLDS)
    real, other = (
        ends(recorded, count, last) + synthesised.heard()
        for synthesised, last in ((bench.fresh, False), (bench.other_fresh, True))
    )
    held_out = bench.held_out.heard()
    return [
        *compare(bench.strict, bench.generated, real, other, counts=True),
        *compare(bench.lenient, bench.generated, held_out, None, counts=False),
    ]


def ends(heard: Heard, count: int, last: bool) -> Heard:
    """The first or the last clips of each concept; recordings are sorted by fold, so the two hardly share a source."""
    chosen: list[int] = []
    for concept in dict.fromkeys(heard.concepts):
        numbers = [i for i, name in enumerate(heard.concepts) if name == concept]
        chosen += numbers[-count:] if last else numbers[:count]
    return heard.pick(chosen)


def matched(heard: Heard, counts: Counter[str]) -> Heard:
    """As many clips of each concept as `counts` has: the distance depends on numbers."""
    seen: Counter[str] = Counter()
    kept = []
    for i, concept in enumerate(heard.concepts):
        seen[concept] += 1
        if seen[concept] <= counts[concept]:
            kept.append(i)
    return heard.pick(kept)


def compare(judge: Judge, generated: Heard, real: Heard, other: Heard | None, *, counts: bool) -> list[Figure]:
    """Frechet and centroid distance to real clips.

    Args:
        judge: whose features are taken.
        generated: clips of all concepts.
        real: what they are compared with.
        other: further real clips, for the distance from real to real.
        counts: whether the gate hangs on this judge.
    """
    number = Counter(real.concepts) & Counter(generated.concepts)
    sets = [matched(heard, number) for heard in (real, generated, other) if heard is not None]
    noise = white_noise(sets[0], len(sets[0].mels[0]) / 100)
    axes = PrincipalAxes.of_rows(judge.features(sets[0].mels), AXES)
    rows = [axes.project(judge.features(heard.mels)) for heard in (*sets, noise)]
    return [
        _frechet(judge, rows, number, counts),
        _centroids(judge, rows, [heard.concepts for heard in sets], number, counts),
    ]


def _frechet(judge: Judge, rows: list[np.ndarray], number: Counter[str], counts: bool) -> Figure:
    """Rows of real, generated, perhaps other real clips, and noise, each (N, D)."""
    real, generated, *other, noise = rows
    far = frechet_distance(real, noise)
    return Figure(
        gate=GATE,
        what=f"Frechet distance, {AXES} principal axes",
        judge=judge.recipe.name,
        sign="<=",
        limit=NOISE_SHARE * far,
        rule=f"{NOISE_SHARE:g} x white noise",
        counts=counts,
        reached=frechet_distance(real, generated),
        real=frechet_distance(real, other[0]) if other else None,
        chance=far,
        chance_of="white noise",
        clips=number.total(),
        seeds=f"{KNOWN_FIRST} on",
        detail={"real recordings": "folds 1-3" if other else f"fold {HELD_OUT_FOLD}"},
    )


def _centroids(
    judge: Judge, rows: list[np.ndarray], concepts: list[tuple[str, ...]], number: Counter[str], counts: bool
) -> Figure:
    real, generated, *other = (centroids(x, names) for x, names in zip(rows, concepts, strict=False))
    own, shuffled = centroid_distances(real, generated)
    return Figure(
        gate=GATE,
        what="mean distance of class centroids",
        judge=judge.recipe.name,
        sign="<=",
        limit=SHUFFLED_SHARE * shuffled,
        rule=f"{SHUFFLED_SHARE:g} x shuffled names",
        counts=counts,
        reached=own,
        real=centroid_distances(real, other[0])[0] if other else None,
        chance=shuffled,
        chance_of="shuffled names",
        clips=number.total(),
        seeds=f"{KNOWN_FIRST} on",
    )


def centroids(rows: np.ndarray, concepts: Sequence[str]) -> np.ndarray:
    """Mean of the rows (N, D) of each concept, concepts in alphabetical order."""
    names = np.array(concepts)
    return np.stack([rows[names == name].mean(axis=0) for name in sorted(set(concepts))])


def centroid_distances(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Mean distance of centroids of the same concept, and of different ones, in two sets (concepts, D)."""
    table = np.linalg.norm(a[:, None] - b[None], axis=2)
    same = np.eye(len(table), dtype=bool)
    return float(table[same].mean()), float(table[~same].mean())
