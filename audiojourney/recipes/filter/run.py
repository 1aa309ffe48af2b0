"""`aj filter`: one pass over lists of captions, from rows on disk to rows on disk, in memory that does not grow."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from audiojourney.captions.duplicates import Duplicates
from audiojourney.captions.filters import Row, Verdict, mark, row_verdict
from audiojourney.captions.rejudge import judge_again
from audiojourney.data.manifest import SOUND_SUFFIXES, BadRow, file_sha256
from audiojourney.errors import ClipError, UsageError
from audiojourney.files import replacing
from audiojourney.recipes.filter import rows as lists
from audiojourney.recipes.filter.config import OUTPUT_NAME, FilterRunConfig
from audiojourney.recipes.filter.scores import scored
from audiojourney.recipes.filter.sweep import Sweep
from audiojourney.recipes.filter.tally import Needs, Tally
from audiojourney.recipes.made import Making

Progress = Callable[[int, int], None]  # (done, total)
_TELL_EVERY = 1000
_DROPPED = "dropped_sha256"  # in the report beside the output
_LOOKED_AT = SOUND_SUFFIXES | {".txt"}
_SWEPT = ("score", "no_score", "rank")  # earlier reasons that a sweep decides anew


@dataclass(frozen=True)
class FilterReport:
    """What a run did.

    Attributes:
        output: the list of what is kept; None after a sweep and a rehearsal.
        dropped: the list of what is not, where it was asked for.
        counts: figures of the pass (see `Tally.to_json`).
        sweep: one entry for each threshold (see `Level.to_json`).
        errors: rows and clips that could not be used, as in `errors_path`.
        errors_path: where they are named; None without any, and after a sweep.
        again: whether the list was there already, made in the same way.
    """

    output: Path | None
    dropped: Path | None
    counts: dict[str, Any]
    sweep: tuple[dict[str, Any], ...] = ()
    errors: int = 0
    errors_path: Path | None = None
    again: bool = False


def run(config: FilterRunConfig, on_progress: Progress = lambda done, total: None) -> FilterReport:
    """Judge all captions of the inputs by `config.rules` and write what is kept.

    A verdict of an earlier run stands where `config.rules` does not set that limit itself.

    Raises:
        MissingError: an input is absent, or has no captions, or lacks what a limit is set on.
        UsageError: the output is there and was made in another way, or is an input.
        AudioJourneyError: a file cannot be written.
    """
    sources = [lists.find(source) for source in config.inputs]
    if config.sweep:
        walk = _Walk(config, sources, on_progress)
        sweep = Sweep(config.sweep)
        for _, row, verdicts in walk.judged():
            sweep.add(row, verdicts)
        levels = tuple(level.to_json(walk.tally.seen.clips) for level in sweep.levels)
        return FilterReport(None, None, walk.tally.to_json(), levels, len(walk.errors))
    making = _making(config, sources)
    if config.dry_run:
        walk = _Walk(config, sources, on_progress)
        for _ in walk.judged():
            pass
        return FilterReport(None, None, walk.tally.to_json() | {"errors": len(walk.errors)}, (), len(walk.errors))
    earlier = making.earlier(force=config.force)
    known = _dropped_is_known(config, making)
    if earlier is not None and known:
        counts = {name: value for name, value in earlier["counts"].items() if name != _DROPPED}
        errors_path = making.errors if counts["errors"] else None
        return FilterReport(making.output, config.dropped, counts, (), counts["errors"], errors_path, again=True)
    return _write(config, making, _Walk(config, sources, on_progress))


def _making(config: FilterRunConfig, sources: list[lists.Source]) -> Making:
    output = config.output or sources[0].folder / OUTPUT_NAME
    for path in filter(None, (output, config.dropped)):
        if any(path.absolute() == source.path.absolute() for source in sources) or path.is_dir():
            raise UsageError(f"The output {str(path)!r} is a folder or an input.", "Name another file with -o.")
    if config.dropped is not None and config.dropped.absolute() == output.absolute():
        raise UsageError(f"-o and --dropped are both {str(output)!r}.", "Name two files.")
    settings: dict[str, Any] = {"rules": config.rules}
    if config.score:
        settings |= {"score": True, "clap": config.clap}
    return Making(output, settings, {str(source.path): _content(source.path) for source in sources})


def _dropped_is_known(config: FilterRunConfig, making: Making) -> bool:
    """Say whether the list of what is dropped is as an earlier run has left it, or not asked for.

    Raises:
        UsageError: something else is there, and `force` is not set.
    """
    if config.dropped is None:
        return True
    if config.force or not config.dropped.exists():
        return False
    try:
        recorded = json.loads(making.report.read_bytes())["counts"][_DROPPED]
    except (OSError, ValueError, KeyError, TypeError):
        recorded = ""
    if recorded == file_sha256(config.dropped):
        return True
    raise UsageError(f"{config.dropped} is there and was made in another way.", "Name another file, or use --force.")


def _content(path: Path) -> str:
    """Return what tells the content of an input; of a folder without list, names and sizes of its sounds and texts."""
    if path.is_file():
        return file_sha256(path)
    files = (file for file in path.rglob("*") if file.suffix.lower() in _LOOKED_AT)
    found = sorted((str(file.relative_to(path)), file.stat().st_size) for file in files)
    return hashlib.sha256(json.dumps(found).encode("ascii")).hexdigest()


def _write(config: FilterRunConfig, making: Making, walk: _Walk) -> FilterReport:
    with ExitStack() as stack:
        kept = _opened(stack, making.output)
        dropped = None if config.dropped is None else _opened(stack, config.dropped)
        for source, row, verdicts in walk.judged():
            _put(kept, _part(row, verdicts, True), source, making.output)
            if dropped is not None and config.dropped is not None:
                _put(dropped, _part(row, verdicts, False), source, config.dropped)
        errors_path = making.name_errors(walk.errors)
        counts = walk.tally.to_json() | {"errors": len(walk.errors)}
        kept.flush()
        hashes = {}
        if dropped is not None:
            dropped.flush()
            hashes = {_DROPPED: file_sha256(Path(dropped.name))}
        making.record(Path(kept.name), errors_path, counts | hashes)
    return FilterReport(making.output, config.dropped, counts, (), len(walk.errors), errors_path)


def _opened(stack: ExitStack, path: Path) -> IO[bytes]:
    return stack.enter_context(stack.enter_context(replacing(path)).open("wb"))


def _part(row: Row, verdicts: tuple[Verdict, ...], kept: bool) -> dict[str, Any] | None:
    """Return the row with those captions that are kept, or are not; None where no such row is to be written."""
    marked = mark(row, verdicts)
    captions = [caption for caption in marked["captions"] if caption["kept"] is kept]
    if kept:
        return lists.with_captions(marked, captions) if captions else None
    reason = captions[0]["reason"] if captions else row_verdict(verdicts).reason
    return {**lists.with_captions(marked, captions), "reason": reason} if reason else None


def _put(file: IO[bytes], row: dict[str, Any] | None, source: lists.Source, path: Path) -> None:
    if row is not None:
        line = json.dumps(lists.moved(row, source.folder, path.parent), ensure_ascii=False)
        file.write(line.encode("utf-8", errors="backslashreplace") + b"\n")


class _Walk:
    """One pass over the inputs."""

    def __init__(self, config: FilterRunConfig, sources: list[lists.Source], on_progress: Progress) -> None:
        self.config, self.sources, self.on_progress = config, sources, on_progress
        self.tally = Tally()
        self.errors: list[dict[str, Any]] = []
        self._folder = Path()

    def judged(self) -> Iterator[tuple[lists.Source, Row, tuple[Verdict, ...]]]:
        """Yield each row with its source and the verdicts on its captions."""
        rules = self.config.rules
        if self.config.sweep:
            rules = dataclasses.replace(rules, clap_threshold=None)
        duplicates = Duplicates(rules.dedupe, self._sound_hash)
        needs = Needs(rules, bool(self.config.sweep), ", ".join(str(source.path) for source in self.sources))
        again = _SWEPT if self.config.sweep else ()
        for source, row in self._rows():
            needs.see(row)
            verdicts = duplicates.judge(row, judge_again(row, rules, again))
            self.tally.add(row, verdicts)
            yield source, row, verdicts
        needs.end()

    def _rows(self) -> Iterator[tuple[lists.Source, Row]]:
        scorer = self._scorer() if self.config.score else None
        done, total = 0, sum(map(_lines, self.sources))
        for source in self.sources:
            self._folder = source.folder
            rows = lists.read(source, self._bad_row)
            if scorer is not None:
                rows = scored(rows, source.folder, scorer, self.config.batch, self._unreadable)
            for row in rows:
                done += 1
                if scorer is not None or done % _TELL_EVERY == 0:
                    self.on_progress(done, max(done, total))
                yield source, row

    def _scorer(self) -> Any:
        from audiojourney.models.clap.load import load_scorer

        return load_scorer(self.config.clap, self.config.device, self.config.dtype)

    def _bad_row(self, bad: BadRow) -> None:
        self.errors.append({"path": str(bad.path), "line": bad.line, "code": "bad_row", "message": bad.reason})

    def _unreadable(self, row: Row, error: ClipError) -> None:
        name = str(row.get("file_name"))
        self.errors.append({"id": row.get("id", name), "path": name, "code": error.code, "message": error.reason})

    def _sound_hash(self, row: Row) -> str:
        """Return the hash that the row has, or else take it of the file; "" where that cannot be read."""
        if row.get("sha256"):
            return str(row["sha256"])
        path = self._folder / row["file_name"]
        try:
            return file_sha256(path)
        except OSError as error:
            self._unreadable(row, ClipError("unreadable", error.strerror or str(error), str(path)))
            return ""


def _lines(source: lists.Source) -> int:
    """Count the lines of a list, for the progress; they are read from the cache of the system a moment later."""
    if not source.path.is_file():
        return 0
    with source.path.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))
