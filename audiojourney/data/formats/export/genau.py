"""GenAu's layout: `SPLIT/000000/KEY.wav` and `KEY.json`, lists of the latter, and an index with absolute paths."""

from __future__ import annotations

from typing import Any

from audiojourney import files
from audiojourney.data.clip import Clip
from audiojourney.data.formats.export.base import ListWriter, Shard, WriterOptions, put_json, split_name
from audiojourney.data.formats.stored import StoredSound, key_of

_PER_FOLDER = 5000  # as the download tool of GenAu lays clips out
_SPLITS = ("train", "val", "test")


class GenauWriter(ListWriter):
    """Writes WAV files, a JSON beside each, `metadata/NAME_SPLIT.txt` and `metadata/dataset_root.json`."""

    encoding = "wav"
    lists_below = "metadata"

    def __init__(self, options: WriterOptions) -> None:
        super().__init__(options)
        self._count: dict[str, int] = {}

    def add(self, clip: Clip, sound: StoredSound) -> None:
        """Write a sound, what is known of it, and the line that lists it."""
        split = split_name(clip)
        number = self._count[split] = self._count.get(split, -1) + 1
        stem = f"{split}/{number // _PER_FOLDER:06d}/{key_of(clip.id)}"
        files.write_bytes(self.options.folder / f"{stem}.{sound.suffix}", sound.data)
        put_json(self.options.folder / f"{stem}.json", about(clip, sound))
        self._lists.add(f"{self.options.name}_{split}.txt", f"{stem}.json")

    def close(self) -> list[Shard]:
        """Finish the lists and write the index."""
        shards = super().close()
        name, home = self.options.name, self.options.home
        lists = {split: str(home / "metadata" / f"{name}_{split}.txt") for split in self._count}
        paths = {name: {split: "" for split in _SPLITS} | lists}
        index = {name: str(home), "metadata": {"path": paths}}
        files.write_json(self.options.folder / "metadata" / "dataset_root.json", index)
        return shards


def about(clip: Clip, sound: StoredSound) -> dict[str, Any]:
    """Return what GenAu reads of a clip; captions by people and by models have keys of their own there."""
    human = [caption.text for caption in clip.captions if caption.kind in ("human", "")]
    other = [caption.text for caption in clip.captions if caption.kind not in ("human", "")]
    table: dict[str, Any] = {
        "id": clip.id,
        "title": clip.metadata.title,
        "description": clip.metadata.description,
        "video_caption": clip.metadata.visual_caption,
        "keywords": [*clip.metadata.tags, *clip.labels],
        "url": clip.source_url,
        "duration": sound.duration_s,
    }
    if human:
        table["gt_audio_caption"] = human
    if other:
        table["autocap_caption"] = other
    times = {"start": clip.start_s, "end": clip.end_s}
    return table | {key: value for key, value in times.items() if value is not None}
