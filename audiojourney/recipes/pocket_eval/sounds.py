"""Clips that are measured: recordings, fresh scenes, noise; as waveforms and as what a listener hears.

N clips, T samples, F mel frames, M mel bins.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from torch import Tensor

from audiojourney.data.clip import Clip, load_clip
from audiojourney.data.manifest import read_clips
from audiojourney.data.mel import GENAU, log_mel
from audiojourney.data.scenes.compose import compose
from audiojourney.data.scenes.concepts import CONCEPTS, ESC10_CONCEPTS, concept_of
from audiojourney.data.scenes.scene import SceneConfig
from audiojourney.errors import MissingError
from audiojourney.training.tasks.plain import normalised

RECORDED = tuple(dict.fromkeys(ESC10_CONCEPTS.values()))  # real means recorded for these
SYNTHESISED = tuple(name for name in CONCEPTS if name not in RECORDED)  # and freshly synthesised for these
WAY_TO_GET_THEM = "Give --recordings the folder of ESC-10 clips that has a metadata.jsonl with labels and folds."


@dataclass(frozen=True)
class Heard:
    """N clips as a listener hears them.

    Attributes:
        concepts: what each clip is of.
        mels: log-mel spectrograms at one level, each (F, M).
    """

    concepts: tuple[str, ...]
    mels: tuple[Tensor, ...]

    def __len__(self) -> int:
        return len(self.mels)

    def __add__(self, other: Heard) -> Heard:
        return Heard(self.concepts + other.concepts, self.mels + other.mels)

    def pick(self, indices: Sequence[int]) -> Heard:
        """Return the clips of these numbers."""
        return Heard(tuple(self.concepts[i] for i in indices), tuple(self.mels[i] for i in indices))

    def of(self, concepts: Collection[str]) -> Heard:
        """Return the clips of these concepts."""
        return self.pick([i for i, name in enumerate(self.concepts) if name in concepts])


@dataclass(frozen=True)
class Sounds:
    """N clips as waveforms at 16 kHz.

    Attributes:
        concepts: what each clip is of.
        waves: float32, each (T,).
    """

    concepts: tuple[str, ...]
    waves: tuple[np.ndarray, ...]

    def __len__(self) -> int:
        return len(self.waves)

    def __add__(self, other: Sounds) -> Sounds:
        return Sounds(self.concepts + other.concepts, self.waves + other.waves)

    def heard(self) -> Heard:
        """Return the clips as log-mel spectrograms."""
        return Heard(self.concepts, tuple(hear(wave) for wave in self.waves))


def hear(wave: np.ndarray) -> Tensor:
    """Log-mel (F, M) of a waveform (T,) with its peak at 0.5."""
    return log_mel(normalised(wave), GENAU)


def find_recordings(folder: Path, folds: Collection[int]) -> list[Clip]:
    """Return the recordings of some folds that are of a known sound.

    Raises:
        MissingError: there is none.
    """
    if not folder.exists():
        raise MissingError(f"There are no recordings at {str(folder)!r}.", WAY_TO_GET_THEM)
    known = [clip for clip in read_clips(folder) if len(clip.labels) == 1 and concept_of(clip.labels[0]) in RECORDED]
    clips = [clip for clip in known if clip.fold in folds]
    absent = sorted(set(folds) - {clip.fold for clip in clips})
    if absent:
        raise MissingError(f"{str(folder)!r} has no ESC-10 clips of folds {absent}.", WAY_TO_GET_THEM)
    return clips


def read_recordings(folder: Path, folds: Collection[int]) -> Sounds:
    """Decode the recordings of some folds.

    Raises:
        MissingError: there is none.
        ClipError: one cannot be read.
    """
    clips = find_recordings(folder, folds)
    return Sounds(tuple(concept_of(c.labels[0]) for c in clips), tuple(load_clip(c, GENAU.rate_hz) for c in clips))


def fresh(concepts: Sequence[str], per_concept: int, first_seed: int, duration_s: float) -> Sounds:
    """Synthesise clips of single sounds; the seeds count from `first_seed` on."""
    config = SceneConfig(duration_s=duration_s, captions=1)
    names = [name for name in concepts for _ in range(per_concept)]
    scenes = (compose(first_seed + i, config, concepts=[name], relation="single") for i, name in enumerate(names))
    return Sounds(tuple(names), tuple(scene.wave for scene in scenes))


def white_noise(like: Heard, duration_s: float, seed: int = 0) -> Heard:
    """As many clips of white noise as `like` has, under its names."""
    rng = np.random.default_rng(seed)
    samples = round(duration_s * GENAU.rate_hz)
    return Heard(like.concepts, tuple(hear(rng.standard_normal(samples).astype(np.float32)) for _ in like.mels))
