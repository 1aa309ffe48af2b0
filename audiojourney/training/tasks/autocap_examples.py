"""Examples for AutoCap: sounds, alone or laid over one another, with captions and metadata.

T samples, F mel frames, M mel bins, L caption tokens.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from audiojourney.data.bank import WaveBank
from audiojourney.models.autocap.config import END, START
from audiojourney.models.autocap.metadata import Tokenizer, metadata_of
from audiojourney.models.autocap.network import IGNORED
from audiojourney.models.autocap.sound import excerpt, prepared

EVEN = 0.5  # share of the second sound in half of the mixtures
FAINT = (0.2, 0.4)  # its range in the other half


@dataclass(frozen=True, kw_only=True)
class SpecAugment:
    """Stripes of a log-mel that are blanked in training.

    Attributes:
        stripes: most stripes along each axis; widths are drawn, and may be nought.
        frames: the width in time is below this many frames.
        bins: the width in frequency is below this many bins.
    """

    stripes: int = 2
    frames: int = 64
    bins: int = 8


@dataclass(frozen=True)
class Example:
    """One example.

    Attributes:
        wave: the prepared sound, (T,).
        caption: a caption of it.
        metadata: what was published beside it, by field.
    """

    wave: np.ndarray
    caption: str
    metadata: Mapping[str, str]


def draw(bank: WaveBank, index: int, samples: int, rng: np.random.Generator) -> Example:
    """Draw a part of a clip and one of its captions."""
    clip = bank.clips[index]
    caption = clip.captions[int(rng.integers(len(clip.captions)))].text
    return Example(prepared(excerpt(bank.wave(index), rng, samples), samples), caption, metadata_of(clip))


def mixed(first: Example, second: Example, rng: np.random.Generator) -> Example:
    """Lay a second sound over a first, as loud or in the background, and say so; the metadata is the first's."""
    share = EVEN if rng.random() < 0.5 else float(rng.uniform(*FAINT))
    wave = prepared((1 - share) * first.wave + share * second.wave, len(first.wave))
    beginning = first.caption.strip().rstrip(".")
    ending = second.caption.strip().rstrip(".")
    place = "" if share == EVEN else " in the background"
    return Example(wave, f"{beginning} and {ending[:1].lower()}{ending[1:]}{place}", first.metadata)


def caption_labels(captions: Sequence[str], tokenizer: Tokenizer, longest: int) -> Tensor:
    """Return captions as tokens (B, L), `<s>` first, `</s>` last, then `IGNORED`; longer ones are cut."""
    rows = [[START, *tokenizer.encode(caption)[: longest - 2], END] for caption in captions]
    width = max(map(len, rows))
    return torch.tensor([[*row, *[IGNORED] * (width - len(row))] for row in rows])


def keep_mask(shape: Sequence[int], augment: SpecAugment, rng: np.random.Generator) -> Tensor:
    """Return factors (B, F, M) of a log-mel of that shape: 0 within random stripes of each example, else 1."""
    keep = torch.ones(*shape)
    for row in keep:
        for axis, widest in enumerate((augment.frames, augment.bins)):
            for _ in range(augment.stripes):
                width = min(int(rng.integers(widest)), row.shape[axis])
                row.narrow(axis, int(rng.integers(row.shape[axis] - width + 1)), width).zero_()
    return keep
