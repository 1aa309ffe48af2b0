"""The options of `aj eval`; what they default to stands in `EvalConfig` alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from audiojourney.recipes.eval.settings import EvalConfig

_DEFAULTS = {field.name: field.default for field in dataclasses.fields(EvalConfig)}


def _option(name: str, help: str, *spellings: str, metavar: str | None = None, otherwise: str = "") -> Any:
    """Describe the option of a setting, with its default, or with what stands in for None."""
    default = _DEFAULTS[name]
    shown = otherwise if default in (None, "", ()) else default
    return typer.Option(*spellings, metavar=metavar, help=f"{help} [default: {shown}]" if shown != "" else help)


def _switch(help: str, *spellings: str) -> Any:
    return typer.Option(*spellings, help=help)


Generated = Annotated[
    str | None,
    typer.Argument(metavar="GENERATED", help="Folder, manifest, or model that makes the sounds. [default: generated/]"),
]
Reference = Annotated[str | None, typer.Argument(metavar="REFERENCE", help="Folder or manifest. [default: reference/]")]
Fad = Annotated[bool, _switch("Frechet audio distance, by VGGish.", "--fad")]
Fd = Annotated[bool, _switch("Frechet distance, by PANNs.", "--fd")]
Is = Annotated[bool, _switch("Inception score, by PANNs.", "--is")]
Kl = Annotated[bool, _switch("KL divergence of pairs, by PANNs.", "--kl")]
Kad = Annotated[bool, _switch("Kernel audio distance, by PANNs.", "--kad")]
Prdc = Annotated[bool, _switch("Precision, recall, density, coverage.", "--prdc")]
FadInf = Annotated[bool, _switch("FAD at infinitely many clips.", "--fad-inf")]
Clap = Annotated[bool, _switch("Fit of sounds to their captions.", "--clap")]
Caption = Annotated[bool, _switch("GENERATED and REFERENCE are files of captions.", "--caption")]
Classification = Annotated[bool, _switch("GENERATED is a file of class scores.", "--classification")]
Metric = Annotated[
    list[str] | None,
    typer.Option("--metric", metavar="NAME", help="Full name, such as kl_reverse_panns; may be repeated."),
]
Embedding = Annotated[
    list[str] | None,
    typer.Option(
        "--embedding",
        metavar="NAME|PATH",
        help="Measure with vggish, panns, panns-32k, laion, pocket or a checkpoint; may be repeated.",
    ),
]
ClapModel = Annotated[
    str | None, _option("clap", "The CLAP of --clap.", "--clap-model", metavar="NAME", otherwise="LAION's, else pocket")
]
Convention = Annotated[
    str | None,
    _option(
        "convention",
        "ours, audioldm_eval, kadtk or stable_audio_metrics.",
        "--convention",
        metavar="NAME",
    ),
]
Captions = Annotated[
    Path | None, typer.Option("--captions", metavar="FILE", help="Captions by id, for CLAP and for making sounds.")
]
Pair = Annotated[str | None, _option("pair", "What makes partners.", "--pair", metavar="auto|id|name|order")]
AllowMissing = Annotated[bool | None, _switch("Measure pairs where ids differ too.", "--allow-missing")]
RateCheck = Annotated[
    str | None, _option("rate_check", "Where sample rates differ.", "--rate-check", metavar="warn|error")
]
OnError = Annotated[str | None, _option("on_error", "Where a file cannot be used.", "--on-error", metavar="skip|fail")]
Limit = Annotated[
    int | None, _option("limit", "Clips of each side, the first by id.", "--limit", metavar="N", otherwise="all")
]
Intervals = Annotated[bool | None, _switch("Whether to find 95 % intervals.", "--intervals/--no-intervals")]
Seed = Annotated[int | None, _option("seed", "Of draws and of sounds that are made.", "--seed", metavar="INT")]
Duration = Annotated[
    float | None,
    _option(
        "duration_s",
        "Length of sounds that are made.",
        "--duration",
        metavar="SECONDS",
        otherwise="that of the reference",
    ),
]
PerFile = Annotated[bool | None, _switch("Show the scores of each file too.", "--per-file")]
Cache = Annotated[bool | None, _switch("Whether to keep what networks heard.", "--cache/--no-cache")]
SaveStats = Annotated[
    Path | None, typer.Option("--save-stats", metavar="FILE", help="Write mean and spread of GENERATED.")
]
ReferenceStats = Annotated[
    Path | None, typer.Option("--reference-stats", metavar="FILE", help="Such a file in place of REFERENCE.")
]
FailIf = Annotated[
    list[str] | None,
    typer.Option("--fail-if", metavar="CONDITION", help='Such as "fad_vggish>2.5": end with 4; may be repeated.'),
]
Compare = Annotated[
    Path | None, typer.Option("--compare", metavar="RESULT", help="Show differences to an earlier result.")
]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the result as JSON.")]
Report = Annotated[Path | None, typer.Option("--report", metavar="FILE", help="Write a page with sounds, as HTML.")]
Format = Annotated[str | None, _option("format", "What is printed.", "--format", metavar="table|json|csv|latex")]
Workers = Annotated[
    int | None,
    _option("workers", "Threads that listen.", "--workers", metavar="N", otherwise="one for each processor"),
]
