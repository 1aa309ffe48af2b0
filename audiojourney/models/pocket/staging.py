"""Scenes of two sounds: each is drawn by itself, then both are put together as the prompt says.

A network of this size draws one sound well and easily loses one of two. The text encoder says which sounds a prompt
names and how they stand to each other, so a scene can be staged: two takes one after the other, side by side, or one
behind the other, with the levels of `audiojourney.data.scenes`. Takes share every forward of the network, and those of
a sequence have half the length, so they cost no more than one sound.

B prompts, T samples.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from audiojourney.data.scenes.mixing import active_share, to_level

LEVEL_DB = -20.0  # active level of a sound in front, before the whole is brought to its peak
# A background against what is in front of it. Separate events are lowered less than a sound that goes on, which hides
# them sooner.
BEHIND_DB = {"steady": -7.0, "events": -3.0}
STEADY_SHARE = 0.6  # of its frames in which a steady sound is heard
CROSSING_S = 0.1  # for which one sound fades out while the next fades in
OTHER_SEED = 1 << 40  # the second sound of a scene draws from this far away


@dataclass(frozen=True)
class Take:
    """One drawing of the network.

    Attributes:
        row: number of the prompt.
        part: which of its two sounds, or None for the prompt as it is.
        start: first sample within the sound of the prompt.
        samples: length.
        level_db: its active level, or None to leave it.
        behind: whether it is the background of the other take.
        crosses: which of its ends fade into the other take.
    """

    row: int
    part: int | None
    start: int
    samples: int
    level_db: float | None = None
    behind: bool = False
    crosses: tuple[bool, bool] = (False, False)

    def seed(self, seed: int) -> int:
        """The seed of this take in a sound with a seed of its own."""
        return seed + OTHER_SEED * (self.part or 0)


def stage(relations: Sequence[str | None], samples: int, rate_hz: int) -> list[Take]:
    """Plan the takes of B prompts.

    Args:
        relations: how the two sounds of each prompt stand to each other: "sequence", "together" or "background", or
            None where there is one sound.
        samples: length of every sound.
        rate_hz: sampling rate.
    """
    return [take for row, relation in enumerate(relations) for take in _takes(row, relation, samples, rate_hz)]


def _takes(row: int, relation: str | None, samples: int, rate_hz: int) -> list[Take]:
    if relation is None:
        return [Take(row, None, 0, samples)]
    if relation == "sequence":
        half = min(samples, samples // 2 + round(CROSSING_S * rate_hz / 2))
        return [
            Take(row, 0, 0, half, LEVEL_DB, crosses=(False, True)),
            Take(row, 1, samples - half, half, LEVEL_DB, crosses=(True, False)),
        ]
    return [Take(row, 0, 0, samples, LEVEL_DB), Take(row, 1, 0, samples, LEVEL_DB, behind=relation == "background")]


def put_together(takes: Sequence[Take], waves: Sequence[Tensor], samples: int, rate_hz: int) -> Tensor:
    """Add up takes, each a waveform (T',) of its own length, to the sounds (B, T) of their prompts."""
    sounds = torch.zeros(1 + max(take.row for take in takes), samples)
    for take, wave in zip(takes, waves, strict=True):
        sounds[take.row, take.start : take.start + take.samples] += _faded(
            _levelled(wave, take, rate_hz), take, rate_hz
        )
    return sounds


def _levelled(wave: Tensor, take: Take, rate_hz: int) -> Tensor:
    if take.level_db is None or not bool(wave.any()):
        return wave
    sound = wave.numpy()
    level_db = take.level_db
    if take.behind:
        level_db += BEHIND_DB["steady" if active_share(sound, rate_hz) >= STEADY_SHARE else "events"]
    return torch.from_numpy(to_level(sound, rate_hz, level_db)).float()


def _faded(wave: Tensor, take: Take, rate_hz: int) -> Tensor:
    """Fade the ends that cross; the powers of two unlike sounds then add up to one."""
    count = min(round(CROSSING_S * rate_hz), len(wave))
    rise = torch.sin(torch.linspace(0, math.pi / 2, count))
    wave = wave.clone()
    if take.crosses[0]:
        wave[:count] *= rise
    if take.crosses[1]:
        wave[len(wave) - count :] *= rise.flip(0)
    return wave
