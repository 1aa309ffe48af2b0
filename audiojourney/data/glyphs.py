"""The few letters that the axes of a picture need, drawn as pixels."""

from __future__ import annotations

import numpy as np

_SCALE = 2
_ROWS = {  # five rows of three pixels each, one octal digit a row
    "0": 0o75557,
    "1": 0o26227,
    "2": 0o71747,
    "3": 0o71717,
    "4": 0o55711,
    "5": 0o74717,
    "6": 0o74757,
    "7": 0o71222,
    "8": 0o75757,
    "9": 0o75717,
    ".": 0o00002,
    "k": 0o45655,
    "s": 0o34216,
    "H": 0o55755,
    "z": 0o07127,
}
_ADVANCE = 4 * _SCALE
HEIGHT = 5 * _SCALE


def text_width(text: str) -> int:
    """Return how many columns of pixels a text takes."""
    return max(0, len(text) * _ADVANCE - _SCALE)


def draw_text(canvas: np.ndarray, ink: int, text: str, x: int, y: int) -> None:
    """Draw a text with its upper left corner at column x and row y of a canvas, shape (rows, columns).

    Letters that are not among those of the axes, and pixels outside the canvas, are left out.
    """
    for number, letter in enumerate(text):
        bits = np.array(
            [[row >> column & 1 for column in (2, 1, 0)] for row in _octal(_ROWS.get(letter, 0))], dtype=bool
        )
        rows, columns = np.nonzero(np.kron(bits, np.ones((_SCALE, _SCALE), dtype=bool)))
        rows, columns = rows + y, columns + x + number * _ADVANCE
        inside = (rows >= 0) & (rows < canvas.shape[0]) & (columns >= 0) & (columns < canvas.shape[1])
        canvas[rows[inside], columns[inside]] = ink


def _octal(value: int) -> list[int]:
    return [value >> shift & 7 for shift in (12, 9, 6, 3, 0)]
