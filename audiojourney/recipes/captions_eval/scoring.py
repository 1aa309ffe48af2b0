"""Gates of the scorer: the true prompt stands first of ten; matched and mismatched unseen wordings are told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audiojourney.data.scenes import lexicon
from audiojourney.data.scenes.concepts import ESC10_CONCEPTS
from audiojourney.metrics.classification import roc_auc
from audiojourney.models.pocket.scorer import PocketScorer
from audiojourney.recipes.pocket_eval import prompts
from audiojourney.recipes.pocket_eval.figures import Figure
from audiojourney.recipes.pocket_eval.sounds import RECORDED, Sounds

FIRST, APART, CUTS = "scorer ranks the true prompt first", "scorer tells wordings apart", "calibration"
LEAST_FIRST, LEAST_AUC = 0.75, 0.93
THRESHOLDS = (0.30, 0.35, 0.40, 0.45, 0.50, 0.55)


@dataclass(frozen=True)
class Pairs:
    """Scores of every sound with every sentence.

    Attributes:
        scores: (A, B).
        sounds: concept of each of A sounds.
        sentences: concept of each of B sentences.
    """

    scores: np.ndarray
    sounds: tuple[str, ...]
    sentences: tuple[str, ...]

    @property
    def matched(self) -> np.ndarray:
        """Whether sound and sentence are of one concept, bool (A, B)."""
        return np.array(self.sounds)[:, None] == np.array(self.sentences)[None]

    @property
    def auc(self) -> float:
        """Area under the curve of matched against mismatched pairs."""
        return roc_auc(self.matched.ravel(), self.scores.ravel()) or 0.0

    def of(self, sounds: Sequence[str], sentences: Sequence[str]) -> Pairs:
        """Keep sounds and sentences of some concepts."""
        rows = [i for i, name in enumerate(self.sounds) if name in sounds]
        columns = [i for i, name in enumerate(self.sentences) if name in sentences]
        return Pairs(
            self.scores[np.ix_(rows, columns)],
            tuple(self.sounds[i] for i in rows),
            tuple(self.sentences[i] for i in columns),
        )

    def first(self) -> float:
        """Share of sounds whose best sentence is of their concept."""
        best = self.scores.argmax(axis=1)
        return float(np.mean([self.sentences[int(i)] == name for i, name in zip(best, self.sounds, strict=True)]))


def pair_up(scorer: PocketScorer, sounds: Sounds, sentences: Sequence[str], concepts: Sequence[str]) -> Pairs:
    """Score every sound with every sentence, calibrated."""
    cosines = scorer.embed_audio(sounds.waves) @ scorer.embed_text(sentences).T
    scores = np.vectorize(scorer.calibration.score)(cosines)
    return Pairs(scores, sounds.concepts, tuple(concepts))


def ranking(scorer: PocketScorer, recorded: Sounds) -> list[Figure]:
    """Rank ten prompts for each recording: plain titles, labels of the data set, and ten unseen wordings each."""
    labels = {concept: label for label, concept in ESC10_CONCEPTS.items()}
    titles = pair_up(scorer, recorded, [lexicon.title(name) for name in RECORDED], RECORDED)
    bare = pair_up(scorer, recorded, [f"the sound of {labels[name]}" for name in RECORDED], RECORDED)
    wordings, concepts = unseen()
    known = pair_up(scorer, recorded, wordings, concepts).of(RECORDED, RECORDED)
    shares = [_one_wording_each(known, i).first() for i in range(len(known.sentences) // len(RECORDED))]
    return [
        _first("one plain title a class", titles.first(), len(recorded), counts=True),
        _first("'the sound of' and the label", bare.first(), len(recorded), counts=False),
        _first("unseen wordings, mean over draws", float(np.mean(shares)), len(recorded), counts=False),
    ]


def apart(scorer: PocketScorer, recorded: Sounds, fresh: Sounds) -> list[Figure]:
    """Area under the curve of matched against mismatched pairs of clips and unseen wordings."""
    wordings, concepts = unseen()
    pairs = pair_up(scorer, recorded + fresh, wordings, concepts)
    sets = (
        ("recordings, wordings of the ten classes", pairs.of(RECORDED, RECORDED), True),
        ("recordings, all wordings", pairs.of(RECORDED, concepts), True),
        ("recordings and fresh scenes, all wordings", pairs, True),
    )
    return [
        Figure(
            gate=APART,
            what=what,
            sign=">=",
            limit=LEAST_AUC,
            counts=counts,
            reached=part.auc,
            chance=0.5,
            chance_of="area under the curve",
            clips=len(part.sounds),
            detail={"wordings": len(part.sentences), "cuts": cuts(part)},
        )
        for what, part, counts in sets
    ]


def cuts(pairs: Pairs) -> dict[str, tuple[float, float]]:
    """For each threshold the shares of matched and of mismatched pairs that reach it."""
    matched, others = pairs.scores[pairs.matched], pairs.scores[~pairs.matched]
    return {f"{t:.2f}": (float((matched >= t).mean()), float((others >= t).mean())) for t in THRESHOLDS}


def unseen() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Single wordings that were never trained, and the concept of each."""
    order = prompts.unseen(1.0)
    return order.prompts, order.concepts


def _one_wording_each(pairs: Pairs, number: int) -> Pairs:
    """Keep one wording of each concept: its `number`-th, counted round."""
    kept = []
    for name in dict.fromkeys(pairs.sentences):
        own = [i for i, concept in enumerate(pairs.sentences) if concept == name]
        kept.append(own[number % len(own)])
    return Pairs(pairs.scores[:, kept], pairs.sounds, tuple(pairs.sentences[i] for i in kept))


def _first(what: str, reached: float, clips: int, *, counts: bool) -> Figure:
    return Figure(
        gate=FIRST,
        what=what,
        sign=">=",
        limit=LEAST_FIRST,
        counts=counts,
        reached=reached,
        chance=1 / len(RECORDED),
        chance_of="one of ten",
        clips=clips,
        share=True,
    )
