"""Parquet with the sounds in it, which Hugging Face `datasets` opens without a decoder for sound.

A column `audio` of bytes and path counts as sound there when the schema says so under the key `huggingface`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from audiojourney.data.clip import Clip
from audiojourney.data.formats.export.base import Shard, Writer, WriterOptions, split_name
from audiojourney.data.formats.export.webdataset import stable_columns
from audiojourney.data.formats.stable_rows import CAPTION_TEXTS, TEXT_COLUMNS
from audiojourney.data.formats.stored import StoredSound, key_of
from audiojourney.data.rows import Row
from audiojourney.errors import require

_GROUP_CLIPS = 100
_GROUP_BYTES = 1 << 26
_LISTS = ("labels", "tags")
_TEXTS = (*TEXT_COLUMNS, "sha256", "more")
_NUMBERS = {"duration": "float64", "sample_rate": "int32", "channels": "int32"}


class ParquetWriter(Writer):
    """Writes `SPLIT-00000.parquet` and so on.

    Raises:
        MissingError: pyarrow is absent.
    """

    def __init__(self, options: WriterOptions) -> None:
        super().__init__(options)
        self._arrow: Any = require("pyarrow", extra="parquet", feature="Writing parquet")
        self._parquet: Any = require("pyarrow.parquet", extra="parquet", feature="Writing parquet")
        self._schema = _schema(self._arrow)
        self._open: dict[str, _Part] = {}
        self._shards: list[Shard] = []
        self._numbers: dict[str, int] = {}

    def add(self, clip: Clip, sound: StoredSound) -> None:
        """Add a row to the file of the clip's split, or begin the next one."""
        split = split_name(clip)
        part = self._open.get(split)
        if part and (part.clips >= self.options.shard_clips or part.bytes + len(sound.data) > self.options.shard_bytes):
            self._finish(split)
            part = None
        if part is None:
            number = self._numbers[split] = self._numbers.get(split, -1) + 1
            path = self.options.folder / f"{split}-{number:05d}.parquet"
            path.parent.mkdir(parents=True, exist_ok=True)
            writer = self._parquet.ParquetWriter(path, self._schema, compression="zstd")
            part = self._open[split] = _Part(path, writer)
        audio = {"bytes": sound.data, "path": f"{key_of(clip.id)}.{sound.suffix}"}
        part.rows.append({"audio": audio} | stable_columns(clip, sound))
        part.clips += 1
        part.bytes += len(sound.data)
        part.waiting += len(sound.data)
        if len(part.rows) >= _GROUP_CLIPS or part.waiting >= _GROUP_BYTES:
            self._flush(part)

    def close(self) -> list[Shard]:
        """Finish all files."""
        for split in sorted(self._open):
            self._finish(split)
        return sorted(self._shards, key=lambda shard: shard.name)

    def abandon(self) -> None:
        """Close the files as they are."""
        for part in self._open.values():
            part.writer.close()

    def _finish(self, split: str) -> None:
        part = self._open.pop(split)
        self._flush(part)
        part.writer.close()
        self._shards.append(Shard.of(self.options.folder, part.path, part.clips))

    def _flush(self, part: _Part) -> None:
        """Write the rows that wait as one group, the piece that readers load at once."""
        if part.rows:
            part.writer.write_table(self._arrow.Table.from_pylist(part.rows, schema=self._schema))
            part.rows, part.waiting = [], 0


class _Part:
    """A parquet file that grows."""

    def __init__(self, path: Path, writer: Any) -> None:
        self.path = path
        self.writer = writer
        self.clips = 0
        self.bytes = 0
        self.waiting = 0
        self.rows: list[Row] = []


def features() -> dict[str, Any]:
    """Return the columns as `datasets` describes them."""
    text = {"dtype": "string", "_type": "Value"}
    captions = {name: text for name in CAPTION_TEXTS} | {"score": {"dtype": "float64", "_type": "Value"}}
    return {
        "audio": {"_type": "Audio", "decode": False},
        **{name: text for name in _TEXTS},
        **{name: {"dtype": kind, "_type": "Value"} for name, kind in _NUMBERS.items()},
        **{name: [text] for name in _LISTS},
        "captions": [captions],
    }


def _schema(arrow: Any) -> Any:
    caption = arrow.struct([(name, arrow.string()) for name in CAPTION_TEXTS] + [("score", arrow.float64())])
    kinds = {"float64": arrow.float64(), "int32": arrow.int32()}
    columns = [("audio", arrow.struct([("bytes", arrow.binary()), ("path", arrow.string())]))]
    columns += [(name, arrow.string()) for name in _TEXTS]
    columns += [(name, kinds[kind]) for name, kind in _NUMBERS.items()]
    columns += [(name, arrow.list_(arrow.string())) for name in _LISTS]
    columns += [("captions", arrow.list_(caption))]
    return arrow.schema(columns, metadata={"huggingface": json.dumps({"info": {"features": features()}})})
