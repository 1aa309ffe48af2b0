"""Pictures of sounds: valid PNG, the right place for a tone, colours of even steps."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from audiojourney.data.spectrogram import Picture, colours, png, save_spectrogram, spectrogram_png
from audiojourney.errors import UsageError

LEFT, TOP = 56, 12  # margins


def decode(data: bytes) -> np.ndarray:
    """Read a PNG with a palette as RGB, shape (rows, columns, 3), checking every checksum."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    parts, position = {}, 8
    while position < len(data):
        size, name = struct.unpack_from(">I4s", data, position)
        body = data[position + 8 : position + 8 + size]
        assert struct.unpack_from(">I", data, position + 8 + size)[0] == zlib.crc32(name + body)
        parts[name] = body
        position += 12 + size
    columns, rows, *rest = struct.unpack(">IIBBBBB", parts[b"IHDR"])
    assert rest == [8, 3, 0, 0, 0] and b"IEND" in parts
    lines = np.frombuffer(zlib.decompress(parts[b"IDAT"]), np.uint8).reshape(rows, columns + 1)
    assert (lines[:, 0] == 0).all()
    return np.frombuffer(parts[b"PLTE"], np.uint8).reshape(-1, 3)[lines[:, 1:]]


def brightness(pixels: np.ndarray, picture: Picture) -> np.ndarray:
    """Sum of the colours within the axes, shape (height, width)."""
    return pixels[TOP : TOP + picture.height, LEFT : LEFT + picture.width].sum(axis=2, dtype=int)


def test_png_holds_the_pixels():
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    palette = np.random.default_rng(0).integers(0, 256, (12, 3))
    np.testing.assert_array_equal(decode(png(pixels, palette)), palette[pixels])


@pytest.mark.parametrize("hz", [200, 1000, 3000, 7000])
def test_a_tone_is_a_line_at_its_frequency(hz: int):
    picture = Picture(width=100, height=128)
    tone = np.sin(2 * np.pi * hz * np.arange(16_000) / 16_000)
    rows = brightness(decode(spectrogram_png(tone, 16_000, picture)), picture)[:, 10:-10]
    share = np.log(1 + hz / 700) / np.log(1 + 8000 / 700)  # of the mel axis from 0 to 8 kHz
    found = rows.mean(axis=1).argmax()
    assert abs(found - (127 - share * 127)) <= 1.5


def test_a_click_is_a_line_at_its_time():
    picture = Picture(width=200, height=64)
    wave = np.zeros(32_000)
    wave[24_000] = 1.0
    columns = brightness(decode(spectrogram_png(wave, 16_000, picture)), picture).mean(axis=0)
    assert abs(columns.argmax() - 150) <= 3
    assert columns[:140].max() == columns.min()


def test_levels_fall_evenly():
    """80 dB from the brightest to the darkest colour: 40 dB lie in the middle of the scale."""
    picture = Picture(width=200, height=64)
    tone = np.sin(2 * np.pi * 1000 * np.arange(32_000) / 16_000)
    tone[16_000:] *= 0.01
    row = brightness(decode(spectrogram_png(tone, 16_000, picture)), picture).max(axis=0)
    scale = colours(254).sum(axis=1, dtype=int)
    assert abs(np.abs(scale - row[150]).argmin() - 126) <= 3
    assert np.abs(scale - row[50]).argmin() >= 250


@pytest.mark.parametrize("wave", [np.zeros(8000), np.zeros(1), np.full(5, 0.5), np.zeros((100, 2)), np.ones(3_000_000)])
def test_silence_short_and_long_sounds_are_pictures(wave: np.ndarray):
    pixels = decode(spectrogram_png(wave, 8_000))
    assert pixels.shape == (256 + 46, 880 + 80, 3)
    if not wave.any():
        assert (brightness(pixels, Picture()) == colours(254)[0].sum()).all()


@pytest.mark.parametrize(
    ("samples", "rate_hz", "times", "frequencies"),
    [
        (2_400, 48_000, 11, 8),  # 0 to 0.05 s by 0.005; 100 Hz to 16 kHz
        (16_000, 16_000, 11, 7),  # 0 to 1 s by 0.1; 100 Hz to 8 kHz
        (81_920, 8_000, 6, 6),  # 0 to 10 s by 2
        (37_000, 10, 7, 0),  # 0 to 3600 s by 600
    ],
)
def test_axes_have_ticks_and_letters(samples: int, rate_hz: int, times: int, frequencies: int):
    black = (decode(spectrogram_png(np.ones(samples), rate_hz)) == 0).all(axis=2)
    assert black[TOP + 256 + 1, LEFT:].sum() == times
    assert black[: TOP + 256, LEFT - 2].sum() == frequencies
    assert black[TOP + 256 + 6 :].sum() > 50
    assert black[: TOP + 256, : LEFT - 6].sum() >= 20 * frequencies
    assert black[TOP + 256 + 6 :, :30].sum() > 20  # "Hz"
    assert black[TOP + 256 + 6 :, -15:].sum() > 10  # "s"


def oklab(rgb: np.ndarray) -> np.ndarray:
    """OKLab coordinates of sRGB colours, from its published matrices in the other direction."""
    share = rgb / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    to_lms = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    to_lab = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return np.cbrt(linear @ np.array(to_lms).T) @ np.array(to_lab).T


def test_colours_are_even_steps():
    lab = oklab(colours(33).astype(float))
    steps = np.diff(lab, axis=0)
    assert (steps[:, 0] > 0).all()
    np.testing.assert_allclose(steps[:, 0], 0.84 / 32, atol=0.004)
    lengths = np.linalg.norm(steps, axis=1)
    assert lengths.max() / lengths.min() < 1.25


def test_equal_sounds_are_equal_files(tmp_path: Path):
    wave = np.random.default_rng(0).standard_normal(16_000)
    save_spectrogram(tmp_path / "a.png", wave, 16_000)
    assert (tmp_path / "a.png").read_bytes() == spectrogram_png(wave.copy(), 16_000)


@pytest.mark.parametrize(("wave", "shown"), [(np.zeros(0), "0 samples"), (np.array([0.0, np.nan]), "2 samples")])
def test_what_has_no_picture(wave: np.ndarray, shown: str):
    with pytest.raises(UsageError, match=shown):
        spectrogram_png(wave, 16_000)
