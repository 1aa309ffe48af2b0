"""What a run is trained on, seen from outside: clips, or single files such as a word table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from audiojourney.data.clip import Clip
from audiojourney.data.manifest import data_hash, file_sha256, read_clips

MANIFESTS = (".jsonl", ".json", ".csv", ".tsv")
NAMED = 2000  # owners of clips that are named one by one


def clip_sources(data: Sequence[Path]) -> list[Path]:
    """Return the folders and manifests of clips among the data of a run."""
    return [path for path in data if path.suffix in MANIFESTS or not path.is_file()]


def clips_of(data: Sequence[Path]) -> list[Clip]:
    """Return all clips of a run.

    Raises:
        MissingError: a folder is not there.
    """
    return [clip for path in clip_sources(data) for clip in read_clips(path)]


def describe_data(data: Sequence[Path]) -> dict[str, Any]:
    """Return number, hash, licences and owners of the clips, and the hashes of single files."""
    clips, sources = clips_of(data), clip_sources(data)
    owners = sorted({clip.attribution for clip in clips if clip.attribution})
    described: dict[str, Any] = {
        "clips": len(clips),
        "hours": hours(clips),
        "sha256": data_hash(clips),
        "datasets": dict(Counter(clip.dataset for clip in clips)),
        "licences": dict(sorted(Counter(clip.licence for clip in clips).items())),
        "attribution": owners if len(owners) <= NAMED else f"{len(owners)} owners; the manifests name them",
    }
    files = {path.name: file_sha256(path) for path in data if path not in sources}
    return {**described, "files": files} if files else described


def hours(clips: Sequence[Clip]) -> float | None:
    """Return the length of clips, None where the manifest of one does not state it."""
    lengths = [clip.duration_s for clip in clips]
    return None if None in lengths else sum(length or 0.0 for length in lengths) / 3600
