"""AudioFolder: a folder a split, each with `metadata.jsonl` and its sounds."""

from __future__ import annotations

from audiojourney.data.clip import Clip
from audiojourney.data.formats.export.base import LineFiles, Shard, Writer, WriterOptions, put_sound, split_name
from audiojourney.data.formats.stored import StoredSound, placed
from audiojourney.data.manifest import NAME
from audiojourney.data.rows import to_row


class AudioFolderWriter(Writer):
    """Writes `SPLIT/metadata.jsonl` and `SPLIT/audio/`."""

    def __init__(self, options: WriterOptions) -> None:
        super().__init__(options)
        self._lists = LineFiles(options.folder)

    def add(self, clip: Clip, sound: StoredSound) -> None:
        """Write a sound and its row."""
        split = split_name(clip)
        path = put_sound(self.options.folder, f"{split}/audio", clip, sound)
        self._lists.add(f"{split}/{NAME}", to_row(placed(clip, sound, path), self.options.folder / split))

    def close(self) -> list[Shard]:
        """Finish the lists."""
        self._lists.close()
        return []

    def abandon(self) -> None:
        """Close the lists."""
        self._lists.close()
