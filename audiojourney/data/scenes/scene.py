"""Scenes as data: their settings, and what is known of a finished one."""

from __future__ import annotations

from dataclasses import dataclass

from audiojourney.data.scenes.captions import Placed
from audiojourney.data.scenes.dsp import Signal
from audiojourney.data.scenes.grammar import Relation
from audiojourney.errors import UsageError

Range = tuple[float, float]

MIN_DURATION_S = 1.0
MIN_RATE_HZ = 8000


@dataclass(frozen=True, kw_only=True)
class SceneConfig:
    """Settings of scenes; ranges are drawn from evenly.

    Attributes:
        duration_s: length of every scene.
        rate_hz: sampling rate.
        count_weights: how often a scene has one, two, three sounds.
        relation_weights: how often several sounds are together, with a background, in sequence.
        level_db: active level of a foreground sound, in dB re full scale.
        spread_db: how far levels of sounds that are equal in weight may differ.
        background_db: how far a background lies below the softest sound in front of it.
        near_share: share of sounds that stand close to the listener, where distance is drawn.
        far_share: share of sounds that are far away.
        far_db: how much quieter a far sound is.
        far_cutoff_hz: low-pass of a far sound.
        room_share: share of scenes in a room.
        room_t60_s: reverberation time.
        wet: gain of the room's tail against the dry sound; a far sound has `far_wet`.
        far_wet: the same for far sounds.
        gap_s: silence between sounds in sequence; negative for an overlap.
        background_continuous: how often a continuous sound is made the background of one with separate events.
        peak: no sample is larger.
        captions: number of captions.
    """

    duration_s: float = 10.24
    rate_hz: int = 16_000
    count_weights: tuple[float, float, float] = (0.5, 0.4, 0.1)
    relation_weights: tuple[float, float, float] = (0.35, 0.3, 0.35)
    level_db: Range = (-28.0, -14.0)
    spread_db: float = 4.0
    background_db: Range = (6.0, 12.0)
    near_share: float = 0.2
    far_share: float = 0.2
    far_db: Range = (6.0, 12.0)
    far_cutoff_hz: Range = (1200.0, 3500.0)
    room_share: float = 0.4
    room_t60_s: Range = (0.2, 1.2)
    wet: Range = (0.05, 0.3)
    far_wet: Range = (0.4, 0.9)
    gap_s: Range = (-0.3, 0.5)
    background_continuous: float = 0.7
    peak: float = 0.95
    captions: int = 4

    def __post_init__(self) -> None:
        """Check the values that a user is likely to set.

        Raises:
            UsageError: a value that no scene can have.
        """
        if not self.duration_s >= MIN_DURATION_S:
            raise UsageError(f"duration_s is {self.duration_s}; a scene lasts {MIN_DURATION_S:g} s or more.")
        if self.rate_hz < MIN_RATE_HZ:
            raise UsageError(f"rate_hz is {self.rate_hz}; scenes need {MIN_RATE_HZ} Hz or more.")
        if not 0 < self.peak <= 1:
            raise UsageError(f"peak is {self.peak}; it lies above 0 and is at most 1.")
        if self.captions < 1:
            raise UsageError(f"captions is {self.captions}; a scene has at least 1.")
        for name in ("count_weights", "relation_weights"):
            weights = getattr(self, name)
            if len(weights) != 3 or min(weights) < 0 or sum(weights) <= 0:
                raise UsageError(f"{name} is {weights}; give three numbers from 0 on that are not all 0.")


@dataclass(frozen=True, kw_only=True)
class SceneEvent:
    """One thing that can be heard.

    Attributes:
        label: concept.
        start_s: start in seconds from the start of the scene.
        end_s: end in seconds.
        level_db: level of its sound while it sounds, in dB re full scale.
    """

    label: str
    start_s: float
    end_s: float
    level_db: float


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A rendered scene and what is true of it.

    Attributes:
        wave: float32, shape (T,), within [-1, 1].
        labels: concepts in the order in which they begin to sound.
        captions: differently worded, all true.
        events: all events of all sounds, in the order of time.
        relation: how the sounds belong together.
        placed: each sound as a whole, in the order of the caption patterns (background last).
        seed: the seed that gives this scene again.
    """

    wave: Signal
    labels: tuple[str, ...]
    captions: tuple[str, ...]
    events: tuple[SceneEvent, ...]
    relation: Relation
    placed: tuple[Placed, ...]
    seed: int
