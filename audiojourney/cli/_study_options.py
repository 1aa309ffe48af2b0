"""Options of `aj study`, apart from the command so that both can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Folders = Annotated[list[Path] | None, typer.Argument(metavar="FOLDER", help="Sounds of one system each.")]
Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="The page. [default: study.html]")]
Count = Annotated[int | None, typer.Option("-n", "--count", metavar="N", help="Prompts to hear. [default: all]")]
Design = Annotated[
    str | None,
    typer.Option("--design", metavar="all|first", help="All pairs, or the first against each. [default: all]"),
]
Pair = Annotated[
    str | None,
    typer.Option("--pair", metavar="id|name|prompt", help="What sounds of one prompt share. [default: what fits]"),
]
Captions = Annotated[
    Path | None, typer.Option("--captions", metavar="PATH", help="Folder or manifest that says the prompts.")
]
Title = Annotated[str | None, typer.Option("--title", metavar="TEXT", help="Heading. [default: Listening test]")]
Ties = Annotated[
    bool | None, typer.Option("--ties/--no-ties", help='Whether "no difference" is an answer. [default: ties]')
]
Level = Annotated[
    str | None,
    typer.Option("--level", metavar="keep|match", help="match turns the louder sound down. [default: keep]"),
]
Format = Annotated[
    str | None, typer.Option("--format", metavar="flac|ogg|wav", help="How sounds are stored. [default: flac]")
]
Seed = Annotated[int | None, typer.Option("--seed", metavar="INT", help="Of sides and choice. [default: 0]")]
Files = Annotated[list[Path] | None, typer.Argument(metavar="ANSWERS", help="Files that listeners saved.")]
Interval = Annotated[float | None, typer.Option("--level", metavar="X", help="Of intervals. [default: 0.95]")]
DrawSeed = Annotated[int | None, typer.Option("--seed", metavar="INT", help="Of the bootstrap. [default: 0]")]
