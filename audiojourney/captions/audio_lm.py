"""Captions by language models that hear, as AF-AudioSet was made (arXiv 2406.15487): several drawn for each clip.

Scoring them and keeping the best is left to whoever asked for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from audiojourney.captions.answers import FEWEST_WORDS, MOST_WORDS, Limits, check_caption, kept_raw
from audiojourney.captions.base import Answer, Subject
from audiojourney.captions.chat import derived_seed
from audiojourney.data.clip import Caption, CaptionKind
from audiojourney.errors import UsageError
from audiojourney.models.audio_lm import AudioLanguageModel, Sampling
from audiojourney.models.autocap.sound import excerpt

Ask = Callable[[AudioLanguageModel, Sequence[np.ndarray], str], Mapping[str, Tensor]]


@dataclass(frozen=True, kw_only=True)
class AudioLMSettings(Sampling):
    """How an audio language model captions; the defaults of drawing are those of AF-Synthetic.

    Attributes:
        prompt: what is asked; "" is the model's own question.
        rows: answers that are drawn at once: clips of a batch times captions of a clip.
        longest_s: seconds of a clip that are heard; of a longer one a part that its seed chooses.
        most_words: longest caption that is taken.
    """

    prompt: str = ""
    rows: int = 32
    longest_s: float = 30.0
    most_words: int = MOST_WORDS

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant.

        Raises:
            UsageError: a value is out of its range.
        """
        for name, low in (("temperature", 0), ("top_k", 0), ("max_tokens", 1), ("rows", 1), ("most_words", 1)):
            if getattr(self, name) < low:
                raise UsageError(f"{name} is {getattr(self, name)}.", f"Give {low} or more.")
        if not 0 < self.top_p <= 1 or not 0 < self.longest_s <= 30:
            raise UsageError(f"top_p is {self.top_p}, longest_s {self.longest_s}.", "Give up to 1, and up to 30.")


class AudioLMCaptioner:
    """A `Captioner` around an audio language model.

    Args:
        kind_name: what such captioners are called; goes into each caption before the model's name.
        model: the model.
        label: its name.
        ask: makes its inputs of sounds and a question.
        settings: how it is asked; `prompt` is not empty.
    """

    kind: CaptionKind = "model"

    def __init__(
        self, kind_name: str, model: AudioLanguageModel, label: str, ask: Ask, settings: AudioLMSettings
    ) -> None:
        self.model, self.ask, self.settings = model, ask, settings
        self.name = f"{kind_name}:{label}" + (f"@{model.revision}" if model.revision else "")
        self.sample_rate_hz: int | None = model.sample_rate_hz

    def caption(self, subjects: Sequence[Subject], count: int) -> list[Answer]:
        """Draw `count` captions of each subject; equal ones count once, answers that are no caption not at all.

        Raises:
            UsageError: `count` is below 1.
        """
        if count < 1:
            raise UsageError(f"{count} captions a clip were asked for.", "Give 1 or more.")
        faults = [_fault(subject.wave) for subject in subjects]
        usable = [i for i, fault in enumerate(faults) if not fault]
        answers = [Answer(failure=fault) for fault in faults]
        size = max(1, self.settings.rows // count)
        for first in range(0, len(usable), size):
            part = usable[first : first + size]
            for i, texts in zip(part, self._draw([subjects[i] for i in part], count), strict=True):
                answers[i] = self._answer(texts)
        return answers

    def _draw(self, subjects: Sequence[Subject], count: int) -> list[list[str]]:
        waves = [self._heard(subject) for subject in subjects]
        inputs = self.ask(self.model, waves, self.settings.prompt)
        seeds = [[derived_seed(subject.seed, number) for number in range(count)] for subject in subjects]
        return self.model.answer(inputs, seeds, self.settings)

    def _heard(self, subject: Subject) -> np.ndarray:
        assert subject.wave is not None, "a subject without sound was not left out"
        samples = round(self.settings.longest_s * self.model.sample_rate_hz)
        return excerpt(subject.wave, np.random.default_rng(subject.seed), samples)

    def _answer(self, texts: Sequence[str]) -> Answer:
        checked = [check_caption(text, Limits(FEWEST_WORDS, self.settings.most_words)) for text in texts]
        good = list(dict.fromkeys(one.text for one in checked if not one.fault))
        raw = kept_raw("\n".join(texts))
        if not good:
            return Answer(failure=f"no answer is a caption: the first {checked[0].fault}", raw=raw)
        return Answer(tuple(Caption(text, self.name, self.kind) for text in good), raw=raw)


def label_of(name: str) -> str:
    """Return the Hub id of a model, or the last part of its path."""
    return Path(name).name if Path(name).expanduser().exists() else name


def _fault(wave: np.ndarray | None) -> str:
    """Return why a sound cannot be heard, or ""."""
    if wave is None or not len(wave):
        return "no sound was given" if wave is None else "the sound is empty"
    finite = bool(np.isfinite(wave).all())
    return "" if finite else f"{int((~np.isfinite(wave)).sum())} samples are not finite numbers"
