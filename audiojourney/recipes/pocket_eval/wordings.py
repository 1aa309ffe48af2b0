"""Gate: wordings that were never trained make the right sound."""

from __future__ import annotations

from audiojourney.recipes.pocket_eval.bench import Bench
from audiojourney.recipes.pocket_eval.figures import Figure
from audiojourney.recipes.pocket_eval.judges import Judge
from audiojourney.recipes.pocket_eval.naming import name
from audiojourney.recipes.pocket_eval.prompts import UNSEEN_FIRST
from audiojourney.recipes.pocket_eval.sounds import RECORDED, SYNTHESISED, Heard

GATE = "wordings"
LEAST = 0.65


def measure(bench: Bench) -> list[Figure]:
    """Name what unseen wordings made with both judges; the gate hangs on the strict one."""
    return [
        compare(judge, bench.generated_unseen, bench.real(judge), counts=judge is bench.strict)
        for judge in bench.judges
    ]


def compare(judge: Judge, generated: Heard, real: Heard, *, counts: bool) -> Figure:
    """Share of clips of unseen wordings that are named right, beside the share of real clips."""
    made, truth = name(judge, generated), name(judge, real)
    by_class = truth.by_class
    return Figure(
        gate=GATE,
        what="wordings never trained: named right",
        judge=judge.recipe.name,
        sign=">=",
        limit=LEAST,
        counts=counts,
        reached=made.right,
        real=sum(by_class[concept] for concept in made.asked) / len(made.asked),  # weighed as the wordings are
        chance=made.chance,
        chance_of="names dealt out anew",
        clips=len(made.asked),
        share=True,
        seeds=f"{UNSEEN_FIRST} on",
        detail={
            "made": made.by_class,
            "ESC-10": made.of(RECORDED).right if made.of(RECORDED).asked else None,
            "procedural": made.of(SYNTHESISED).right if made.of(SYNTHESISED).asked else None,
        },
    )
