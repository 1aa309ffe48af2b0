"""GenAu's way from a clip to log-mel, step by step against the published numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from audiojourney.data.mel import GENAU, hann, log_mel, spectrum
from audiojourney.errors import UsageError
from audiojourney.models.genau.waves import crop_start, normalised, prepared


@pytest.fixture(scope="module")
def numbers(shared_fixtures: Path) -> dict[str, Tensor]:
    return load_file(shared_fixtures / "genau" / "mel_frontend.safetensors")


@pytest.fixture(scope="module")
def tolerance(shared_fixtures: Path) -> dict[str, float]:
    notes = json.loads((shared_fixtures / "genau" / "mel_frontend.json").read_text(encoding="utf-8"))["tolerance"]
    return {"atol": notes["atol"], "rtol": notes["rtol"]}


def test_wave_to_log_mel(numbers: dict[str, Tensor], tolerance: dict[str, float]):
    wave = normalised(numbers["in.wave_raw"])
    torch.testing.assert_close(wave, numbers["out.wave_normalised"], **tolerance)
    torch.testing.assert_close(log_mel(wave), numbers["out.log_mel"], **tolerance)


def test_window_and_one_frame(numbers: dict[str, Tensor], tolerance: dict[str, float]):
    torch.testing.assert_close(hann(GENAU.win_length, torch.device("cpu")), numbers["out.hann_window"], **tolerance)
    frame = spectrum(numbers["out.wave_normalised"], GENAU)[10]
    torch.testing.assert_close(frame, numbers["out.stft_magnitude_frame10"], **tolerance)


def test_a_clip_of_ten_seconds_has_1024_frames():
    assert GENAU.frames(163_840) == 1024
    assert log_mel(torch.zeros(2, 163_840)).shape == (2, 1024, 64)
    assert GENAU.frames(32_000) == 200


def test_normalising_comes_before_padding():
    wave = 0.3 * torch.sin(torch.arange(800.0)) + 0.1
    ready = prepared(wave, 2000)
    assert ready.shape == (2000,)
    assert ready[800:].abs().max() == 0  # not the offset that was removed
    assert ready.abs().max().item() == pytest.approx(0.5, abs=1e-6)
    assert ready[:800].mean().abs() < 1e-6
    with pytest.raises(UsageError, match="800 samples must be cropped to 500"):
        prepared(wave, 500)


def test_silence_stays_silent_and_finite():
    assert torch.equal(prepared(torch.zeros(1, 10), 20), torch.zeros(1, 20))


def test_crops_avoid_silence_and_follow_the_generator():
    wave = torch.zeros(10_000)
    wave[9_000:] = 0.5
    starts = [crop_start(wave, 5_000, torch.Generator().manual_seed(seed)) for seed in range(40)]
    loud = sum(bool(wave[start : start + 5_000].any()) for start in starts)
    assert loud > 30  # one crop in five is loud, ten tries find one nine times in ten
    assert starts == [crop_start(wave, 5_000, torch.Generator().manual_seed(seed)) for seed in range(40)]
    assert len(set(starts)) > 10
    assert crop_start(wave, 10_000, torch.Generator().manual_seed(0)) == 0
