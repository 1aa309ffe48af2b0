"""Examples for models that listen: single sounds and pairs of them, varied and mixed as log-mel spectrograms.

F mel frames, M mel bins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from audiojourney.data import mel_mixing
from audiojourney.data.bank import WaveBank, open_bank
from audiojourney.data.features import open_features
from audiojourney.data.mel import GENAU, log_mel
from audiojourney.data.mel_mixing import LOG, Variation
from audiojourney.data.scenes.captions import Placed, Slots, describe
from audiojourney.data.scenes.catalogue import SOURCES
from audiojourney.data.scenes.concepts import ALIKE, CONCEPTS, concept_of
from audiojourney.data.scenes.grammar import Relation
from audiojourney.data.scenes.lexicon import pick
from audiojourney.errors import UsageError
from audiojourney.training.tasks.plain import normalised

FEATURES = "log-mel genau peak 0.5"
HELD_OUT_SHARE = 10  # of clips without a fold, every tenth is held out
QUIETER = (0.7, 1.7)  # how far a background lies below its foreground, natural-log units: 6 to 15 dB
OF_TWO: tuple[Relation, ...] = ("together", "background", "sequence")
ALIKE_LEVEL = 0.4  # largest difference of sounds together, natural-log units: 3.5 dB
TURN_LEVEL = 0.6  # how far each of two sounds in turn may be louder or quieter
BEHIND_SHARE = 0.7  # how often, of two sounds of which one goes on, that one is the background
SHORTEST_PART = 0.28  # of a sequence
GAP_FRAMES = (-20, 80)
GAP_SHARE = 0.7
STORED_SHARE = 0.5  # captions of the clip itself, against new ones
LEVEL_DB = -24.0  # neither loud nor faint, so that captions say nothing about loudness


@dataclass(frozen=True, kw_only=True)
class HearingConfig:
    """Which clips are drawn, and how they are changed.

    Attributes:
        train_folds: folds of recordings to train on.
        test_folds: folds of recordings to validate on.
        recorded: share of examples of a concept that has recordings.
        real: share of recordings among these, where the concept is also synthesised.
        pairs: share of examples with two sounds.
        alike: share that is kept of pairs of sounds of a kind, such as rain and waves.
        noisy: share of examples with steady noise behind them.
        noise_db: level of that noise relative to the sound.
        hidden: largest number of mel frames and of mel bins that are blanked.
        variation: changes of every single sound.
    """

    train_folds: tuple[int, ...] = (1, 2, 3)
    test_folds: tuple[int, ...] = (4,)
    recorded: float = 0.55
    real: float = 0.8
    pairs: float = 0.4
    alike: float = 0.0
    noisy: float = 0.6
    noise_db: tuple[float, float] = (-45.0, -8.0)
    hidden: tuple[int, int] = (80, 10)
    variation: Variation = field(default_factory=Variation)


@dataclass(frozen=True)
class Example:
    """What is heard and what it is.

    Attributes:
        mel: log-mel (F, M).
        slots: which sounds, in which relation.
        sounding: for each of its sounds whether it can be heard in a frame, each (F,).
        clip: number of the clip of a single sound, None for pairs.
    """

    mel: LOG
    slots: Slots
    sounding: tuple[np.ndarray, ...]
    clip: int | None = None


class Pools:
    """Clips to draw from, by concept, recordings and synthesised ones apart.

    Args:
        named: numbers of the clips, each with its concept and whether it is a recording.
        config: shares of recordings.
    """

    def __init__(self, named: Iterable[tuple[int, str, bool]], config: HearingConfig) -> None:
        self.config = config
        self.clips: dict[str, tuple[list[int], list[int]]] = {}
        for index, concept, real in named:
            self.clips.setdefault(concept, ([], []))[not real].append(index)
        self.recorded = tuple(sorted(name for name, (real, _) in self.clips.items() if real))
        self.rendered = tuple(sorted(name for name, (_, made) in self.clips.items() if made))

    def concept(self, rng: np.random.Generator) -> str:
        """Draw a concept; those that have recordings come up more often."""
        recorded = self.recorded and (not self.rendered or rng.random() < self.config.recorded)
        return pick(rng, self.recorded if recorded else self.rendered)

    def two_concepts(self, rng: np.random.Generator) -> tuple[str, str]:
        """Draw two concepts, seldom such as can hardly be told apart when they sound at once."""
        while True:
            first, second = self.concept(rng), self.concept(rng)
            if first != second and (not _alike(first, second) or rng.random() < self.config.alike):
                return first, second

    def clip(self, concept: str, rng: np.random.Generator) -> int:
        """Draw a clip of a concept."""
        real, made = self.clips[concept]
        use_real = real and (not made or rng.random() < self.config.real)
        return int(rng.choice(real if use_real else made))


class Hearing:
    """Draws examples from clips of single sounds.

    Args:
        config: see there.
        bank: clips with one label each.

    Raises:
        UsageError: there are less than two concepts to train on.
    """

    def __init__(self, config: HearingConfig, bank: WaveBank) -> None:
        self.config, self.bank = config, bank
        self.mels = open_features(bank, lambda wave: log_mel(normalised(wave)).numpy(), FEATURES)
        usable = bank.select(lambda clip: len(clip.labels) == 1 and concept_of(clip.labels[0]) in CONCEPTS)
        self.held_out = [i for i in usable if self._is_held_out(i)]
        self.pools = self.pools_of([i for i in usable if self._is_trained(i)])
        if len(self.pools.clips) < 2:
            raise UsageError(f"Clips of two known sounds or more are needed, found {sorted(self.pools.clips)}.")

    @classmethod
    def open(cls, config: HearingConfig, data: Sequence[Path]) -> Hearing:
        """Open the data folders; only clips with one label are used."""
        return cls(config, open_bank(data, GENAU.rate_hz, keep=lambda clip: len(clip.labels) == 1))

    def concept(self, index: int) -> str:
        """The sound that clip `index` is of."""
        return concept_of(self.bank.clips[index].labels[0])

    def is_recorded(self, index: int) -> bool:
        """Whether clip `index` is a recording."""
        return self.bank.clips[index].fold is not None

    def pools_of(self, clips: Sequence[int]) -> Pools:
        """Pools of some clips, by their numbers."""
        return Pools(((i, self.concept(i), self.is_recorded(i)) for i in clips), self.config)

    def draw(self, rng: np.random.Generator, frames: int) -> Example:
        """Draw one example of `frames` frames, with noise behind it and parts of it hidden."""
        if rng.random() < self.config.pairs:
            example = self.pair(rng, frames, self.pools)
        else:
            concept = self.pools.concept(rng)
            index = self.pools.clip(concept, rng)
            mel = self._filling(index, concept, frames, rng)
            slots = Slots(first=concept, second=None, relation="single")
            example = Example(mel, slots, (mel_mixing.sounding(mel),), index)
        return replace(example, mel=self._finished(example.mel, rng))

    def pair(self, rng: np.random.Generator, frames: int, pools: Pools) -> Example:
        """Draw two sounds together, one behind the other, or one after the other."""
        first, second = pools.two_concepts(rng)
        relation = OF_TWO[int(rng.integers(len(OF_TWO)))]
        if relation == "background" and _goes_on(first) and not _goes_on(second) and rng.random() < BEHIND_SHARE:
            first, second = second, first
        pieces = _Pieces(self, pools, rng)
        tracks = (pieces.in_turn if relation == "sequence" else pieces.at_once)(first, second, frames)
        if relation != "sequence":
            lower = rng.uniform(*QUIETER) if relation == "background" else rng.uniform(-ALIKE_LEVEL, ALIKE_LEVEL)
            tracks = [mel_mixing.levelled(track, level) for track, level in zip(tracks, (0.0, -lower), strict=True)]
        slots = Slots(first=first, second=second, relation=relation)
        return Example(mel_mixing.mixed(tracks), slots, tuple(mel_mixing.sounding(track) for track in tracks))

    def caption(self, example: Example, rng: np.random.Generator) -> str:
        """Word an example: as its clip is captioned, or newly."""
        stored = () if example.clip is None else self.bank.clips[example.clip].captions
        if stored and rng.random() < STORED_SHARE:
            return stored[int(rng.integers(len(stored)))].text
        return word(example.slots, rng)

    def varied(self, index: int, rng: np.random.Generator) -> LOG:
        """Clip `index`, stretched, moved in frequency and coloured."""
        return mel_mixing.vary(self.mels[index], self.config.variation, rng)

    def _is_held_out(self, index: int) -> bool:
        fold = self.bank.clips[index].fold
        return fold in self.config.test_folds if fold else not index % HELD_OUT_SHARE

    def _is_trained(self, index: int) -> bool:
        fold = self.bank.clips[index].fold
        return fold in self.config.train_folds if fold else bool(index % HELD_OUT_SHARE)

    def _filling(self, index: int, concept: str, frames: int, rng: np.random.Generator) -> LOG:
        """One sound over the whole example: cut, or prolonged if it goes on, or somewhere in silence."""
        piece = mel_mixing.excerpt(self.varied(index, rng), frames, rng)
        if len(piece) == frames:
            return piece
        if _goes_on(concept):
            return mel_mixing.prolonged(piece, frames, rng)
        return mel_mixing.placed(piece, frames, int(rng.integers(frames - len(piece) + 1)))

    def _finished(self, mel: LOG, rng: np.random.Generator) -> LOG:
        """Noise behind it, and parts of it hidden."""
        if rng.random() < self.config.noisy:
            level = float(rng.uniform(*self.config.noise_db)) / 20 * np.log(10)
            steady = mel_mixing.levelled(mel_mixing.noise(len(mel), mel.shape[1], rng), level)
            mel = mel_mixing.mixed([mel_mixing.levelled(mel, 0.0), steady])
        return mel_mixing.blanked(mel, self.config.hidden, rng)


class _Pieces:
    """Two sounds laid out on tracks of one length."""

    def __init__(self, hearing: Hearing, pools: Pools, rng: np.random.Generator) -> None:
        self.hearing, self.pools, self.rng = hearing, pools, rng

    def at_once(self, first: str, second: str, frames: int) -> list[LOG]:
        """Both at the same time."""
        return [self._track(name, frames) for name in (first, second)]

    def in_turn(self, first: str, second: str, frames: int) -> list[LOG]:
        """One after the other, with a pause between them or a short overlap."""
        shortest = int(SHORTEST_PART * frames)
        cut = int(self.rng.integers(shortest, frames - shortest + 1))
        gap = int(self.rng.integers(*GAP_FRAMES)) if self.rng.random() < GAP_SHARE else 0
        before, after = max(shortest // 2, cut - max(gap, 0)), frames - cut + max(-gap, 0)
        tracks = []
        for concept, room, begin in ((first, before, 0), (second, after, frames - after)):
            piece = self._piece(concept, room)
            if _goes_on(concept) and len(piece) < room:
                piece = mel_mixing.prolonged(piece, room, self.rng)
            start = begin + int(self.rng.integers(room - len(piece) + 1))
            level = float(self.rng.uniform(-TURN_LEVEL, TURN_LEVEL))
            tracks.append(mel_mixing.levelled(mel_mixing.placed(piece, frames, start), level))
        return tracks

    def _piece(self, concept: str, frames: int) -> LOG:
        """One sound without the silence around it, at most `frames` long."""
        mel = self.hearing.varied(self.pools.clip(concept, self.rng), self.rng)
        return mel_mixing.excerpt(mel_mixing.trimmed(mel), frames, self.rng)

    def _track(self, concept: str, frames: int) -> LOG:
        """One sound of a mixture: all the time if it goes on, else around the middle, so that the two meet."""
        piece = self._piece(concept, frames)
        if _goes_on(concept):
            return mel_mixing.prolonged(piece, frames, self.rng)
        room = frames - len(piece)
        early, late = min(room, frames // 2), max(0, room - frames // 2)
        return mel_mixing.placed(piece, frames, int(self.rng.integers(late, early + 1)) if late <= early else room // 2)


def word(slots: Slots, rng: np.random.Generator) -> str:
    """Caption sounds of which nothing is known but their names and their relation."""
    names = [name for name in (slots.first, slots.second) if name is not None]
    placed = [Placed(concept=name, start_s=0.0, end_s=1.0, level_db=LEVEL_DB) for name in names]
    return describe(placed, slots.relation, rng, 1)[0]


def _alike(first: str, second: str) -> bool:
    return any({first, second} <= group for group in ALIKE)


def _goes_on(concept: str) -> bool:
    return concept in SOURCES and SOURCES[concept].continuous
