"""Tango's lists: `SPLIT.json` of JSON lines, a row a caption, with absolute paths."""

from __future__ import annotations

from audiojourney.data.clip import Clip
from audiojourney.data.formats.export.base import ListWriter, put_sound, split_name
from audiojourney.data.formats.stored import StoredSound


class TangoWriter(ListWriter):
    """Writes `SPLIT.json` and `audio/`."""

    needs_caption = True

    def add(self, clip: Clip, sound: StoredSound) -> None:
        """Write a sound and a row for each caption; `captions` is one text there, in spite of its name."""
        path = put_sound(self.options.folder, "audio", clip, sound)
        location = (self.options.home / path.relative_to(self.options.folder)).as_posix()
        dataset = clip.dataset or self.options.name
        for caption in clip.captions:
            row = {"dataset": dataset, "location": location, "captions": caption.text}
            self._lists.add(f"{split_name(clip)}.json", row)
