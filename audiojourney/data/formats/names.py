"""The data sets that can be read, by name; each module has `read` and `detect`."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path

from audiojourney.data.formats.base import Reader
from audiojourney.errors import MissingError, UsageError
from audiojourney.registry import offer

_HERE = "audiojourney.data.formats"


@dataclass(frozen=True)
class Format:
    """A published form of data sets.

    Attributes:
        module: where it is read.
        summary: what it is, in a line.
        function: the reader in that module.
    """

    module: str
    summary: str
    function: str = "read"


# In the order in which a source is tried; what is most particular comes first.
FORMATS = {
    "clotho": Format(f"{_HERE}.clotho", "clotho_captions_*.csv, with clotho_metadata_*.csv beside them"),
    "fsd50k": Format(f"{_HERE}.fsd50k", "the folder of FSD50K.ground_truth"),
    "esc50": Format(f"{_HERE}.esc50", "meta/esc50.csv"),
    "esc10": Format(f"{_HERE}.esc50", "the part of ESC-50 that is ESC-10", "read_small"),
    "musiccaps": Format(f"{_HERE}.musiccaps", "musiccaps-public.csv"),
    "audiocaps": Format(f"{_HERE}.audiocaps", "train.csv, val.csv, test.csv of AudioCaps 1 or 2"),
    "audioset": Format(f"{_HERE}.audioset", "*_segments.csv, strong labels as .tsv, or a training list as .json"),
    "vggsound": Format(f"{_HERE}.vggsound", "vggsound.csv, or train.csv and test.csv"),
    "wavcaps": Format(f"{_HERE}.wavcaps", "the folder json_files, or one of its files"),
    "autorecap": Format(f"{_HERE}.autorecap", "AutoReCap*.json: a video a line, with its intervals"),
    "af-audioset": Format(f"{_HERE}.af_audioset", "AF-AudioSet.json"),
    "tango": Format(f"{_HERE}.tango", "train_*.json, valid_*.json, test_*.json"),
    "stable-audio": Format(f"{_HERE}.stable_audio", "a dataset config of stable-audio-tools"),
    "laion": Format(f"{_HERE}.laion", "tars of sounds and JSON, LAION's or WebDataset's"),
    "genau": Format(f"{_HERE}.genau", "dataset_root.json, or sounds with a JSON beside each"),
    "folder": Format(f"{_HERE}.folder", "AudioFolder, a list of clips, or any folder of sounds"),
}


def load_reader(name: str) -> Reader:
    """Return the reader of a format.

    Raises:
        UsageError: there is none of that name; the nearest is offered.
    """
    if name not in FORMATS:
        raise UsageError(f"There is no format {name!r}.", offer(name, FORMATS))
    return getattr(importlib.import_module(FORMATS[name].module), FORMATS[name].function)


def detect_format(path: Path) -> str:
    """Return the name of the format of a file or folder, by what it holds.

    Raises:
        MissingError: there is no such file or folder.
        UsageError: it is of no known format.
    """
    if not path.exists():
        hint = f"{path} is a format; name its source as well." if str(path) in FORMATS else None
        raise MissingError(f"There is no data at {path}.", hint)
    for name, known in FORMATS.items():
        if known.function == "read" and importlib.import_module(known.module).detect(path):
            return name
    raise UsageError(f"{path} is of no known format.", f"Name the format: {', '.join(FORMATS)}.")
