"""The forms that data sets can be written in, by name."""

from __future__ import annotations

from audiojourney.registry import Registry

_HERE = "audiojourney.data.formats.export"

WRITERS = Registry(
    "form of data set",
    {
        "audiofolder": f"{_HERE}.audiofolder:AudioFolderWriter",
        "webdataset": f"{_HERE}.webdataset:WebDatasetWriter",
        "parquet": f"{_HERE}.parquet:ParquetWriter",
        "tango": f"{_HERE}.tango:TangoWriter",
        "genau": f"{_HERE}.genau:GenauWriter",
        "audiocraft": f"{_HERE}.audiocraft:AudiocraftWriter",
        "stable-audio": f"{_HERE}.stable_audio:StableAudioWriter",
    },
)
