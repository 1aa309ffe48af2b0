"""Which clips are trained on, which are held out, and crops drawn from them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from audiojourney.data.bank import WaveBank

HELD_OUT_SHARE = 20  # of clips without a fold, every 20th is held out


def split(bank: WaveBank, hold_out: int | None) -> tuple[list[int], list[int]]:
    """Return the numbers of training and of held-out clips.

    Recordings that carry a fold are split by it, because clips of one recording share a fold. Of the others every
    twentieth is held out. With `hold_out` None everything is trained on, and the held-out clips are among them.
    """
    held = [i for i, clip in enumerate(bank.clips) if _is_held_out(i, clip.fold, hold_out)]
    if hold_out is None:
        return list(range(len(bank))), held
    out = set(held)
    return [i for i in range(len(bank)) if i not in out], held


def _is_held_out(index: int, fold: int | None, hold_out: int | None) -> bool:
    if fold is None:
        return index % HELD_OUT_SHARE == 0
    return fold == hold_out


def draw_crops(
    bank: WaveBank,
    clips: Sequence[int],
    size: int,
    samples: int,
    rng: np.random.Generator,
    gain_db: tuple[float, float] = (0.0, 0.0),
) -> np.ndarray:
    """Draw crops of random clips, float32 of shape (size, samples).

    Recordings are rarer than synthesised clips, so half of the crops come from them where there are both. Each crop
    has its peak at 0.5 before a random gain.

    Args:
        bank: the clips.
        clips: numbers of the clips to draw from.
        size: how many.
        samples: length of a crop.
        rng: source of randomness.
        gain_db: range of the gain after peak normalisation, in dB.
    """
    groups = [
        g
        for g in (
            [i for i in clips if bank.clips[i].fold is not None],
            [i for i in clips if bank.clips[i].fold is None],
        )
        if g
    ]
    picks = [groups[int(rng.integers(len(groups)))] for _ in range(size)]
    waves = np.stack([bank.crop(int(rng.choice(group)), samples, rng) for group in picks])
    peak = np.abs(waves).max(axis=1, keepdims=True) + 1e-8
    return (waves * 0.5 / peak * 10 ** (rng.uniform(*gain_db, (size, 1)) / 20)).astype(np.float32)
