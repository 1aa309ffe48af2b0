"""Gates of the captioner: the sound is named; of two sounds both are, and their order or foreground is told right."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from audiojourney.captions.base import Captioner, Subject
from audiojourney.data.clip import Clip
from audiojourney.data.scenes import class_words
from audiojourney.data.scenes.captions import Slots
from audiojourney.recipes.captions_eval.mixtures import Mixture
from audiojourney.recipes.captions_eval.settings import CAPTION_SEED
from audiojourney.recipes.pocket_eval.figures import Figure
from audiojourney.recipes.pocket_eval.sounds import Sounds

NAMED, BOTH, ORDER = "caption names the sound", "caption names both sounds", "order or foreground"
ALONE = "single "  # begins what the captioner says it understood
LEAST_NAMED, LEAST_BOTH, LEAST_ORDER = 0.80, 0.60, 0.70

# What tells that sounds come one after the other, and that one stands behind the other.
IN_TURN = re.compile(r"\b(then|followed|after|afterwards|before|later|next|beginning|one after the other)\b")
BEHIND = re.compile(r"\b(background|foreground|behind|in front|over|louder|mostly)\b")
TELLING = {"sequence": IN_TURN, "background": BEHIND}


@dataclass(frozen=True)
class Captioned:
    """Captions of a clip and what is in it.

    Attributes:
        texts: its captions.
        slots: its sounds.
        alone: whether one sound was understood, and no other.
    """

    texts: tuple[str, ...]
    slots: Slots
    alone: bool = False

    @property
    def named(self) -> list[bool]:
        """Of each caption, whether it names all sounds of the clip."""
        concepts = [name for name in (self.slots.first, self.slots.second) if name is not None]
        return [all(class_words.names(text, concept) for concept in concepts) for text in self.texts]

    @property
    def told(self) -> list[bool]:
        """Of each caption that names both sounds, whether it tells their order or foreground right."""
        if self.slots.relation not in TELLING:
            return []
        return [tells(text, self.slots) for text, both in zip(self.texts, self.named, strict=True) if both]


def tells(text: str, slots: Slots) -> bool:
    """Whether a caption tells the order or the foreground of two sounds, judged by its words alone.

    The first in time, or the one in front, must be named first, and a word must say "then" or "in the background".
    """
    first, second = (class_words.first_mention(text, str(name)) for name in (slots.first, slots.second))
    said = TELLING[slots.relation].search(text.lower()) is not None
    return first is not None and second is not None and first < second and said


def caption(captioner: Captioner, waves: Sequence[np.ndarray], slots: Sequence[Slots], count: int) -> list[Captioned]:
    """Caption clips; each one's seed is its number."""
    clips = [Clip(path=Path(f"{i}.wav"), id=str(i)) for i in range(len(waves))]
    subjects = [Subject(clip, wave, CAPTION_SEED + i) for i, (clip, wave) in enumerate(zip(clips, waves, strict=True))]
    answers = captioner.caption(subjects, count)
    return [
        Captioned(tuple(c.text for c in answer.captions), known, answer.raw.startswith(ALONE))
        for answer, known in zip(answers, slots, strict=True)
    ]


def single(captioner: Captioner, sounds: Sounds, count: int, what: str, *, counts: bool) -> list[Figure]:
    """Share of captions that name the sound of their clip, and of those that name no other beside it."""
    meanings = [Slots(first=name, second=None, relation="single") for name in sounds.concepts]
    found = caption(captioner, sounds.waves, meanings, count)
    named = Figure(
        gate=NAMED,
        what=what,
        sign=">=",
        limit=LEAST_NAMED,
        counts=counts,
        reached=float(np.mean([right for clip in found for right in clip.named])),
        chance=_chance(found),
        chance_of="captions dealt out anew",
        clips=len(found),
        share=True,
        detail={"classes": _by_class(found), "wrong": _wrong(found)},
    )
    only = float(np.mean([right and clip.alone for clip in found for right in clip.named]))
    return [named, replace(named, what=f"{what}, and no other sound", counts=False, reached=only, detail={})]


def double(captioner: Captioner, mixtures: Sequence[Mixture], count: int, what: str) -> list[Figure]:
    """Share of captions that name both sounds, and of these the share that tells order or foreground right."""
    slots = [mixture.slots for mixture in mixtures]
    found = caption(captioner, [mixture.wave for mixture in mixtures], slots, count)
    told = [right for clip in found for right in clip.told]
    both = Figure(
        gate=BOTH,
        what=what,
        sign=">=",
        limit=LEAST_BOTH,
        reached=float(np.mean([right for clip in found for right in clip.named])),
        chance=_chance(found),
        chance_of="captions dealt out anew",
        clips=len(found),
        share=True,
        detail={"relations": _by_relation(found), "wrong": _wrong(found)},
    )
    order = Figure(
        gate=ORDER,
        what=f"{what}, in sequence or with a background, both named",
        sign=">=",
        limit=LEAST_ORDER,
        reached=float(np.mean(told)) if told else 0.0,
        chance=0.25,
        chance_of="two relations, two orders",
        clips=sum(bool(clip.told) for clip in found),
        share=True,
    )
    return [both, order]


def _chance(found: Sequence[Captioned]) -> float:
    """Share of right captions when every clip gets the captions of another one."""
    rights = [
        all(class_words.names(other.texts[0], str(name)) for name in (clip.slots.first, clip.slots.second) if name)
        for clip in found
        for other in found
        if other is not clip and other.texts
    ]
    return float(np.mean(rights)) if rights else 0.0


def _by_class(found: Sequence[Captioned]) -> dict[str, float]:
    names = sorted({clip.slots.first for clip in found})
    return {
        name: float(np.mean([right for clip in found if clip.slots.first == name for right in clip.named]))
        for name in names
    }


def _by_relation(found: Sequence[Captioned]) -> dict[str, float]:
    relations = sorted({clip.slots.relation for clip in found})
    return {
        name: float(np.mean([right for clip in found if clip.slots.relation == name for right in clip.named]))
        for name in relations
    }


def _wrong(found: Sequence[Captioned]) -> dict[str, list[str]]:
    """What clips were called instead, most frequent first, by what is in them."""
    table: dict[str, Counter[str]] = {}
    for clip in found:
        key = " + ".join(name for name in (clip.slots.first, clip.slots.second) if name)
        if not all(clip.named):
            table.setdefault(key, Counter())[clip.texts[0]] += 1
    return {key: [text for text, _ in counted.most_common(4)] for key, counted in sorted(table.items())}
