"""Captions from labels by a language model, as in Audio-Journey: labels in, one sentence with all of them out."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from audiojourney import config
from audiojourney.captions.answers import FEWEST_WORDS, Limits, check_caption
from audiojourney.captions.base import Answer, Subject
from audiojourney.captions.chat import ChatModel, ChatSettings, Result, ask, derived_seed, open_chat
from audiojourney.captions.names import CaptionerOptions
from audiojourney.captions.prompts import Examples, Shots, load_examples, shown_answers, write_prompt
from audiojourney.data.clip import Caption, CaptionKind, Clip
from audiojourney.data.formats.classes import class_names

SINGLE_CLASS = "The sound of {}"
_CODE = re.compile(r"/[a-z]/\w+")


@dataclass(frozen=True, kw_only=True)
class LabelsSettings:
    """Settings of the captioner `labels`.

    Attributes:
        shots: examples in the prompt: `zero`, `one`, or `few`, which is the paper's own setting.
        single_class: give a clip with one label the caption `The sound of [CLASS]` without asking.
        most_words: longest caption that is taken.
        class_list: words for the codes of AudioSet, such as its `class_labels_indices.csv`.
        chat: how the language model is asked.
    """

    shots: Shots = "few"
    single_class: bool = True
    most_words: int = 45
    class_list: Path | None = None
    chat: ChatSettings = field(default_factory=ChatSettings)


class LabelsCaptioner:
    """Asks a language model for a sentence about all labels of a clip.

    Args:
        model: the language model.
        examples: what it is shown.
        settings: shots, rules, attempts.
    """

    kind: CaptionKind = "llm"
    sample_rate_hz: int | None = None

    def __init__(self, model: ChatModel, examples: Examples, settings: LabelsSettings) -> None:
        self.name = f"labels:{model.name}"
        self.model = model
        self.examples = examples
        self.settings = settings
        self.codes = class_names(settings.class_list) if settings.class_list else {}
        self._limits = Limits(FEWEST_WORDS, settings.most_words)
        self._forbidden = shown_answers("labels", examples, settings.shots)

    def caption(self, subjects: Sequence[Subject], count: int) -> list[Answer]:
        """Write up to `count` captions for each subject; the first is the likeliest answer, the others are drawn."""
        labels = [spoken_labels(subject.clip, self.codes) for subject in subjects]
        answers = [self._without_asking(subject.clip, words) for subject, words in zip(subjects, labels, strict=True)]
        places = [place for place, answer in enumerate(answers) if answer is None]
        asked = self._ask([labels[place] for place in places], [subjects[place].seed for place in places], count)
        found = dict(zip(places, asked, strict=True))
        return [answer or found[place] for place, answer in enumerate(answers)]

    def _without_asking(self, clip: Clip, words: tuple[str, ...]) -> Answer | None:
        """Return the answer for a clip that no language model is needed for."""
        if not words:
            return Answer(failure="the clip has no labels")
        unknown = [word for word in words if _CODE.fullmatch(word)]
        if unknown:
            return Answer(failure=f"the label {unknown[0]!r} is a code; name a list of classes in class_list")
        if len(words) == 1 and self.settings.single_class:
            return Answer((Caption(SINGLE_CLASS.format(words[0]), self.name, "rule"),))
        return None

    def _ask(self, labels: Sequence[tuple[str, ...]], seeds: Sequence[int], count: int) -> list[Answer]:
        prompts = [write_prompt("labels", words, self.examples, self.settings.shots) for words in labels]
        results = ask(
            self.model,
            [prompt for prompt in prompts for _ in range(count)],
            [derived_seed(seed, number) for seed in seeds for number in range(count)],
            self._read,
            self.settings.chat,
            [number == 0 for _ in prompts for number in range(count)],
        )
        return [self._answer(results[first : first + count]) for first in range(0, len(results), count)]

    def _read(self, text: str) -> tuple[str | None, str]:
        checked = check_caption(text, self._limits, self._forbidden)
        return checked.text or None, checked.fault

    def _answer(self, results: Sequence[Result[str]]) -> Answer:
        """Return the different captions of one clip, or the reason why there is none."""
        texts: dict[str, str] = {}
        for result in results:
            if result.value is not None:
                texts.setdefault(result.value.lower(), result.value)
        captions = tuple(Caption(text, self.name, self.kind) for text in texts.values())
        raw = "\n\n".join(result.raw for result in results if result.raw)
        return Answer(captions, "" if captions else results[0].failure, raw)


def spoken_labels(clip: Clip, codes: Mapping[str, str]) -> tuple[str, ...]:
    """Return the labels of a clip in words: without underscores, each once.

    Args:
        clip: its labels, or the labels of its events where it has none itself.
        codes: words for labels that are codes.
    """
    labels = clip.labels or tuple(event.label for event in clip.events)
    words = (" ".join(codes.get(label, label).replace("_", " ").split()) for label in labels)
    return tuple(dict.fromkeys(word for word in words if word))


def build(options: CaptionerOptions) -> LabelsCaptioner:
    """Return the captioner `labels`.

    Raises:
        UsageError: an unknown setting.
        MissingError: the language model cannot be had.
    """
    settings = config.build(LabelsSettings, options.settings, "options")
    return LabelsCaptioner(open_chat(options, settings.chat), load_examples(options.examples), settings)
