"""Reading sounds: lengths, parts, down-mix; and a named reason for every file that cannot be read."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from audiojourney.data import audio, ffmpeg, sndfile
from audiojourney.data.audio import CODES, Limits, load, probe
from audiojourney.data.write import read_tag
from audiojourney.errors import ClipError, UsageError
from tests.conftest import ROOT
from tests.data.broken import (
    BROKEN,
    FOREIGN,
    FRAMES,
    MP3,
    ODD,
    OPUS,
    RATE_HZ,
    VORBIS,
    encoded,
    flac_header,
    half,
    noise,
    wav,
)

FORMATS = {"wav": ("WAV", "PCM_16"), "flac": ("FLAC", "PCM_24"), "ogg": VORBIS, "mp3": MP3, "aiff": ("AIFF", "PCM_16")}


@pytest.fixture
def without_av(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without PyAV."""
    monkeypatch.setattr(ffmpeg, "module", lambda: None)


@pytest.mark.usefixtures("without_av")
@pytest.mark.parametrize("name", BROKEN)
def test_broken_files_have_a_code(tmp_path: Path, name: str):
    code, make = BROKEN[name]
    make(tmp_path / name)
    with pytest.raises(ClipError) as told:
        load(tmp_path / name, 16_000)
    assert told.value.code == code
    assert told.value.code in CODES
    assert told.value.path == str(tmp_path / name)
    assert told.value.reason.strip() and "\n" not in str(told.value)


def test_every_broken_file_in_little_memory(tmp_path: Path):
    """A process with 1.5 GiB of addresses reports the same codes: headers that lie are not believed."""
    for name, (_, make) in BROKEN.items():
        make(tmp_path / name)
    code = (
        "import json, resource, sys, pathlib\n"
        "from audiojourney.data import audio, ffmpeg\n"
        "from audiojourney.errors import ClipError\n"
        "ffmpeg.module = lambda: None\n"
        "resource.setrlimit(resource.RLIMIT_AS, (3 << 29, 3 << 29))\n"
        "found = {}\n"
        "for name in json.loads(sys.argv[2]):\n"
        "    try:\n"
        "        audio.load(pathlib.Path(sys.argv[1]) / name, 16000)\n"
        "    except ClipError as error:\n"
        "        found[name] = error.code\n"
        "print(json.dumps(found))\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path), json.dumps(list(BROKEN))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {name: code for name, (code, _) in BROKEN.items()}


@pytest.mark.usefixtures("without_av")
@pytest.mark.parametrize("name", FOREIGN)
def test_files_for_pyav_name_the_extra(tmp_path: Path, name: str):
    FOREIGN[name](tmp_path / name)
    with pytest.raises(ClipError, match=r"audiojourney\[av\]") as told:
        probe(tmp_path / name)
    assert told.value.code == "unsupported_codec"


@pytest.mark.parametrize("name", ODD)
def test_odd_files_are_read(tmp_path: Path, name: str):
    frames, make = ODD[name]
    make(tmp_path / name)
    assert load(tmp_path / name, RATE_HZ).shape == (frames,)


def test_the_page_on_data_lists_every_code():
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    assert all(f"| `{code}` | {reason} |" in page for code, reason in CODES.items())
    assert {code for code, _ in BROKEN.values()} <= CODES.keys()


@pytest.mark.usefixtures("without_av")
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("page.wav", "begins with the text '<!DOCTYPE html>"),
        ("zeros.flac", "zero bytes only"),
        ("picture.wav", "a PNG picture"),
        ("random.wav", "begins with the bytes c0"),
        ("rate_0.wav", "2 channels at 0 Hz"),
        ("no_channels.wav", "0 channels at 44100 Hz"),
        ("unknown_codec.wav", "codec 0x4d43"),
        ("huge.flac", "68719476735 frames"),
        ("size_0.wav", "file of 1044 bytes"),
    ],
)
def test_the_reason_shows_what_was_found(tmp_path: Path, name: str, told: str):
    BROKEN[name][1](tmp_path / name)
    with pytest.raises(ClipError, match=told):
        load(tmp_path / name, 16_000)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("rate_hz", [16_000, 44_100, 48_000])
