"""What makes two runs the same: hashes of settings, models and inputs, and the seed of a clip."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from audiojourney import config as configuration
from audiojourney.recipes.recaption.config import RecaptionConfig

FORMAT = 1  # of the rows in parts; another number makes all stored work another run's
_SETTINGS = ("captioner", "model", "endpoint", "options", "clap", "seed", "dtype")


def settings_that_matter(config: RecaptionConfig) -> dict[str, Any]:
    """Return what captions and scores depend on: neither limits nor batches, threads, devices."""
    table = configuration.to_table({name: getattr(config, name) for name in _SETTINGS})
    table |= {"format": FORMAT, "candidates": config.count, "files": _dates(config.model) | _dates(config.examples)}
    return table


def digest(value: Any) -> str:
    """Return the hash of a plain value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def clip_seed(seed: int, clip_id: str) -> int:
    """Return the seed of a clip, below 2^31; it does not depend on its place, its shard or its batch."""
    text = f"{seed}\0{clip_id}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest()[:4], "big") >> 1


def _dates(path: str | Path | None) -> dict[str, list[int]]:
    """Return size and date of a local file, or of the files of a local folder; nothing for a name on the Hub."""
    if path is None or not Path(path).exists():
        return {}
    root = Path(path)
    files = [root] if root.is_file() else sorted(item for item in root.rglob("*") if item.is_file())
    return {str(file): [file.stat().st_size, file.stat().st_mtime_ns] for file in files}
