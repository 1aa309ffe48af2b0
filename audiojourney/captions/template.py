"""Captions from labels and events by sentence patterns, without any model: grammatical, and true where the labels are.

The patterns are those of the procedural scenes, except the ones that claim that nothing else sounds. An order is told
only where the times of events show it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from audiojourney import config
from audiojourney.captions.base import Answer, Subject
from audiojourney.captions.labels import spoken_labels
from audiojourney.captions.names import CaptionerOptions
from audiojourney.captions.nouns import noun_phrase
from audiojourney.data.clip import Caption, CaptionKind, Clip
from audiojourney.data.formats.classes import class_names
from audiojourney.data.scenes.grammar import PATTERNS, Relation
from audiojourney.data.scenes.lexicon import pick
from audiojourney.errors import UsageError

MANY = ("{all}", "the sounds of {all}", "{all} can be heard", "a recording of {all}", "a mix of {all}")
TRIES = 40
# They claim more than labels say (that nothing else sounds, or all at once), want clauses, or are no sentence.
_CLAIMS = re.compile(
    r"\b(?:only|nothing|one sound|two sounds|three sounds|at once|same time)\b|^\{a\}, \{b\}$|\{[A-Z]\}"
)
_LETTERS = "abc"
_SLACK_S = 0.1


@dataclass(frozen=True, kw_only=True)
class TemplateSettings:
    """Settings of the captioner `template`.

    Attributes:
        most: labels that a caption names at most, the first ones of a clip.
        class_list: words for the codes of AudioSet, such as its `class_labels_indices.csv`.
    """

    most: int = 5
    class_list: Path | None = None

    def __post_init__(self) -> None:
        if self.most < 1:
            raise UsageError(f"options.most is {self.most}; expected 1 or more.")


class TemplateCaptioner:
    """Fills sentence patterns with the labels of a clip.

    Args:
        settings: how many labels are named, and what codes mean.
    """

    name = "template"
    kind: CaptionKind = "rule"
    sample_rate_hz: int | None = None

    def __init__(self, settings: TemplateSettings) -> None:
        self.settings = settings
        self._codes = class_names(settings.class_list) if settings.class_list else {}

    def caption(self, subjects: Sequence[Subject], count: int) -> list[Answer]:
        """Write up to `count` different captions for each subject; which ones depends on its seed."""
        return [self._answer(subject, count) for subject in subjects]

    def _answer(self, subject: Subject, count: int) -> Answer:
        labels, relation = ordered_labels(subject.clip, self._codes)
        if not labels:
            return Answer(failure="the clip has no labels")
        unknown = next((label for label in labels if label.startswith("/")), "")
        if unknown:
            return Answer(failure=f"the label {unknown!r} is a code; name a list of classes in class_list")
        phrases = list(dict.fromkeys(noun_phrase(label) for label in labels))[: self.settings.most]
        texts = describe(phrases, relation, np.random.default_rng(subject.seed), count)
        return Answer(tuple(Caption(text, self.name, self.kind) for text in texts))


def ordered_labels(clip: Clip, codes: Mapping[str, str]) -> tuple[tuple[str, ...], Relation]:
    """Return the labels of a clip in words, and how they belong together.

    Where the events of two or three labels follow each other without overlap, they are in the order of time.
    """
    labels = spoken_labels(clip, codes)
    spans: dict[str, tuple[float, float]] = {}
    for event in clip.events:
        label = " ".join(codes.get(event.label, event.label).replace("_", " ").split())
        start, end = spans.get(label, (event.start_s, event.end_s))
        spans[label] = (min(start, event.start_s), max(end, event.end_s))
    in_time = sorted(spans, key=lambda label: spans[label])
    gaps = [spans[later][0] - spans[earlier][1] for earlier, later in pairwise(in_time)]
    if 2 <= len(in_time) <= len(_LETTERS) and set(labels) <= set(in_time) and min(gaps) > -_SLACK_S:
        return tuple(in_time), "sequence"
    return labels, "single" if len(labels) == 1 else "together"


def describe(phrases: Sequence[str], relation: Relation, rng: np.random.Generator, count: int) -> list[str]:
    """Return up to `count` different sentences about noun phrases.

    Args:
        phrases: one or more noun phrases.
        relation: `sequence` keeps their order; otherwise the order is free.
        rng: where the choices come from.
        count: sentences that are wanted.
    """
    relation = "single" if len(phrases) == 1 else "together" if relation == "single" else relation
    patterns = [text for text in PATTERNS.get((relation, len(phrases)), MANY) if not _CLAIMS.search(text)] or list(MANY)
    found: dict[str, None] = {}
    for _ in range(TRIES * count):
        order = list(phrases) if relation == "sequence" else [phrases[int(i)] for i in rng.permutation(len(phrases))]
        found[_sentence(pick(rng, patterns), order)] = None
        if len(found) == count:
            break
    return list(found)


def _sentence(pattern: str, phrases: Sequence[str]) -> str:
    words = dict(zip(_LETTERS, phrases, strict=False))
    said = pattern.format(all=_listed(phrases), **words)
    return f"{said[0].upper()}{said[1:]}."


def _listed(phrases: Sequence[str]) -> str:
    return " and ".join(filter(None, [", ".join(phrases[:-1]), phrases[-1]]))


def build(options: CaptionerOptions) -> TemplateCaptioner:
    """Return the captioner `template`.

    Raises:
        UsageError: an unknown setting.
    """
    return TemplateCaptioner(config.build(TemplateSettings, options.settings, "options"))
