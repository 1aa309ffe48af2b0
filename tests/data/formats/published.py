"""Small data sets laid out as their publishers lay them out, with the quirks that were met there."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import soundfile

from audiojourney.data.formats.base import Source
from audiojourney.data.formats.names import load_reader
from audiojourney.data.formats.sounds import Sounds

RATE_HZ = 8000
VIDEO, DASHED = "Ab1_x-yZ012", "-dashedID99"


def sound_bytes(seconds: float = 0.1, format: str = "WAV") -> bytes:
    """A quiet tone."""
    wave = 0.1 * np.sin(np.arange(round(seconds * RATE_HZ)) / 5)
    buffer = io.BytesIO()
    soundfile.write(buffer, wave.astype(np.float32), RATE_HZ, format=format, subtype="PCM_16")
    return buffer.getvalue()


def put_sound(path: Path, seconds: float = 0.1) -> Path:
    """Write a quiet tone, in the format that the suffix names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(sound_bytes(seconds, {".flac": "FLAC", ".wav": "WAV"}[path.suffix]))
    return path


def put_text(path: Path, text: str, encoding: str = "utf-8") -> Path:
    """Write a text as it is, line ends included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def put_tar(path: Path, members: dict[str, bytes]) -> Path:
    """Write a tar of these files, in their order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def laion_members(number: int) -> dict[str, bytes]:
    """One clip of LAION's."""
    about = {"text": ["The sounds of Dog and Door"], "tag": ["Dog", "Door"], "original_data": {"title": f"t{number}"}}
    return {f"{number}.flac": sound_bytes(format="FLAC"), f"{number}.json": json.dumps(about).encode()}


def read_all(format: str, path: Path, audio: Path | None = None, **fields: object) -> tuple[list, list]:
    """Read a data set; returns its clips and its failures."""
    beside = path if path.is_dir() else path.parent
    source = Source(path=path, sounds=Sounds(audio or beside), unpack=beside / "unpacked", **fields)
    items = list(load_reader(format)(source))
    clips = [item for item in items if hasattr(item, "captions")]
    return clips, [item for item in items if not hasattr(item, "captions")]
