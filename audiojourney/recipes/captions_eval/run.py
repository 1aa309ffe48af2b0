"""Measures the captioner and the scorer and writes what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audiojourney import files
from audiojourney.captions.names import CaptionerOptions
from audiojourney.captions.pocket import PocketCaptions, build
from audiojourney.errors import MissingError
from audiojourney.models.pocket.scorer import load_pocket_scorer
from audiojourney.recipes.captions_eval import captioning, filtering, mixtures, scoring
from audiojourney.recipes.captions_eval.mixtures import Mixture
from audiojourney.recipes.captions_eval.settings import (
    BACKDROP_SEEDS,
    MIXING_SEED,
    SINGLE_SEEDS,
    CaptionsEvalConfig,
)
from audiojourney.recipes.pocket_eval import page
from audiojourney.recipes.pocket_eval.figures import Figure
from audiojourney.recipes.pocket_eval.sounds import SYNTHESISED, WAY_TO_GET_THEM, Sounds, fresh, read_recordings

BEGIN = "<!-- Written by `make captions-eval`; what stands between these two lines is replaced by it. -->"
END = "<!-- End of what `make captions-eval` writes. -->"
COLUMNS = ("gate", "figure", "asked", "reached", "95 %", "chance", "N", "met")
TITLE = "# The pocket captioner and scorer\n"

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class CaptionsEvalReport:
    """What a measurement came to.

    Attributes:
        figures: all lines.
        facts: what was measured.
        written: files that were written.
    """

    figures: tuple[Figure, ...]
    facts: dict[str, Any]
    written: tuple[Path, ...] = ()

    @property
    def unmet(self) -> tuple[str, ...]:
        """Gates that are missed, each once."""
        return tuple(dict.fromkeys(figure.gate for figure in self.figures if figure.failed))


def run(config: CaptionsEvalConfig, say: Say = lambda text: None) -> CaptionsEvalReport:
    """Measure every gate, and write page and JSON whether they are met or not.

    Raises:
        MissingError: recordings or models are absent.
    """
    if config.recordings is None:
        raise MissingError("There are no recordings to measure with.", WAY_TO_GET_THEM)
    captioner = build(CaptionerOptions(model=config.captioner, device=config.device))
    scorer = load_pocket_scorer(config.scorer, config.device)
    recorded = read_recordings(config.recordings, (config.fold,))
    made = fresh(SYNTHESISED, config.per_class, SINGLE_SEEDS, config.duration_s)
    say("captions")
    mixed = _mixtures(config, recorded)
    figures = _captions(config, captioner, recorded, made, mixed)
    say("scores")
    figures += [*scoring.ranking(scorer, recorded), *scoring.apart(scorer, recorded, made)]
    pairs = mixed[0][1]
    waves, slots = [mixture.wave for mixture in pairs], [mixture.slots for mixture in pairs]
    figures.append(filtering.measure(scorer, waves, captioning.caption(captioner, waves, slots, config.captions)))
    facts = {"captioner": captioner.name, "scorer": scorer.model, "fold": config.fold}
    report = CaptionsEvalReport(figures=tuple(figures), facts=facts)
    if config.output is None:
        return report
    return CaptionsEvalReport(figures=report.figures, facts=facts, written=write(config.output, report))


def _mixtures(config: CaptionsEvalConfig, recorded: Sounds) -> list[tuple[str, list[Mixture]]]:
    """Clips of two sounds, in three sets, each with its name."""
    rng = np.random.default_rng(MIXING_SEED)
    backdrops = fresh(SYNTHESISED, config.per_class, BACKDROP_SEEDS, config.duration_s)
    return [
        ("two recordings", mixtures.of_recordings(recorded, config.mixtures, rng)),
        ("a recording and a synthesised sound", mixtures.with_scenes(recorded, backdrops, config.mixtures, rng)),
        ("two synthesised sounds", mixtures.of_scenes(config.mixtures, config.scene_s)),
    ]


def _captions(
    config: CaptionsEvalConfig,
    captioner: PocketCaptions,
    recorded: Sounds,
    made: Sounds,
    sets: Sequence[tuple[str, list[Mixture]]],
) -> list[Figure]:
    """Gates of the captioner."""
    count = config.captions
    figures = [
        *captioning.single(captioner, recorded, count, "recordings", counts=True),
        *captioning.single(captioner, made, count, "fresh scenes", counts=False),
    ]
    for what, mixed in sets:
        figures += captioning.double(captioner, mixed, count, what)
    return figures


def write(output: Path, report: CaptionsEvalReport) -> tuple[Path, Path]:
    """Write the page, keeping what others wrote around it, and a JSON file of the same name."""
    beside = output.with_suffix(".json")
    files.write_json(beside, {**report.facts, "figures": [page.to_json(figure) for figure in report.figures]})
    old = output.read_text(encoding="utf-8") if output.is_file() else TITLE
    files.write_text(output, page.splice(old, section(report), BEGIN, END))
    return output, beside


def section(report: CaptionsEvalReport) -> str:
    """The part of the page that the measurement owns."""
    facts = report.facts
    head = f"Captioner `{facts['captioner']}`, scorer `{facts['scorer']}`, recordings of fold {facts['fold']}."
    said = f"Gates missed: {', '.join(report.unmet)}." if report.unmet else "Every gate is met."
    parts = [f"{said} {head}", page.table(COLUMNS, rows(report.figures))]
    return "\n\n".join([*parts, *_thresholds(report.figures), *_classes(report.figures)])


def rows(figures: Sequence[Figure]) -> list[list[str]]:
    """The figures as cells of `COLUMNS`."""
    places = [page.HEADER.index(name) for name in COLUMNS]
    return [[page.row(figure)[i] for i in places] for figure in figures]


def _thresholds(figures: Sequence[Figure]) -> list[str]:
    """What each threshold keeps, one table for all sets of pairs."""
    told = [figure for figure in figures if "cuts" in figure.detail]
    lines = [
        [threshold, *(f"{share:.2f} / {others:.2f}" for share, others in (f.detail["cuts"][threshold] for f in told))]
        for threshold in (told[0].detail["cuts"] if told else ())
    ]
    header = ("threshold", *(figure.what for figure in told))
    return ["Share of matched / of mismatched pairs that reach a threshold:", page.table(header, lines)] if told else []


def _classes(figures: Sequence[Figure]) -> list[str]:
    """Captions that name the sound, class by class."""
    shares = [figure.detail["classes"] for figure in figures if "classes" in figure.detail]
    lines = [[name, page.number(share)] for table in shares for name, share in table.items()]
    return ["Captions that name the sound:", page.table(("class", "share"), lines)] if lines else []
