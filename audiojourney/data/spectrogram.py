"""Pictures of sounds as PNG files, made of numpy and zlib alone."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from audiojourney.data.glyphs import HEIGHT as TEXT_HEIGHT
from audiojourney.data.glyphs import draw_text, text_width
from audiojourney.errors import UsageError
from audiojourney.files import write_bytes

_FRAMES_A_COLUMN = 8  # most transforms that are averaged in one column of pixels
_TICK = 4  # pixels
_TICKS_HZ = (100, 250, 500, 1000, 2000, 4000, 8000, 16000)
_TICK_STEPS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800)


@dataclass(frozen=True, kw_only=True)
class Picture:
    """How a spectrogram is drawn.

    Attributes:
        width: columns of the picture without margins.
        height: rows of the picture without margins.
        range_db: what lies this far below the loudest point is drawn as nothing.
        window_s: length of the analysis window in seconds.
        ink: RGB of axes and numbers, from 0 to 255.
        paper: RGB of the margins; None lets through what lies behind the picture.
    """

    width: int = 880
    height: int = 256
    range_db: float = 80.0
    window_s: float = 0.046
    ink: tuple[int, int, int] = (0, 0, 0)
    paper: tuple[int, int, int] | None = (255, 255, 255)


PICTURE = Picture()
_BLACK, _WHITE = 254, 255  # numbers of the ink and the paper in the palette
_SILENT_DB = -150.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 24, 12, 34


def save_spectrogram(path: Path | str, wave: np.ndarray, rate_hz: int, picture: Picture = PICTURE) -> None:
    """Write the picture of a sound as PNG, whole or not at all (see `spectrogram_png`)."""
    write_bytes(path, spectrogram_png(wave, rate_hz, picture))


def spectrogram_png(wave: np.ndarray, rate_hz: int, picture: Picture = PICTURE) -> bytes:
    """Return a PNG with time to the right, frequency upwards on the mel scale, and level as colour.

    Args:
        wave: shape (T,) or (T, C).
        rate_hz: sample rate.
        picture: how it is drawn.

    Raises:
        UsageError: no samples, or samples that are not finite.
    """
    wave = np.asarray(wave, dtype=np.float64)
    mono = wave if wave.ndim == 1 else wave.mean(axis=1)
    if not len(mono) or not np.isfinite(mono).all():
        raise UsageError(f"A sound of {len(mono)} samples with non-finite or no values has no spectrogram.")
    canvas = np.full((picture.height + _TOP + _BOTTOM, picture.width + _LEFT + _RIGHT), _WHITE, np.uint8)
    shades = _shades(_levels_db(mono, rate_hz, picture), picture.range_db)
    canvas[_TOP : _TOP + picture.height, _LEFT : _LEFT + picture.width] = shades[::-1]
    _draw_frequency_axis(canvas, rate_hz, picture)
    _draw_time_axis(canvas, len(mono) / rate_hz, picture)
    palette = np.concatenate([colours(_BLACK), [picture.ink, picture.paper or (0, 0, 0)]])
    return png(canvas, palette, clear=None if picture.paper else _WHITE)


def _shades(levels: np.ndarray, range_db: float) -> np.ndarray:
    """Number the colours of levels in dB: 0 for what lies `range_db` under the loudest, uint8 of the same shape."""
    loudest = levels.max()
    if loudest < _SILENT_DB:
        return np.zeros(levels.shape, np.uint8)
    share = 1 + np.clip(levels - loudest, -range_db, 0) / range_db
    return (share * (_BLACK - 1)).round().astype(np.uint8)


def _levels_db(mono: np.ndarray, rate_hz: int, picture: Picture) -> np.ndarray:
    """Return levels in dB of the rows (lowest frequency first) and columns of the picture, shape (height, width)."""
    window = np.hanning(max(64, 2 ** round(np.log2(picture.window_s * rate_hz))) + 1)[:-1]
    hop = len(window) / 4
    repeat = int(np.clip(len(mono) / hop / picture.width, 1, _FRAMES_A_COLUMN))
    centres = (np.arange(picture.width * repeat) + 0.5) * len(mono) / (picture.width * repeat)
    padded = np.pad(mono, (len(window) // 2, len(window)))
    frames = np.lib.stride_tricks.sliding_window_view(padded, len(window))[centres.astype(int)] * window
    power = np.abs(np.fft.rfft(frames / window.sum())) ** 2
    power = power.reshape(picture.width, repeat, -1).mean(axis=1)
    return 10 * np.log10(_rows(power, rate_hz, picture.height).T + 1e-16)


def _rows(power: np.ndarray, rate_hz: int, height: int) -> np.ndarray:
    """Average the bins of (W, K) spectra over rows that are equally high in mel, shape (W, height)."""
    bins = power.shape[1]
    edges = _hz_of(np.linspace(0, 1, height + 1), rate_hz) / (rate_hz / 2) * (bins - 1) + 0.5
    below = np.pad(np.cumsum(power, axis=1), ((0, 0), (1, 0)))
    whole = np.minimum(edges.astype(int), bins - 1)
    total = below[:, whole] + (edges - whole) * power[:, whole]
    return np.diff(total, axis=1) / np.diff(edges)


def _hz_of(share: np.ndarray, rate_hz: int) -> np.ndarray:
    """Frequency at a share of the height of the picture: equal steps of 2595 log10(1 + f / 700)."""
    return 700 * ((1 + rate_hz / 1400) ** share - 1)


def _share_of(hz: float, rate_hz: int) -> float:
    return float(np.log(1 + hz / 700) / np.log(1 + rate_hz / 1400))


def colours(count: int) -> np.ndarray:
    """Return `count` colours from black through violet and orange to white, uint8 RGB, shape (count, 3).

    They are equal steps of lightness, and nearly so of distance, in OKLab, where equal distances look equal: no level
    seems to stand out.
    """
    step = np.linspace(0, 1, count)
    lightness = 0.12 + 0.84 * step
    hue = np.deg2rad(290 + 165 * step)
    chroma = 0.15 * np.sin(np.pi * step**0.9) ** 1.3
    lab = np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)])
    linear = _LMS_TO_RGB @ (_LAB_TO_LMS @ lab) ** 3
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * np.abs(linear) ** (1 / 2.4) - 0.055)
    return (np.clip(srgb, 0, 1).T * 255).round().astype(np.uint8)


# OKLab to cone responses (before cubing) and those to linear sRGB.
_LAB_TO_LMS = np.array(
    [
        [1, 0.3963377774, 0.2158037573],
        [1, -0.1055613458, -0.0638541728],
        [1, -0.0894841775, -1.2914855480],
    ]
)
_LMS_TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def _draw_frequency_axis(canvas: np.ndarray, rate_hz: int, picture: Picture) -> None:
    free = canvas.shape[0]  # rows below this one are taken by the number before
    for hz in (tick for tick in _TICKS_HZ if tick <= rate_hz / 2):
        y = _TOP + picture.height - 1 - round(_share_of(hz, rate_hz) * (picture.height - 1))
        canvas[y, _LEFT - _TICK : _LEFT] = _BLACK
        if y + TEXT_HEIGHT // 2 >= free:
            continue
        free = y - TEXT_HEIGHT // 2 - 1
        label = f"{hz // 1000}k" if hz >= 1000 else str(hz)
        draw_text(canvas, _BLACK, label, _LEFT - _TICK - 4 - text_width(label), y - TEXT_HEIGHT // 2)
    draw_text(canvas, _BLACK, "Hz", 4, canvas.shape[0] - _BOTTOM + 8)


def _draw_time_axis(canvas: np.ndarray, duration_s: float, picture: Picture) -> None:
    step = next((step for step in _TICK_STEPS_S if duration_s / step <= 10), duration_s / 10)
    y = _TOP + picture.height
    for number in range(int(duration_s / step + 1e-9) + 1):
        x = _LEFT + min(picture.width - 1, round(number * step / duration_s * picture.width))
        canvas[y : y + _TICK, x] = _BLACK
        label = f"{number * step:.4g}"
        draw_text(canvas, _BLACK, label, x - text_width(label) // 2, y + _TICK + 4)
    draw_text(canvas, _BLACK, "s", canvas.shape[1] - text_width("s") - 4, y + _TICK + 4)


def png(pixels: np.ndarray, palette: np.ndarray, clear: int | None = None) -> bytes:
    """Encode a picture as PNG.

    Args:
        pixels: numbers of colours, uint8, shape (rows, columns).
        palette: RGB of up to 256 colours, from 0 to 255, shape (colours, 3).
        clear: number of the colour that is transparent, if any.
    """
    rows, columns = pixels.shape
    lines = np.pad(pixels, ((0, 0), (1, 0)))  # each line begins with the number of its filter, 0 = none
    parts = (
        (b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)),
        (b"PLTE", palette.astype(np.uint8).tobytes()),
        *([] if clear is None else [(b"tRNS", b"\xff" * clear + b"\x00")]),
        (b"IDAT", zlib.compress(lines.tobytes(), 9)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(name, body) for name, body in parts)


def _png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
