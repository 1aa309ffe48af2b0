"""Waveforms of many clips in one memory-mapped file, so that training reads any crop without decoding.

T samples.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audiojourney import files, hub
from audiojourney.data.clip import Clip, load_clip
from audiojourney.data.manifest import read_clips
from audiojourney.errors import ClipError, MissingError

SILENT = 1e-4  # a crop whose peak stays below this is drawn again
TRIES = 10


@dataclass(frozen=True)
class WaveBank:
    """Mono clips at one rate.

    Attributes:
        samples: int16, all clips one after another.
        starts: first sample of each clip and the end of the last, int64.
        clips: their records, in the same order.
        rate_hz: sampling rate.
        key: name of what went into the bank.
    """

    samples: np.ndarray
    starts: np.ndarray
    clips: tuple[Clip, ...]
    rate_hz: int
    key: str

    def __len__(self) -> int:
        return len(self.clips)

    def wave(self, index: int) -> np.ndarray:
        """Return clip `index`, float32 in [-1, 1], shape (T,)."""
        return self.samples[self.starts[index] : self.starts[index + 1]].astype(np.float32) / 32768

    def crop(self, index: int, samples: int, rng: np.random.Generator) -> np.ndarray:
        """Return a random crop of clip `index`, float32, shape (samples,); a shorter clip is followed by silence."""
        start, end = int(self.starts[index]), int(self.starts[index + 1])
        out = np.zeros(samples, np.float32)
        for _ in range(TRIES):
            offset = start + int(rng.integers(max(1, end - start - samples + 1)))
            piece = self.samples[offset : min(end, offset + samples)]
            if np.abs(piece).max(initial=0) > SILENT * 32768:
                break
        out[: len(piece)] = piece.astype(np.float32) / 32768
        return out

    def select(self, keep: Callable[[Clip], bool]) -> list[int]:
        """Return the numbers of the clips for which `keep` holds."""
        return [i for i, clip in enumerate(self.clips) if keep(clip)]


def open_bank(folders: Sequence[Path], rate_hz: int, *, keep: Callable[[Clip], bool] = lambda clip: True) -> WaveBank:
    """Decode the clips of data folders once and map the result.

    The decoded file lies in the cache of the package, named by what went into it.

    Raises:
        MissingError: no clip is left to use.
    """
    clips = [clip for folder in folders for clip in read_clips(folder) if keep(clip)]
    if not clips:
        raise MissingError(
            f"No clip to train on in {', '.join(map(str, folders))}.", "Make some with: aj data scenes OUT"
        )
    key = _key(clips, rate_hz)
    path = hub.cache("banks") / f"{key}.i16"
    if not path.with_suffix(".json").is_file():
        _decode(clips, rate_hz, path)
    index = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
    samples = np.memmap(path, np.int16, mode="r")
    return WaveBank(samples, np.array(index["starts"]), tuple(clips[i] for i in index["used"]), rate_hz, key)


def _key(clips: Sequence[Clip], rate_hz: int) -> str:
    digest = hashlib.sha256(str(rate_hz).encode())
    for clip in clips:
        stat = clip.path.stat()
        part = f"{clip.path}\0{stat.st_size}\0{stat.st_mtime_ns}\0{clip.offset_s}\0{clip.duration_s}\n"
        digest.update(part.encode(errors="surrogateescape"))
    return digest.hexdigest()[:24]


def _decode(clips: Sequence[Clip], rate_hz: int, path: Path) -> None:
    """Write samples, then the index that says they are complete; clips that cannot be read are left out."""
    starts, used = [0], []
    with files.replacing(path) as part, part.open("wb") as file:
        for i, clip in enumerate(clips):
            try:
                wave = load_clip(clip, rate_hz)
            except ClipError:
                continue
            file.write((np.clip(wave, -1, 1) * 32767).round().astype(np.int16).tobytes())
            starts.append(starts[-1] + len(wave))
            used.append(i)
    files.write_json(path.with_suffix(".json"), {"starts": starts, "used": used})
