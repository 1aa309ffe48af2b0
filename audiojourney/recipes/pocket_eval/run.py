"""Measures the gates and writes what came out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiojourney import hub, model_folder
from audiojourney.errors import UsageError
from audiojourney.recipes.pocket_eval import (
    autoencoder,
    distribution,
    naming,
    novelty,
    page,
    scenes,
    size,
    vocoder,
    wordings,
)
from audiojourney.recipes.pocket_eval.bench import Bench
from audiojourney.recipes.pocket_eval.figures import Figure
from audiojourney.recipes.pocket_eval.settings import PocketEvalConfig
from audiojourney.registry import offer

Measure = Callable[[Bench], list[Figure]]
Say = Callable[[str], None]

# In the order of the page; the cheap ones first, so that a missing part is noticed early.
GATES: dict[str, Measure] = {
    module.GATE: module.measure
    for module in (size, autoencoder, vocoder, naming, wordings, scenes, distribution, novelty)
}


@dataclass(frozen=True, kw_only=True)
class PocketEvalReport:
    """What a measurement came to.

    Attributes:
        figures: all lines, gate by gate.
        gates: names of all gates; those without a figure were not measured.
        facts: what was measured, for the head of the page.
        written: files that were written.
    """

    figures: tuple[Figure, ...]
    gates: tuple[str, ...]
    facts: Mapping[str, Any]
    written: tuple[Path, ...] = ()

    @property
    def unmet(self) -> tuple[str, ...]:
        """Names of gates that were measured and missed."""
        missed = {figure.gate for figure in self.figures if figure.failed}
        return tuple(gate for gate in self.gates if gate in missed)


def run(
    config: PocketEvalConfig,
    say: Say = lambda text: None,
    gates: Mapping[str, Measure] | None = None,
) -> PocketEvalReport:
    """Measure, and write the page after every gate, whether it is met or not.

    Args:
        config: what is measured.
        say: is told what takes long.
        gates: name to what measures it; None means `GATES`.

    Raises:
        UsageError: a gate that does not exist was asked for.
        MissingError: the model or the recordings are absent.
    """
    known = GATES if gates is None else gates
    chosen = _chosen(config, known)
    bench = Bench(config, say)
    facts = _facts(config, bench)
    figures: list[Figure] = []
    written: tuple[Path, ...] = ()
    for gate in chosen:
        say(f"gate {gate}")
        figures += known[gate](bench)
        if config.output is not None:
            written = page.write(config.output, figures, tuple(known), facts)
    return PocketEvalReport(figures=tuple(figures), gates=tuple(known), facts=facts, written=written)


def _chosen(config: PocketEvalConfig, known: Mapping[str, Measure]) -> list[str]:
    for name in config.only:
        if name not in known:
            raise UsageError(f"There is no gate {name!r}.", offer(name, known))
    return [name for name in known if not config.only or name in config.only]


def _facts(config: PocketEvalConfig, bench: Bench) -> dict[str, Any]:
    """What the figures are of; nothing here depends on where things lie on this machine."""
    recipe = model_folder.read_provenance(hub.resolve_model(config.model)).get("recipe") or {}
    shipped = config.model in hub.pocket_models()
    return {
        "model": config.model if shipped else Path(config.model).name,
        "weights": bench.weights,
        "hold_out": recipe.get("hold_out", "not recorded"),
        "per_class": config.per_class,
        "duration_s": config.duration_s,
        "scene_s": config.scene_s,
        "batch": config.batch,
    }
