"""Sounds on disk: what is read back, equal bytes for equal input, and tags that survive."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from audiojourney import __version__
from audiojourney.data import ogg, riff
from audiojourney.data.write import FORMATS, encode_audio, read_tag, save_audio
from audiojourney.errors import AudioJourneyError, ClipError, UsageError

TAGS = {
    "plain": {"prompt": "rain on a tin roof", "seed": 7, "guidance": 3.5, "negative": None},
    "letters": {"prompt": 'pluie — 雨の音 🌧 "quoted" \\ back\nslash\tand \x00 nought'},
    "long": {"prompt": "über 雨 " * 10_000},
    "empty": {},
}


@pytest.fixture(scope="module")
def wave() -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.9, 0.9, 8_001).astype(np.float32)


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("tags", TAGS.values(), ids=TAGS)
def test_tags_come_back(tmp_path: Path, wave: np.ndarray, kind: str, tags: dict[str, object]):
    path = tmp_path / f"a.{kind}"
    save_audio(path, wave, 16_000, tags)
    assert read_tag(path) == {"aj": 1, **tags}
    assert soundfile.info(path).frames == len(wave)


@pytest.mark.parametrize("kind", ["wav", "flac"])
@pytest.mark.parametrize("channels", [1, 2])
def test_samples_come_back_within_half_a_step(tmp_path: Path, kind: str, channels: int):
    frames = np.random.default_rng(1).uniform(-0.99, 0.99, (999, channels)).astype(np.float32)
    save_audio(tmp_path / f"a.{kind}", frames, 22_050, TAGS["plain"])
    found, rate_hz = soundfile.read(tmp_path / f"a.{kind}", always_2d=True)
    assert rate_hz == 22_050
    assert np.abs(found - frames).max() <= 0.5 / 32768 + 1e-9
    assert soundfile.info(tmp_path / f"a.{kind}").subtype == "PCM_16"


def test_vorbis_is_the_same_sound(tmp_path: Path):
    tone = np.sin(np.arange(200_000) * 2 * np.pi * 440 / 16_000).astype(np.float32) / 2
    save_audio(tmp_path / "a.ogg", tone, 16_000)
    found, _ = soundfile.read(tmp_path / "a.ogg")
    assert len(found) == len(tone)
    assert np.sqrt(np.mean((found - tone) ** 2)) < 0.01


@pytest.mark.parametrize("kind", FORMATS)
def test_equal_sounds_are_equal_bytes(wave: np.ndarray, kind: str):
    """Vorbis encoders number their streams at random, which must not show."""
    first = encode_audio(wave, 16_000, kind, TAGS["letters"])
    assert first == encode_audio(wave.copy(), 16_000, kind, dict(TAGS["letters"]))
    assert first != encode_audio(wave, 16_000, kind, TAGS["plain"])
    assert first != encode_audio(-wave, 16_000, kind, TAGS["letters"])


@pytest.mark.parametrize("kind", FORMATS)
def test_bytes_are_those_of_the_file(tmp_path: Path, wave: np.ndarray, kind: str):
    save_audio(tmp_path / f"a.{kind.upper()}", wave, 16_000, TAGS["plain"])
    assert (tmp_path / f"a.{kind.upper()}").read_bytes() == encode_audio(wave, 16_000, kind, TAGS["plain"])


@pytest.mark.parametrize("kind", FORMATS)
def test_other_programs_see_the_software(tmp_path: Path, wave: np.ndarray, kind: str):
    save_audio(tmp_path / f"a.{kind}", wave, 16_000, TAGS["plain"])
    with soundfile.SoundFile(tmp_path / f"a.{kind}") as file:
        assert file.software.startswith(f"audiojourney {__version__}")
        assert "rain on a tin roof" in file.comment


def test_tags_are_ascii(wave: np.ndarray):
    """Programs that guess the encoding of a comment cannot guess wrong."""
    data = encode_audio(wave, 16_000, "wav", TAGS["letters"])
    assert data[: data.index(b"data")][60:].isascii()


def test_wav_and_flac_hold_the_same_samples(tmp_path: Path, wave: np.ndarray):
    for name in ("a.wav", "a.flac"):
        save_audio(tmp_path / name, wave, 16_000)
    (one, _), (other, _) = (soundfile.read(tmp_path / name, dtype="int16") for name in ("a.wav", "a.flac"))
    np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", FORMATS)
def test_no_tags_leave_no_trace(tmp_path: Path, wave: np.ndarray, kind: str):
    save_audio(tmp_path / f"a.{kind}", wave, 16_000)
    assert read_tag(tmp_path / f"a.{kind}") is None
    assert b"audiojourney" not in (tmp_path / f"a.{kind}").read_bytes()


def test_a_foreign_comment_is_no_tag(tmp_path: Path, wave: np.ndarray):
    for number, comment in enumerate(["take 3", '{"seed": 1}', "[1]", "7"]):
        path = tmp_path / f"{number}.flac"
        with soundfile.SoundFile(path, "w", 16_000, 1, "PCM_16") as file:
            file.comment = comment
            file.write(wave)
        assert read_tag(path) is None


def test_reading_tags_of_what_is_no_sound(tmp_path: Path):
    (tmp_path / "a.wav").write_text("hello", encoding="utf-8")
    for name, code in (("a.wav", "not_audio"), ("b.wav", "missing_file")):
        with pytest.raises(ClipError) as told:
            read_tag(tmp_path / name)
        assert told.value.code == code


def test_loud_samples_are_clipped_not_wrapped(tmp_path: Path):
    save_audio(tmp_path / "a.wav", np.array([0.0, 1.0, 1.7, -1.0, -3.0]), 8_000)
    found, _ = soundfile.read(tmp_path / "a.wav", dtype="int16")
    assert found.tolist() == [0, 32767, 32767, -32768, -32768]


@pytest.mark.parametrize(
    ("wave", "suffix", "shown"),
    [
        (np.zeros(0), "wav", r"\(0,\)"),
        (np.zeros((2, 3, 4)), "wav", r"\(2, 3, 4\)"),
        (np.array([0.0, np.nan, np.inf]), "flac", "2 of 3"),
        (np.zeros(10), "mp3", "'mp3'.*wav, flac, ogg"),
        (np.zeros(10), "", "''"),
        (np.zeros((10, 9)), "flac", "9 channels"),
    ],
)
def test_what_cannot_be_written_leaves_no_file(tmp_path: Path, wave: np.ndarray, suffix: str, shown: str):
    with pytest.raises(UsageError, match=shown):
        save_audio(tmp_path / f"a.{suffix}".rstrip("."), wave, 16_000)
    assert not list(tmp_path.iterdir())


def test_a_failed_write_keeps_the_earlier_file(tmp_path: Path, wave: np.ndarray, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "a.wav"
    save_audio(path, wave, 16_000)
    before = path.read_bytes()
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(AudioJourneyError, match="no space is left"):
        save_audio(path, -wave, 16_000)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.wav"]


def test_wav_sizes_are_those_of_the_format(wave: np.ndarray):
    """Every chunk starts at an even offset, and the outer size counts all but the first eight bytes."""
    data = riff.wav_bytes(wave[:, None], 16_000, {"ICMT": "odd", "ISFT": "even"})
    assert struct.unpack("<I", data[4:8])[0] == len(data) - 8
    assert data.index(b"data") % 2 == 0
    assert data[-2 * len(wave) :] == riff.pcm16(wave).tobytes()


def test_chunks_of_odd_length_are_padded(wave: np.ndarray):
    """The walk steps over the padding byte that a chunk of odd length is followed by."""
    data = riff.wav_bytes(wave[:, None], 16_000, {"ICMT": "odd"})
    data = data[:36] + b"note" + struct.pack("<I", 3) + b"abc\0" + data[36:]
    assert [chunk.name for chunk in riff.chunks(io.BytesIO(data))] == [b"fmt ", b"note", b"LIST", b"data"]
    assert riff.info_texts(io.BytesIO(data)) == {"ICMT": "odd"}


def test_a_wav_beyond_4_gib_is_refused():
    long = np.broadcast_to(np.zeros((1, 2), np.float32), (2**30, 2))
    with pytest.raises(UsageError, match="1073741824 frames"):
        riff.wav_bytes(long, 16_000, {})


def slow_ogg_checksum(page: bytes) -> int:
    """The bit by bit definition."""
    register = 0
    for byte in page:
        register ^= byte << 24
        for _ in range(8):
            register = (register << 1 ^ (0x04C11DB7 if register >> 31 else 0)) & 0xFFFFFFFF
    return register


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=200))
def test_ogg_checksum(page: bytes):
    assert ogg.checksum(page) == slow_ogg_checksum(page)


def test_ogg_pages_are_whole_after_a_new_serial(wave: np.ndarray):
    data = encode_audio(wave, 16_000, "ogg", TAGS["long"])
    assert ogg.fault(data) is None
    other = ogg.with_serial(data, 12345)
    assert ogg.fault(other) is None and other != data and len(other) == len(data)
    assert other[14:18] == struct.pack("<I", 12345)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda d: d[:-1], "truncated"),
        (lambda d: d[:20], "truncated"),
        (lambda d: d[: d.rindex(b"OggS")], "truncated"),
        (lambda d: d[: d.index(b"OggS", 4)], "truncated"),
        (lambda d: d[:200] + bytes([d[200] ^ 1]) + d[201:], "corrupt"),
        (lambda d: d[: d.rindex(b"OggS")] + b"junk" * 20, "corrupt"),
    ],
)
def test_ogg_faults(wave: np.ndarray, spoil, code: str):
    fault = ogg.fault(spoil(encode_audio(wave, 16_000, "ogg")))
    assert fault is not None and fault[0] == code
