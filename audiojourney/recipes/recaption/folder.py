"""The folder that a run keeps its work in, and the files of one shard there.

    .recaption/<key>/run.json                 what the run is: key, settings, models, number of shards
                     part-000003.clips.jsonl  the clips of shard 3 as they were found
                     part-000003.sub/         what is finished of it so far
                     part-000003.inflight     the clips that are being worked on
                     part-000003.jsonl        its rows, its failures, and the marker that says that both are whole
                     part-000003.errors.jsonl
                     part-000003.done         or part-000003.failed, where too many clips failed

Everything is written under another name, flushed and renamed; the marker comes last.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from audiojourney import files
from audiojourney.data.manifest import file_sha256
from audiojourney.recipes.recaption.inputs import Job, job_line, read_job

HIDDEN = ".recaption"
RUN = "run.json"
_FLIGHT_BYTES = 2**16
Item = dict[str, Any]


@dataclass(frozen=True)
class Outcome:
    """What became of one clip: a row or a failure.

    Attributes:
        id: the clip.
        item: the row, or `code`, `stage` and `reason` of the failure.
        failed: which of the two.
    """

    id: str
    item: Item
    failed: bool = False

    def line(self) -> Item:
        """Return the outcome as it is stored in a sub-part."""
        return {"id": self.id, "error" if self.failed else "row": self.item}


class Part:
    """The files of one shard.

    Args:
        folder: of the run.
        number: of the shard.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self.folder, self.number = folder, number
        self.name = f"part-{number:06d}"
        self.clips = folder / f"{self.name}.clips.jsonl"
        self.rows = folder / f"{self.name}.jsonl"
        self.errors = folder / f"{self.name}.errors.jsonl"
        self.marker = folder / f"{self.name}.done"
        self.failed = folder / f"{self.name}.failed"
        self.subs = folder / f"{self.name}.sub"
        self.flight = folder / f"{self.name}.inflight"

    @property
    def root(self) -> Path:
        """The folder that names of sounds are relative to: that of the output."""
        return self.folder.parent.parent

    def write_jobs(self, jobs: Iterable[Job]) -> None:
        """Store the clips of the shard."""
        files.write_bytes(self.clips, encode(job_line(job, self.root) for job in jobs))

    def read_jobs(self) -> list[Job]:
        """Return the clips of the shard."""
        with self.clips.open("rb") as file:
            return [read_job(line, self.root) for line in file]

    def read_marker(self) -> Item | None:
        """Return the marker of a finished shard, or None: without its files, or with others, it does not count."""
        return self._valid(self.marker)

    def read_failed_marker(self) -> Item | None:
        """Return the marker of a failed shard, or None."""
        return self._valid(self.failed)

    def glance(self) -> int:
        """Return how many clips the marker speaks of, 0 without one; the files are not looked at."""
        try:
            marker = json.loads(self.marker.read_bytes())
            return int(marker["rows"]) + int(marker["errors"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def _valid(self, path: Path) -> Item | None:
        try:
            marker = json.loads(path.read_bytes())
            whole = (
                marker["output_sha256"] == file_sha256(self.rows)
                and marker["errors_sha256"] == file_sha256(self.errors)
                and marker["input_sha256"] == file_sha256(self.clips)
            )
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return marker if whole else None

    def finish(self, outcomes: Sequence[Outcome], about: Item, *, failed: bool = False) -> Item:
        """Write rows, failures and then the marker, and remove what led to them.

        Args:
            outcomes: what became of the clips, in their order.
            about: what else the marker says.
            failed: too much went wrong: write the marker of a failed shard.

        Returns:
            The marker.
        """
        rows = encode({"id": outcome.id, **outcome.item} for outcome in outcomes if not outcome.failed)
        failures = encode({"id": outcome.id, **outcome.item} for outcome in outcomes if outcome.failed)
        files.write_bytes(self.rows, rows)
        files.write_bytes(self.errors, failures)
        count = sum(outcome.failed for outcome in outcomes)
        marker = {
            "shard": self.number,
            "rows": len(outcomes) - count,
            "errors": count,
            "input_sha256": file_sha256(self.clips),
            "output_sha256": hashlib.sha256(rows).hexdigest(),
            "errors_sha256": hashlib.sha256(failures).hexdigest(),
            **about,
        }
        files.write_json(self.failed if failed else self.marker, marker)
        (self.marker if failed else self.failed).unlink(missing_ok=True)
        self._tidy()
        return marker

    def reopen(self) -> None:
        """Let a finished shard count as a failed one, so that it is done again."""
        self.marker.replace(self.failed)

    def read_failed(self, errors: bool) -> list[Outcome]:
        """Return the rows of a failed shard, and with `errors` its failures too."""
        if self._valid(self.failed) is None:
            return []
        found = [_stored(line, failed=False) for line in self.rows.read_bytes().splitlines()]
        return found + [_stored(line, failed=True) for line in self.errors.read_bytes().splitlines() if errors]

    def write_sub(self, start: int, outcomes: Sequence[Outcome]) -> None:
        """Store what became of the clips from number `start` of the shard on."""
        files.write_bytes(self.subs / f"{start:08d}.jsonl", encode(outcome.line() for outcome in outcomes))

    def read_subs(self, ids: Sequence[str]) -> list[Outcome]:
        """Return what became of the first clips of the shard, so far as sub-parts tell without a gap."""
        found: list[Outcome] = []
        while True:
            path = self.subs / f"{len(found):08d}.jsonl"
            try:
                items = [json.loads(line) for line in path.read_bytes().splitlines()]
                outcomes = [Outcome(i["id"], i.get("row") or i["error"], "error" in i) for i in items]
            except (OSError, ValueError, KeyError):
                return found
            if not outcomes or [one.id for one in outcomes] != list(ids[len(found) : len(found) + len(outcomes)]):
                return found
            found += outcomes

    def set_flight(self, ids: Sequence[str]) -> None:
        """Say which clips are worked on, in place of what was said before.

        Lines are added, and the last whole one counts: a rename for every batch would cost milliseconds on many file
        systems. Nothing is flushed, since this is read after the end of a process, not of the machine.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        long = self.flight.is_file() and self.flight.stat().st_size > _FLIGHT_BYTES
        with self.flight.open("wb" if long else "ab", buffering=0) as file:
            file.write(b"\n" + json.dumps(list(ids)).encode("ascii") + b"\n")  # the line before may be cut

    def read_flight(self) -> list[str]:
        """Return the clips that were worked on when the work on this shard ended; [] when it ended in order."""
        try:
            whole = [line for line in self.flight.read_bytes().split(b"\n")[:-1] if line]
            return [str(item) for item in json.loads(whole[-1])] if whole else []
        except (OSError, ValueError):
            return []

    def clear_flight(self) -> None:
        """Say that no clip is worked on."""
        self.flight.unlink(missing_ok=True)

    def _tidy(self) -> None:
        self.clear_flight()
        with suppress(OSError):
            for path in self.subs.iterdir():
                path.unlink()
            self.subs.rmdir()


def _stored(line: bytes, *, failed: bool) -> Outcome:
    item = json.loads(line)
    return Outcome(item.pop("id"), item, failed)


def encode(items: Iterable[Item]) -> bytes:
    """Return JSON lines; half surrogates, which UTF-8 cannot hold, become JSON escapes."""
    lines = (json.dumps(item, ensure_ascii=False, allow_nan=False) + "\n" for item in items)
    return "".join(lines).encode("utf-8", errors="backslashreplace")


def parts(folder: Path, count: int) -> list[Part]:
    """Return the parts of a run of `count` shards."""
    return [Part(folder, number) for number in range(count)]


def read_run(folder: Path) -> Item | None:
    """Return what `run.json` says, or None where there is none."""
    try:
        loaded = json.loads((folder / RUN).read_bytes())
    except (OSError, ValueError):
        return None
    return loaded if isinstance(loaded, dict) and "request" in loaded and "shards" in loaded else None


def runs(output: Path) -> Iterator[tuple[Path, Item]]:
    """Yield the runs whose work lies beside an output, and what they are."""
    hidden = output.parent / HIDDEN
    for folder in sorted(hidden.iterdir()) if hidden.is_dir() else ():
        about = read_run(folder) if folder.is_dir() else None
        if about is not None:
            yield folder, about
