from __future__ import annotations

import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from audiojourney.data.clip import Caption, Clip
from audiojourney.data.manifest import write_clips
from audiojourney.errors import ClipError, MissingError, UsageError
from audiojourney.recipes.study.build import run
from audiojourney.recipes.study.config import StudyConfig
from audiojourney.recipes.study.pairing import pair_folders, system_names
from audiojourney.recipes.study.seal import seal, unseal
from tests.recipes.study_doubles import RATE_HZ, data_of, sound_of, tones

PROMPTS = [f"prompt {number}" for number in range(10)]
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    tones(tmp_path / "secretone", PROMPTS)
    tones(tmp_path / "secrettwo", PROMPTS, gain=0.12)
    return tmp_path / "secretone", tmp_path / "secrettwo"


def made(tmp_path: Path, folders, name: str = "study.html", **settings):
    return run(StudyConfig(folders=tuple(folders), output=tmp_path / name, **settings))


def level(sound: bytes) -> float:
    wave, rate_hz = soundfile.read(io.BytesIO(sound))
    assert rate_hz == RATE_HZ
    return float(np.sqrt(np.mean(wave**2)))


@settings(max_examples=50)
@given(st.text(min_size=1, max_size=80), st.binary(min_size=6, max_size=6))
def test_sealed_names_come_back_and_cannot_be_read(name, nonce):
    name = name.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    sealed = seal(name, "study", nonce)
    assert unseal(sealed, "study") == name
    assert len(name) < 4 or name not in sealed
    with pytest.raises(UsageError, match="sealed"):
        unseal(sealed, "other")


def test_one_name_is_sealed_in_many_ways_of_one_length():
    assert len({seal("genau", "s") for _ in range(20)}) == 20
    assert len(seal("a", "s")) == len(seal("a much longer name", "s"))
    for broken in ("", "!", "AAAA", seal("a", "s")[:12]):
        with pytest.raises(UsageError):
            unseal(broken, "s")


def test_the_page_names_no_folder(tmp_path, folders):
    made(tmp_path, folders)
    page = (tmp_path / "study.html").read_bytes()
    assert b"secret" not in page.lower()
    for number in range(20):
        assert b"secret" not in sound_of(tmp_path / "study.html", number)


def test_each_prompt_is_a_trial_of_its_two_sounds(tmp_path, folders):
    report = made(tmp_path, folders)
    study = data_of(tmp_path / "study.html")
    assert (report.prompts, report.trials, report.pair, report.study) == (10, 10, "id", study["study"])
    assert report.size_bytes == (tmp_path / "study.html").stat().st_size
    assert [trial["prompt"] for trial in study["trials"]] == PROMPTS
    for trial in study["trials"]:
        names = [unseal(text, study["study"]) for text in trial["sealed"]]
        assert sorted(names) == ["0 secretone", "1 secrettwo"]
        loud = [level(sound_of(tmp_path / "study.html", number)) for number in trial["sounds"]]
        assert np.argsort(loud).tolist() == np.argsort(names).tolist()


