"""All parts of a run to one list: each caption judged, those that are kept first, in the order of the input."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from audiojourney import files
from audiojourney.captions.duplicates import Duplicates, SoundHash
from audiojourney.captions.filters import FilterConfig, Row, code_of, judge, mark, score_of
from audiojourney.data.manifest import file_sha256
from audiojourney.data.rows import to_row
from audiojourney.recipes.recaption.folder import HIDDEN, Item, Part, encode
from audiojourney.recipes.recaption.inputs import place

DEFAULT_OUTPUT = "captions.jsonl"
ERRORS = "errors.jsonl"


@dataclass(frozen=True)
class Counts:
    """What became of the clips and captions of an output.

    Attributes:
        rows: clips in the output.
        errors: clips and input rows that failed.
        captions: captions in the output.
        kept: captions that are kept.
        kept_clips: clips with a caption that is kept.
        dropped: captions that are not, by the code of the reason.
        score_sum: sum of the scores of the captions that are kept and have one.
        scored: number of these.
    """

    rows: int = 0
    errors: int = 0
    captions: int = 0
    kept: int = 0
    kept_clips: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    score_sum: float = 0.0
    scored: int = 0

    @property
    def mean_score(self) -> float | None:
        """Mean score of the captions that are kept, or None without any."""
        return self.score_sum / self.scored if self.scored else None


@dataclass(frozen=True)
class Stamp:
    """How an output was made, stored in the hidden folder beside it.

    Attributes:
        request: hash of settings and inputs.
        key: the same with the models: name of the folder of the run.
        limits: hash of what captions had to meet.
        output_sha256: hash of the output.
        errors: name of the file of failures, "" without any.
        counts: what became of the clips.
    """

    request: str
    key: str
    limits: str
    output_sha256: str
    errors: str
    counts: Counts


def stamp_path(output: Path) -> Path:
    """Return where the stamp of an output lies."""
    return output.parent / HIDDEN / f"{output.name}.json"


def read_stamp(output: Path) -> Stamp | None:
    """Return how an output was made; None where it is absent, or has changed since, or is none of ours."""
    try:
        loaded = json.loads(stamp_path(output).read_bytes())
        stamp = Stamp(**{**loaded, "counts": Counts(**loaded["counts"])})
        whole = stamp.output_sha256 == file_sha256(output)
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return stamp if whole and (not stamp.errors or (output.parent / stamp.errors).is_file()) else None


def merge(
    parts: Sequence[Part], output: Path, limits: FilterConfig, failures: Sequence[Item], about: Mapping[str, str]
) -> Stamp:
    """Write the output, the list of failures and the stamp.

    Args:
        parts: all parts of the run, finished.
        output: the list to write.
        limits: what a caption must meet to be kept.
        failures: rows of the input that are no clips.
        about: `request`, `key` and `limits` of the stamp.

    Raises:
        AudioJourneyError: a file cannot be written.
    """
    earlier = read_stamp(output)
    tally, duplicates, digest = _Tally(), Duplicates(limits.dedupe, sound_hash(output.parent)), hashlib.sha256()
    with files.replacing(output) as temporary, temporary.open("wb") as file:
        for part in parts:
            for row in part_rows(part):
                marked = judged(row, limits, duplicates)
                tally.add(marked)
                line = encode([marked])
                digest.update(line)
                file.write(line)
    errors = [*failures, *(item for part in parts for item in part_failures(part))]
    name = errors_name(output, earlier)
    if errors:
        files.write_bytes(output.parent / name, encode(errors))
    elif earlier and earlier.errors:
        (output.parent / earlier.errors).unlink(missing_ok=True)
    counts = tally.counts(len(errors))
    stamp = Stamp(**about, output_sha256=digest.hexdigest(), errors=name if errors else "", counts=counts)
    files.write_json(stamp_path(output), asdict(stamp))
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


def errors_name(output: Path, earlier: Stamp | None) -> str:
    """Return the name of the list of failures: `errors.jsonl`, unless there is one that is not of this output."""
    if earlier and earlier.errors:
        return earlier.errors
    own = f"{output.stem}.errors.jsonl"
    return own if (output.parent / ERRORS).exists() or output.name != DEFAULT_OUTPUT else ERRORS


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
