"""Captions and scores of a batch of clips whose sound has been read."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from audiojourney.captions.base import Answer, Captioner, Scorer, Subject
from audiojourney.data.clip import Caption
from audiojourney.errors import AudioJourneyError
from audiojourney.recipes.recaption.decode import Heard
from audiojourney.recipes.recaption.folder import Item, Outcome
from audiojourney.recipes.recaption.inputs import INPUT_KEY
from audiojourney.recipes.recaption.keys import clip_seed
from audiojourney.recipes.recaption.models import Models

SCORE_DIGITS = 4
_CPU_MEMORY = "DefaultCPUAllocator: can't allocate memory"  # torch has no class for it


@dataclass
class Spent:
    """Seconds by what they went into.

    Attributes:
        load: opening the models.
        decode: reading sounds, summed over threads.
        wait: the models waited for sounds.
        caption: writing captions.
        score: measuring them.
        write: putting results on the disk.
    """

    load: float = 0.0
    decode: float = 0.0
    wait: float = 0.0
    caption: float = 0.0
    score: float = 0.0
    write: float = 0.0

    def add(self, other: Spent) -> None:
        """Count the seconds of another."""
        for field in fields(self):
            setattr(self, field.name, getattr(self, field.name) + getattr(other, field.name))


def outcomes(batch: Sequence[Heard], models: Models, count: int, seed: int, spent: Spent) -> list[Outcome]:
    """Return what becomes of each clip of a batch, in its order.

    Args:
        batch: clips and their sounds.
        models: captioner and scorer.
        count: captions asked for, a clip.
        seed: seed of the run.
        spent: the time is added to it.
    """
    heard = [one for one in batch if one.fault is None]
    start = time.perf_counter()
    answers = _answers(models.captioner, heard, count, seed)
    spent.caption += time.perf_counter() - start
    start = time.perf_counter()
    scores = _scores(models, heard, answers)
    spent.score += time.perf_counter() - start
    good = {one.job.clip.id: pair for one, *pair in zip(heard, answers, scores, strict=True)}
    return [_outcome(one, models, *good.get(one.job.clip.id, (None, None))) for one in batch]


def _answers(captioner: Captioner, heard: Sequence[Heard], count: int, seed: int) -> list[Answer]:
    subjects = [Subject(one.job.clip, one.captioner, clip_seed(seed, one.job.clip.id)) for one in heard]
    return captioner.caption(subjects, count) if subjects else []


def _scores(models: Models, heard: Sequence[Heard], answers: Sequence[Answer]) -> list[list[float] | None]:
    """Score the captions of each clip; on a CPU clip by clip, so that no score depends on a batch in any digit."""
    scores: list[list[float] | None] = [None] * len(heard)
    if models.scorer is None:
        return scores
    able = [index for index, answer in enumerate(answers) if answer.captions]
    groups = [able] if models.on_gpu else [[index] for index in able]
    for group in filter(None, groups):
        found = _score(models.scorer, [heard[i] for i in group], [answers[i] for i in group])
        for index, values in zip(group, found, strict=True):
            scores[index] = values
    return scores


def _score(scorer: Scorer, heard: Sequence[Heard], answers: Sequence[Answer]) -> list[list[float]]:
    waves = [one.scorer for one in heard if one.scorer is not None]
    texts = [[caption.text for caption in answer.captions] for answer in answers]
    return scorer.score(waves, texts)


def _outcome(one: Heard, models: Models, answer: Answer | None, scores: list[float] | None) -> Outcome:
    clip = one.job.clip
    if one.fault is not None:
        return failure(clip.id, "decode", one.fault.code, one.fault.reason)
    if answer is None or not answer.captions:
        reason = (answer and answer.failure) or "the captioner gave no caption"
        return failure(clip.id, "caption", "no_caption", reason, answer.raw if answer else "")
    if scores is not None and not all(map(math.isfinite, scores)):
        return failure(clip.id, "score", "bad_score", f"{models.identity['score_name']} gave {scores}", answer.raw)
    known: Sequence[float | None] = scores if scores is not None else [None] * len(answer.captions)
    captions = [_caption(*pair, models) for pair in zip(answer.captions, known, strict=True)]
    row = {INPUT_KEY: one.job.input, "captions": captions, "raw": answer.raw, "checks": one.checks or {}}
    return Outcome(clip.id, row)


def _caption(caption: Caption, score: float | None, models: Models) -> Item:
    """Return a caption as it is stored; what the captioner has measured itself stays where there is no scorer."""
    item: Item = {
        "text": caption.text,
        "source": caption.source or models.captioner.name,
        "kind": caption.kind or models.captioner.kind,
    }
    if caption.entailment is not None:
        item["entailment"] = caption.entailment
    if score is not None and models.scorer is not None:
        return item | {"score": round(float(score), SCORE_DIGITS), "score_name": models.scorer.name}
    own = {"score": caption.score} if caption.score is not None else {}
    return item | own | {"score_name": caption.score_name}


def failure(clip_id: str, stage: str, code: str, reason: str, raw: str = "") -> Outcome:
    """Return the record of a clip that failed: where, a machine name of why, and the same in words."""
    item = {"stage": stage, "code": code, "reason": reason}
    return Outcome(clip_id, item | ({"raw": raw} if raw else {}), failed=True)


def strict_error(failure: Mapping[str, Any]) -> AudioJourneyError:
    """Return the error that ends a run with `strict` at this clip; reasons of captioners end with or without a dot."""
    return AudioJourneyError(f"{failure['id']}: {failure['reason'].rstrip('.')}.", "Without --strict the others go on.")


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error means that a batch was too large, whichever device ran it."""
    torch: Any = sys.modules.get("torch")
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return True
    return isinstance(error, MemoryError) or _CPU_MEMORY in str(error)
