"""The command `aj`: its list of commands, the options that all of them share, exit codes."""

from __future__ import annotations

import importlib
import re
import signal
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from audiojourney import __version__
from audiojourney.cli import _ui
from audiojourney.cli._boundary import CLOSED_PIPE, boundary, silence_stdout
from audiojourney.cli._commands import COMMANDS
from audiojourney.errors import MissingError
from audiojourney.registry import offer

EXIT_CODES = {
    0: "done",
    1: "failed",
    2: "wrong usage",
    3: "something needed is absent",
    4: "a gate was not met",
    5: "some items failed",
    130: "interrupted",
    141: "pipe closed",
}
SHARED_OPTIONS = "-q/--quiet, -v/--verbose, --offline, --no-color"
_SHARED = re.compile(r"^(-[qv]+|--quiet|--verbose|--offline|--no-color)$")
_WIDTH = 78
_CODES = [f"{code} {meaning}" for code, meaning in EXIT_CODES.items()]
_EPILOG = f"""\b
Exit codes: {", ".join(_CODES[:4])},
  {", ".join(_CODES[4:])}.
AJ_DEBUG=1 shows the traceback of an error.

\b
Examples:
  aj generate "rain on a tin roof"
  aj generate --prompts prompts.txt -o sounds/ --seed 1
  aj data scenes scenes/ -n 1000 --seed 1
  aj pretrain --preset pocket/generator --data scenes/ -o runs/first
"""


class LazyGroup(TyperGroup):
    """A group that imports a command when it is called, and lists them all without importing any."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, imported on first use."""
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            self.commands[cmd_name] = _load(cmd_name)
        return self.commands.get(cmd_name)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands under their headings."""
        width = max(map(len, COMMANDS))
        for section in dict.fromkeys(entry.section for entry in COMMANDS.values()):
            with formatter.section(section):
                rows = [
                    (name.ljust(width), entry.summary) for name, entry in COMMANDS.items() if entry.section == section
                ]
                formatter.write_dl(rows)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command of the first word; a wrong one is answered with the nearest."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            ctx.fail(f"There is no command {args[0]!r}. {offer(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take the shared options from wherever they stand, up to a `--`."""
        end = args.index("--") if "--" in args else len(args)
        shared = [word for word in args[:end] if _SHARED.match(word)]
        rest = [word for word in args[:end] if not _SHARED.match(word)]
        return super().parse_args(ctx, shared + rest + args[end:])

    def invoke(self, ctx: Any) -> Any:
        """Run the command; errors become messages and exit codes."""
        with boundary():
            return super().invoke(ctx)


app = typer.Typer(
    cls=LazyGroup,
    name="aj",
    help="Captions, data, generators and metrics for text-to-audio research.",
    epilog=_EPILOG,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"aj {__version__}")
        raise typer.Exit


@app.callback()
def _shared(
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")] = False,
    verbose: Annotated[int, typer.Option("--verbose", "-v", count=True, show_default=False, help="Say more.")] = 0,
    offline: Annotated[bool, typer.Option("--offline", help="Never use the network.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="Write without colours.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    _ui.configure(quiet=quiet, verbose=verbose, no_color=no_color, offline=offline)


def _load(name: str) -> Any:
    """Import the command `name`, as a Typer application or as a function of that name."""
    entry = COMMANDS[name]
    module = importlib.import_module(entry.module) if entry.module else None
    settings: dict[str, Any] = {"help_option_names": ["-h", "--help"]}
    if module is not None and isinstance(getattr(module, "app", None), typer.Typer):
        inner = module.app
        inner._add_completion = False  # it belongs to `aj` alone
    else:
        inner = typer.Typer(add_completion=False)
        if module is None:
            settings |= {"ignore_unknown_options": True, "allow_extra_args": True}
            inner.command(name, help=f"{entry.summary} Not in this version yet.", context_settings=settings)(_absent)
        else:
            function = getattr(module, name.replace("-", "_"))
            examples = getattr(module, "EXAMPLES", ())
            inner.command(name, epilog=_epilog(examples), context_settings=settings)(function)
    inner.info.context_settings = settings
    inner.rich_markup_mode = None
    command = typer.main.get_command(inner)
    command.name = name
    return command


def _epilog(examples: Sequence[str]) -> str:
    shown = "".join(f"{_folded(example)}\n" for example in examples)
    return (f"\b\nExamples:\n{shown}\n" if shown else "") + f"Also {SHARED_OPTIONS}."


def _folded(example: str) -> str:
    """Break a long command before an option, as a shell reads it."""
    lines = [f"  {example}"]
    while len(lines[-1]) > _WIDTH and " -" in lines[-1][:_WIDTH]:
        cut = lines[-1].rindex(" -", 6, _WIDTH)
        lines[-1:] = [f"{lines[-1][:cut]} \\", f"     {lines[-1][cut:]}"]
    return "\n".join(lines)


def _absent(ctx: typer.Context) -> None:
    raise MissingError(f"`aj {ctx.info_name}` is not in this version yet.", "CHANGELOG.md says what is.")


def main() -> None:
    """Run `aj` with the arguments of the process and leave with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="surrogateescape")  # file names need not be UTF-8
    signal.signal(signal.SIGTERM, _terminate)
    code: Any = 0
    try:
        typer.main.get_command(app).main(prog_name="aj")
    except SystemExit as end:
        code = end.code
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        silence_stdout()
        code = CLOSED_PIPE
    # Help is printed before any boundary; click marks a closed pipe there by the wrapper it leaves on stdout.
    sys.exit(CLOSED_PIPE if type(sys.stdout).__name__ == "PacifyFlushWrapper" else code)


def _terminate(number: int, frame: object) -> None:
    """Leave by way of every `finally`, so that temporary files are removed."""
    raise SystemExit(128 + number)
