"""WebDataset: tars of `key.flac`, `key.json`, `key.txt`, equal bytes for equal clips.

A reader of tars does not notice that one was cut, so beside each lies `NAME.idx.jsonl` with the place, size and hash of
every sound, and `sizes.json` with the number of clips of all.
"""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path

from audiojourney import files
from audiojourney.data.clip import Clip
from audiojourney.data.formats.export.base import LineFiles, Shard, Writer, WriterOptions, split_name
from audiojourney.data.formats.stable_rows import to_stable
from audiojourney.data.formats.stored import StoredSound, key_of
from audiojourney.data.rows import Row, to_row

_BLOCK = 512
_MODE = 0o644


class WebDatasetWriter(Writer):
    """Writes `SPLIT-000000.tar` and so on."""

    def __init__(self, options: WriterOptions) -> None:
        super().__init__(options)
        self._open: dict[str, _Tar] = {}
        self._shards: list[Shard] = []
        self._numbers: dict[str, int] = {}

    def add(self, clip: Clip, sound: StoredSound) -> None:
        """Add a clip to the tar of its split, or begin the next one."""
        split = split_name(clip)
        tar = self._open.get(split)
        if tar and (tar.clips >= self.options.shard_clips or tar.size + len(sound.data) > self.options.shard_bytes):
            self._finish(split)
            tar = None
        if tar is None:
            number = self._numbers[split] = self._numbers.get(split, -1) + 1
            tar = self._open[split] = _Tar(self.options.folder / f"{split}-{number:06d}.tar")
        tar.add(clip, sound)

    def close(self) -> list[Shard]:
        """Finish all tars, and write how many clips each holds."""
        for split in sorted(self._open):
            self._finish(split)
        shards = sorted(self._shards, key=lambda shard: shard.name)
        files.write_json(self.options.folder / "sizes.json", {shard.name: shard.clips for shard in shards})
        return shards

    def abandon(self) -> None:
        """Close the tars as they are."""
        for tar in self._open.values():
            tar.close()

    def _finish(self, split: str) -> None:
        tar = self._open.pop(split)
        tar.close()
        self._shards.append(Shard.of(self.options.folder, tar.path, tar.clips))


class _Tar:
    """A tar that grows."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.clips = 0
        self._file = path.open("wb")
        self._tar = tarfile.open(fileobj=self._file, mode="w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115
        self._index = LineFiles(path.parent)

    @property
    def size(self) -> int:
        """Size so far."""
        return self._file.tell()

    def add(self, clip: Clip, sound: StoredSound) -> None:
        """Add the sound of a clip, its columns, and its first caption."""
        key = key_of(clip.id)
        columns = stable_columns(clip, sound)
        place = self._file.tell() + _BLOCK
        self._member(f"{key}.{sound.suffix}", sound.data)
        self._member(f"{key}.json", json.dumps(columns, ensure_ascii=False).encode("utf-8", "backslashreplace"))
        self._member(f"{key}.txt", clip.text.encode("utf-8", "backslashreplace"))
        row = {"key": key, "id": clip.id, "offset": place, "size": len(sound.data), "sha256": columns["sha256"]}
        self._index.add(f"{self.path.stem}.idx.jsonl", row | {"duration": sound.duration_s})
        self.clips += 1

    def close(self) -> None:
        """Write the end mark."""
        self._tar.close()
        self._file.close()
        self._index.close()

    def _member(self, name: str, data: bytes) -> None:
        """Add a file; owner and time are those of nobody at no time, so that equal clips give equal tars."""
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), _MODE
        self._tar.addfile(info, io.BytesIO(data))
        self._tar.members = []  # type: ignore[attr-defined]  # it would keep them all


def stable_columns(clip: Clip, sound: StoredSound) -> Row:
    """Return the columns of a clip whose sound lies in the same archive."""
    row = to_row(replace(clip, path=Path("sound")), Path())
    return to_stable(
        row,
        duration_s=sound.duration_s,
        rate_hz=sound.rate_hz,
        channels=sound.channels,
        sha256=sound.sha256,
    )
