"""The options of `aj filter`; what they default to stands in `FilterRunConfig` and `FilterConfig` alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Inputs = Annotated[
    list[Path] | None,
    typer.Argument(metavar="INPUT", help="Data folders, captions files, manifests. [default: data]"),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="PATH", help="What is kept. [default: filtered.jsonl beside the input]"),
]
Dropped = Annotated[
    Path | None, typer.Option("--dropped", metavar="PATH", help="What is not, with reason and score. [default: none]")
]
Preset = Annotated[
    str | None,
    typer.Option(
        "--preset", metavar="NAME", help="autorecap-xl, autorecap-mq, autorecap-mq-l, autorecap-hq, af-audioset."
    ),
]
Threshold = Annotated[
    float | None, typer.Option("--clap-threshold", metavar="X", help="Lowest score of a caption (tau). [default: none]")
]
Keep = Annotated[
    int | None, typer.Option("--keep", metavar="N", help="Captions kept of a clip, by score. [default: all]")
]
Keywords = Annotated[
    str | None,
    typer.Option(
        "--drop-keywords",
        metavar="LIST",
        help="Drop captions with a word of speech, music, instruments, vocal, quality, a FILE.txt, or +WORD; commas "
        "between them. [default: none]",
    ),
]
Labels = Annotated[
    str | None,
    typer.Option("--keep-labels", metavar="LIST", help="Keep clips with one of these labels only. [default: all]"),
]
Entailment = Annotated[
    float | None, typer.Option("--entailment-threshold", metavar="X", help="Lowest agreement, 0 to 1. [default: none]")
]
MinDuration = Annotated[float | None, typer.Option("--min-duration", metavar="S", help="Shortest clip.")]
MaxDuration = Annotated[float | None, typer.Option("--max-duration", metavar="S", help="Longest clip.")]
MinWords = Annotated[int | None, typer.Option("--min-words", metavar="N", help="Fewest words of a caption.")]
MaxWords = Annotated[int | None, typer.Option("--max-words", metavar="N", help="Most words of a caption.")]
MinLevel = Annotated[
    float | None, typer.Option("--min-level", metavar="DB", help="Quieter clips are near-silent. [default: -60]")
]
MaxClipped = Annotated[
    float | None, typer.Option("--max-clipped", metavar="SHARE", help="Most samples at full scale. [default: none]")
]
Dedupe = Annotated[
    str | None,
    typer.Option("--dedupe", metavar="none|text|audio", help="Drop repeated captions or sounds. [default: none]"),
]
Unscored = Annotated[
    str | None,
    typer.Option("--unscored", metavar="drop|keep", help="What was never measured for a limit. [default: drop]"),
]
Sweep = Annotated[
    str | None,
    typer.Option("--sweep", metavar="X,X,...", help="Compare thresholds: size, mean score, examples. Writes nothing."),
]
Score = Annotated[bool | None, typer.Option("--score", help="Measure the scores that are missing.")]
Clap = Annotated[
    str | None, typer.Option("--clap", metavar="NAME", help="Scorer: name, Hub id or checkpoint. [default: pocket]")
]
Batch = Annotated[int | None, typer.Option("--batch", metavar="N", help="Clips scored at once. [default: 16]")]
