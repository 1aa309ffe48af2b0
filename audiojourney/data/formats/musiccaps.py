"""MusicCaps: several sentences and a list of aspects for ten seconds of music out of AudioSet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from audiojourney.data.clip import Caption, Metadata
from audiojourney.data.formats import audioset
from audiojourney.data.formats.base import Failure, Item, Source, bad_row
from audiojourney.data.formats.sounds import youtube_names
from audiojourney.data.formats.tables import Cells, codes, header, number, read_table, require_columns, tables_in, texts

NAME = "musiccaps"
LICENCE = "CC-BY-SA-4.0"  # of the captions
_COLUMNS = ("ytid", "start_s", "end_s", "audioset_positive_labels", "aspect_list", "caption")


def detect(path: Path) -> bool:
    """Say whether a file or folder is MusicCaps."""
    tables = [path] if path.is_file() else sorted(path.glob("musiccaps*.csv"))
    return any(table.suffix == ".csv" and set(header(table)) >= set(_COLUMNS) for table in tables)


def read(source: Source) -> Iterator[Item]:
    """Yield a clip a row; those out of AudioSet's evaluation part are `test`, as is the custom, the others `train`."""
    for path in tables_in(source.path, ("musiccaps*.csv",)):
        require_columns(path, _COLUMNS)
        for row in read_table(path):
            if isinstance(row, Failure):
                yield row
                continue
            try:
                yield _item(source, row[1], number(row[1], "start_s"), number(row[1], "end_s"))
            except ValueError as error:
                yield bad_row(path, row[0], str(error))


def _item(source: Source, cells: Cells, start_s: float, end_s: float) -> Item:
    video, caption = cells["ytid"].strip(), cells["caption"].strip()
    mids = codes(cells["audioset_positive_labels"])
    known = ("author_id", "is_balanced_subset", "is_audioset_eval")
    return source.item(
        f"{NAME}/{video}/{round(1000 * start_s)}",
        youtube_names(video, start_s, end_s),
        dataset=NAME,
        split="test" if cells.get("is_audioset_eval") == "True" else "train",
        start_s=start_s,
        end_s=end_s,
        labels=audioset.labelled(source, mids),
        label_scheme=audioset.NAME,
        captions=(Caption(caption, NAME, "human"),) if caption else (),
        metadata=Metadata(tags=texts(cells["aspect_list"])),
        licence=LICENCE,
        source_url=f"https://www.youtube.com/watch?v={video}",
        extra={"source_id": video, "mids": list(mids)} | {key: cells[key] for key in known if key in cells},
    )
