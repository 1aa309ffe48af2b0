"""Options that the commands of `aj data` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="OUT", help="Folder of the data set that is written. [default: data/]"),
]
Data = Annotated[Path | None, typer.Argument(metavar="[DATA]", help="Folder or list of clips. [default: data/]")]
Exists = Annotated[
    str | None,
    typer.Option("--exists", metavar="skip|overwrite|error", help="OUT holds a data set already. [default: skip]"),
]
AllowErrors = Annotated[
    int | None, typer.Option("--allow-errors", metavar="N", help="Exit with 0 after up to N failures. [default: 0]")
]
Strict = Annotated[bool | None, typer.Option("--strict", help="Stop at the first failure.")]
Workers = Annotated[int | None, typer.Option("--workers", metavar="N", help="Threads. [default: 4]")]
