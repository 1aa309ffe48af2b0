"""Examples for the pocket generator: latents of single sounds, of mixed scenes, and of two sounds joined in time.

C channels, L latent frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audiojourney.data.bank import WaveBank
from audiojourney.data.clip import Clip
from audiojourney.data.scenes.captions import Placed, describe
from audiojourney.data.scenes.catalogue import SOURCES
from audiojourney.data.scenes.concepts import concept_of
from audiojourney.training.latents import LatentCache

BLEND = 2  # latent frames over which two joined sounds cross
LEAD_S = 1.5  # an event starts at most this long after the beginning of a crop
QUIET_SHARE = 0.2  # of the frames of an event's clip, at which it may be cut


@dataclass(frozen=True, kw_only=True)
class Mix:
    """Shares of the kinds of examples; what is left are single sounds.

    Attributes:
        scenes: scenes of several sounds, as they were rendered.
        sequences: two single sounds, one after the other.
        recorded: recordings among the single sounds of concepts that have both.
        stored: captions that came with a clip, against newly worded ones.
    """

    scenes: float = 0.2
    sequences: float = 0.15
    recorded: float = 0.7
    stored: float = 0.7


class Examples:
    """Draws (latent, caption) pairs, every concept equally often.

    Args:
        bank: the clips.
        latents: their latents, in the same order.
        clips: numbers of the clips to draw from.
        mix: shares of the kinds of examples.
        frame_hz: latent frames a second.
    """

    def __init__(self, bank: WaveBank, latents: LatentCache, clips: Sequence[int], mix: Mix, frame_hz: float) -> None:
        self.bank, self.latents, self.mix, self.frame_hz = bank, latents, mix, frame_hz
        single = [i for i in clips if len(bank.clips[i].labels) == 1]
        self.scenes = [i for i in clips if len(bank.clips[i].labels) > 1]
        self.concepts = tuple(sorted({self._concept(i) for i in single}))
        self.pools: dict[str, tuple[list[int], list[int]]] = {name: ([], []) for name in self.concepts}
        for i in single:
            self.pools[self._concept(i)][bank.clips[i].fold is None].append(i)

    def draw(self, rng: np.random.Generator, frames: int) -> tuple[np.ndarray, str]:
        """Draw one example: latent (C, frames) float32 and a caption that is true of it."""
        kind = rng.random()
        if kind < self.mix.scenes and self.scenes:
            return self._scene(rng, frames)
        if kind < self.mix.scenes + self.mix.sequences:
            return self._sequence(rng, frames)
        concept = self._pick_concept(rng)
        index = self._pick_clip(concept, rng)
        return self._fitted(index, concept, frames, rng), self._caption(index, concept, rng)

    def _scene(self, rng: np.random.Generator, frames: int) -> tuple[np.ndarray, str]:
        """A rendered scene; one that is longer than asked is cut only if its sounds go on together."""
        index = int(rng.choice(self.scenes))
        latent = self.latents[index]
        if latent.shape[1] > frames and not _starts_together(self.bank.clips[index], frames / self.frame_hz):
            return self.draw(rng, frames)
        captions = self.bank.clips[index].captions
        return _crop(latent, 0, frames), captions[int(rng.integers(len(captions)))].text

    def _sequence(self, rng: np.random.Generator, frames: int) -> tuple[np.ndarray, str]:
        concepts = [self._pick_concept(rng) for _ in range(2)]
        if concepts[0] == concepts[1]:
            return self.draw(rng, frames)
        cut = int(rng.integers(frames // 3, frames - frames // 3))
        first, second = (
            self._fitted(self._pick_clip(name, rng), name, length, rng)
            for name, length in zip(concepts, (cut + BLEND, frames - cut), strict=True)
        )
        joined = _join(first, second)
        spans = ((0.0, cut / self.frame_hz), (cut / self.frame_hz, frames / self.frame_hz))
        placed = [
            Placed(concept=c, start_s=s, end_s=e, level_db=-24.0) for c, (s, e) in zip(concepts, spans, strict=True)
        ]
        return joined, describe(placed, "sequence", rng, 1)[0]

    def _fitted(self, index: int, concept: str, frames: int, rng: np.random.Generator) -> np.ndarray:
        """Crop a clip to `frames`, or turn it round and lengthen it: a texture by itself, an event by its quiet."""
        latent = self.latents[index]
        length = latent.shape[1]
        if length > frames:
            return _crop(latent, self._offset(self.bank.clips[index], length, length - frames, rng), frames)
        if concept in SOURCES and SOURCES[concept].continuous:
            out = np.roll(latent, int(rng.integers(length)), axis=1)
            while out.shape[1] < frames:
                out = _join(out, latent)
            return out[:, :frames]
        latent = np.roll(latent, -self._quiet_frame(index, length, rng), axis=1)
        missing = frames - length
        before = int(rng.integers(missing + 1))
        quiet = latent[:, -1:]
        return np.concatenate([np.repeat(quiet, before, 1), latent, np.repeat(quiet, missing - before, 1)], axis=1)

    def _quiet_frame(self, index: int, length: int, rng: np.random.Generator) -> int:
        """A random one of the quietest frames of a clip, where it can be cut and turned round unheard."""
        wave = self.bank.wave(index)
        level = np.abs(wave[: len(wave) // length * length]).reshape(length, -1).mean(axis=1)
        return int(rng.choice(np.argsort(level)[: max(1, int(length * QUIET_SHARE))]))

    def _offset(self, clip: Clip, length: int, room: int, rng: np.random.Generator) -> int:
        """First frame of a crop: shortly before an event, or anywhere in a sound that goes on."""
        events = [e for e in clip.events if e.end_s - e.start_s < length / self.frame_hz / 2]
        if not events:
            return int(rng.integers(room + 1))
        event = events[int(rng.integers(len(events)))]
        return int(np.clip((event.start_s - rng.uniform(0, LEAD_S)) * self.frame_hz, 0, room))

    def _caption(self, index: int, concept: str, rng: np.random.Generator) -> str:
        captions = self.bank.clips[index].captions
        if captions and rng.random() < self.mix.stored:
            return captions[int(rng.integers(len(captions)))].text
        return describe([Placed(concept=concept, start_s=0, end_s=1, level_db=-24.0)], "single", rng, 1)[0]

    def _pick_concept(self, rng: np.random.Generator) -> str:
        return self.concepts[int(rng.integers(len(self.concepts)))]

    def _pick_clip(self, concept: str, rng: np.random.Generator) -> int:
        recorded, rendered = self.pools[concept]
        use_recorded = recorded and (not rendered or rng.random() < self.mix.recorded)
        return int(rng.choice(recorded if use_recorded else rendered))

    def _concept(self, index: int) -> str:
        return concept_of(self.bank.clips[index].labels[0])


def _starts_together(clip: Clip, seconds: float) -> bool:
    """Whether every sound of a scene can be heard in its first seconds."""
    heard = {event.label for event in clip.events if event.start_s < seconds - 1.5}
    return heard >= set(clip.labels)


def _crop(latent: np.ndarray, start: int, frames: int) -> np.ndarray:
    piece = latent[:, start : start + frames]
    return np.pad(piece, ((0, 0), (0, frames - piece.shape[1])), mode="edge")


def _join(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Put two latents (C, L1), (C, L2) one after the other with a short cross-fade, (C, L1 + L2 - BLEND)."""
    share = (np.arange(BLEND, dtype=np.float32) + 1) / (BLEND + 1)
    crossing = first[:, -BLEND:] * (1 - share) + second[:, :BLEND] * share
    return np.concatenate([first[:, :-BLEND], crossing, second[:, BLEND:]], axis=1)
