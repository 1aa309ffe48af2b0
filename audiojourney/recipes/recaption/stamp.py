"""How an output was made, known at any moment: while it takes the place of another, both are known.

Beside an output `captions.jsonl` lie `.recaption/captions.jsonl.json`, its stamp, and for a moment
`.recaption/captions.jsonl.next.json`, that of the output that is about to take its place.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from audiojourney import files
from audiojourney.data.manifest import file_sha256
from audiojourney.recipes.recaption.folder import HIDDEN

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
        errors_sha256: hash of that file, "" without any.
        counts: what became of the clips.
    """

    request: str
    key: str
    limits: str
    output_sha256: str
    errors: str
    errors_sha256: str
    counts: Counts


def read_stamp(output: Path) -> Stamp | None:
    """Return how an output was made; None where it is absent, or has changed since, or is none of ours."""
    try:
        sha256 = file_sha256(output)
    except OSError:
        return None
    whole = (stamp for stamp in _stamps(output) if stamp.output_sha256 == sha256)
    return next((stamp for stamp in whole if not stamp.errors or (output.parent / stamp.errors).is_file()), None)


def announce(output: Path, stamp: Stamp) -> None:
    """Store the stamp of an output that is about to take its place; that of the one before still counts.

    Raises:
        AudioJourneyError: it cannot be written.
    """
    files.write_json(_next_path(output), asdict(stamp))


def confirm(output: Path) -> None:
    """Let the stamp that was announced be the only one: the output has taken its place.

    Another run that writes the same output may have done so already.
    """
    with suppress(FileNotFoundError):
        _next_path(output).replace(_stamp_path(output))


def errors_name(output: Path) -> str:
    """Return the name of the list of failures: `errors.jsonl`, unless there is one that is not of this output."""
    if output.name == DEFAULT_OUTPUT and (not (output.parent / ERRORS).exists() or is_ours(output, ERRORS)):
        return ERRORS
    return own_errors(output)


def own_errors(output: Path) -> str:
    """Return the name of a list of failures that cannot be taken for that of another output."""
    return f"{output.stem}.errors.jsonl"


def is_ours(output: Path, name: str) -> bool:
    """Say whether a list of failures beside an output is as a run for that output has left it."""
    try:
        sha256 = file_sha256(output.parent / name)
    except OSError:
        return False
    return any((stamp.errors, stamp.errors_sha256) == (name, sha256) for stamp in _stamps(output))


def _stamps(output: Path) -> Iterator[Stamp]:
    for path in (_stamp_path(output), _next_path(output)):
        with suppress(OSError, ValueError, TypeError, KeyError):
            loaded = json.loads(path.read_bytes())
            yield Stamp(**{**loaded, "counts": Counts(**loaded["counts"])})


def _stamp_path(output: Path) -> Path:
    return output.parent / HIDDEN / f"{output.name}.json"


def _next_path(output: Path) -> Path:
    return output.parent / HIDDEN / f"{output.name}.next.json"
