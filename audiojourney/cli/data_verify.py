"""`aj data verify`: look whether a data set is whole."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from audiojourney import config as configuration
from audiojourney.cli import _data_options, _options, _ui
from audiojourney.errors import PartialError

if TYPE_CHECKING:
    from audiojourney.data.formats.base import Failure

_FLAGS = ("source", "depth", "allow_errors", "limit", "workers")

Depth = Annotated[
    str | None,
    typer.Option("--depth", metavar="present|header|whole", help="How closely sounds are looked at. [default: whole]"),
]
Limit = Annotated[int | None, typer.Option("--limit", metavar="N", help="Stop after N clips. [default: all]")]


def data_verify(
    ctx: typer.Context,
    source: _data_options.Data = None,
    depth: Depth = None,
    allow_errors: _data_options.AllowErrors = None,
    limit: Limit = None,
    workers: _data_options.Workers = None,
    config: _options.Config = None,
    settings: _options.Settings = None,
    json: _options.Json = False,
    print_config: _options.PrintConfig = False,
) -> None:
    """Look whether every clip of DATA is there, whole, what its hash says, and readable; nothing is changed.

    DATA is a folder or list of clips, a tar, or a folder of tars or Parquet files. A line for each problem.
    """
    from audiojourney.recipes.data_verify import VerifyConfig, run

    flags = {name: ctx.params[name] for name in _FLAGS}
    chosen = configuration.resolve(VerifyConfig, "data verify", flags=flags, settings=settings or (), file=config)
    if print_config:
        _ui.out(configuration.dump(chosen).rstrip())
        return

    def tell(problem: Failure) -> None:
        """Print a problem as soon as it is found."""
        if json:
            _ui.out_json({"problem": asdict(problem)})
        else:
            _ui.out("\t".join(map(_one_line, (problem.code, problem.path, f"{problem.id}: {problem.reason}"))))

    with _ui.progress("clips", shown=not json) as bar:
        report = run(chosen, tell, bar.update if bar else lambda done, total: None)
    if json:
        _ui.out_json(vars(report))
    count = sum(report.problems.values())
    looked = f"{report.clips} clips" + (f" in {report.shards} shards" if report.shards else "")
    if count > chosen.allow_errors:
        raise PartialError(f"{count} problems in {looked}.")
    _ui.say(f"{looked}: {count} problems; {report.hashed} hashes compared.")


def _one_line(text: str) -> str:
    """Return a text without tabs and line ends, which names of files may hold and which part columns and lines here."""
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)
