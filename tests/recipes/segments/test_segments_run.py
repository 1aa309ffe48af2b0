"""`aj data segments` over folders of transcripts: what is chosen, what is told, what survives a kill."""

from __future__ import annotations

import json
import random

import numpy as np
import pytest

from audiojourney.data.manifest import read_clips
from audiojourney.data.transcripts.segments import CutConfig
from audiojourney.data.write import save_audio
from audiojourney.errors import MissingError, UsageError
from audiojourney.recipes.segments import ledger
from audiojourney.recipes.segments import run as recipe
from audiojourney.recipes.segments.config import SegmentsConfig
from audiojourney.recipes.segments.videos import find_videos, wanted


def vtt(*cues, words=False):
    """Return WebVTT with these cues of (start_s, end_s, text)."""
    body = "".join(
        f"00:{start:06.3f} --> 00:{end:06.3f}\n{text}{f'<00:{start:06.3f}><c> x</c>' if words else ''}\n\n"
        for start, end, text in cues
    )
    return f"WEBVTT\n\n{body}"


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def put(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return folder


SPOKEN = vtt((3, 5, "hello"), (20, 21, "[Music]"))


def test_clips_are_a_manifest(tmp_path):
    info = {"title": "A mill", "description": "old", "duration": 25.5, "webpage_url": "https://x.example/a"}
    folder = put(tmp_path / "in", a__en__vtt=SPOKEN, a__info__json=json.dumps(info))
    report = recipe.run(SegmentsConfig(inputs=(folder,)))
    clips = read_clips(report.output)
    assert [(clip.id, clip.offset_s, clip.duration_s, clip.end_s) for clip in clips] == [
        ("a_000", 0.0, 3.0, 3.0),
        ("a_001", 5.0, 10.0, 15.0),
        ("a_002", 15.0, 5.0, 20.0),
        ("a_003", 21.0, 4.5, 25.5),
    ]
    assert clips[0].path == folder / "a.wav" and clips[0].captions == ()
    assert (clips[0].metadata.title, clips[0].source_url) == ("A mill", "https://x.example/a")
    assert [clip.extra["after_music"] for clip in clips] == [False, False, False, True]
    assert [clip.extra["segment_index"] for clip in clips] == [0, 1, 1, 2]
    assert clips[0].extra["transcript"] == {
        "format": "vtt",
        "kind": "uploaded",
        "language": "en",
        "cues": 2,
        "gapless": False,
    }
    assert report.counts["hours"] == round(22.5 / 3600, 6) and report.counts["media_hours"] == round(25.5 / 3600, 6)


def test_why_videos_give_nothing(tmp_path):
    folder = put(
        tmp_path / "in",
        good__en__vtt=SPOKEN,
        blank__en__vtt="WEBVTT\n\n",
        empty__en__json3="",
        foreign__de__vtt=SPOKEN,
        busy__en__vtt=vtt((0, 20, "talk"), (20, 40, "talk"), (40, 50, "more"), (50, 55, "x")),
        broken__en__vtt="no transcript at all",
        described__info__json="{}",
        half__en__vtt=SPOKEN,
        half__en__srt="not one",
    )
    videos = tmp_path / "videos.csv"
    videos.write_text("id,duration\nbusy,55\nghost,3\nghost,3\ngood,30\n", encoding="utf-8")
    report = recipe.run(SegmentsConfig(inputs=(folder,), videos=videos))
    assert {row["id"]: row["reason"] for row in lines(report.discarded)} == {
        "blank": "no_cues",
        "busy": "no_segments",
        "described": "no_transcript",
        "empty": "no_cues",
        "foreign": "language",
        "ghost": "no_transcript",
    }
    assert [(row["id"], row["code"]) for row in lines(report.errors)] == [
        ("broken", "not_transcript"),
        ("half", "not_transcript"),
    ]
    assert report.errors.name == "errors.jsonl"
    counts = report.counts
    assert (counts["videos"], counts["videos_used"], counts["videos_failed"], counts["gapless"]) == (9, 2, 1, 1)
    assert {row["video_id"] for row in lines(report.output)} == {"good", "half"}
    assert counts["videos_of_unknown_length"] == 1


def test_the_transcript_that_somebody_wrote_is_taken(tmp_path):
    spoken, other = vtt((3, 5, "said"), words=True), vtt((7, 9, "written"))
    cases = {
        "written": {"en": other, "en-orig": spoken},
        "translated": {"en": vtt((8, 9, "auto"), words=True), "en-orig": spoken},
        "blank": {"en": "WEBVTT\n", "en-US": other},
    }
    for name, texts in cases.items():
        put(tmp_path / "in", **{f"{name}__{language}__vtt": text for language, text in texts.items()})
    report = recipe.run(SegmentsConfig(inputs=(tmp_path / "in",)))
    first = {row["video_id"]: row["end_ms"] for row in lines(report.output) if row["index"] == 0}
    assert first == {"written": 7000, "translated": 3000, "blank": 7000}


def test_formats_that_tell_more_come_first(tmp_path):
    put(tmp_path, a__en__srt="x", a__en__json3="x", a__en__vtt="x", a__de__vtt="x", a__vtt="x")
    (video,) = find_videos(tmp_path)
    names = [found.path.name for found in wanted(video.transcripts, ("en",))]
    assert names == ["a.vtt", "a.en.json3", "a.en.vtt", "a.en.srt"]
    assert len(wanted(video.transcripts, ())) == 5


def test_folders_below_and_sounds_beside(tmp_path):
    folder = put(tmp_path / "in" / "x", a__en__vtt=SPOKEN)
    put(tmp_path / "in" / ".hidden", b__en__vtt=SPOKEN)
    save_audio(folder / "a.flac", np.zeros(22 * 8000 + 12_000), 8000)
    rows = lines(recipe.run(SegmentsConfig(inputs=(tmp_path / "in",), output=tmp_path / "o" / "s.jsonl")).output)
    assert {row["file_name"] for row in rows} == {"../in/x/a.flac"}
    assert rows[0]["id"] == "x/a_000" and rows[-1]["end_ms"] == 23_500


def test_cutting_follows_the_settings(tmp_path):
    folder = put(tmp_path / "in", a__en__vtt=vtt((3, 5, "[door slams]"), (20, 21, "[Music]"), (30, 31, "a")))
    cut = CutConfig(ignore_sound_labels=True, drop_after_music=True, chunk_ms=4000)
    rows = lines(recipe.run(SegmentsConfig(inputs=(folder,), cut=cut, media="{video_id}_{index}.flac")).output)
    assert [row["end_ms"] for row in rows] == [4000, 8000, 12_000, 16_000, 20_000]
    assert rows[1]["file_name"] == "a_1.flac"


def test_the_same_again_does_nothing_and_changes_are_told(tmp_path):
    folder = put(tmp_path / "in", a__en__vtt=SPOKEN)
    config = SegmentsConfig(inputs=(folder,))
    first = recipe.run(config)
    again = recipe.run(config)
    assert again.again and again.counts == first.counts
    with pytest.raises(UsageError, match="chunk_ms was 10000 and is 5000"):
        recipe.run(SegmentsConfig(inputs=(folder,), cut=CutConfig(chunk_ms=5000)))
    put(folder, b__en__vtt=SPOKEN)
    with pytest.raises(UsageError, match="inputs have changed"):
        recipe.run(config)
    assert recipe.run(SegmentsConfig(inputs=(folder,), force=True)).counts["videos"] == 2


def test_a_run_that_is_killed_anywhere_is_continued_to_the_same_list(tmp_path, monkeypatch):
    generator = random.Random(3)
    for number in range(40):
        text = SPOKEN if number % 5 else ("WEBVTT\n" if number % 2 else "broken")
        put(tmp_path / "in", **{f"v{number:02d}__en__vtt": text})
    videos = tmp_path / "videos.csv"
    videos.write_text("id,duration\n" + "".join(f"g{number},4\n" for number in range(6)), encoding="utf-8")
    config = SegmentsConfig(inputs=(tmp_path / "in",), videos=videos)
    whole = SegmentsConfig(inputs=config.inputs, videos=videos, output=tmp_path / "whole" / "segments.jsonl")
    expected = recipe.run(whole)
    monkeypatch.setattr(ledger, "FLUSH_EVERY_S", 0.0)

    class Killed(BaseException):
        pass

    original, left, done = ledger.Ledger.add, [0], []

    def add(self, rows, counts):
        if left[0] == 0:
            self._pending["rows"].append(b'{"half": ')
            raise Killed
        left[0] -= 1
        original(self, rows, counts)
        done.append(1)

    monkeypatch.setattr(ledger.Ledger, "add", add)
    for _ in range(100):
        left[0] = generator.randrange(1, 12)
        try:
            report = recipe.run(config)
            break
        except Killed:
            with (tmp_path / "in" / ".segments.work" / "rows.jsonl").open("ab") as file:
                file.write(b'{"torn": ')
    assert len(done) == report.counts["videos"] == 46
    assert report.counts == expected.counts
    assert lines(report.discarded) == lines(expected.discarded)
    there, here = lines(expected.output), lines(report.output)
    assert [row["id"] for row in here] == [row["id"] for row in there]
    assert not (tmp_path / "in" / ".segments.work").exists()


def test_work_of_other_settings_is_not_continued(tmp_path):
    work = ledger.Ledger(tmp_path / "w", "one")
    work.add({"rows": [{"a": 1}]}, {"n": 2})
    work.flush()
    assert ledger.Ledger(tmp_path / "w", "one").done == 1
    assert ledger.Ledger(tmp_path / "w", "two").done == 0
    (tmp_path / "w" / "rows.jsonl").write_bytes(b"")
    assert ledger.Ledger(tmp_path / "w", "one").done == 0


def test_lists_of_an_earlier_run_that_are_empty_now_are_removed(tmp_path):
    folder = put(tmp_path / "in", a__en__vtt="broken", b__en__vtt=SPOKEN)
    first = recipe.run(SegmentsConfig(inputs=(folder,)))
    put(folder, a__en__vtt=SPOKEN)
    second = recipe.run(SegmentsConfig(inputs=(folder,), force=True))
    assert first.errors and second.errors is None and not first.errors.exists()


@pytest.mark.parametrize(
    "fields",
    [
        {"inputs": ()},
        {"media": "fixed.wav"},
        {"media": "{video_id.__class__}.wav"},
        {"media": "{video_id"},
        {"drop_keywords": ("speech",)},
        {"merge": True, "drop_keywords": ("nonsense",)},
    ],
)
def test_settings_that_cannot_be_meant(fields):
    with pytest.raises(UsageError):
        SegmentsConfig(**fields)


def test_without_anything_to_read(tmp_path):
    (tmp_path / "in").mkdir()
    for config in (SegmentsConfig(inputs=(tmp_path / "in",)), SegmentsConfig(inputs=(tmp_path / "absent",))):
        with pytest.raises(MissingError, match="no transcripts"):
            recipe.run(config)
    with pytest.raises(MissingError, match="list"):
        recipe.run(SegmentsConfig(inputs=(tmp_path / "in",), videos=tmp_path / "no.csv"))
