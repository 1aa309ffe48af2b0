"""The options of `aj generate`; what they default to stands in `GenerateConfig` alone."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from audiojourney.recipes.generate_config import DEFAULT_FORMAT, GenerateConfig

_DEFAULTS = {field.name: field.default for field in dataclasses.fields(GenerateConfig)}


def _option(name: str, help: str, *spellings: str, metavar: str | None = None, otherwise: str = "model") -> Any:
    """Describe the option of a setting, with its default, or with what stands in for None."""
    default = _DEFAULTS[name]
    shown = otherwise if default is None else default
    return typer.Option(*spellings, metavar=metavar, help=f"{help} [default: {shown}]" if shown != "" else help)


def _switch(help: str, *spellings: str) -> Any:
    return typer.Option(*spellings, help=help)


Prompts = Annotated[
    list[str] | None, typer.Argument(metavar="PROMPT", help='What to hear; "-" reads one a line from stdin.')
]
PromptFile = Annotated[
    Path | None,
    typer.Option(
        "--prompts", metavar="FILE", help=".txt, .csv or .jsonl with the keys prompt, seed, duration, negative, id."
    ),
]
Model = Annotated[str | None, _option("model", "Name, folder or Hub id.", "--model", "-m", metavar="NAME")]
Output = Annotated[str | None, _option("output", 'File, folder or "-" (stdout).', "--output", "-o", metavar="PATH")]
Duration = Annotated[float | None, _option("duration_s", "Exact length.", "--duration", "-d", metavar="SECONDS")]
Steps = Annotated[int | None, _option("steps", "Denoising steps.", "--steps", "-s", metavar="N")]
Guidance = Annotated[
    float | None, _option("guidance", "How closely to follow the prompt; 1 is off.", "--guidance", "-g", metavar="X")
]
Sampler = Annotated[str | None, _option("sampler", "How to denoise.", "--sampler", metavar="NAME")]
Negative = Annotated[str | None, _option("negative", "What to move away from.", "--negative", metavar="TEXT")]
Count = Annotated[int | None, _option("count", "Sounds for each prompt.", "--count", "-n", metavar="N")]
Candidates = Annotated[int | None, _option("candidates", "Draw N for each and rank them.", "--candidates", metavar="N")]
Keep = Annotated[str | None, _option("keep", "Which candidates to write.", "--keep", metavar="best|all")]
Seed = Annotated[
    int | None,
    _option("seed", "Seed of the first; sound i has seed+i.", "--seed", metavar="INT", otherwise="drawn, and shown"),
]
Format = Annotated[
    str | None,
    _option(
        "format",
        "Kind of file.",
        "--format",
        metavar="wav|flac|ogg",
        otherwise=f"suffix of the output, else {DEFAULT_FORMAT}",
    ),
]
Rate = Annotated[int | None, _option("rate_hz", "Sample rate; a higher one adds no treble.", "--rate", metavar="HZ")]
Loudness = Annotated[
    float | None,
    _option(
        "loudness_lufs",
        "Integrated loudness, such as -23.",
        "--loudness",
        metavar="LUFS",
        otherwise="the model's level",
    ),
]
Spectrogram = Annotated[bool | None, _switch("Write a PNG picture beside each sound.", "--spectrogram")]
Like = Annotated[
    Path | None,
    typer.Option("--like", metavar="FILE", help="Prompt, seed and settings of an earlier sound; options change them."),
]
Exists = Annotated[
    str | None,
    _option(
        "exists",
        "Where a file exists.",
        "--exists",
        metavar="rename|skip|overwrite|error",
        otherwise="rename; in a batch skip what is done",
    ),
]
NoMetadata = Annotated[bool, _switch("Keep prompt and settings out of the file.", "--no-metadata")]
Sidecar = Annotated[bool | None, _switch("Write them to a .json beside the sound as well.", "--sidecar")]
Reproducible = Annotated[bool | None, _switch("Bit-equal on a GPU as well, at some cost.", "--reproducible")]
Batch = Annotated[
    int | None, _option("batch", "Sounds made at once.", "--batch", metavar="N", otherwise="1 on a CPU, else 8")
]
