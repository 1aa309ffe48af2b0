"""Settings of `aj eval`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from audiojourney.errors import UsageError
from audiojourney.registry import offer

# Names on the command line -> kinds of metrics (keys of `audiojourney.metrics.names.KINDS`).
FAMILIES: dict[str, tuple[str, ...]] = {
    "fad": ("fad",),
    "fd": ("fd",),
    "is": ("is",),
    "kl": ("kl", "kl_sigmoid"),
    "clap": ("clap",),
    "kad": ("kad",),
    "prdc": ("precision", "recall", "density", "coverage"),
    "fad_inf": ("fad_inf",),
}
TEXTS = "caption"
CLASSES = "classification"
GENERATED, REFERENCE = "generated", "reference"  # folders that are taken where nothing is named


@dataclass(frozen=True, kw_only=True)
class EvalConfig:
    """What is measured, against what, and how.

    Attributes:
        generated: folder, manifest, or a model that is asked to make the sounds first; for captions and classifiers
            the file of captions or of scores. Empty: the folder `generated`.
        reference: folder or manifest to compare with. Empty: the folder `reference` where `generated` is empty too.
        metrics: families (keys of `FAMILIES`, `caption`, `classification`) or full names such as `kl_reverse_panns`;
            empty measures all that can be measured.
        embedding: networks to measure with, in place of the standard ones: vggish, panns, panns-32k, laion, pocket, or
            the path of a checkpoint.
        clap: the CLAP of `--clap`, as `aj recaption` names it; empty takes LAION's, else the shipped one.
        convention: `ours`, or the program whose numbers are to be met.
        captions: file with a caption for each id, for CLAP and for generating.
        pair: what makes partners: `id`, `name` of the file, `order`, or `auto`, which takes what fits best.
        allow_missing: measure paired metrics over common clips where the sides differ.
        rate_check: `warn` or `error` where sample rates differ or are below what the networks take.
        on_error: `skip` files that cannot be used and count them, or `fail` at the first.
        limit: measure so many clips of each side, the first by id.
        intervals: find intervals.
        draws: parts drawn for an interval of a distance.
        seed: of all that is drawn, and of generated sounds.
        duration_s: length of sounds that are generated first; the model's own when None.
        per_file: show the scores of each file as well.
        cache: keep what networks heard, so that it is heard once.
        save_stats: file for mean and spread of the embeddings of the generated side.
        reference_stats: such a file in place of the reference.
        fail_if: conditions such as `fad_vggish>2.5` under which the command ends with exit code 4.
        compare: result of an earlier run to show differences to.
        output: JSON file for the result.
        report: HTML file for a page with sounds and pictures.
        exists: what to do where `output` exists.
        format: what is printed.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        workers: threads that decode and listen; one for each processor when None.
        dry_run: say what would be measured.
    """

    generated: str = ""
    reference: str = ""
    metrics: tuple[str, ...] = ()
    embedding: tuple[str, ...] = ()
    clap: str = ""
    convention: str = "ours"
    captions: Path | None = None
    pair: Literal["auto", "id", "name", "order"] = "auto"
    allow_missing: bool = False
    rate_check: Literal["warn", "error"] = "warn"
    on_error: Literal["skip", "fail"] = "skip"
    limit: int | None = None
    intervals: bool = True
    draws: int = 100
    seed: int = 0
    duration_s: float | None = None
    per_file: bool = False
    cache: bool = True
    save_stats: Path | None = None
    reference_stats: Path | None = None
    fail_if: tuple[str, ...] = ()
    compare: Path | None = None
    output: Path | None = None
    report: Path | None = None
    exists: Literal["error", "overwrite"] = "error"
    format: Literal["table", "json", "csv", "latex"] = "table"
    device: str = "auto"
    workers: int | None = None
    dry_run: bool = False

    def __post_init__(self) -> None:
        for name in ("limit", "draws", "workers"):
            value = getattr(self, name)
            if value is not None and value < (2 if name == "draws" else 1):
                raise UsageError(f"--{name} is {value}; expected {2 if name == 'draws' else 1} or more.")
        for name in self.metrics:
            if not is_metric(name):
                raise UsageError(f"There is no metric {name!r}.", offer(name, (*FAMILIES, TEXTS, CLASSES, *_full())))
        if self.reference and self.reference_stats:
            raise UsageError(f"Give a reference or --reference-stats {str(self.reference_stats)!r}, not both.")


def is_metric(name: str) -> bool:
    """Say whether a name is that of a family, or a full one."""
    return name in FAMILIES or name in (TEXTS, CLASSES) or name in _full()


def _full() -> tuple[str, ...]:
    from audiojourney.metrics.names import NAMES

    return NAMES
