"""Options that several commands share, so that they are spelt and explained once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="YAML file of settings; ./aj.yaml is read by itself.")
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Any setting by its name; may be repeated.")
]
PrintConfig = Annotated[bool, typer.Option("--print-config", help="Show the settings as YAML and stop.")]
DryRun = Annotated[bool | None, typer.Option("--dry-run", help="Say what would be done, do nothing.")]
Json = Annotated[bool, typer.Option("--json", help="Write results as JSON lines.")]
Device = Annotated[
    str | None, typer.Option("--device", metavar="NAME", help="auto, cpu, cuda, cuda:1, mps. [default: auto]")
]
Dtype = Annotated[str | None, typer.Option("--dtype", metavar="NAME", help="fp32, bf16 or fp16. [default: fp32]")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite what exists.")]
