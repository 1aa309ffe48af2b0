"""Mixing of log-mel spectrograms."""

from __future__ import annotations

import numpy as np
import pytest

from audiojourney.data import mel_mixing
from audiojourney.data.mel import GENAU
from audiojourney.data.mel_mixing import Variation


def tone(frames: int = 100, bin_: int = 20, level: float = 0.0) -> np.ndarray:
    """A spectrogram with one sounding bin."""
    mel = np.full((frames, 64), GENAU.silence, np.float32)
    mel[:, bin_] = level
    return mel


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_energies_add_up() -> None:
    both = mel_mixing.mixed([tone(level=0.0), tone(level=0.0)])
    assert np.allclose(both[:, 20], 0.5 * np.log(2), atol=1e-5)
    apart = mel_mixing.mixed([tone(bin_=3), tone(bin_=40)])
    assert np.allclose(apart[:, 3], 0, atol=1e-4) and np.allclose(apart[:, 40], 0, atol=1e-4)


def test_a_level_is_that_of_the_sounding_frames() -> None:
    half = np.concatenate([tone(50), np.full((50, 64), GENAU.silence, np.float32)])
    levelled = mel_mixing.levelled(half, -2.0)
    assert np.allclose(mel_mixing.loudness(levelled)[:50], -2.0, atol=1e-3)


def test_variation_moves_a_tone_by_few_bins_and_changes_the_length_within_its_bound() -> None:
    random = rng()
    for _ in range(20):
        out = mel_mixing.vary(tone(), Variation(stretch=0.2, shift=3, colour=0.1, dull=0), random)
        assert 81 <= len(out) <= 123 and out.dtype == np.float32
        assert 16 <= int(out[len(out) // 2].argmax()) <= 24


def test_no_variation_leaves_a_sound_alone() -> None:
    still = Variation(stretch=0, shift=0, colour=0, dull=0)
    assert np.allclose(mel_mixing.vary(tone(), still, rng()), tone(), atol=1e-5)


def test_silence_around_a_sound_is_trimmed_and_an_excerpt_holds_the_sound() -> None:
    mel = np.full((300, 64), GENAU.silence, np.float32)
    mel[120:140] = tone(20)
    assert len(mel_mixing.trimmed(mel)) == 20
    assert mel_mixing.sounding(mel).sum() == 20
    found = [mel_mixing.excerpt(mel, 150, np.random.default_rng(i)).max() > -1 for i in range(20)]
    assert np.mean(found) > 0.9
    assert len(mel_mixing.excerpt(mel, 400, rng())) == 300


@pytest.mark.parametrize("start", [0, 30, 95])
def test_a_placed_sound_lies_where_it_was_put(start: int) -> None:
    out = mel_mixing.placed(tone(20), 100, start)
    heard = np.flatnonzero(out[:, 20] > -5)
    assert out.shape == (100, 64) and heard[0] == start and heard[-1] == min(start + 19, 99)


def test_a_prolonged_sound_fills_the_time() -> None:
    assert mel_mixing.prolonged(tone(30), 100, rng()).shape == (100, 64)


def test_noise_is_finite_and_blanks_are_bounded() -> None:
    noise = mel_mixing.noise(200, 64, rng())
    assert noise.shape == (200, 64) and np.isfinite(noise).all()
    hidden = mel_mixing.blanked(noise, (40, 8), rng()) == noise.min()
    assert hidden.all(axis=1).sum() <= 40 and hidden.all(axis=0).sum() <= 8
    assert np.array_equal(mel_mixing.blanked(noise, (0, 0), rng()), noise)
