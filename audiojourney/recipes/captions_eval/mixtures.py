"""Clips of two sounds that no model was trained on, with what is in them.

T samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from audiojourney.data.mel import GENAU
from audiojourney.data.scenes.captions import Slots
from audiojourney.data.scenes.catalogue import SOURCES
from audiojourney.data.scenes.compose import compose
from audiojourney.data.scenes.grammar import Relation
from audiojourney.data.scenes.mixing import to_level
from audiojourney.data.scenes.scene import SceneConfig
from audiojourney.recipes.captions_eval.settings import SCENE_SEEDS
from audiojourney.recipes.pocket_eval.sounds import Sounds

RATE_HZ = GENAU.rate_hz
FOREGROUND_DB = -20.0
BACKGROUND_DB = (6.0, 12.0)  # how far a background lies below what stands in front of it
BEHIND = SceneConfig().background_continuous  # of two sounds of which one goes on, that one is behind so often
GAP_S = (0.0, 0.5)
AUDIBLE_DB = -40.0  # below its loudest frame a recording counts as silent at its ends
FRAME = RATE_HZ // 50
OF_TWO: tuple[Relation, ...] = ("sequence", "background", "together")


@dataclass(frozen=True)
class Mixture:
    """A clip of two sounds.

    Attributes:
        wave: float32, shape (T,), at 16 kHz.
        slots: what is in it.
    """

    wave: np.ndarray
    slots: Slots


def of_recordings(sounds: Sounds, count: int, rng: np.random.Generator) -> list[Mixture]:
    """Mix pairs of clips of different sounds, a third in each relation, by the rules of the synthesiser's scenes."""
    return [_mixed(sounds, sounds, OF_TWO[i % len(OF_TWO)], rng) for i in range(count)]


def with_scenes(sounds: Sounds, fresh: Sounds, count: int, rng: np.random.Generator) -> list[Mixture]:
    """Mix recordings with synthesised clips of sounds that have no recordings."""
    return [
        _mixed(*((sounds, fresh) if rng.random() < 0.5 else (fresh, sounds)), OF_TWO[i % len(OF_TWO)], rng)
        for i in range(count)
    ]


def of_scenes(count: int, duration_s: float) -> list[Mixture]:
    """Compose fresh scenes of two sounds, a third in each relation."""
    config = SceneConfig(duration_s=duration_s, captions=1, count_weights=(0, 1, 0))
    mixtures = []
    for i in range(count):
        scene = compose(SCENE_SEEDS + i, config, relation=OF_TWO[i % len(OF_TWO)])
        first, second = (sound.concept for sound in scene.placed)
        mixtures.append(Mixture(scene.wave, Slots(first=first, second=second, relation=scene.relation)))
    return mixtures


def _mixed(front: Sounds, back: Sounds, relation: Relation, rng: np.random.Generator) -> Mixture:
    while True:
        i, k = int(rng.integers(len(front))), int(rng.integers(len(back)))
        if front.concepts[i] != back.concepts[k]:
            break
    heard = [(front.concepts[i], front.waves[i]), (back.concepts[k], back.waves[k])]
    if relation == "background" and _goes_on(heard[0][0]) and not _goes_on(heard[1][0]) and rng.random() < BEHIND:
        heard.reverse()
    waves = [to_level(audible(wave), RATE_HZ, FOREGROUND_DB) for _, wave in heard]
    wave = _in_turn(waves, rng) if relation == "sequence" else _at_once(waves, relation, rng)
    slots = Slots(first=heard[0][0], second=heard[1][0], relation=relation)
    return Mixture((wave * min(1.0, 0.95 / np.abs(wave).max())).astype(np.float32), slots)


def _goes_on(concept: str) -> bool:
    return concept in SOURCES and SOURCES[concept].continuous


def _in_turn(waves: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    gap = np.zeros(round(rng.uniform(*GAP_S) * RATE_HZ), np.float32)
    return np.concatenate([waves[0], gap, waves[1]])


def _at_once(waves: Sequence[np.ndarray], relation: Relation, rng: np.random.Generator) -> np.ndarray:
    """The shorter of two waves somewhere within the longer one, the second one quieter in a background."""
    lower_db = rng.uniform(*BACKGROUND_DB) if relation == "background" else 0.0
    levelled = [waves[0], waves[1] * 10 ** (-lower_db / 20)]
    out = np.zeros(max(map(len, levelled)), np.float32)
    for wave in levelled:
        start = int(rng.integers(len(out) - len(wave) + 1))
        out[start : start + len(wave)] += wave.astype(np.float32)
    return out


def audible(wave: np.ndarray) -> np.ndarray:
    """A waveform (T,) without the silence at its ends; at least half a second of it."""
    frames = np.abs(wave[: len(wave) // FRAME * FRAME]).reshape(-1, FRAME).max(axis=1)
    heard = np.flatnonzero(frames >= frames.max() * 10 ** (AUDIBLE_DB / 20))
    start, end = int(heard[0]) * FRAME, (int(heard[-1]) + 1) * FRAME
    return wave[start : max(end, start + RATE_HZ // 2)]
