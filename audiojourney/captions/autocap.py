"""Captions by AutoCap (arXiv 2406.19388): it hears the sound and reads title and visual caption beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from audiojourney import config as configuration
from audiojourney.captions.base import Answer, Subject
from audiojourney.captions.names import CaptionerOptions
from audiojourney.data.clip import Caption, CaptionKind
from audiojourney.errors import ClipError, UsageError
from audiojourney.hub import without_network
from audiojourney.models.autocap.metadata import metadata_of
from audiojourney.models.autocap.model import PUBLISHED, AutoCapModel, open_autocap
from audiojourney.models.autocap.search import Decoding
from audiojourney.models.autocap.sound import RATE_HZ, SAMPLES, SHORTEST, excerpt, prepared
from audiojourney.models.device import find_device


@dataclass(frozen=True, kw_only=True)
class AutoCapSettings(Decoding):
    """How AutoCap captions; see `Decoding` for the search.

    Attributes:
        use_metadata: whether it reads what was published beside the sound.
    """

    use_metadata: bool = True


class AutoCapCaptioner:
    """A `Captioner` around AutoCap.

    A clip longer than ten seconds is heard in a window that its seed chooses.

    Args:
        model: the captioner.
        name: goes into each caption.
        settings: how captions are found.
    """

    kind: CaptionKind = "model"
    sample_rate_hz: int | None = RATE_HZ

    def __init__(self, model: AutoCapModel, name: str, settings: AutoCapSettings) -> None:
        self.model, self.name, self.settings = model, name, settings

    def caption(self, subjects: Sequence[Subject], count: int) -> list[Answer]:
        """Write up to `count` different captions for each subject; a beam search grows to as many beams.

        Raises:
            UsageError: `count` is below 1.
        """
        if count < 1:
            raise UsageError(f"{count} captions a clip were asked for.", "Give 1 or more.")
        waves = [_heard(subject) for subject in subjects]
        usable = [i for i, wave in enumerate(waves) if isinstance(wave, np.ndarray)]
        answers = [Answer(failure=wave) if isinstance(wave, str) else Answer() for wave in waves]
        if usable:
            texts = [self._metadata(subjects[i]) for i in usable]
            found = self.model.captions(
                [wave for wave in waves if isinstance(wave, np.ndarray)],
                texts,
                [subjects[i].seed for i in usable],
                count,
                replace(self.settings, beams=max(self.settings.beams, count)),
            )
            for i, hypotheses in zip(usable, found, strict=True):
                answers[i] = self._answer([self.model.tokenizer.decode(h.tokens) for h in hypotheses], count)
        return answers

    def _answer(self, texts: Sequence[str], count: int) -> Answer:
        different = [text for text in dict.fromkeys(text.strip() for text in texts) if text][:count]
        if not different:
            return Answer(failure=f"the model said nothing but {list(texts)!r}")
        return Answer(tuple(Caption(text, self.name, self.kind) for text in different))

    def _metadata(self, subject: Subject) -> Mapping[str, str]:
        return metadata_of(subject.clip) if self.settings.use_metadata else {}


def build(options: CaptionerOptions) -> AutoCapCaptioner:
    """Open AutoCap; its own weights are the published ones, "autocap-full".

    Raises:
        MissingError: the weights are absent.
        UsageError: a setting is unknown or out of its range.
    """
    settings = configuration.build(AutoCapSettings, options.settings, "settings")
    device = find_device(options.device)
    name = options.model or PUBLISHED
    with without_network(options.offline):
        model = open_autocap(name)
    return AutoCapCaptioner(model.place(device, options.dtype), _label(name), settings)


def _heard(subject: Subject) -> np.ndarray | str:
    """Return what the network hears of a subject, (T,), or why it cannot."""
    if subject.wave is None:
        return "no sound was given"
    if len(subject.wave) <= SHORTEST:
        return f"{len(subject.wave)} samples are too few: {SHORTEST + 1} are needed"
    try:
        return prepared(excerpt(subject.wave, np.random.default_rng(subject.seed)), SAMPLES)
    except ClipError as error:
        return error.reason


def _label(name: str) -> str:
    """Return what captions call their source: the last part of a path, a Hub id or published name as it is."""
    return name if name == PUBLISHED else f"autocap:{name.rstrip('/').rpartition('/')[2]}"
