"""Lists of clips on disk: AudioFolder's `metadata.jsonl`, other JSON lines, CSV, and plain folders of sounds.

A folder with `metadata.jsonl` (or `metadata.csv`), in itself or in folders of splits one level below, is read by it.
A folder without is searched for sounds: a text file of the same name holds captions, one a line, and the name of a
sub-folder is a label.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from audiojourney.data.clip import Caption, Clip
from audiojourney.data.rows import Row, RowError, to_clip, to_row
from audiojourney.data.spool import FirstSeen
from audiojourney.errors import MissingError, UsageError
from audiojourney.files import append_bytes, write_bytes

NAME = "metadata.jsonl"
SOUND_SUFFIXES = frozenset(
    (".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aiff", ".aif", ".aifc", ".au", ".caf", ".w64", ".rf64")
) | {".m4a", ".mp4", ".webm", ".mka", ".aac"}  # the latter need PyAV
_MANIFESTS = (NAME, "metadata.csv")
_TAIL_BYTES = 4096
_SHOWN = 5  # bad rows that are told before "and n more"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BadRow:
    """A row that is no clip.

    Attributes:
        path: the manifest.
        line: its line, counted from 1.
        reason: what is wrong with it.
    """

    path: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}, line {self.line}: {self.reason}"


OnBadRow = Callable[[BadRow], None]


def read_clips(source: Path | str, on_bad_row: OnBadRow | None = None) -> list[Clip]:
    """Read the clips of a data folder or of a manifest file (`.jsonl`, `.json` with a row a line, `.csv`, `.tsv`).

    A cut last line, as a killed writer leaves it, is dropped and reported. Sound files are not opened.

    Args:
        source: folder or file.
        on_bad_row: is told of each bad row, and the others are returned.

    Raises:
        MissingError: there is no such file or folder.
        UsageError: rows are bad and `on_bad_row` is None, or the file is of an unknown kind.
    """
    bad: list[BadRow] = []
    clips = list(iter_clips(source, on_bad_row or bad.append))
    if bad:
        more = f" (and {len(bad) - _SHOWN} more)" if len(bad) > _SHOWN else ""
        raise UsageError("; ".join(map(str, bad[:_SHOWN])) + more, "Mend or remove these lines.")
    return clips


def iter_clips(source: Path | str, on_bad_row: OnBadRow) -> Iterator[Clip]:
    """Read clips one after another, as `read_clips` does; memory does not grow with the length of JSON lines.

    Args:
        source: folder or file.
        on_bad_row: is told of each bad row when it is met.

    Raises:
        MissingError: there is no such file or folder.
        UsageError: the file is of an unknown kind.
    """
    source = Path(source)
    if not source.exists():
        raise MissingError(f"There is no data at {source}.")
    return _read_folder(source, on_bad_row) if source.is_dir() else _read_file(source, on_bad_row)


def iter_rows(path: Path, on_bad_row: OnBadRow) -> Iterator[tuple[int, Row]]:
    """Read the rows of a manifest file as they stand, each with the number of its line.

    Args:
        path: a `.jsonl`, `.json` (a row a line), `.ndjson`, `.csv` or `.tsv` file.
        on_bad_row: is told of each line that is no row.

    Raises:
        UsageError: the file is of an unknown kind.
    """
    kind = path.suffix.lower()
    if kind in (".jsonl", ".json", ".ndjson"):
        return _json_rows(path, on_bad_row)
    if kind in (".csv", ".tsv"):
        return _csv_rows(path, on_bad_row, "\t" if kind == ".tsv" else ",")
    raise UsageError(f"{path} is no list of clips.", "Give a folder, or a .jsonl, .csv or .tsv file.")


def write_clips(path: Path | str, clips: Iterable[Clip]) -> None:
    """Write a `metadata.jsonl`, whole or not at all.

    Raises:
        UsageError: a sound lies outside the folder of the manifest.
        AudioJourneyError: the file cannot be written.
    """
    path = Path(path)
    write_bytes(path, b"".join(line(clip, path.parent) for clip in clips))


def append_clips(path: Path | str, clips: Iterable[Clip]) -> None:
    """Add clips to a `metadata.jsonl` in one write; a cut last line that a killed writer left is removed first.

    Raises:
        UsageError: a sound lies outside the folder of the manifest.
        AudioJourneyError: the file cannot be written; it is then as it was.
    """
    path = Path(path)
    lines = b"".join(line(clip, path.parent) for clip in clips)
    kept, ending = _whole_lines(path)
    append_bytes(path, ending + lines, keep=kept)


def file_sha256(path: Path | str) -> str:
    """Return the hash of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def has_list(folder: Path) -> bool:
    """Say whether `read_clips` reads a folder by lists, in itself or in folders of splits, not by its sounds."""
    return any(True for place in (folder, *_folders(folder)) for _ in _manifests(place))


def data_hash(clips: Iterable[Clip]) -> str:
    """Return a hash of ids, sounds, labels and captions, whatever the order of the clips and wherever they lie.

    Files whose `sha256` is not recorded are read.
    """
    rows = sorted(_content(clip) for clip in clips)
    return hashlib.sha256(json.dumps(rows).encode("ascii")).hexdigest()


