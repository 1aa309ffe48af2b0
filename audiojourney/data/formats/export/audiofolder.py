"""AudioFolder: a folder a split, each with `metadata.jsonl` and its sounds."""

from __future__ import annotations

from audiojourney.data.clip import Clip
from audiojourney.data.formats.export.base import ListWriter, put_sound, split_name
from audiojourney.data.formats.stored import StoredSound, placed
from audiojourney.data.manifest import NAME
from audiojourney.data.rows import to_row


class AudioFolderWriter(ListWriter):
    """Writes `SPLIT/metadata.jsonl` and `SPLIT/audio/`."""

    def add(self, clip: Clip, sound: StoredSound) -> None:
        """Write a sound and its row."""
        split = split_name(clip)
        path = put_sound(self.options.folder, f"{split}/audio", clip, sound)
        self._lists.add(f"{split}/{NAME}", to_row(placed(clip, sound, path), self.options.folder / split))
