"""Names of output files: from the prompt, safe everywhere, never that of another file."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from audiojourney.errors import UsageError
from audiojourney.registry import offer

FORMATS = ("wav", "flac", "ogg")
# A suffix that names a sound, though not one that is written here, is a wrong format and no folder.
_OTHER_SOUNDS = ("mp3", "m4a", "aac", "opus", "aif", "aiff", "wma", "webm", "mp4")
_WORDS = 6
_LETTERS = 48
_RESERVED = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)$", re.IGNORECASE)


def slug(text: str) -> str:
    """Return the first words of a text in `[a-z0-9-]`; a hash where nothing of it can be written so."""
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    words = re.findall(r"[a-z0-9]+", folded.replace("'", ""))[:_WORDS]
    name = "-".join(words)[:_LETTERS].strip("-")
    return name or f"sound-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def safe_id(name: str) -> str:
    """Return an id as a file name; letters that a file system may refuse become `-`."""
    folded = re.sub(r"[^\w.-]+", "-", name).strip("-.")[:100]
    if not folded:
        return slug(name)
    return f"{folded}-" if _RESERVED.match(folded) else folded


def output_format(output: str, wanted: str | None, default: str) -> str:
    """Return the audio format: the suffix of an output file, the wanted one, or the default.

    Raises:
        UsageError: an unknown format, or two that differ.
    """
    if wanted is not None and wanted not in FORMATS:
        raise UsageError(f"Sounds cannot be written as {wanted!r}.", offer(wanted, FORMATS))
    suffix = Path(output).suffix[1:].lower()
    if not is_file(output):
        return wanted or default
    if suffix not in FORMATS:
        raise UsageError(f"{output!r}: sounds cannot be written as {suffix!r}.", f"Use {', '.join(FORMATS)}.")
    if wanted is not None and wanted != suffix:
        raise UsageError(f"The output {output!r} and the format {wanted!r} disagree.", "Give one of them.")
    return suffix


def is_file(output: str) -> bool:
    """Say whether an output names a sound file rather than a folder or `-`."""
    if output == "-" or output.endswith(("/", "\\")) or Path(output).is_dir():
        return False
    return Path(output).suffix[1:].lower() in (*FORMATS, *_OTHER_SOUNDS)


def free(path: Path, beside: Sequence[str] = ()) -> Path:
    """Return `path`, or the first of `name-2`, `name-3`, ... that is free together with its files beside it.

    Args:
        path: the wanted file.
        beside: suffixes of further files of that name.
    """
    number, candidate = 2, path
    while any(candidate.with_suffix(suffix).exists() for suffix in (path.suffix, *beside)):
        candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
        number += 1
    return candidate