def _content(clip: Clip) -> list[Any]:
    part = [repr(clip.offset_s), repr(clip.duration_s)] if clip.offset_s is not None else []
    captions = [caption.text for caption in clip.captions]
    return [clip.id, clip.sha256 or file_sha256(clip.path), part, list(clip.labels), captions]


def line(clip: Clip, folder: Path) -> bytes:
    """Return the row of a clip in a `metadata.jsonl` in `folder`, as JSON with its line end.

    Half surrogates, which UTF-8 cannot hold, become JSON escapes.

    Raises:
        UsageError: the sound lies outside the folder.
    """
    try:
        row = to_row(clip, folder)
    except RowError as error:
        raise UsageError(
            f"Clip {clip.id!r} cannot be written: {error}.", "Put the manifest above its sounds."
        ) from error
    return (json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", errors="backslashreplace")


def _whole_lines(path: Path) -> tuple[int, bytes]:
    """Return how many bytes of a manifest to keep, and the line end that they lack, if any; only its end is read."""
    if not path.is_file():
        return 0, b""
    with path.open("rb") as file:
        start = size = file.seek(0, io.SEEK_END)
        tail = b""
        while start and b"\n" not in tail:
            start = max(0, start - _TAIL_BYTES)
            file.seek(start)
            tail = file.read(size - start)
    last = tail[tail.rfind(b"\n") + 1 :]
    return (size, b"\n" if last else b"") if not last or _is_json(last) else (size - len(last), b"")


def _is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


def _read_folder(folder: Path, bad: OnBadRow) -> Iterator[Clip]:
    own = next(_manifests(folder), None)
    splits = [path for sub in _folders(folder) for path in [next(_manifests(sub), None)] if path]
    if own:
        yield from _read_file(own, bad)
    elif splits:
        for path in splits:
            clips = _clips(path, iter_rows(path, bad), bad, within=path.parent.name)
            yield from (clip if clip.split else replace(clip, split=path.parent.name) for clip in clips)
    else:
        yield from (_plain(path, folder) for path in _sounds(folder))


def _manifests(folder: Path) -> Iterator[Path]:
    return (folder / name for name in _MANIFESTS if (folder / name).is_file())


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))


def _sounds(folder: Path) -> Iterator[Path]:
    """Walk the sound files below a folder in a fixed order; hidden ones, such as those being written, are left out."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.suffix.lower() in SOUND_SUFFIXES and not hidden and path.is_file():
            yield path


def _plain(path: Path, folder: Path) -> Clip:
    name = path.relative_to(folder)
    text = path.with_suffix(".txt")
    lines = text.read_text(encoding="utf-8-sig", errors="replace").splitlines() if text.is_file() else []
    captions = tuple(Caption(line.strip()) for line in lines if line.strip())
    labels = (name.parent.name,) if name.parent.name else ()
    return Clip(path=path, id=name.as_posix(), labels=labels, captions=captions)


def _read_file(path: Path, bad: OnBadRow) -> Iterator[Clip]:
    return _clips(path, iter_rows(path, bad), bad)


def _clips(path: Path, rows: Iterator[tuple[int, Row]], bad: OnBadRow, within: str = "") -> Iterator[Clip]:
    """Make clips of rows; those without an id are called after their sounds, below `within` where that is given."""
    seen = FirstSeen()
    for line, row in rows:
        try:
            clip = to_clip(row, path.parent)
            if within and "id" not in row:  # sounds of two splits may be called alike
                clip = replace(clip, id=f"{within}/{clip.id}")
            first = seen.before(clip.id, line)
            if first is not None and "id" in row:
                raise RowError(f"the id {clip.id!r} is already that of line {first}")
            if first is not None:
                clip = replace(clip, id=f"{clip.id}#{line}")  # one sound in several rows, as for several captions
                seen.before(clip.id, line)
            yield clip
        except RowError as error:
            bad(BadRow(path, line, str(error)))


def _json_rows(path: Path, bad: OnBadRow) -> Iterator[tuple[int, Row]]:
    """Yield line numbers and objects; what is no object goes to `bad`."""
    with path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line, parse_constant=lambda name: None)  # NaN is no value
            except (ValueError, RecursionError) as error:
                if not line.endswith(b"\n"):
                    _log.warning("%s, line %d: the last line is cut and was left out.", path, number)
                else:
                    bad(BadRow(path, number, f"no JSON ({error})"))
                continue
            if isinstance(row, dict):
                yield number, row
            else:
                bad(BadRow(path, number, f"an object was expected, not {str(row)[:40]!r}"))


def _csv_rows(path: Path, bad: OnBadRow, delimiter: str) -> Iterator[tuple[int, Row]]:
    """Yield line numbers and objects of a table with a header line; empty cells count as absent."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        bad(BadRow(path, 1, f"not UTF-8 ({error.reason} at byte {error.start})"))
        return
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if None in row or None in row.values():
                bad(BadRow(path, reader.line_num, f"{len(reader.fieldnames or ())} cells were expected"))
            else:
                yield reader.line_num, {key: value for key, value in row.items() if value}
    except csv.Error as error:
        bad(BadRow(path, reader.line_num, f"no CSV ({error})"))
