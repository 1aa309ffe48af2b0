"""Readers and runs hold few records at a time: counted, not measured."""

from __future__ import annotations

import gc
import json

import pytest

from audiojourney.data.clip import Clip
from audiojourney.data.formats.base import Failure, Source
from audiojourney.data.formats.names import load_reader
from audiojourney.data.formats.sounds import Sounds
from audiojourney.data.manifest import line
from audiojourney.data.spool import Counts, FirstSeen, Kept, grouped
from audiojourney.recipes import data_export, data_import, data_stats, data_verify
from audiojourney.recipes.ordered import AHEAD
from tests.data.formats.published import VIDEO, put_sound, put_tar, put_text, sound_bytes

MANY = 600
EVERY = 100
FEW = 12


def videos():
    return [f"{number:011d}" for number in range(MANY)]


def lines(*rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


# Lists of many rows; the sound of each is the one of VIDEO or missing, and some rows are bad.
LISTS = {
    "audiocaps": ("train.csv", "audiocap_id,youtube_id,start_time,caption\n", "1,{v},0,x\n1,{v},bad,x\n"),
    "clotho": ("clotho_captions_x.csv", "file_name,caption_1\n", "{v}.wav,x\n1,2,3\n"),
    "audioset": ("eval_segments.csv", "# x\n", '{v}, 0.000, 1.000, "/m/a"\n{v}, x, 1.000, "/m/a"\n'),
    "vggsound": ("vggsound.csv", "", "{v},0,dog,train\n{v},x,dog,train\n"),
    "musiccaps": (
        "musiccaps.csv",
        "ytid,start_s,end_s,audioset_positive_labels,aspect_list,caption\n",
        "{v},0,1,/m/a,[],x\n{v},x,1,/m/a,[],x\n",
    ),
    "esc50": ("esc50.csv", "filename,fold,target,category\n", "{v}.wav,1,0,dog\n{v}.wav,x,0,dog\n"),
    "wavcaps": ("sb_final.json", "", '{"id": "{v}", "caption": "x"}\n{"caption": "x"}\n'),
    "autorecap": ("AutoReCap.json", "", '{"{v}": {"intervals": [{"start": 0, "end": 1}, {}]}}\n'),
    "af-audioset": ("AF-AudioSet.json", "", '{"ytid": "{v}", "caption": "x"}\n{"ytid": "{v}"}\n'),
    "tango": ("train_x.json", "", '{"location": "{v}.wav", "captions": "x"}\n{"location": 3}\n'),
    "folder": ("x.jsonl", "", '{"file_name": "{v}.wav"}\n{"no": 3}\n'),
}


def alive(*kinds):
    return sum(isinstance(thing, kinds) for thing in gc.get_objects())


@pytest.mark.parametrize("format", LISTS)
@pytest.mark.parametrize("there", [True, False])
def test_a_reader_holds_a_few_entries_at_a_time(tmp_path, format, there):
    name, head, row = LISTS[format]
    names = [VIDEO] * MANY if there and format != "folder" else videos()
    path = put_text(tmp_path / name, head + "".join(row.replace("{v}", video) for video in names))
    put_sound(tmp_path / f"{VIDEO}.wav")
    before, count, most = alive(Clip, Failure), 0, 0
    for count, _ in enumerate(load_reader(format)(Source(path=path, sounds=Sounds(tmp_path), unpack=tmp_path)), 1):
        if count % EVERY == 0:
            most = max(most, alive(Clip, Failure) - before)
    assert count > MANY
    assert 0 < most < FEW


def test_a_reader_of_tars_holds_one_sample_at_a_time(tmp_path):
    from audiojourney.data.formats.tars import Member, read_samples

    sound = sound_bytes(0.01)
    members = {f"{number}.{kind}": sound for number in range(MANY) for kind in ("wav", "flac", "mp3")}
    before, most = alive(Member), 0
    for place, _ in enumerate(read_samples(put_tar(tmp_path / "x.tar", members))):
        if place % EVERY == 0:
            most = max(most, alive(Member) - before)
    assert most < FEW


@pytest.fixture
def clips(tmp_path):
    """A list of many clips of one sound, every third without its sound or no clip at all."""
    put_sound(tmp_path / "data" / "a.wav", seconds=0.02)
    clip = Clip(path=tmp_path / "data" / "a.wav", id="")
    rows = []
    for number in range(MANY):
        kind = number % 3
        path = clip.path if kind else tmp_path / "data" / "gone.wav"
        row = line(Clip(path=path, id=str(number), captions=clip.captions), tmp_path / "data")
        rows += [row, b'{"no": "clip"}\n'] if kind == 2 else [row]
    (tmp_path / "data" / "metadata.jsonl").write_bytes(b"".join(rows))
    return tmp_path / "data"


def test_runs_hold_what_their_threads_work_on(tmp_path, clips):
    before, most = alive(Clip, Failure), [0]
    bound = 2 * AHEAD * 2 + FEW

    def look(done, total):
        if done % EVERY == 0:
            most[0] = max(most[0], alive(Clip, Failure) - before)

    target = tmp_path / "out"
    runs = (
        lambda: data_import.run(
            data_import.ImportConfig(source=clips, output=target, workers=2, format="folder"), look
        ),
        lambda: data_verify.run(data_verify.VerifyConfig(source=clips, workers=2), lambda problem: None, look),
        lambda: data_stats.run(data_stats.StatsConfig(source=clips), look),
        lambda: data_export.run(
            data_export.ExportConfig(source=clips, output=tmp_path / "x", to="webdataset", workers=2), look
        ),
    )
    for run in runs:
        most[0] = 0
        run()
        assert 0 < most[0] <= bound


def test_what_is_spooled_is_not_held():
    class Name(str):
        """A text that can be found among all objects."""

    def name(number):
        return Name(f"video {number}")

    seen, counts, kept = FirstSeen(), Counts(), Kept()
    before = alive(Name)
    for number in range(MANY):
        seen.before(name(number), number)
        counts.add(name(number))
        kept.append({"id": name(number)})
    assert alive(Name) == before
    assert sum(1 for _ in kept) == MANY
    found = grouped((name(number % 7), name(number)) for number in range(MANY))
    assert next(found)[0] == "video 0"
    assert alive(Name) <= before + 2  # the last pair that was taken
