"""`aj eval`: what is asked for, measured, checked against gates and compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from audiojourney import __version__
from audiojourney import config as configuration
from audiojourney.errors import UsageError
from audiojourney.recipes.eval import gates, sides
from audiojourney.recipes.eval.classes import measure_classes
from audiojourney.recipes.eval.compare import differences
from audiojourney.recipes.eval.result import EvalResult, MetricRow, read_result
from audiojourney.recipes.eval.settings import CLASSES, FAMILIES, TEXTS, EvalConfig
from audiojourney.recipes.eval.texts import is_captions
from audiojourney.recipes.eval.words import measure_captions

PACKAGES = ("numpy", "torch", "soxr", "soundfile")  # whose releases can move digits


@dataclass(frozen=True)
class Warned:
    """Something a reader must know."""

    text: str


@dataclass(frozen=True)
class Step:
    """So much is done."""

    done: int
    total: int


Event = Warned | Step


@dataclass(frozen=True)
class EvalReport:
    """What a run did.

    Attributes:
        result: what was found.
        unmet: gates that failed, in words.
        missing: what was asked for by name and could not be measured, in words.
        failed: files that could not be used.
        written: files that were written.
    """

    result: EvalResult
    unmet: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    failed: int = 0
    written: tuple[Path, ...] = ()


def run(config: EvalConfig, on_event: Callable[[Event], None] = lambda event: None) -> EvalReport:
    """Measure what `config` asks for, and write the files it names; also when gates fail.

    Raises:
        UsageError: settings or inputs that cannot be meant.
        MissingError: an input, or a network that was named, is absent.
        ClipError: a file cannot be used and `on_error` is `fail`.
        AudioJourneyError: a file cannot be written.
    """
    checks = [gates.parse_gate(text) for text in config.fail_if]
    earlier = read_result(config.compare) if config.compare else None
    _check_outputs(config)
    generated, reference = sides.named(config)
    told: list[str] = []

    def warn(text: str) -> None:
        """Keep a warning for the result, and tell it now."""
        told.append(text)
        on_event(Warned(text))

    found, failed = _measured(config, generated, reference, warn, lambda *step: on_event(Step(*step)))
    result = replace(
        found,
        warnings=tuple(told),
        settings=configuration.to_table(config),
        versions={"audiojourney": __version__, **{name: metadata.version(name) for name in PACKAGES}},
        generated=generated,
        reference=reference or str(config.reference_stats or ""),
    )
    if earlier is not None:
        result = replace(result, differences=differences(result, earlier, config.seed))
    written = _write(config, result)
    return EvalReport(result, tuple(gates.unmet(checks, result)), tuple(_missing(config, result)), failed, written)


def plan(config: EvalConfig) -> str:
    """Say in a sentence what a run would do, without opening a network or a sound."""
    generated, reference = sides.named(config)
    what = _mode(config, generated)
    if what != "sounds":
        return f"{what} of {generated} against {reference or 'what the file itself says'}"
    ours = f"sounds made by {generated}" if sides.is_model(generated) else _counted(generated, config)
    against = _counted(reference, config) if reference else str(config.reference_stats or "nothing")
    return f"{', '.join(config.metrics) or 'all metrics'} of {ours} against {against}, convention {config.convention}"


def _counted(name: str, config: EvalConfig) -> str:
    return f"{len(sides.read_side(name, config.limit))} clips of {name}"


def _mode(config: EvalConfig, generated: str) -> str:
    """Return what is measured: "sounds", "caption" or "classification"."""
    special = [name for name in config.metrics if name in (TEXTS, CLASSES)]
    if special and len(config.metrics) > 1:
        raise UsageError(
            f"{special[0]!r} measures another kind of file than {[n for n in config.metrics if n != special[0]]}.",
            "Ask for them in two commands.",
        )
    if special:
        return special[0]
    path = Path(generated).expanduser()
    if path.suffix.lower() == ".npz":
        return CLASSES
    return TEXTS if not config.metrics and is_captions(path) else "sounds"


def _measured(
    config: EvalConfig, generated: str, reference: str, warn: Callable[[str], None], on_step: Callable[[int, int], None]
) -> tuple[EvalResult, int]:
    mode = _mode(config, generated)
    if mode == TEXTS:
        rows, files = measure_captions(config, generated, reference, warn)
        return EvalResult(metrics=tuple(rows), files=tuple(files)), 0
    if mode == CLASSES:
        rows, files, classes = measure_classes(config, generated, reference)
        return EvalResult(metrics=tuple(rows), files=tuple(files), classes=tuple(classes)), 0
    from audiojourney.recipes.eval.sounds import SoundEvaluation

    evaluation = SoundEvaluation(config, generated, reference, warn, on_step)
    rows, files = evaluation.run()
    return EvalResult(metrics=tuple(rows), files=tuple(files)), evaluation.failed


def _missing(config: EvalConfig, result: EvalResult) -> list[str]:
    """Say which families or names that were asked for have no value at all; without any asked, whether nothing has.

    Statistics for later need no value.
    """
    told: list[str] = []
    if config.save_stats is not None:
        return told
    for name in config.metrics or ("",):
        rows = [row for row in result.metrics if _belongs(row, name)]
        if not any(row.value is not None for row in rows):
            reasons = dict.fromkeys(f"{row.name}: {row.reason}" for row in rows)
            told.append("; ".join(reasons) or f"{name or 'nothing'} could not be measured")
    return told


def _belongs(row: MetricRow, name: str) -> bool:
    kinds = FAMILIES.get(name, (name,))
    return name in ("", TEXTS, CLASSES, row.name) or row.name.rpartition("_")[0] in kinds


def _check_outputs(config: EvalConfig) -> None:
    """Fail before any work is done where an output can be known to fail."""
    for path in (config.output, config.save_stats, config.report):
        if path is not None and path.exists() and config.exists == "error":
            raise UsageError(f"{str(path)!r} exists.", "Name another file, or use --force.")
        if path is not None and path.is_dir():
            raise UsageError(f"{str(path)!r} is a folder.", "Name a file.")


def _write(config: EvalConfig, result: EvalResult) -> tuple[Path, ...]:
    written = [config.save_stats] if config.save_stats is not None else []
    if config.output is not None:
        result.write(config.output)
        written.append(config.output)
    if config.report is not None:
        from audiojourney.recipes.eval_report import write_report  # pictures and sounds are decoded there

        write_report(result, config.report)
        written.append(config.report)
    return tuple(written)


def to_json(report: EvalReport, *, per_file: bool) -> dict[str, Any]:
    """Return what `aj eval --json` prints."""
    return {**report.result.table(per_file=per_file), "unmet": list(report.unmet), "missing": list(report.missing)}
