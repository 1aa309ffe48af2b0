"""Gate: generated sounds are named right, per group of classes, and no class is lost."""

from __future__ import annotations

from typing import Any

from audiojourney.recipes.pocket_eval.bench import Bench
from audiojourney.recipes.pocket_eval.figures import Figure, Naming
from audiojourney.recipes.pocket_eval.judges import Judge
from audiojourney.recipes.pocket_eval.prompts import KNOWN_FIRST
from audiojourney.recipes.pocket_eval.sounds import RECORDED, SYNTHESISED, Heard

GATE = "named"
RECORDED_SHARE = 0.85  # of what real recordings reach
SYNTHESISED_SHARE = 0.90  # of what fresh scenes reach
LEAST_OF_A_CLASS = 0.25
GROUPS = (("ESC-10", RECORDED, RECORDED_SHARE), ("procedural", SYNTHESISED, SYNTHESISED_SHARE))


def measure(bench: Bench) -> list[Figure]:
    """Name generated and real clips with both judges; the gate hangs on the strict one."""
    figures = []
    for judge in bench.judges:
        figures += compare(judge, bench.generated, bench.real(judge), counts=judge is bench.strict)
    return figures


def name(judge: Judge, heard: Heard) -> Naming:
    """Let a judge name clips."""
    return Naming(heard.concepts, tuple(judge.named(heard.mels)))


def compare(judge: Judge, generated: Heard, real: Heard, *, counts: bool) -> list[Figure]:
    """Shares of generated clips named right, beside those of real ones.

    Args:
        judge: who names them.
        generated: clips of all classes.
        real: clips that the judge never heard.
        counts: whether the gate hangs on this judge.
    """
    made, truth = name(judge, generated), name(judge, real)
    shared: dict[str, Any] = {"gate": GATE, "judge": judge.recipe.name, "counts": counts, "seeds": f"{KNOWN_FIRST} on"}
    figures = [
        Figure(
            what=f"{group} classes: named right",
            sign=">=",
            limit=share * truth.of(concepts).right,
            rule=f"{share:g} x real",
            reached=made.of(concepts).right,
            real=truth.of(concepts).right,
            chance=made.of(concepts).chance,
            chance_of="names dealt out anew",
            clips=len(made.of(concepts).asked),
            share=True,
            **shared,
        )
        for group, concepts, share in GROUPS
    ]
    return [*figures, _worst(made, truth, shared)]


def _worst(made: Naming, truth: Naming, shared: dict[str, Any]) -> Figure:
    """The class that is named right least often; the JSON file has all of them."""
    classes = made.by_class
    worst = min(classes, key=lambda concept: classes[concept])
    return Figure(
        what=f"worst class ({worst}): named right",
        sign=">=",
        limit=LEAST_OF_A_CLASS,
        reached=classes[worst],
        real=truth.by_class.get(worst),
        chance=made.chance,
        chance_of="names dealt out anew",
        clips=made.asked.count(worst),
        share=True,
        detail={"made": classes, "real": truth.by_class, "named": _confusions(made)},
        **shared,
    )


def _confusions(made: Naming) -> dict[str, dict[str, int]]:
    """For each concept, how often it was called what else."""
    table: dict[str, dict[str, int]] = {}
    for asked, named in zip(made.asked, made.named, strict=True):
        if asked != named:
            row = table.setdefault(asked, {})
            row[named] = row.get(named, 0) + 1
    return table
