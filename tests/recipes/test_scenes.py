from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from audiojourney.data.manifest import read_clips
from audiojourney.data.scenes.scene import SceneConfig
from audiojourney.data.scenes.write import SceneFolder
from audiojourney.errors import AudioJourneyError, UsageError
from audiojourney.recipes.scenes import ScenesConfig, run

SCENE = SceneConfig(duration_s=1.0, rate_hz=8000)


def settings(output, **changes) -> ScenesConfig:
    return ScenesConfig(**({"output": output, "count": 5, "seed": 1, "workers": 1, "scene": SCENE} | changes))


def contents(path: Path) -> dict[str, bytes]:
    return {file.relative_to(path).as_posix(): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def test_bytes_do_not_depend_on_the_number_of_workers(tmp_path):
    one, two = run(settings(tmp_path / "one")), run(settings(tmp_path / "two", workers=2))
    assert (one.made, two.made) == (5, 5)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert len(contents(tmp_path / "one")) == 5 + 2


def test_another_seed_gives_other_scenes(tmp_path):
    run(settings(tmp_path / "one", count=2))
    run(settings(tmp_path / "two", count=2, seed=2))
    one, two = contents(tmp_path / "one"), contents(tmp_path / "two")
    assert all(one[name] != two[name] for name in one)


def test_an_interrupted_run_keeps_what_it_made_and_goes_on(tmp_path, monkeypatch):
    run(settings(tmp_path / "whole"))
    make = SceneFolder.make

    def interrupted(self, index):
        if index == 3:
            raise KeyboardInterrupt
        return make(self, index)

    monkeypatch.setattr(SceneFolder, "make", interrupted)
    with contextlib.suppress(KeyboardInterrupt):
        run(settings(tmp_path / "out"))
    assert not (tmp_path / "out" / "metadata.jsonl").exists(), "an unfinished data set has no list yet"
    monkeypatch.setattr(SceneFolder, "make", make)
    report = run(settings(tmp_path / "out"))
    assert (report.kept, report.made) == (3, 2)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_done_is_done(tmp_path, monkeypatch):
    run(settings(tmp_path))
    before = contents(tmp_path)
    monkeypatch.setattr(SceneFolder, "make", None)
    report = run(settings(tmp_path))
    assert (report.made, report.kept) == (0, 5)
    assert contents(tmp_path) == before


def test_more_scenes_are_added_and_fewer_take_none_away(tmp_path):
    run(settings(tmp_path / "whole"))
    run(settings(tmp_path / "out", count=2))
    report = run(settings(tmp_path / "out"))
    assert (report.kept, report.made) == (2, 3)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    report = run(settings(tmp_path / "out", count=3))
    assert (report.kept, report.made) == (5, 0)
    assert len(read_clips(tmp_path / "out")) == 5


def test_exists_error_and_overwrite(tmp_path):
    run(settings(tmp_path, count=3))
    with pytest.raises(UsageError, match="holds a data set already"):
        run(settings(tmp_path, exists="error"))
    report = run(settings(tmp_path, count=2, seed=9, exists="overwrite"))
    assert (report.made, report.kept) == (2, 0)
    assert len(list((tmp_path / "audio").iterdir())) == 2


def test_dry_run_touches_nothing(tmp_path):
    report = run(settings(tmp_path / "out", dry_run=True))
    assert report.made == 0
    assert not (tmp_path / "out").exists()


def test_progress_counts_up_to_the_total(tmp_path):
    seen = []
    run(settings(tmp_path, count=2))
    run(settings(tmp_path, count=5), lambda done, total: seen.append((done, total)))
    assert seen == [(3, 5), (4, 5), (5, 5)]


def test_a_worker_that_dies_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(SceneFolder, "make", _die)
    with pytest.raises(AudioJourneyError, match="ended from outside"):
        run(settings(tmp_path, workers=2))


def _die(self, index):
    raise SystemExit


@pytest.mark.parametrize(("setting", "value"), [("count", 0), ("workers", 0), ("seed", -1)])
def test_impossible_numbers_are_refused(tmp_path, setting, value):
    with pytest.raises(UsageError, match=f"{setting} is {value}"):
        settings(tmp_path, **{setting: value})
