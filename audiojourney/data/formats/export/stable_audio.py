"""stable-audio-tools: folders of sounds, a JSON beside each, and the Python module that makes it a prompt."""

from __future__ import annotations

from audiojourney import files
from audiojourney.data.clip import Clip
from audiojourney.data.formats.export.base import (
    Shard,
    Writer,
    WriterOptions,
    put_json,
    put_sound,
    split_name,
    texts_of,
)
from audiojourney.data.formats.stored import StoredSound

MODULE = "custom_metadata.py"
_MODULE = '''"""Prompts for stable-audio-tools: one of the captions that lie beside a sound, drawn at random."""

import json
import random
from pathlib import Path


def get_custom_metadata(info, audio):
    """Return the prompt of the sound that `info` tells the path of."""
    about = json.loads(Path(info["path"]).with_suffix(".json").read_text(encoding="utf-8"))
    prompts = about["prompts"] or [""]
    return {"prompt": random.choice(prompts), "__reject__": not about["prompts"]}
'''


class StableAudioWriter(Writer):
    """Writes `SPLIT/`, a configuration `SPLIT.json`, and the module that both refer to."""

    def __init__(self, options: WriterOptions) -> None:
        super().__init__(options)
        self._splits: set[str] = set()

    def add(self, clip: Clip, sound: StoredSound) -> None:
        """Write a sound and its prompts."""
        split = split_name(clip)
        path = put_sound(self.options.folder, split, clip, sound)
        about = {"id": clip.id, "prompt": clip.text, "prompts": texts_of(clip), "labels": list(clip.labels)}
        put_json(path.with_suffix(".json"), about)
        self._splits.add(split)

    def close(self) -> list[Shard]:
        """Write the configurations and the module."""
        home = self.options.home
        for split in sorted(self._splits):
            entry = {
                "id": f"{self.options.name}_{split}",
                "path": str(home / split),
                "custom_metadata_module": str(home / MODULE),
            }
            table = {"dataset_type": "audio_dir", "datasets": [entry], "random_crop": True}
            files.write_json(self.options.folder / f"{split}.json", table)
        files.write_text(self.options.folder / MODULE, _MODULE)
        return []
