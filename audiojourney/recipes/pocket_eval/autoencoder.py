"""Gate: what the autoencoder rebuilds is still named as the sound that it was.

F mel frames, M mel bins.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from audiojourney.recipes.pocket_eval.bench import Bench
from audiojourney.recipes.pocket_eval.figures import Figure
from audiojourney.recipes.pocket_eval.judges import Judge
from audiojourney.recipes.pocket_eval.naming import GROUPS, name
from audiojourney.recipes.pocket_eval.settings import REAL_SEEDS
from audiojourney.recipes.pocket_eval.sounds import Heard

GATE = "autoencoder"
KEPT = 0.95  # of the clips that are named right before


def measure(bench: Bench) -> list[Figure]:
    """Compare naming before and after the autoencoder.

    The gate hangs on clips that neither the autoencoder nor the lenient judge was trained on. The strict judge was
    trained on the held-out fold, so it hears the recordings that the autoencoder was trained on.
    """
    figures = []
    for judge in (bench.lenient, bench.strict):
        figures += compare(judge, bench.pipeline.autoencoder, bench.real(judge), counts=judge is bench.lenient)
    return figures


def compare(judge: Judge, autoencoder: Any, real: Heard, *, counts: bool) -> list[Figure]:
    """Shares named right after the autoencoder, and its absolute error.

    Args:
        judge: who names them.
        autoencoder: see `audiojourney.models.base.Autoencoder`; its `config.patch` frames make a latent frame.
        real: clips that the judge never heard.
        counts: whether the gate hangs on this judge.
    """
    patch = autoencoder.config.patch
    before = Heard(real.concepts, tuple(mel[: len(mel) // patch * patch] for mel in real.mels))
    after = Heard(real.concepts, tuple(rebuild(autoencoder, mel) for mel in before.mels))
    return [
        figure
        for group, concepts, _ in GROUPS
        for figure in _of_group(judge, group, before.of(concepts), after.of(concepts), counts)
    ]


@torch.inference_mode()
def rebuild(autoencoder: Any, mel: Tensor) -> Tensor:
    """Encode and decode one log-mel (F, M)."""
    return autoencoder.decode(autoencoder.encode(mel[None]))[0]


def _of_group(judge: Judge, group: str, before: Heard, after: Heard, counts: bool) -> list[Figure]:
    real, kept = name(judge, before), name(judge, after)
    errors = [float((a - b).abs().mean()) for a, b in zip(after.mels, before.mels, strict=True)]
    folds = ", ".join(map(str, judge.recipe.test_folds))
    seeds = f"fold {folds}" if group == "ESC-10" else f"{REAL_SEEDS} on"
    shared: dict[str, Any] = {"gate": GATE, "judge": judge.recipe.name, "clips": len(errors), "seeds": seeds}
    return [
        Figure(
            what=f"{group} classes: named right after the autoencoder",
            sign=">=",
            limit=KEPT * real.right,
            rule=f"{KEPT:g} x real",
            counts=counts,
            reached=kept.right,
            real=real.right,
            chance=kept.chance,
            chance_of="names dealt out anew",
            share=True,
            **shared,
        ),
        Figure(
            what=f"{group} classes: absolute error of log-mel, ln units",
            reached=sum(errors) / len(errors),
            real=0.0,
            chance=_spread(before),
            chance_of="each clip's own mean",
            **shared,
        ),
    ]


def _spread(heard: Heard) -> float:
    """Error of a model that only knows the mean of each clip."""
    return sum(float((mel - mel.mean()).abs().mean()) for mel in heard.mels) / len(heard)
