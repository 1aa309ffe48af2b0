"""audiocraft's lists: `SPLIT/data.jsonl` of absolute paths, and a JSON with the description beside each sound."""

from __future__ import annotations

from audiojourney.data.clip import Clip
from audiojourney.data.formats.export.base import ListWriter, put_json, put_sound, split_name
from audiojourney.data.formats.stored import StoredSound


class AudiocraftWriter(ListWriter):
    """Writes `SPLIT/data.jsonl` and `SPLIT/audio/`."""

    def add(self, clip: Clip, sound: StoredSound) -> None:
        """Write a sound, its description, and its row."""
        split = split_name(clip)
        path = put_sound(self.options.folder, f"{split}/audio", clip, sound)
        info = {
            "description": clip.text,
            "keywords": ", ".join([*clip.metadata.tags, *clip.labels]),
            "title": clip.metadata.title,
            "name": clip.id,
            "sample_rate": sound.rate_hz,
            "file_extension": sound.suffix,
            "duration": sound.duration_s,
        }
        put_json(path.with_suffix(".json"), info)
        row = {
            "path": (self.options.home / path.relative_to(self.options.folder)).as_posix(),
            "duration": sound.duration_s,
            "sample_rate": sound.rate_hz,
            "amplitude": None,
            "weight": None,
            "info_path": None,
        }
        self._lists.add(f"{split}/data.jsonl", row)
