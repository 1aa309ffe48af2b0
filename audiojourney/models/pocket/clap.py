"""The pocket audio-text model: a sound and a sentence are mapped to points that lie near when they belong together.

The sentence is read by the pocket text encoder, which stays as it is; two small networks lead from its answers and from
the features of the trunk into one space. As in SigLIP (Zhai et al. 2023, equation 1) every pair is judged by itself:
the logit of "they belong together" is a scaled and shifted cosine.

B batch, F mel frames, M mel bins, P numbers that describe a sentence, E width of the common space, K concepts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from audiojourney.models.pocket.text import PocketText
from audiojourney.models.pocket.trunk import SoundTrunk, TrunkConfig, pool

FIRST_SCALE, FIRST_SHIFT = 8.0, -3.0
DROPOUT = 0.2


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """From the cosine of a sound and a sentence to a score on which the thresholds of the papers make sense.

    log(odds) = slope * (cosine - centre) are the log-odds of "they belong together" against "they do not", both equally
    frequent. Near `middle` the score is `middle + step * log(odds) / log(3)`: at `middle` matched pairs are as often
    refused as others are let through, and every `step` trebles the odds. Further away it grows ever more slowly, by a
    hyperbolic tangent, so it stays between 0 and twice `middle` and always grows with the cosine.

    Attributes:
        centre: cosine at the equal-error point.
        slope: growth of the log-odds with the cosine.
        middle: score at the equal-error point.
        step: what a trebling of the odds adds to the score.
    """

    centre: float = 0.3
    slope: float = 10.0
    middle: float = 0.45
    step: float = 0.05

    def score(self, cosine: float) -> float:
        """Score of a cosine, between 0 and twice `middle`."""
        trebled = self.slope * (cosine - self.centre) / math.log(3)
        return self.middle * (1 + math.tanh(self.step * trebled / self.middle))


@dataclass(frozen=True, kw_only=True)
class PocketClapConfig:
    """Sizes and parts.

    Attributes:
        text: the pocket text encoder that reads the sentences.
        concepts: names of the K sounds, for the classifier that helps the training.
        trunk: sizes of the trunk.
        sentence: P, numbers that describe a sentence; see `describe_sentences`.
        hidden: width inside the two small networks.
        width: E.
        calibration: from cosines to scores.
    """

    text: str = "pocket/text"
    concepts: tuple[str, ...]
    trunk: TrunkConfig = field(default_factory=TrunkConfig)
    sentence: int
    hidden: int = 384
    width: int = 192
    calibration: Calibration = field(default_factory=Calibration)


class PocketClap(nn.Module):
    """Maps log-mel and described sentences to unit vectors."""

    def __init__(self, config: PocketClapConfig) -> None:
        super().__init__()
        self.config = config
        self.trunk = SoundTrunk(config.trunk)
        self.hearing = _head(2 * config.trunk.features, config.hidden, config.width)
        self.reading = _head(config.sentence, config.hidden, config.width)
        self.naming = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(2 * config.trunk.features, len(config.concepts)))
        self.scale = nn.Parameter(torch.tensor(math.log(FIRST_SCALE)))
        self.shift = nn.Parameter(torch.tensor(FIRST_SHIFT))

    def hear(self, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Unit vectors (B, E) and concept logits (B, K) of log-mel (B, F, M)."""
        features = pool(self.trunk(mel))
        return _unit(self.hearing(features)), self.naming(features).float()

    def read(self, sentences: Tensor) -> Tensor:
        """Unit vectors (B, E) of described sentences (B, P)."""
        return _unit(self.reading(sentences))

    def logits(self, sounds: Tensor, sentences: Tensor) -> Tensor:
        """Logits (A, B) of all pairs of unit vectors (A, E) and (B, E)."""
        return self.scale.exp() * sounds.float() @ sentences.float().T + self.shift

    def forward(self, mel: Tensor, sentences: Tensor) -> tuple[Tensor, Tensor]:
        """Pair logits (A, B) and concept logits (A, K) of log-mel (A, F, M) and described sentences (B, P)."""
        sounds, named = self.hear(mel)
        return self.logits(sounds, self.read(sentences)), named


def sentence_width(text: PocketText) -> int:
    """P: numbers by which `describe_sentences` describes a sentence."""
    return text.config.pooled_width + 2 + text.config.width + text.config.table_width


@torch.no_grad()
def describe_sentences(text: PocketText, sentences: Sequence[str], noise: Tensor | None = None) -> Tensor:
    """Describe B sentences by what the text encoder makes of them, (B, P).

    P holds the shares of the concepts, of "none" and of "something unknown" in both slots, the shares of the relations,
    the mean of the words in context, and the sentence vector of the word table.

    Args:
        text: the text encoder.
        sentences: B sentences; one without words is all zero but for its shares.
        noise: added to the word vectors, (B, N or more, table width), in units of their size.
    """
    rows, ids, mask = text.read(sentences)
    vectors = text.vectors(rows)
    if noise is not None:
        vectors = vectors + noise[:, : vectors.shape[1]] * (rows >= 0)[..., None]
    words, slots, relation = text(vectors, ids, mask)
    context = (words * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)
    whole = torch.stack([text.table.sentence(sentence) for sentence in sentences])
    parts = [slots.softmax(dim=-1).flatten(1), relation.softmax(dim=-1), context, whole * text.config.table_width**0.5]
    return torch.cat(parts, dim=1)


def _head(inputs: int, hidden: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        nn.Dropout(DROPOUT), nn.Linear(inputs, hidden), nn.GELU(), nn.LayerNorm(hidden), nn.Linear(hidden, outputs)
    )


def _unit(x: Tensor) -> Tensor:
    return nn.functional.normalize(x.float(), dim=-1)
