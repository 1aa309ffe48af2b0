"""What a judge hears in the course of a clip, and whether two sounds are in it.

V views, K concepts, F mel frames, M mel bins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from audiojourney.data.mel import GENAU
from audiojourney.recipes.pocket_eval.judges import Judge

WINDOW_S = 2.56
HOP_S = 0.64
TOP = 3


@dataclass(frozen=True)
class Course:
    """A clip as a judge hears it, window by window.

    Attributes:
        classes: names of the K concepts.
        whole: shares in the whole clip, shape (K,).
        parts: shares in each window, shape (V, K).
        starts_s: where each window begins.
    """

    classes: tuple[str, ...]
    whole: Tensor
    parts: Tensor
    starts_s: tuple[float, ...]

    @property
    def named(self) -> tuple[str, ...]:
        """What each window is called."""
        return tuple(self.classes[int(i)] for i in self.parts.argmax(dim=1))

    @property
    def top(self) -> frozenset[str]:
        """The concepts whose greatest share over all views, windows and whole clip, is among the largest three."""
        best = torch.cat([self.whole[None], self.parts]).amax(dim=0)
        return frozenset(self.classes[int(i)] for i in best.topk(TOP).indices)

    def has_both(self, first: str, second: str) -> bool:
        """Whether some window is called `first` and some window `second`."""
        return {first, second} <= set(self.named)

    def in_order(self, first: str, second: str) -> bool:
        """Whether a window called `first` lies wholly before some cut, and one called `second` wholly after it."""
        begun = [start for start, name in zip(self.starts_s, self.named, strict=True) if name == first]
        later = [start for start, name in zip(self.starts_s, self.named, strict=True) if name == second]
        return bool(begun and later) and max(later) >= min(begun) + WINDOW_S

    def both_sound(self, first: str, second: str) -> bool:
        """Whether both are among the three concepts heard most."""
        return {first, second} <= self.top


def follow(judge: Judge, mels: Sequence[Tensor]) -> list[Course]:
    """Listen to clips, each a log-mel (F, M), as wholes and in windows."""
    frames_s = GENAU.rate_hz / GENAU.hop_length
    size, hop = round(WINDOW_S * frames_s), round(HOP_S * frames_s)
    return [_follow(judge, mel, size, hop, frames_s) for mel in mels]


def _follow(judge: Judge, mel: Tensor, size: int, hop: int, frames_s: float) -> Course:
    starts = range(0, max(1, len(mel) - size + 1), hop)
    shares = judge.probabilities([mel, *(mel[start : start + size] for start in starts)])
    return Course(judge.classes, shares[0], shares[1:], tuple(start / frames_s for start in starts))
