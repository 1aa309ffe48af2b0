"""Pictures that belong to a sound: frames of its video, or files that were cut out of it before."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from audiojourney.errors import ClipError, require

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
VIDEOS = (".mp4", ".mkv", ".webm", ".mov", ".avi", ".m4v")
MOST_PIXELS = 64_000_000


def frames_of(
    path: Path, fractions: Sequence[float], start_s: float = 0.0, length_s: float | None = None
) -> list[np.ndarray]:
    """Return frames of a video.

    Args:
        path: the video.
        fractions: places within the part, from 0 to 1.
        start_s: where the part begins.
        length_s: how long it is; to the end when None.

    Returns:
        uint8, each of shape (H, W, 3); the last frame before the place, or the first one there is.

    Raises:
        ClipError: `no_video` where the file has no pictures, `corrupt` where they cannot be decoded.
        MissingError: PyAV is not installed.
    """
    av = _av()
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            if not container.streams.video:
                raise ClipError("no_video", "the file has no pictures.", str(path))
            length = length_s if length_s is not None else _length_s(container) - start_s
            return [_frame(container, start_s + fraction * max(length, 0.0), path) for fraction in fractions]
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise ClipError("corrupt", f"its pictures cannot be decoded ({error}).", str(path)) from error


def picture(path: Path) -> np.ndarray:
    """Return a picture file as uint8, shape (H, W, 3).

    Raises:
        ClipError: it cannot be read.
        MissingError: PyAV is not installed.
    """
    return frames_of(path, (0.0,), length_s=0.0)[0]


def pictures_beside(folder: Path, stem: str) -> list[Path]:
    """Return the picture files of a clip in their order: those in `<folder>/<stem>/`, else `<folder>/<stem>*`."""
    inner = folder / stem
    places = inner.iterdir() if inner.is_dir() else folder.iterdir() if folder.is_dir() else ()
    own = [path for path in places if path.suffix.lower() in PICTURES]
    if not inner.is_dir():
        own = [path for path in own if path.stem == stem or path.stem.startswith((f"{stem}_", f"{stem}-"))]
    return sorted(own)


def at(fractions: Sequence[float], paths: Sequence[Path]) -> list[Path]:
    """Return the files at fractions of a list of files that lie evenly over a clip."""
    return [paths[min(math.floor(fraction * len(paths)), len(paths) - 1)] for fraction in fractions]


def video_beside(folder: Path, stem: str) -> Path | None:
    """Return the video of a clip, `<folder>/<stem>` with any of the known suffixes."""
    return next((path for suffix in VIDEOS if (path := folder / f"{stem}{suffix}").is_file()), None)


def _av() -> ModuleType:
    return require("av", extra="av", feature="Reading pictures")


def _length_s(container: Any) -> float:
    """Return the length of a video, 0 where it is not known."""
    return float(container.duration) / 1_000_000 if container.duration else 0.0


def _frame(container: Any, moment_s: float, path: Path) -> np.ndarray:
    """Return the last frame up to a moment; shape (H, W, 3)."""
    stream = container.streams.video[0]
    if moment_s > 0 and stream.time_base:
        container.seek(int(moment_s / stream.time_base), stream=stream, backward=True)
    found = None
    for frame in container.decode(stream):
        if found is not None and frame.time is not None and frame.time > moment_s + 1e-6:
            break
        found = frame
        if frame.time is None or frame.time >= moment_s:
            break
    if found is None:
        raise ClipError("no_video", f"there is no frame at {moment_s:.2f} s.", str(path))
    if found.width * found.height > MOST_PIXELS:
        raise ClipError("no_video", f"a frame of {found.width} x {found.height} is too large.", str(path))
    return np.asarray(found.to_ndarray(format="rgb24"))