def test_sides_are_balanced_and_drawn_by_the_seed(tmp_path, folders):
    def sides(name, **settings):
        made(tmp_path, folders, name, **settings)
        study = data_of(tmp_path / name)
        return [unseal(trial["sealed"][0], study["study"]) for trial in study["trials"]]

    first = sides("a.html")
    assert Counter(first) == {"0 secretone": 5, "1 secrettwo": 5}
    assert first != sides("b.html", seed=1)
    sides("c.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "c.html").read_bytes()


def test_the_place_of_a_sound_in_the_page_tells_nothing(tmp_path, folders):
    made(tmp_path, folders)
    study = data_of(tmp_path / "study.html")
    even = [
        number % 2
        for trial in study["trials"]
        for number, sealed in zip(trial["sounds"], trial["sealed"], strict=True)
        if unseal(sealed, study["study"]).startswith("0")
    ]
    assert 0 < sum(even) < len(even)


@pytest.mark.parametrize(("design", "trials"), [("all", 30), ("first", 20)])
def test_three_systems(tmp_path, folders, design, trials):
    tones(tmp_path / "third", PROMPTS)
    report = made(tmp_path, [*folders, tmp_path / "third"], design=design)
    study = data_of(tmp_path / "study.html")
    pairs = Counter(
        tuple(sorted(unseal(text, study["study"]).split()[1] for text in trial["sealed"])) for trial in study["trials"]
    )
    assert report.trials == trials == pairs.total()
    assert set(pairs.values()) == {10}
    assert ("secrettwo", "third") in pairs or design == "first"


def test_some_prompts_are_drawn_by_the_seed(tmp_path, folders):
    made(tmp_path, folders, "a.html", count=4)
    made(tmp_path, folders, "b.html", count=4, seed=5)
    first, second = ([trial["prompt"] for trial in data_of(tmp_path / name)["trials"]] for name in ("a.html", "b.html"))
    assert len(first) == 4 and first != second


def test_louder_and_longer_sounds_are_told_and_levels_can_be_matched(tmp_path):
    tones(tmp_path / "one", PROMPTS[:2])
    tones(tmp_path / "two", PROMPTS[:2], gain=0.8, duration_s=1.2)
    report = made(tmp_path, [tmp_path / "one", tmp_path / "two"])
    assert "In 2 of 2 prompts one sound is louder" in report.warnings[0]
    assert "longer" in report.warnings[1]
    report = made(tmp_path, [tmp_path / "one", tmp_path / "two"], "matched.html", level="match")
    assert len(report.warnings) == 1
    levels = [level(sound_of(tmp_path / "matched.html", number)) for number in range(4)]
    assert levels == pytest.approx([0.1 / 2**0.5] * 4, rel=0.01)


def test_pairs_by_name_and_by_prompt(tmp_path):
    tones(tmp_path / "one", PROMPTS[:3])
    tones(tmp_path / "two", PROMPTS[:3], suffix=".flac")
    paired = pair_folders(StudyConfig(folders=(tmp_path / "one", tmp_path / "two")))
    assert (paired.pair, [item.key for item in paired.items]) == ("name", ["000", "001", "002"])
    for path in (tmp_path / "two").iterdir():
        path.rename(path.with_name(f"other-{path.name}"))
    paired = pair_folders(StudyConfig(folders=(tmp_path / "one", tmp_path / "two")))
    assert (paired.pair, [item.prompt for item in paired.items]) == ("prompt", PROMPTS[:3])


def test_sounds_without_a_partner_are_counted(tmp_path, folders):
    (folders[1] / "003.wav").unlink()
    report = made(tmp_path, folders)
    assert report.prompts == 9
    assert report.warnings == (f"1 sounds of {folders[0]} have no partner in every other folder.",)


def test_prompts_come_from_a_manifest_where_one_is_named(tmp_path, folders):
    clips = [
        Clip(path=tmp_path / f"{n:03d}.wav", id=f"{n:03d}.wav", captions=(Caption(f"{EVIL} {n}"),)) for n in range(10)
    ]
    write_clips(tmp_path / "prompts.jsonl", clips)
    made(tmp_path, folders, captions=tmp_path / "prompts.jsonl")
    assert data_of(tmp_path / "study.html")["trials"][7]["prompt"] == f"{EVIL} 7"
    assert EVIL not in (tmp_path / "study.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("ids", ("{:03d}", "{:03d}.wav", "far/away/{:03d}.flac"))
def test_prompts_come_from_a_file_of_captions(tmp_path, folders, ids):
    rows = [f"{ids.format(n)},words {n}" for n in range(8)]
    (tmp_path / "captions.csv").write_text("\n".join(["id,caption", *rows]), encoding="utf-8")
    report = made(tmp_path, folders, captions=tmp_path / "captions.csv")
    prompts = [trial["prompt"] for trial in data_of(tmp_path / "study.html")["trials"]]
    assert prompts[:8] == [f"words {n}" for n in range(8)]
    unsaid = sum(not prompt for prompt in prompts)
    assert any("have no caption in" in text for text in report.warnings) == bool(unsaid)


def test_a_file_name_of_several_captions_says_no_prompt(tmp_path, folders):
    (tmp_path / "captions.json").write_text('{"a/000": "one", "b/000": "two", "c/001": "three"}', encoding="utf-8")
    made(tmp_path, folders, captions=tmp_path / "captions.json")
    prompts = [trial["prompt"] for trial in data_of(tmp_path / "study.html")["trials"]]
    assert prompts[0] not in ("one", "two") and prompts[1] == "three"


def test_names_of_folders_are_told_apart(tmp_path):
    assert system_names([Path("a/x"), Path("b/y")]) == ["x", "y"]
    assert system_names([Path("a/x"), Path("b/x")]) == ["a/x", "b/x"]
    for folders in ([], [Path("a")], [Path("a"), Path("b"), Path("a/")]):
        with pytest.raises(UsageError, match=r"two folders|itself"):
            system_names(folders)


def test_what_cannot_be_paired_is_said(tmp_path, folders):
    tones(tmp_path / "other", ["else"])
    (tmp_path / "other" / "000.wav").rename(tmp_path / "other" / "unlike.wav")
    with pytest.raises(UsageError, match=r"'000\.wav'.*'unlike\.wav'"):
        made(tmp_path, [folders[0], tmp_path / "other"])
    (tmp_path / "none").mkdir()
    with pytest.raises(UsageError, match="has none"):
        made(tmp_path, [folders[0], tmp_path / "none"])
    with pytest.raises(MissingError, match="absent"):
        made(tmp_path, [folders[0], tmp_path / "absent"])
    tones(tmp_path / "twice" / "sub", ["x"])
    tones(tmp_path / "twice", ["x"])
    with pytest.raises(UsageError, match="'000'"):
        made(tmp_path, [folders[0], tmp_path / "twice"], pair="name")


def test_nothing_is_written_where_a_sound_is_broken_or_the_page_too_large(tmp_path, folders):
    with pytest.raises(UsageError, match=r"0\.005 MB after"):
        made(tmp_path, folders, max_mb=0.005)
    (folders[1] / "004.wav").write_bytes(b"RIFF")
    with pytest.raises(ClipError, match=r"004\.wav"):
        made(tmp_path, folders)
    assert not (tmp_path / "study.html").exists()


def test_a_page_is_not_replaced_unasked(tmp_path, folders):
    (tmp_path / "study.html").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="exists"):
        made(tmp_path, folders)
    assert (tmp_path / "study.html").read_text(encoding="utf-8") == "mine"
    made(tmp_path, folders, force=True)
    assert data_of(tmp_path / "study.html")["trials"]


@pytest.mark.parametrize("setting", [{"count": 0}, {"seed": -1}, {"max_mb": 0.0}])
def test_settings_that_cannot_be_meant(setting):
    with pytest.raises(UsageError, match=next(iter(setting))):
        StudyConfig(**setting)
