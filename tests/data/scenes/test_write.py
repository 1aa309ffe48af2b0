from __future__ import annotations

import json

import pytest
import soundfile

from audiojourney.data.manifest import read_clips
from audiojourney.data.scenes.compose import compose
from audiojourney.data.scenes.scene import SceneConfig
from audiojourney.data.scenes.write import SceneFolder, scene_seed
from audiojourney.data.write import read_tag
from audiojourney.errors import UsageError

CONFIG = SceneConfig(duration_s=1.0, rate_hz=8000)


@pytest.fixture
def folder(tmp_path):
    return SceneFolder(tmp_path / "scenes", seed=3, config=CONFIG)


def fill(folder, count):
    start = folder.open()
    folder.reopen()
    folder.add([folder.make(index) for index in range(start, count)])
    folder.close()


def test_a_row_says_all_that_is_true_of_its_scene(folder):
    fill(folder, 3)
    for index, clip in enumerate(read_clips(folder.path)):
        scene = compose(scene_seed(3, index), CONFIG)
        assert clip.path == folder.sound(index)
        assert clip.labels == scene.labels
        assert tuple(caption.text for caption in clip.captions) == scene.captions
        assert clip.text == scene.captions[0]
        told = [(event.label, event.start_s, event.end_s) for event in clip.events]
        assert told == [(event.label, event.start_s, event.end_s) for event in scene.events]
        assert clip.extra["levels_db"] == [event.level_db for event in scene.events]
        assert (clip.extra["seed"], clip.extra["rate_hz"]) == (scene.seed, 8000)
        assert (clip.extra["relation"], clip.duration_s) == (scene.relation, 1.0)
        for sound in scene.placed:
            for key, value in sound.attributes.items():
                assert f"{sound.concept}.{key}={value}" in clip.extra["attributes"]


def test_sounds_are_flac_of_the_composed_samples(folder):
    fill(folder, 1)
    wave, rate_hz = soundfile.read(folder.sound(0), dtype="float32")
    assert (rate_hz, soundfile.info(folder.sound(0)).format) == (8000, "FLAC")
    assert wave == pytest.approx(compose(scene_seed(3, 0), CONFIG).wave, abs=1 / 32767)
    assert read_tag(folder.sound(0))["scene"] == scene_seed(3, 0)


def test_rows_are_made_for_audio_folder(folder):
    fill(folder, 6)
    rows = [json.loads(line) for line in (folder.path / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["file_name"] for row in rows] == [f"audio/{index:06d}.flac" for index in range(6)]
    kinds = [{key: type(value) for key, value in row.items()} for row in rows]
    assert all(next(iter(row)) == "file_name" for row in rows)
    assert all(kind == kinds[0] for kind in kinds), "one type a column"


def test_scene_seeds_of_different_data_sets_differ():
    seeds = {scene_seed(seed, index) for seed in range(20) for index in range(200)}
    assert len(seeds) == 20 * 200


def test_a_cut_row_and_a_half_written_sound_are_made_again(folder, tmp_path):
    whole = SceneFolder(tmp_path / "whole", seed=3, config=CONFIG)
    fill(whole, 4)
    folder.open()
    folder.add([folder.make(index) for index in range(3)])
    part = folder.path / "metadata.part.jsonl"
    part.write_bytes(part.read_bytes()[:-40])
    (folder.path / "audio" / ".000003.flac.0a1b2c3d.tmp").write_bytes(b"fLaC")
    assert folder.open() == 2
    fill(folder, 4)
    assert contents(folder) == contents(whole)


def test_rows_whose_sound_is_gone_are_made_again(folder):
    fill(folder, 4)
    before = contents(folder)
    folder.sound(1).unlink()
    assert folder.open() == 1
    fill(folder, 4)
    assert contents(folder) == before


def test_a_finished_data_set_grows_and_stays_readable_meanwhile(folder, tmp_path):
    whole = SceneFolder(tmp_path / "whole", seed=3, config=CONFIG)
    fill(whole, 4)
    fill(folder, 2)
    assert folder.open() == 2
    folder.reopen()
    folder.add([folder.make(2)])
    assert len(read_clips(folder.path)) == 2
    folder.add([folder.make(3)])
    folder.close()
    assert contents(folder) == contents(whole)


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        (SceneFolder, "seed is 3 there, 4 asked"),
        (SceneConfig(duration_s=2.0, rate_hz=8000), r"config.duration_s is 1.0 there, 2.0 asked"),
    ],
)
def test_another_data_set_is_never_mixed_in(folder, other, complaint):
    fill(folder, 1)
    seed, config = (4, CONFIG) if other is SceneFolder else (3, other)
    before = contents(folder)
    with pytest.raises(UsageError, match=complaint):
        SceneFolder(folder.path, seed=seed, config=config).open()
    assert contents(folder) == before


def test_a_folder_of_other_data_is_refused(folder):
    folder.path.mkdir()
    (folder.path / "metadata.jsonl").write_text('{"file_name": "mine.wav"}\n', encoding="utf-8")
    with pytest.raises(UsageError, match="not of scenes"):
        folder.open()


def test_clear_removes_the_data_set_and_nothing_else(folder):
    fill(folder, 2)
    (folder.path / "notes.txt").write_text("mine", encoding="utf-8")
    (folder.path / "audio" / "mine.flac").write_bytes(b"mine")
    folder.clear()
    assert sorted(contents(folder)) == ["audio/mine.flac", "notes.txt"]


def contents(folder):
    paths = (path for path in folder.path.rglob("*") if path.is_file())
    return {path.relative_to(folder.path).as_posix(): path.read_bytes() for path in paths}
