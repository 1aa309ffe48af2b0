"""What is heard of a sound."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from audiojourney.errors import UsageError
from audiojourney.models.clap.cropping import through_int16, windows


@given(st.integers(1, 60), st.integers(1, 12), st.sampled_from(["centre", "start", "windows"]))
def test_windows_have_one_length_and_hold_only_the_sound(size: int, length: int, crop: str):
    wave = np.arange(1, size + 1, dtype=np.float32)
    found = windows(wave, length, crop)
    assert found.shape[1] == length
    assert torch.equal(found, windows(wave, length, crop))
    assert set(found.flatten().tolist()) <= {0.0, *wave.tolist()}
    if crop == "windows":
        assert set(wave.tolist()) <= set(found.flatten().tolist())
        assert len(found) == max(1, -(-size // length))
    else:
        assert len(found) == 1


@pytest.mark.parametrize(
    ("crop", "expected"),
    [("start", [[0, 1, 2, 3]]), ("centre", [[3, 4, 5, 6]]), ("windows", [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9]])],
)
def test_windows_of_ten_samples(crop: str, expected: list[list[int]]):
    assert windows(np.arange(10, dtype=np.float32), 4, crop).tolist() == expected


@pytest.mark.parametrize("wave", [np.zeros(0, np.float32), np.zeros((2, 5), np.float32)])
def test_what_is_no_sound_is_refused(wave: np.ndarray):
    with pytest.raises(UsageError, match="cannot be scored"):
        windows(wave, 4, "centre")


def test_an_unknown_crop_is_refused():
    with pytest.raises(UsageError, match=r"'center'.*Did you mean 'centre'"):
        windows(np.zeros(3, np.float32), 4, "center")


def test_sixteen_bits_cut_towards_zero_and_clip():
    wave = torch.tensor([0.5, -0.5, 2.0, -2.0, 0.9 / 32_767, -0.9 / 32_767])
    assert (through_int16(wave) * 32_767).tolist() == pytest.approx([16_383, -16_383, 32_767, -32_767, 0, 0])
