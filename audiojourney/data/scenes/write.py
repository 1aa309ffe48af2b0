"""Scenes on disk: an AudioFolder data set of FLAC files that a killed run can be continued in.

FOLDER/scenes.json          settings and seed, so that only the same data set is continued
FOLDER/audio/000000.flac    sounds, written whole or not at all
FOLDER/metadata.part.jsonl  rows of the finished scenes, in order, while the data set grows
FOLDER/metadata.jsonl       all rows; it takes the place of the part when every scene is there
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from audiojourney import __version__, files
from audiojourney.data import manifest
from audiojourney.data.clip import Caption, Clip, Event
from audiojourney.data.scenes.compose import Scene, SceneConfig, compose
from audiojourney.data.write import encode_audio
from audiojourney.errors import UsageError

SETTINGS = "scenes.json"
PART = "metadata.part.jsonl"
AUDIO = "audio"
DATASET = "scenes"
LICENCE = "CC0-1.0"

# Scenes of different seeds of a data set never share a scene seed below this many scenes.
_SEED_STEP = 1 << 32


def scene_seed(seed: int, index: int) -> int:
    """Seed of scene `index` of the data set with the seed `seed`; `compose` takes it."""
    return seed * _SEED_STEP + index


@dataclass(frozen=True)
class SceneFolder:
    """A data set of scenes in a folder.

    Attributes:
        path: the folder.
        seed: seed of the data set.
        config: settings of every scene.
    """

    path: Path
    seed: int
    config: SceneConfig

    def make(self, index: int) -> Clip:
        """Compose scene `index` and write its sound; returns its record."""
        scene = compose(scene_seed(self.seed, index), self.config)
        path = self.sound(index)
        tags = {"scene": scene.seed, "labels": list(scene.labels)}
        data = encode_audio(scene.wave, self.config.rate_hz, "flac", tags)
        files.write_bytes(path, data)
        return self._clip(path, scene, hashlib.sha256(data).hexdigest())

    def sound(self, index: int) -> Path:
        """Path of the sound of scene `index`."""
        return self.path / AUDIO / f"{index:06d}.flac"

    def _clip(self, path: Path, scene: Scene, sha256: str) -> Clip:
        return Clip(
            path=path,
            id=f"{DATASET}-{scene.seed}",
            dataset=DATASET,
            duration_s=len(scene.wave) / self.config.rate_hz,
            labels=scene.labels,
            label_scheme=DATASET,
            captions=tuple(Caption(text, source=DATASET, kind="rule") for text in scene.captions),
            events=tuple(Event(event.label, event.start_s, event.end_s) for event in scene.events),
            licence=LICENCE,
            sha256=sha256,
            extra={
                "relation": scene.relation,
                "levels_db": [event.level_db for event in scene.events],
                "attributes": [
                    f"{sound.concept}.{key}={value}"
                    for sound in scene.placed
                    for key, value in sound.attributes.items()
                ],
                "seed": scene.seed,
                "rate_hz": self.config.rate_hz,
            },
        )

    def settings(self) -> dict[str, Any]:
        """What must be equal for a data set to be continued."""
        told = {"audiojourney": __version__, "seed": self.seed, "config": asdict(self.config)}
        return json.loads(json.dumps(told))

    def begun(self) -> bool:
        """Whether the folder holds a data set, finished or not."""
        return any((self.path / name).exists() for name in (manifest.NAME, PART, SETTINGS))

    def open(self) -> int:
        """Make ready to add scenes; returns how many are there.

        Raises:
            UsageError: the folder holds another data set.
            AudioJourneyError: the folder cannot be written.
        """
        if self.begun():
            self._check_same()
        else:
            files.write_json(self.path / SETTINGS, self.settings())
        self.tidy()
        return self._whole_rows()

    def add(self, clips: list[Clip]) -> None:
        """Add the records of the next scenes."""
        manifest.append_clips(self.path / PART, clips)

    def reopen(self) -> None:
        """Turn the finished list of scenes back into one that grows."""
        done, part = self.path / manifest.NAME, self.path / PART
        if done.exists() and not part.exists():
            files.write_bytes(part, done.read_bytes())

    def close(self) -> None:
        """Put the list of all scenes in its place."""
        part = self.path / PART
        if part.exists():
            files.write_bytes(self.path / manifest.NAME, part.read_bytes())
            part.unlink()
        self.tidy()

    def tidy(self) -> None:
        """Remove what a killed writer left half written."""
        for folder in (self.path, self.path / AUDIO):
            for left in folder.glob(".*.tmp"):
                left.unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove the data set, and nothing else from the folder."""
        for name in (manifest.NAME, PART, SETTINGS):
            (self.path / name).unlink(missing_ok=True)
        for sound in (self.path / AUDIO).glob("[0-9]*.flac"):
            sound.unlink()
        self.tidy()

    def _check_same(self) -> None:
        path = self.path / SETTINGS
        if not path.is_file():
            raise UsageError(f"{self.path} holds a data set that is not of scenes.", "Choose another folder.")
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise UsageError(f"{path} cannot be read ({error}).", "Start anew with --exists overwrite.") from error
        changed = _differences(self.settings(), found)
        if changed:
            raise UsageError(
                f"{self.path} holds scenes of other settings: {'; '.join(changed)}.",
                "Choose another folder, or start anew with --exists overwrite.",
            )

    def _whole_rows(self) -> int:
        """Number of scenes from the first on whose row and sound are there; what comes behind is dropped."""
        path = next((p for p in (self.path / PART, self.path / manifest.NAME) if p.is_file()), None)
        if path is None:
            return 0
        clips = manifest.read_clips(path)
        count = next((i for i, clip in enumerate(clips) if not clip.path.is_file()), len(clips))
        if count < len(clips):
            manifest.write_clips(self.path / PART, clips[:count])
        return count


def _differences(wanted: Mapping[str, Any], found: Any, prefix: str = "") -> list[str]:
    if not isinstance(found, Mapping):
        return [f"{prefix or SETTINGS} is {found!r}"]
    told = []
    for key, value in wanted.items():
        if isinstance(value, Mapping):
            told += _differences(value, found.get(key), f"{prefix}{key}.")
        elif found.get(key) != value:
            told.append(f"{prefix}{key} is {found.get(key)!r} there, {value!r} asked")
    return told
