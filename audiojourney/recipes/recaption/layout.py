"""Where output and work of a run lie, and what may be replaced."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from audiojourney import __version__, files
from audiojourney.errors import AudioJourneyError, UsageError
from audiojourney.recipes.recaption.config import RecaptionConfig
from audiojourney.recipes.recaption.folder import HIDDEN, RUN, Item, Part, read_run, runs
from audiojourney.recipes.recaption.inputs import STDIN, Job
from audiojourney.recipes.recaption.keys import digest
from audiojourney.recipes.recaption.stamp import DEFAULT_OUTPUT, Stamp

_LISTS = (".jsonl", ".json", ".ndjson")
_KEY_DIGITS = 8


@dataclass(frozen=True)
class Order:
    """The work of a run.

    Attributes:
        folder: where it lies.
        key: hash of settings, models and inputs.
        identity: the models.
        shards: number of shards.
        earlier: folders of runs whose rows may still hold.
    """

    folder: Path
    key: str
    identity: Mapping[str, str]
    shards: int
    earlier: tuple[Path, ...] = ()


def output_path(config: RecaptionConfig) -> Path:
    """Return the list to write.

    Raises:
        UsageError: it is no list, or one of the inputs, or nothing says where it belongs.
    """
    path = config.output if config.output is not None else _home(config.inputs) / DEFAULT_OUTPUT
    if path.is_dir() or not path.suffix:
        path = path / DEFAULT_OUTPUT
    if path.suffix.lower() not in _LISTS:
        raise UsageError(f"--output {str(path)!r} is no list of JSON lines.", "Name a .jsonl file or a folder.")
    if any(Path(name).resolve() == path.resolve() for name in config.inputs if name != STDIN):
        raise UsageError(f"{str(path)!r} is the input as well.", "Name another output with -o.")
    return path


def check_output(output: Path, stamp: Stamp | None, request: str, settings: Mapping[str, Any], *, force: bool) -> None:
    """Refuse to replace what was made in another way.

    Args:
        output: the list to write.
        stamp: how it was made, where that is known and still true.
        request: hash of the settings and inputs of this run.
        settings: its settings, for the message.
        force: replace it all the same.

    Raises:
        UsageError: it exists, and is not of this run.
    """
    if force or not output.exists() or (stamp is not None and stamp.request == request):
        return
    hint = "Replace it with --force, or write elsewhere with -o."
    if stamp is None:
        raise UsageError(f"{output} exists, and is not as `aj recaption` has left it.", hint)
    earlier = next((about for _, about in runs(output) if about["request"] == stamp.request), None)
    raise UsageError(f"{output} was made {_difference(earlier, settings)}.", hint)


def find(output: Path, request: str) -> Order | None:
    """Return the work that is stored of a run, or None."""
    found = next(((folder, about) for folder, about in runs(output) if about["request"] == request), None)
    return None if found is None else _order(output, *found)


def discard(output: Path, request: str) -> None:
    """Remove the work that is stored of a run."""
    order = find(output, request)
    if order is not None:
        (order.folder / RUN).unlink()  # without it the rest counts for nothing
        shutil.rmtree(order.folder, ignore_errors=True)


def create(
    output: Path, about: Mapping[str, Any], identity: Mapping[str, str], jobs: Iterable[Job], shard_clips: int
) -> Order:
    """Write the lists of clips of a new run; its folder appears whole.

    Args:
        output: the list that the run will write.
        about: `request`, `settings` and `inputs_sha256` of the run.
        identity: its models.
        jobs: its clips, in order.
        shard_clips: clips of a shard.

    Raises:
        AudioJourneyError: the folder cannot be written.
    """
    key = digest([about["request"], dict(identity)])
    folder = output.parent / HIDDEN / key[:_KEY_DIGITS]
    staging = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.tmp")
    try:
        count = sum(1 for number, chunk in enumerate(_chunks(jobs, shard_clips)) if _store(staging, number, chunk))
        told = {"version": __version__, "key": key, "identity": dict(identity), "shards": count, **about}
        files.write_json(staging / RUN, told)
        if folder.is_dir() and read_run(folder) is None:
            shutil.rmtree(folder)
        _rename(staging, folder)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return _order(output, folder, told)


def _rename(staging: Path, folder: Path) -> None:
    try:
        staging.rename(folder)
    except OSError as error:
        if read_run(folder) is None:  # else another process was first with the same
            raise AudioJourneyError(f"{folder} cannot be made ({error.strerror or error}).") from error


def _store(folder: Path, number: int, jobs: list[Job]) -> bool:
    Part(folder, number).write_jobs(jobs)
    return True


def _chunks(jobs: Iterable[Job], size: int) -> Iterator[list[Job]]:
    iterator = iter(jobs)
    while chunk := list(islice(iterator, size)):
        yield chunk


def _order(output: Path, folder: Path, about: Item) -> Order:
    same = ("settings", "identity")
    earlier = [
        other
        for other, told in runs(output)
        if other.name != folder.name and all(told.get(name) == about.get(name) for name in same)
    ]
    return Order(folder, about["key"], about["identity"], about["shards"], tuple(earlier))


def _home(inputs: tuple[str, ...]) -> Path:
    """Return the folder that the output belongs into."""
    if inputs == (STDIN,):
        return Path()
    folders = {path if path.is_dir() else path.parent for path in map(Path, inputs)}
    if STDIN in inputs or len(folders) != 1:
        raise UsageError(f"{len(inputs)} inputs lie in {len(folders)} folders.", "Say where to write with -o.")
    return folders.pop()


def _difference(earlier: Item | None, settings: Mapping[str, Any]) -> str:
    """Say in words how the settings of an earlier run differ."""
    if earlier is None:
        return "in another way"
    old = earlier["settings"]
    changed = [f"{name} {old.get(name)!r}, not {value!r}" for name, value in settings.items() if old.get(name) != value]
    return f"with {'; '.join(changed)}" if changed else "from other clips, or from these before they were changed"
