"""Captions of what is heard in the scene that is seen, as in Audio-Journey.

Three frames of the video are described, the three captions merged into one, and that one merged with what is heard; a
language model does the merging and says how likely it is that both belong together.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

from audiojourney import config
from audiojourney.captions.answers import check_caption
from audiojourney.captions.base import Answer, Subject
from audiojourney.captions.chat import ChatModel, ChatSettings, Result, ask, derived_seed, open_chat
from audiojourney.captions.entailment import Judged, Pair, Wording, judge, label_with_meaning, read_meanings
from audiojourney.captions.labels import SINGLE_CLASS, LabelsCaptioner, LabelsSettings, spoken_labels
from audiojourney.captions.names import CaptionerOptions
from audiojourney.captions.prompts import Examples, Question, Shots, load_examples, shown_answers, write_prompt
from audiojourney.captions.sight import Seen, Sight
from audiojourney.data.clip import Caption, CaptionKind
from audiojourney.models.blip import DEFAULT as BLIP
from audiojourney.models.blip import FrameCaptioner
from audiojourney.models.sentences import SentenceEncoder


@dataclass(frozen=True, kw_only=True)
class VisualSettings:
    """Settings of the captioner `visual`.

    Attributes:
        frames: folder of pictures, `<clip>/*.jpg` or `<clip>_*.jpg`; those at 1/3, 1/2 and 3/4 of a list are taken.
        videos: folder of videos, `<clip>.mp4` or alike. Without both, the clip's own file is asked for its pictures.
        frame_model: BLIP-2 that describes them.
        merge: merge what is seen into the captions of `all` clips, or of those with a `single` label only, as the
            paper does.
        entailment: the question of the paper (`together`), that of its appendix (`describes`), or `none`.
        ontology: AudioSet's `ontology.json`, whose descriptions stand for single labels in that question.
        similarity: sentence encoder that compares what is seen and heard as well: `t5`, `bert`, a Hub id or a folder.
        shots: examples in the prompts: `zero`, `one` or `few`.
        class_list: words for the codes of AudioSet, such as its `class_labels_indices.csv`.
        chat: how the language model is asked.
    """

    frames: Path | None = None
    videos: Path | None = None
    frame_model: str = BLIP
    merge: Literal["all", "single"] = "all"
    entailment: Wording | Literal["none"] = "describes"
    ontology: Path | None = None
    similarity: str | None = None
    shots: Shots = "few"
    class_list: Path | None = None
    chat: ChatSettings = field(default_factory=ChatSettings)


class SentenceModel(Protocol):
    """Compares sentences; `audiojourney.models.sentences.SentenceEncoder` does."""

    def similarity(self, sentences: Sequence[str], others: Sequence[str]) -> list[float]:
        """Return the cosine of each sentence with the one at its place among the others."""


@dataclass(frozen=True)
class _Case:
    """A clip and what is known of it so far.

    Attributes:
        subject: the clip.
        labels: its labels in words.
        visual: what is seen.
        audio: what is heard.
        failure: why the clip gets no caption, or "".
        judged: the entailment score.
        captions: captions of sound and scene together.
        record: how they came about.
    """

    subject: Subject
    labels: tuple[str, ...] = ()
    visual: str = ""
    audio: str = ""
    failure: str = ""
    judged: Judged | None = None
    captions: tuple[str, ...] = ()
    record: dict[str, Any] = field(default_factory=dict)


class VisualCaptioner:
    """Merges what is seen into what is heard.

    Args:
        model: the language model that merges and judges.
        sight: finds and describes frames.
        examples: what the language model is shown.
        settings: what is asked.
        encoder: compares what is seen and heard as well.
    """

    kind: CaptionKind = "llm"
    sample_rate_hz: int | None = None

    def __init__(
        self,
        model: ChatModel,
        sight: Sight,
        examples: Examples,
        settings: VisualSettings,
        encoder: SentenceModel | None = None,
    ) -> None:
        self.name = f"visual:{model.name}"
        self.model = model
        self.sight = sight
        self.settings = settings
        self.examples = examples
        self.encoder = encoder
        own = LabelsSettings(shots=settings.shots, class_list=settings.class_list, chat=settings.chat)
        self._labels = LabelsCaptioner(model, examples, own)
        self._meanings = read_meanings(settings.ontology) if settings.ontology else {}

    def caption(self, subjects: Sequence[Subject], count: int) -> list[Answer]:
        """Write up to `count` captions for each subject; the first is the likeliest answer, the others are drawn.

        The record of how they came about is the raw answer, as JSON.
        """
        seen = self.sight.see([subject.clip for subject in subjects])
        cases = [_first_look(subject, one) for subject, one in zip(subjects, seen, strict=True)]
        steps = (self._merge_frames, self._hear, self._hear_labels, self._judge, self._compare)
        for step in (*steps, partial(self._merge, count=count)):
            able = [place for place, case in enumerate(cases) if not case.failure]
            for place, case in zip(able, step([cases[place] for place in able]), strict=True):
                cases[place] = case
        return [self._answer(case) for case in cases]

    def _merge_frames(self, cases: Sequence[_Case]) -> list[_Case]:
        """Make one caption of those of the frames; frames that look the same need no model."""
        differing = [case for case in cases if len(set(case.record["frames"])) > 1]
        results = iter(
            self._ask("frames", [case.record["frames"] for case in differing], [c.subject.seed for c in differing])
        )
        return [
            _merged(case, next(results)) if len(set(case.record["frames"])) > 1 else _seen_once(case) for case in cases
        ]

    def _hear(self, cases: Sequence[_Case]) -> list[_Case]:
        """Say what is heard where no model is needed: the class where there is one, else the first caption."""
        found = []
        for case in cases:
            words = spoken_labels(case.subject.clip, self._labels.codes)
            audio = SINGLE_CLASS.format(words[0]) if len(words) == 1 else case.subject.clip.text
            found.append(replace(case, labels=words, audio=audio))
        return found

    def _hear_labels(self, cases: Sequence[_Case]) -> list[_Case]:
        """Ask for a caption of the labels where nothing else says what is heard."""
        silent = [case for case in cases if not case.audio]
        answers = iter(self._labels.caption([case.subject for case in silent], 1) if silent else [])
        return [case if case.audio else _with_labels(case, next(answers)) for case in cases]

    def _judge(self, cases: Sequence[_Case]) -> list[_Case]:
        if self.settings.entailment == "none":
            return list(cases)
        judged = judge(
            self.model,
            [self._pair(case) for case in cases],
            self.examples,
            self.settings.chat,
            self.settings.entailment,
            self.settings.shots,
        )
        return [
            replace(case, judged=one, record=case.record | {"entailment": one.raw})
            for case, one in zip(cases, judged, strict=True)
        ]

    def _pair(self, case: _Case) -> Pair:
        audio, single = case.audio, len(case.labels) == 1
        if single and self.settings.entailment == "describes":
            audio = label_with_meaning(case.labels[0], self._meanings)
        return Pair(case.visual, audio, single, derived_seed(case.subject.seed, 2))

    def _compare(self, cases: Sequence[_Case]) -> list[_Case]:
        if self.encoder is None:
            return list(cases)
        found = self.encoder.similarity([case.visual for case in cases], [case.audio for case in cases])
        return [
            replace(case, record=case.record | {"similarity": round(value, 4)})
            for case, value in zip(cases, found, strict=True)
        ]

    def _merge(self, cases: Sequence[_Case], count: int) -> list[_Case]:
        """Ask for captions of sound and scene together; the paper leaves clips with several labels as they are."""
        merges = [self.settings.merge == "all" or len(case.labels) == 1 for case in cases]
        rows = [(case, number) for case, merge in zip(cases, merges, strict=True) if merge for number in range(count)]
        results = iter(
            self._ask(
                "audio_visual",
                [(case.visual, case.audio) for case, _ in rows],
                [derived_seed(case.subject.seed, 3, number) for case, number in rows],
                [number == 0 for _, number in rows],
            )
        )
        return [
            _captioned(case, [next(results) for _ in range(count)]) if merge else replace(case, captions=(case.audio,))
            for case, merge in zip(cases, merges, strict=True)
        ]

    def _ask(
        self,
        question: Question,
        items: Sequence[Sequence[str]],
        seeds: Sequence[int],
        likeliest: Sequence[bool] | None = None,
    ) -> list[Result[str]]:
        prompts = [write_prompt(question, row, self.examples, self.settings.shots) for row in items]
        shown = shown_answers(question, self.examples, self.settings.shots)
        return ask(self.model, prompts, seeds, partial(_read, shown), self.settings.chat, likeliest)

    def _answer(self, case: _Case) -> Answer:
        score = case.judged.score if case.judged else None
        captions = tuple(Caption(text, self.name, self.kind, entailment=score) for text in case.captions)
        record = case.record | {"visual": case.visual, "audio": case.audio}
        return Answer(captions, case.failure, json.dumps(record, ensure_ascii=False, sort_keys=True))


def _read(shown: frozenset[str], text: str) -> tuple[str | None, str]:
    checked = check_caption(text, forbidden=shown)
    return checked.text or None, checked.fault


def _first_look(subject: Subject, seen: Seen) -> _Case:
    return _Case(subject, failure=seen.failure, record={"frames": list(seen.frames)})


def _seen_once(case: _Case) -> _Case:
    return replace(case, visual=case.record["frames"][0])


def _merged(case: _Case, result: Result[str]) -> _Case:
    record = case.record | {"frames_merged": result.raw}
    return replace(case, visual=result.value or "", failure=result.failure, record=record)


def _with_labels(case: _Case, answer: Answer) -> _Case:
    audio = answer.captions[0].text if answer.captions else ""
    return replace(case, audio=audio, failure=answer.failure, record=case.record | {"labels": answer.raw})


def _captioned(case: _Case, results: Sequence[Result[str]]) -> _Case:
    """Return a case with its different captions, or the failure of the first question."""
    texts: dict[str, str] = {}
    for result in results:
        if result.value is not None:
            texts.setdefault(result.value.lower(), result.value)
    record = case.record | {"audio_visual": [result.raw for result in results]}
    return replace(case, captions=tuple(texts.values()), failure="" if texts else results[0].failure, record=record)


def build(options: CaptionerOptions) -> VisualCaptioner:
    """Return the captioner `visual`; BLIP-2 is opened when the first frame is there.

    Raises:
        UsageError: an unknown setting.
        MissingError: the language model or the sentence encoder cannot be had.
    """
    settings = config.build(VisualSettings, options.settings, "options")
    sight = Sight(
        partial(FrameCaptioner, settings.frame_model, options.device, options.dtype), settings.frames, settings.videos
    )
    chat = open_chat(options, settings.chat)
    encoder = SentenceEncoder(settings.similarity, options.device) if settings.similarity else None
    return VisualCaptioner(chat, sight, load_examples(options.examples), settings, encoder)
