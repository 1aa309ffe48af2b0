"""All parts of a run to one list: each caption judged, those that are kept first, in the order of the input."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from audiojourney import files
from audiojourney.captions.duplicates import Duplicates, SoundHash
from audiojourney.captions.filters import FilterConfig, Row, code_of, judge, mark, score_of
from audiojourney.data.manifest import file_sha256
from audiojourney.data.rows import to_row
from audiojourney.recipes.recaption.folder import Item, Part, encode
from audiojourney.recipes.recaption.inputs import place
from audiojourney.recipes.recaption.stamp import (
    ERRORS,
    Counts,
    Stamp,
    announce,
    confirm,
    errors_name,
    is_ours,
    own_errors,
)


def merge(
    parts: Sequence[Part], output: Path, limits: FilterConfig, failures: Sequence[Item], about: Mapping[str, str]
) -> Stamp:
    """Write the output, the list of failures and the stamp.

    Whenever this is killed, the output that is there is known by a stamp.

    Args:
        parts: all parts of the run, finished.
        output: the list to write.
        limits: what a caption must meet to be kept.
        failures: rows of the input that are no clips.
        about: `request`, `key` and `limits` of the stamp.

    Raises:
        AudioJourneyError: a file cannot be written.
    """
    tally, duplicates, digest = _Tally(), Duplicates(limits.dedupe, sound_hash(output.parent)), hashlib.sha256()
    errors = encode([*failures, *(item for part in parts for item in part_failures(part))])
    with files.replacing(output) as temporary:
        with temporary.open("wb") as file:
            for part in parts:
                for row in part_rows(part):
                    marked = judged(row, limits, duplicates)
                    tally.add(marked)
                    line = encode([marked])
                    digest.update(line)
                    file.write(line)
        stamp = Stamp(
            **about,
            output_sha256=digest.hexdigest(),
            errors=errors_name(output) if errors else "",
            errors_sha256=hashlib.sha256(errors).hexdigest() if errors else "",
            counts=tally.counts(errors.count(b"\n")),
        )
        announce(output, stamp)
        if errors:
            files.write_bytes(output.parent / stamp.errors, errors)
    for name in (ERRORS, own_errors(output)):
        if name != stamp.errors and is_ours(output, name):
            (output.parent / name).unlink(missing_ok=True)
    confirm(output)
    return stamp


def part_rows(part: Part) -> Iterator[Item]:
    """Yield what the input said of each clip of a part, with what was found of it instead of its captions."""
    jobs = {job.clip.id: job for job in part.read_jobs()}
    with part.rows.open("rb") as lines:
        for line in lines:
            found = json.loads(line)
            clip = jobs[found["id"]].clip
            row = to_row(clip, clip.path.parent) | {"file_name": place(clip.path, part.root)}
            earlier = {"earlier_captions": row["captions"]}
            yield row | {name: found[name] for name in ("captions", "raw", "checks")} | earlier


def part_failures(part: Part) -> Iterator[Item]:
    """Yield the failures of a part."""
    jobs = {job.clip.id: job for job in part.read_jobs()}
    with part.errors.open("rb") as lines:
        for line in lines:
            item = json.loads(line)
            yield {"id": item["id"], "file_name": place(jobs[item["id"]].clip.path, part.root)} | item


def judged(row: Item, limits: FilterConfig, duplicates: Duplicates) -> Item:
    """Return a row with verdicts, what is kept first and best, and its text the best of it."""
    marked = mark(row, duplicates.judge(row, judge(row, limits)))
    captions = sorted(marked["captions"], key=_rank)
    best = captions[0] if captions and captions[0]["kept"] else None
    return marked | {"text": best["text"] if best else "", "captions": captions}


def sound_hash(root: Path) -> SoundHash:
    """Return what gives the hash of a row's sound; the file is read where the row does not tell."""

    def found(row: Row) -> str:
        """Return the hash of the file, "" where it cannot be read."""
        if row.get("sha256"):
            return str(row["sha256"])
        try:
            return file_sha256(root / row["file_name"])
        except OSError:
            return ""

    return found


class _Tally:
    """Counts what goes into an output."""

    def __init__(self) -> None:
        self.rows = self.captions = self.kept = self.kept_clips = self.scored = 0
        self.score_sum = 0.0
        self.dropped: Counter[str] = Counter()

    def add(self, row: Item) -> None:
        """Count a judged row."""
        kept = [caption for caption in row["captions"] if caption["kept"]]
        scores = [score for score in map(score_of, kept) if score is not None]
        self.rows += 1
        self.captions += len(row["captions"])
        self.kept += len(kept)
        self.kept_clips += bool(kept)
        self.scored += len(scores)
        self.score_sum += sum(scores)
        self.dropped.update(code_of(caption["reason"]) for caption in row["captions"] if not caption["kept"])

    def counts(self, errors: int) -> Counts:
        """Return the sums."""
        return Counts(
            rows=self.rows,
            errors=errors,
            captions=self.captions,
            kept=self.kept,
            kept_clips=self.kept_clips,
            dropped=dict(sorted(self.dropped.items())),
            score_sum=self.score_sum,
            scored=self.scored,
        )


def _rank(caption: Item) -> tuple[bool, float]:
    score = score_of(caption) if caption["kept"] else None
    return not caption["kept"], -score if score is not None else 0.0
