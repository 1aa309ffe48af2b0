"""What every captioner is given and gives back, and what every scorer of captions does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from audiojourney.data.clip import Caption, CaptionKind, Clip


@dataclass(frozen=True)
class Subject:
    """A clip to be captioned.

    Attributes:
        clip: its record: labels, metadata, captions that it has already.
        wave: its sound, mono float32 (T,) at the captioner's rate, or None for a captioner that does not listen.
        seed: seed of everything drawn for this clip; it depends on the clip and the run's seed alone.
    """

    clip: Clip
    wave: np.ndarray | None
    seed: int


@dataclass(frozen=True)
class Answer:
    """What a captioner gives for one clip: captions, or the reason why there are none.

    Attributes:
        captions: the sentences, best first; empty when it failed.
        failure: why there is none, in a sentence, or "".
        raw: what the model said word for word, where that is not the caption itself.
    """

    captions: tuple[Caption, ...] = ()
    failure: str = ""
    raw: str = ""


@runtime_checkable
class Captioner(Protocol):
    """Writes captions.

    Attributes:
        name: goes into `Caption.source`, with the model's revision where there is one.
        kind: goes into `Caption.kind`.
        sample_rate_hz: the rate it listens at, or None when the record alone is read.
    """

    name: str
    kind: CaptionKind
    sample_rate_hz: int | None

    def caption(self, subjects: Sequence[Subject], count: int) -> list[Answer]:
        """Write up to `count` different captions for each subject, in one batch.

        A subject that fails gives an `Answer` with a reason; an exception means that the model itself cannot run.
        """


@runtime_checkable
class Scorer(Protocol):
    """Measures how well sentences fit a sound.

    Attributes:
        name: goes into `Caption.score_name`, such as `clap_laion` or `clap_pocket`.
        model: name and weights hash of the network, for the record.
        sample_rate_hz: the rate it listens at.
    """

    name: str
    model: str
    sample_rate_hz: int

    def score(self, waves: Sequence[np.ndarray], texts: Sequence[Sequence[str]]) -> list[list[float]]:
        """Return a score for each text of each wave (T,), float32 mono at `sample_rate_hz`."""
