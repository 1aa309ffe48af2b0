"""Sets the two numbers by which the scorer's cosines become scores, from clips that it was not trained on.

python -m audiojourney.recipes.captions_eval.calibrate MODEL RECORDINGS      # writes MODEL/config.yaml

The wordings are those of the lexicon; the ones that measurements are made with have no part in it.
"""

from __future__ import annotations

import math
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from audiojourney import config as configuration
from audiojourney import hub
from audiojourney.data.scenes import lexicon
from audiojourney.data.scenes.concepts import CONCEPTS
from audiojourney.model_folder import CONFIG, read_config
from audiojourney.models.pocket.clap import Calibration
from audiojourney.models.pocket.scorer import PocketScorer, load_pocket_scorer
from audiojourney.recipes.pocket_eval.settings import HELD_OUT_FOLD
from audiojourney.recipes.pocket_eval.sounds import SYNTHESISED, Sounds, fresh, read_recordings

SEEDS = 63_000_000
PER_CLASS, DURATION_S = 4, 5.12
STEPS = 2000


def fit(matched: np.ndarray, others: np.ndarray) -> Calibration:
    """Fit the log-odds of "matched" as a line over the cosine, both kinds equally frequent (Platt 1999).

    Args:
        matched: cosines of pairs that belong together.
        others: cosines of pairs that do not.
    """
    centre = equal_error(matched, others)
    cosines = np.concatenate([matched, others]) - centre
    truth = np.concatenate([np.ones(len(matched)), np.zeros(len(others))])
    weight = np.concatenate([np.full(len(matched), 0.5 / len(matched)), np.full(len(others), 0.5 / len(others))])
    slope = 1.0
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-np.clip(slope * cosines, -50, 50)))
        gradient = float((weight * (chance - truth) * cosines).sum())
        curvature = float((weight * chance * (1 - chance) * cosines**2).sum())
        step = gradient / max(curvature, 1e-9)
        slope -= math.copysign(min(abs(step), 2.0), step)
        if abs(step) < 1e-9:
            break
    return Calibration(centre=round(centre, 4), slope=round(slope, 3))


def equal_error(matched: np.ndarray, others: np.ndarray) -> float:
    """Threshold at which the share of matched below it equals the share of others above it."""
    low, high = float(min(matched.min(), others.min())), float(max(matched.max(), others.max()))
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (others >= middle).mean() > (matched < middle).mean() else (low, middle)
    return (low + high) / 2


def measure(scorer: PocketScorer, sounds: Sounds) -> Calibration:
    """Calibrate a scorer with clips it was not trained on and the noun phrases and clauses of the lexicon."""
    said = [(name, text) for name in CONCEPTS for text in (*lexicon.phrases(name)[::3], *lexicon.clauses(name)[::3])]
    cosines = scorer.embed_audio(sounds.waves) @ scorer.embed_text([text for _, text in said]).T
    matched = np.array(sounds.concepts)[:, None] == np.array([name for name, _ in said])[None]
    return fit(cosines[matched], cosines[~matched])


def calibrate(model: str, recordings: Path, fold: int = HELD_OUT_FOLD) -> Calibration:
    """Calibrate the scorer in a model folder or run, and write it into its settings.

    Raises:
        MissingError: there is no such model, or there are no recordings.
    """
    folder = hub.resolve_model(model)
    sounds = read_recordings(recordings, (fold,)) + fresh(SYNTHESISED, PER_CLASS, SEEDS, DURATION_S)
    found = measure(load_pocket_scorer(model), sounds)
    settings = read_config(folder)
    settings["model"]["calibration"] = configuration.to_table(replace(found))
    configuration.save(settings, folder / CONFIG)
    return found


if __name__ == "__main__":
    calibrate(sys.argv[1], Path(sys.argv[2]))