def test_length_and_type(tmp_path: Path, name: str, rate_hz: int):
    path = tmp_path / f"a.{name}"
    path.write_bytes(encoded(*FORMATS[name]))
    wave = load(path, rate_hz)
    assert wave.dtype == np.float32
    assert wave.shape == (-(-FRAMES * rate_hz // RATE_HZ),)
    assert probe(path).duration_s == FRAMES / RATE_HZ


def test_unknown_length_loses_no_frame(tmp_path: Path):
    """The last, shorter block of a streamed FLAC file is kept."""
    (tmp_path / "known.flac").write_bytes(encoded("FLAC", "PCM_16"))
    ODD["unknown_length.flac"][1](tmp_path / "unknown.flac")
    assert probe(tmp_path / "unknown.flac").frames is None
    np.testing.assert_array_equal(load(tmp_path / "unknown.flac", 16_000), load(tmp_path / "known.flac", 16_000))


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_channels_are_averaged(tmp_path: Path, channels: int):
    wave = noise(channels=channels)
    (tmp_path / "a.wav").write_bytes(encoded("WAV", "FLOAT", wave=wave))
    np.testing.assert_allclose(load(tmp_path / "a.wav", RATE_HZ), wave.mean(axis=1), atol=1e-7)


@pytest.mark.parametrize("name", [*FORMATS, "opus"])
@pytest.mark.parametrize(("start_s", "duration_s"), [(0.1, 0.2), (0.0, 0.3), (0.25, None), (1000.7 / RATE_HZ, 0.1)])
def test_a_part_equals_that_of_the_whole(tmp_path: Path, name: str, start_s: float, duration_s: float | None):
    rate_hz = 48_000 if name == "opus" else RATE_HZ
    path = tmp_path / f"a.{name}"
    path.write_bytes(encoded(*OPUS, rate_hz=rate_hz) if name == "opus" else encoded(*FORMATS[name]))
    whole = load(path, rate_hz)
    first = round(start_s * rate_hz)
    end = len(whole) if duration_s is None else first + round(duration_s * rate_hz)
    np.testing.assert_array_equal(load(path, rate_hz, start_s, duration_s), whole[first:end])


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text elsewhere")
@pytest.mark.parametrize("name", ["WAV", "FLAC"])
def test_names_that_are_no_utf_8_are_read(tmp_path: Path, name: str):
    path = tmp_path / os.fsdecode(b"caf\xe9." + name.lower().encode())
    path.write_bytes(encoded(name, "PCM_16"))
    assert len(load(path, RATE_HZ)) == FRAMES
    assert read_tag(path) is None


def test_a_part_beyond_the_end_is_shorter(tmp_path: Path):
    (tmp_path / "a.wav").write_bytes(encoded("WAV", "PCM_16"))
    assert len(load(tmp_path / "a.wav", RATE_HZ, 0.5, 10.0)) == FRAMES - RATE_HZ // 2
    with pytest.raises(ClipError, match=f"{FRAMES} frames") as told:
        load(tmp_path / "a.wav", RATE_HZ, FRAMES / RATE_HZ)
    assert told.value.code == "out_of_range"


def test_a_part_of_a_cut_file_can_be_read(tmp_path: Path):
    """Only the promised frames within the part have to be there."""
    (tmp_path / "a.mp3").write_bytes(half(encoded(*MP3)))
    assert len(load(tmp_path / "a.mp3", RATE_HZ, 0.1, 0.1)) == 4410
    with pytest.raises(ClipError) as told:
        load(tmp_path / "a.mp3", RATE_HZ, 0.1, 0.9)
    assert told.value.code == "truncated"


@pytest.mark.parametrize("name", ["half.wav", "half.ogg", "scratched.flac"])
def test_a_part_before_the_fault_can_be_read(tmp_path: Path, name: str):
    BROKEN[name][1](tmp_path / name)
    assert len(load(tmp_path / name, RATE_HZ, 0.1, 0.1)) == 4410


def test_nothing_to_salvage_is_the_fault_itself(tmp_path: Path):
    data = encoded("FLAC", "PCM_16")
    (tmp_path / "a.flac").write_bytes(data[: len(flac_header())])
    for salvage in (False, True):
        with pytest.raises(ClipError) as told:
            load(tmp_path / "a.flac", 16_000, salvage=salvage)
        assert told.value.code == "corrupt"


def test_what_is_over_the_limit_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "a.flac").write_bytes(encoded("FLAC", "PCM_16"))
    monkeypatch.setattr(sndfile, "blocks", lambda *_: pytest.fail("decoded"))
    with pytest.raises(ClipError) as told:
        load(tmp_path / "a.flac", 16_000, limits=Limits(max_frames=FRAMES - 1))
    assert told.value.code == "too_long"


@pytest.mark.parametrize("name", [name for name in BROKEN if name.startswith(("half", "scratched"))])
def test_salvage_keeps_what_precedes_the_fault(tmp_path: Path, name: str):
    BROKEN[name][1](tmp_path / name)
    wave = load(tmp_path / name, 16_000, salvage=True)
    assert len(wave) > 4000
    assert np.isfinite(wave).all() and np.abs(wave).max() > 0.01


def test_salvaged_samples_are_the_right_ones(tmp_path: Path):
    (tmp_path / "whole.flac").write_bytes(encoded("FLAC", "PCM_16"))
    BROKEN["half.flac"][1](tmp_path / "half.flac")
    kept = load(tmp_path / "half.flac", RATE_HZ, salvage=True)
    np.testing.assert_array_equal(kept, load(tmp_path / "whole.flac", RATE_HZ)[: len(kept)])


def test_salvage_does_not_forgive_numbers(tmp_path: Path):
    BROKEN["nan.wav"][1](tmp_path / "nan.wav")
    with pytest.raises(ClipError, match=f"1 of {FRAMES}"):
        load(tmp_path / "nan.wav", 16_000, salvage=True)


def test_limits_hold_before_and_after_resampling(tmp_path: Path):
    (tmp_path / "a.flac").write_bytes(encoded("FLAC", "PCM_16"))
    ODD["unknown_length.flac"][1](tmp_path / "b.flac")
    for name in ("a.flac", "b.flac"):
        for rate_hz, most in ((16_000, FRAMES - 1), (88_200, 2 * FRAMES - 2)):
            with pytest.raises(ClipError) as told:
                load(tmp_path / name, rate_hz, limits=Limits(max_frames=most))
            assert told.value.code == "too_long"
        assert len(load(tmp_path / name, 88_200, limits=Limits(max_frames=2 * FRAMES))) == 2 * FRAMES
        assert len(load(tmp_path / name, 16_000, 0, 0.1, limits=Limits(max_frames=4410))) == 1600


@pytest.mark.parametrize(
    ("request_", "shown"),
    [
        ({"rate_hz": 0}, "0 Hz"),
        ({"rate_hz": 10**9}, "1000000000 Hz"),
        ({"rate_hz": 16_000, "start_s": -1.0}, "-1.0 s"),
        ({"rate_hz": 16_000, "start_s": float("nan")}, "nan s"),
        ({"rate_hz": 16_000, "duration_s": 0.0}, "0.0 s"),
        ({"rate_hz": 16_000, "resampler": "linear"}, "'linear'"),
    ],
)
def test_requests_that_cannot_be_meant(tmp_path: Path, request_: dict[str, float], shown: str):
    (tmp_path / "a.wav").write_bytes(wav())
    with pytest.raises(UsageError, match=shown):
        load(tmp_path / "a.wav", **request_)


def test_memory_that_is_not_there_is_a_clip_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> None:
        raise MemoryError

    (tmp_path / "a.wav").write_bytes(wav())
    monkeypatch.setattr(audio, "resample", refuse)
    with pytest.raises(ClipError) as told:
        load(tmp_path / "a.wav", 16_000)
    assert told.value.code == "too_long"


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_damage_gives_samples_or_a_code(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject):
    """Cut anywhere, overwritten anywhere: finite samples or a ClipError, and nothing else."""
    whole = data.draw(st.sampled_from(WHOLE))
    keep = data.draw(st.integers(1, len(whole)))
    at = data.draw(st.integers(0, keep - 1))
    junk = data.draw(st.binary(min_size=0, max_size=40))
    damaged = (whole[:at] + junk + whole[at + len(junk) :])[:keep]
    path = tmp_path_factory.mktemp("damage") / "a.wav"
    path.write_bytes(damaged)
    try:
        wave = load(path, 16_000, salvage=data.draw(st.booleans()))
    except ClipError as error:
        assert error.code in CODES
    else:
        assert wave.dtype == np.float32 and wave.ndim == 1 and len(wave) and np.isfinite(wave).all()


SHORT = noise(6000, 1)
WHOLE = [encoded(*layout, wave=SHORT) for layout in [*FORMATS.values(), ("WAV", "FLOAT"), ("AU", "PCM_16")]]
WHOLE.append(encoded(*OPUS, rate_hz=48_000, wave=SHORT))


def test_real_recordings(shared_recordings: Path):
    """Ogg files from an unknown encoder pass every check."""
    paths = sorted(shared_recordings.rglob("*.ogg"))[::40]
    assert paths
    for path in paths:
        expected, rate_hz = soundfile.read(path, dtype="float32")
        np.testing.assert_array_equal(load(path, rate_hz), expected)
        assert abs(len(load(path, 16_000)) / 16_000 - probe(path).duration_s) < 1 / 16_000


def test_pyav_reads_what_libsndfile_cannot(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    """An AAC file in an MPEG-4 container: whole, a part, and one that is cut."""
    av = pytest.importorskip("av")
    caplog.set_level(logging.CRITICAL)
    tone = np.sin(np.arange(48_000) * 2 * np.pi * 1000 / 48_000).astype(np.float32) / 2
    path = tmp_path / "a.m4a"
    with av.open(str(path), "w", format="ipod") as container:
        stream = container.add_stream("aac", rate=48_000, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone[None], format="fltp", layout="mono")
        frame.sample_rate = 48_000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    info = probe(path)
    assert (info.decoder, info.codec, info.rate_hz, info.channels) == ("av", "aac", 48_000, 1)
    wave = load(path, 48_000)
    assert 48_000 <= len(wave) < 51_000
    assert np.sqrt(np.mean(wave[5000:40_000] ** 2)) == pytest.approx(0.5 / 2**0.5, rel=0.02)
    np.testing.assert_array_equal(load(path, 48_000, 0.25, 0.5), wave[12_000:36_000])
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(ClipError):
        load(path, 48_000)


def test_the_first_channel_alone(tmp_path):
    left, right = noise().T
    soundfile.write(tmp_path / "x.wav", np.stack([left, right], axis=1), RATE_HZ, "FLOAT")
    soundfile.write(tmp_path / "mono.wav", left, RATE_HZ, "FLOAT")
    first = load(tmp_path / "x.wav", RATE_HZ, channels="first")
    np.testing.assert_array_equal(first, load(tmp_path / "mono.wav", RATE_HZ))
    np.testing.assert_array_equal(first, load(tmp_path / "mono.wav", RATE_HZ, channels="first"))
    assert not np.allclose(first, load(tmp_path / "x.wav", RATE_HZ), atol=1e-3)
