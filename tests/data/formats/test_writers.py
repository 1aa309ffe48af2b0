"""Writers one by one: their files, their archives, what they let go of."""

from __future__ import annotations

import io
import json
import sys
import tarfile
import types
from pathlib import Path

import pytest

from audiojourney.data.clip import Caption, Clip, Event, Metadata
from audiojourney.data.formats.export.base import LineFiles, Shard, Writer, WriterOptions, split_name
from audiojourney.data.formats.export.names import WRITERS
from audiojourney.data.formats.stored import StoredSound, key_of
from audiojourney.data.manifest import file_sha256
from audiojourney.errors import UsageError
from tests.data.formats.published import put_text, sound_bytes

SOUND = StoredSound(sound_bytes(0.1), "wav", 0.1, 8000, 1)


def clip(number, split="train", **fields):
    text = Caption(f"rain {number}", "me", "human", 0.5, "clap")
    return Clip(path=Path("x.wav"), id=f"id/{number}", split=split, **{"captions": (text,)} | fields)


def writer(form, folder, **fields):
    return WRITERS.load(form)(WriterOptions(folder=folder, home=Path("/home/of/it"), name="mine", **fields))


def files_in(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


class Table:
    """In place of a table of pyarrow: the rows."""

    def __init__(self, rows, schema):
        assert all(set(row) == {name for name, _ in schema.columns} for row in rows)
        self.rows = rows

    @classmethod
    def from_pylist(cls, rows, schema):
        """Keep the rows."""
        return cls(list(rows), schema)


class ParquetFile:
    """In place of a writer of pyarrow's: groups of rows as JSON lines."""

    open_files = 0

    def __init__(self, path, schema, compression):
        self.file = Path(path).open("w", encoding="utf-8")  # noqa: SIM115 - closed by `close`
        self.schema = schema
        ParquetFile.open_files += 1

    def write_table(self, table):
        """Write a group."""
        names = [row["audio"]["path"] for row in table.rows]
        self.file.write(json.dumps(names) + "\n")

    def close(self):
        """Close the file."""
        ParquetFile.open_files -= 1
        self.file.close()


@pytest.fixture
def arrow(monkeypatch):
    """A stand-in for pyarrow, so that what is ours can be looked at without it."""
    arrow, parquet = types.ModuleType("pyarrow"), types.ModuleType("pyarrow.parquet")
    for name in ("string", "float64", "int32", "binary"):
        setattr(arrow, name, lambda name=name: name)
    arrow.struct = arrow.list_ = lambda inner: inner
    arrow.schema = lambda columns, metadata: types.SimpleNamespace(columns=columns, metadata=metadata)
    arrow.Table, parquet.ParquetWriter = Table, ParquetFile
    monkeypatch.setitem(sys.modules, "pyarrow", arrow)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", parquet)
    monkeypatch.setattr(ParquetFile, "open_files", 0)


def test_parquet_files_are_closed_at_their_number_of_clips(arrow, tmp_path):
    parquet = writer("parquet", tmp_path, shard_clips=2)
    for number, split in enumerate(("train", "test", "train", "train")):
        parquet.add(clip(number, split), SOUND)
    shards = parquet.close()
    assert [(shard.name, shard.clips) for shard in shards] == [
        ("test-00000.parquet", 1),
        ("train-00000.parquet", 2),
        ("train-00001.parquet", 1),
    ]
    assert all(shard.sha256 == file_sha256(tmp_path / shard.name) for shard in shards)
    assert ParquetFile.open_files == 0


def test_parquet_files_are_closed_at_their_size_and_written_in_groups(arrow, tmp_path, monkeypatch):
    from audiojourney.data.formats.export import parquet as module

    parquet = writer("parquet", tmp_path, shard_bytes=3 * len(SOUND.data))
    monkeypatch.setattr(module, "_GROUP_CLIPS", 2)
    for number in range(5):
        parquet.add(clip(number), SOUND)
    assert [shard.clips for shard in parquet.close()] == [3, 2]
    groups = [json.loads(line) for line in (tmp_path / "train-00000.parquet").read_text(encoding="utf-8").splitlines()]
    assert [len(group) for group in groups] == [2, 1]
    assert groups[0][0] == f"{key_of('id/0')}.wav"


def test_the_columns_of_parquet_are_described_for_datasets(arrow, tmp_path):
    parquet = writer("parquet", tmp_path)
    parquet.add(clip(0), SOUND)
    (part,) = parquet._open.values()
    told = json.loads(part.writer.schema.metadata["huggingface"])["info"]["features"]
    assert set(told) == {name for name, _ in part.writer.schema.columns}
    assert told["audio"] == {"_type": "Audio", "decode": False}
    parquet.abandon()
    assert ParquetFile.open_files == 0


@pytest.mark.parametrize("form", WRITERS)
def test_a_writer_without_clips_writes_none(arrow, tmp_path, form):
    made = writer(form, tmp_path)
    assert made.close() == []
    assert [name for name in files_in(tmp_path) if name.endswith((".wav", ".tar", ".parquet", "jsonl"))] == []


@pytest.mark.parametrize("form", WRITERS)
def test_after_a_failure_files_are_let_go_of(arrow, tmp_path, form):
    made = writer(form, tmp_path)
    made.add(clip(0), SOUND)
    made.abandon()
    lists = getattr(made, "_lists", None)
    assert lists is None or all(file.closed for file in lists._open.values())
    assert all(tar._file.closed for tar in getattr(made, "_open", {}).values() if hasattr(tar, "_file"))
    assert ParquetFile.open_files == 0


def test_the_base_writes_nothing(tmp_path):
    base = Writer(WriterOptions(folder=tmp_path, home=tmp_path, name="x"))
    with pytest.raises(NotImplementedError, match=r"Writer\.add"):
        base.add(clip(0), SOUND)
    base.abandon()
    assert base.close() == []


@pytest.mark.parametrize(
    ("split", "name"), [("", "train"), ("a/b", "a_b"), ("../up", "_up"), ("é", "_"), ("val-2", "val-2"), (".", "_")]
)
def test_splits_are_names_of_files(split, name):
    assert split_name(clip(0, split)) == name


def test_lines_of_several_files_grow_side_by_side(tmp_path):
    lists = LineFiles(tmp_path)
    for name, value in (("a/x", {"n": 1}), ("b", "plain"), ("a/x", {"s": "雨 \ud800"})):
        lists.add(name, value)
    with pytest.raises(ValueError, match="JSON compliant"):
        lists.add("b", {"n": float("nan")})
    assert lists.close() == ["a/x", "b"]
    assert [json.loads(line) for line in (tmp_path / "a" / "x").read_text(encoding="utf-8").splitlines()] == [
        {"n": 1},
        {"s": "雨 \ud800"},
    ]
    assert (tmp_path / "b").read_bytes() == b"plain\n"


def test_a_shard_is_measured_as_it_lies(tmp_path):
    path = put_text(tmp_path / "x" / "a.tar", "1234")
    assert Shard.of(tmp_path, path, 3) == Shard("x/a.tar", 3, 4, file_sha256(path))


def test_members_of_tars_are_of_nobody_and_say_all(tmp_path):
    tars = writer("webdataset", tmp_path)
    whole = clip(
        0,
        events=(Event("dog", 0.0, 1.0),),
        metadata=Metadata(title="t", tags=("a",)),
        fold=3,
        start_s=1.5,
        extra={"n": [1]},
    )
    tars.add(whole, SOUND)
    assert [(shard.name, shard.clips) for shard in tars.close()] == [("train-000000.tar", 1)]
    with tarfile.open(tmp_path / "train-000000.tar") as archive:
        names = [(member.name, member.mtime, member.uid) for member in archive]
        row = json.loads(archive.extractfile(names[1][0]).read())
        text = archive.extractfile(names[2][0]).read()
    key = key_of("id/0")
    assert names == [(f"{key}.{kind}", 0, 0) for kind in ("wav", "json", "txt")]
    assert text == b"rain 0"
    assert (row["id"], row["sample_rate"], row["channels"], row["sha256"]) == ("id/0", 8000, 1, SOUND.sha256)
    assert json.loads(row["more"]) == {
        "events": [{"label": "dog", "start": 0.0, "end": 1.0}],
        "fold": 3,
        "n": [1],
        "start": 1.5,
    }


def test_tars_end_with_their_mark_whatever_was_added(tmp_path):
    tars = writer("webdataset", tmp_path, shard_clips=1)
    for number in range(3):
        tars.add(clip(number), SOUND)
    for shard in tars.close():
        data = (tmp_path / shard.name).read_bytes()
        assert len(data) == shard.bytes
        assert data[-1024:] == bytes(1024)
        assert len(tarfile.open(fileobj=io.BytesIO(data)).getnames()) == 3  # noqa: SIM115 - it is in memory


def test_folders_of_genaus_hold_so_many_clips(tmp_path, monkeypatch):
    from audiojourney.data.formats.export import genau

    monkeypatch.setattr(genau, "_PER_FOLDER", 2)
    made = writer("genau", tmp_path)
    for number in range(5):
        made.add(clip(number, "val" if number == 4 else "train"), SOUND)
    made.close()
    folders = {name.rpartition("/")[0] for name in files_in(tmp_path) if name.endswith(".wav")}
    assert folders == {"train/000000", "train/000001", "val/000000"}
    index = json.loads((tmp_path / "metadata" / "dataset_root.json").read_text(encoding="utf-8"))
    assert index["mine"] == "/home/of/it"
    assert index["metadata"]["path"]["mine"]["val"] == "/home/of/it/metadata/mine_val.txt"


def test_captions_by_people_and_by_models_have_keys_of_their_own(tmp_path):
    from audiojourney.data.formats.export.genau import about

    captions = (Caption("a", kind="human"), Caption("b"), Caption("c", kind="model"), Caption("d", kind="rule"))
    table = about(clip(0, captions=captions), SOUND)
    assert (table["gt_audio_caption"], table["autocap_caption"]) == (["a", "b"], ["c", "d"])
    bare = about(clip(0, captions=()), SOUND)
    assert not {"gt_audio_caption", "autocap_caption", "start", "end"} & set(bare)


def test_descriptions_of_audiocraft(tmp_path):
    made = writer("audiocraft", tmp_path)
    made.add(clip(0, labels=("dog",), metadata=Metadata(title="t", tags=("loud",))), SOUND)
    made.close()
    row = json.loads((tmp_path / "train" / "data.jsonl").read_text(encoding="utf-8"))
    assert row["path"].startswith("/home/of/it/train/audio/")
    assert (row["duration"], row["sample_rate"]) == (0.1, 8000)
    (name,) = (name for name in files_in(tmp_path) if name.endswith(".json"))
    about = json.loads((tmp_path / name).read_text(encoding="utf-8"))
    assert (about["description"], about["keywords"], about["title"]) == ("rain 0", "loud, dog", "t")


def test_forms_are_offered_by_name():
    with pytest.raises(UsageError, match="webdataset"):
        WRITERS.load("webdatase")
