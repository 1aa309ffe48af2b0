"""Gate: the vocoder beats Griffin-Lim on energy distance, from the true mel of held-out clips.

T samples.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from audiojourney.data.mel import GENAU, log_mel
from audiojourney.models.pocket.spectral_distance import energy_distance
from audiojourney.models.pocket.vocoder import griffin_lim
from audiojourney.recipes.pocket_eval.bench import Bench
from audiojourney.recipes.pocket_eval.figures import Figure
from audiojourney.recipes.pocket_eval.settings import HELD_OUT_FOLD, REAL_SEEDS
from audiojourney.recipes.pocket_eval.sounds import Sounds
from audiojourney.training.tasks.plain import normalised

GATE = "vocoder"
PASSES = 32  # of Griffin-Lim
CLIPS_OF_A_CLASS = 4  # Griffin-Lim takes most of the time

# Log-mel (1, F, M) and a generator to a wave (1, F * hop).
Vocode = Callable[[Tensor, torch.Generator], Tensor]


def measure(bench: Bench) -> list[Figure]:
    """Compare the vocoder of the generator with Griffin-Lim; a generator without one cannot be better than it."""
    vocoder = bench.pipeline.vocoder
    network: Vocode = griffin_lim if vocoder is None else lambda mel, g: vocoder.synthesise(mel, [g])
    return [compare(network, some_of_each(bench.held_out, CLIPS_OF_A_CLASS))]


def some_of_each(sounds: Sounds, count: int) -> Sounds:
    """Keep the first clips of each concept."""
    kept = [i for i, concept in enumerate(sounds.concepts) if sounds.concepts[:i].count(concept) < count]
    return Sounds(tuple(sounds.concepts[i] for i in kept), tuple(sounds.waves[i] for i in kept))


@torch.inference_mode()
def compare(network: Vocode, sounds: Sounds) -> Figure:
    """Mean energy distance of a vocoder, of Griffin-Lim and of noise of the same level."""
    waves = [normalised(wave) for wave in sounds.waves]
    reached = distances(network, waves)
    rival = distances(lambda mel, g: griffin_lim(mel, g, GENAU, passes=PASSES), waves)
    noise = distances(_noise, waves)
    better = float(np.mean(np.array(reached) < np.array(rival)))
    return Figure(
        gate=GATE,
        what="energy distance of two outputs from the true mel",
        sign="<",
        limit=float(np.mean(rival)),
        rule=f"Griffin-Lim, {PASSES} passes",
        reached=float(np.mean(reached)),
        real=0.0,
        chance=float(np.mean(noise)),
        chance_of="white noise at the level of each frame",
        clips=len(waves),
        seeds=f"0 and 1; fold {HELD_OUT_FOLD}; {REAL_SEEDS} on",
        detail={"share of clips where the vocoder is nearer": better},
    )


def distances(network: Vocode, waves: Sequence[Tensor]) -> list[float]:
    """Energy distance of two independent outputs to each wave (T,); see `energy_distance`."""
    found = []
    for wave in waves:
        mel = log_mel(wave, GENAU)[None]
        whole = wave[None, : mel.shape[1] * GENAU.hop_length]
        first, second = (network(mel, torch.Generator().manual_seed(seed))[:, : whole.shape[1]] for seed in (0, 1))
        found.append(float(energy_distance(whole, first, second)))
    return found


def _noise(mel: Tensor, generator: torch.Generator) -> Tensor:
    """White noise whose level follows the loudness of the frames."""
    level = mel.exp().square().mean(dim=2).sqrt().repeat_interleave(GENAU.hop_length, dim=1)
    noise: Any = torch.randn(level.shape, generator=generator) * level
    scale = log_mel(noise).exp().square().mean().sqrt() / mel.exp().square().mean().sqrt()
    return noise / scale.clamp(min=1e-8)
