"""One record for a sound and all that is known of it, wherever it came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from audiojourney.data.audio import load
from audiojourney.data.resample import Resampler

CaptionKind = Literal["human", "raw", "rule", "llm", "model", ""]
CAPTION_KINDS: tuple[str, ...] = get_args(CaptionKind)


@dataclass(frozen=True)
class Caption:
    """One sentence about a clip; a clip may have several.

    Attributes:
        text: the sentence.
        source: who or what wrote it: a model, a data set, a person.
        kind: `human`, `raw` (found beside the sound), `rule`, `llm`, `model`, or empty when unknown.
        score: how well it fits the sound, or None when that was not measured.
        score_name: what measured it, such as `clap_laion`.
        entailment: how likely it is that what is seen and what is heard belong together, 0 to 1, or None.
    """

    text: str
    source: str = ""
    kind: CaptionKind = ""
    score: float | None = None
    score_name: str = ""
    entailment: float | None = None


@dataclass(frozen=True)
class Event:
    """A sound within a clip.

    Attributes:
        label: what sounds.
        start_s: when it begins, from the beginning of the clip.
        end_s: when it ends.
    """

    label: str
    start_s: float
    end_s: float


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What was published beside the sound and a captioner may read; empty where absent.

    Attributes:
        title: the uploader's title.
        description: the uploader's description.
        tags: the uploader's keywords.
        visual_caption: what the video shows.
        subtitles: what is said in it.
    """

    title: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    visual_caption: str = ""
    subtitles: str = ""


@dataclass(frozen=True, kw_only=True)
class Clip:
    """A sound file, or a part of one, and what is known of it.

    Attributes:
        path: the sound file.
        id: name that is unique over all data sets.
        dataset: the data set it belongs to.
        split: such as `train` or `test`.
        fold: cross-validation fold; clips of one recording share it.
        offset_s: where the clip begins within the file, or None when the file is the clip.
        duration_s: length of the clip in seconds, where known.
        start_s: where the clip began in the recording that it was cut from.
        end_s: where it ended there.
        labels: what sounds, in the words or codes of `label_scheme`.
        label_scheme: such as `audioset`, `esc50`, or empty.
        captions: sentences about it, in order.
        events: sounds within it and when they sound.
        metadata: what was published beside it.
        licence: SPDX-like name of its licence, or empty when unknown.
        attribution: whom to name.
        source_url: where it came from.
        sha256: hash of the file's bytes, or empty when not taken.
        extra: columns that mean nothing here, kept as they are.
    """

    path: Path
    id: str
    dataset: str = ""
    split: str = ""
    fold: int | None = None
    offset_s: float | None = None
    duration_s: float | None = None
    start_s: float | None = None
    end_s: float | None = None
    labels: tuple[str, ...] = ()
    label_scheme: str = ""
    captions: tuple[Caption, ...] = ()
    events: tuple[Event, ...] = ()
    metadata: Metadata = field(default_factory=Metadata)
    licence: str = ""
    attribution: str = ""
    source_url: str = ""
    sha256: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The first caption, or "" without captions."""
        return self.captions[0].text if self.captions else ""


def load_clip(clip: Clip, rate_hz: int, resampler: Resampler = "soxr") -> np.ndarray:
    """Read the sound of a clip as mono, float32, shape (T,).

    Raises:
        ClipError: the file cannot be used (see `audiojourney.data.audio.load`).
    """
    if clip.offset_s is None:
        return load(clip.path, rate_hz, resampler=resampler)
    return load(clip.path, rate_hz, clip.offset_s, clip.duration_s, resampler)
