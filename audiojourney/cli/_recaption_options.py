"""The options of `aj recaption`; what they default to stands in `RecaptionConfig` alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from audiojourney.recipes.recaption.config import DEFAULT_INPUT, RecaptionConfig

_DEFAULTS = {field.name: field.default for field in dataclasses.fields(RecaptionConfig)}


def _option(name: str, help: str, *spellings: str, metavar: str | None = None, otherwise: str = "none") -> Any:
    """Describe the option of a setting, with its default, or with what stands in for None."""
    default = _DEFAULTS[name]
    shown = otherwise if default is None else ",".join(default) if isinstance(default, tuple) else default
    return typer.Option(*spellings, metavar=metavar, help=f"{help} [default: {shown}]")


def _switch(help: str, *spellings: str) -> Any:
    return typer.Option(*spellings, help=help)


Inputs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="INPUT",
        help=f'Folders, manifests, sound files; "-" reads a list of them. [default: {DEFAULT_INPUT}/]',
    ),
]
Output = Annotated[
    Path | None,
    _option("output", "File or folder.", "--output", "-o", metavar="PATH", otherwise="INPUT/captions.jsonl"),
]
Captioner = Annotated[str | None, _option("captioner", "Who writes.", "--captioner", metavar="NAME")]
Model = Annotated[
    str | None, _option("model", "Its weights.", "--model", "-m", metavar="NAME", otherwise="the captioner's own")
]
Endpoint = Annotated[
    str | None, _option("endpoint", "Server of a language model.", "--endpoint", metavar="URL", otherwise="none")
]
Examples = Annotated[
    Path | None,
    _option("examples", "Examples shown to it.", "--examples", metavar="FILE", otherwise="the captioner's own"),
]
Candidates = Annotated[
    int | None, _option("candidates", "Captions tried per clip.", "--candidates", metavar="N", otherwise="as --keep")
]
Keep = Annotated[int | None, _option("keep", "Best captions kept per clip.", "--keep", metavar="N")]
Clap = Annotated[str | None, _option("clap", "What scores them; none is off.", "--clap", metavar="NAME")]
Threshold = Annotated[
    float | None,
    _option("clap_threshold", "Drop captions with a lower score.", "--clap-threshold", metavar="X"),
]
Keywords = Annotated[
    str | None,
    _option(
        "drop_keywords",
        'Drop captions with a word of these lists or files, or with +WORD; "" is off.',
        "--drop-keywords",
        metavar="LIST,...",
    ),
]
MinDuration = Annotated[
    float | None, typer.Option("--min-duration", metavar="S", help="Drop captions of shorter clips. [default: none]")
]
MaxDuration = Annotated[
    float | None, typer.Option("--max-duration", metavar="S", help="Drop captions of longer clips. [default: none]")
]
Seed = Annotated[int | None, _option("seed", "Other seeds, other captions.", "--seed", metavar="INT")]
Limit = Annotated[int | None, _option("limit", "The first N clips only.", "--limit", metavar="N", otherwise="all")]
Shards = Annotated[
    str | None,
    _option("shards", "Do part i of N, 1/8 to 8/8, or shards A-B.", "--shards", metavar="i/N", otherwise="all"),
]
Batch = Annotated[str | None, _option("batch", "Clips at once.", "--batch", metavar="N|auto")]
Workers = Annotated[
    int | None, _option("workers", "Threads that decode.", "--workers", metavar="N", otherwise="cores, up to 4")
]
Processes = Annotated[int | None, _option("nproc", "Processes with models.", "--nproc", metavar="N")]
Engine = Annotated[str | None, _option("engine", "What runs the shards.", "--engine", metavar="local|datatrove")]
Executor = Annotated[str | None, _option("executor", "Where datatrove runs them.", "--executor", metavar="local|slurm")]
ErrorRate = Annotated[
    float | None,
    _option("max_error_rate", "A shard with more failed clips is failed.", "--max-error-rate", metavar="X"),
]
AllowErrors = Annotated[
    int | None, _option("allow_errors", "Failed clips without exit code 5.", "--allow-errors", metavar="N")
]
Strict = Annotated[bool | None, _switch("The first failed clip ends the run.", "--strict")]
Retry = Annotated[bool | None, _switch("Try clips again that failed before.", "--retry")]
