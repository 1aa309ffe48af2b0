"""The pocket captioner's network: from a sound to "which sources, and how do they stand to each other".

It turns the pocket text encoder round. That one reads a prompt and answers with a first sound, a second sound and a
relation; this one hears a clip and gives the same answers, which `captions/pocket.py` puts into words.

B batch, F mel frames, M mel bins, L feature frames, D width, K concepts, S slots.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from audiojourney.data.scenes.captions import Slots
from audiojourney.data.scenes.grammar import RELATIONS
from audiojourney.models.pocket.text import SLOTS
from audiojourney.models.pocket.trunk import SoundTrunk, TrunkConfig, over_bands, pool

LONGEST = 36  # feature frames that are compared with each other; longer clips are heard at a coarser pace
WAVES = 4  # of a position: sines of 1 to 2 ** (WAVES - 1) half turns over the clip
DROPOUT = 0.2
NEVER = -1e4


@dataclass(frozen=True, kw_only=True)
class PocketCaptionerConfig:
    """Sizes and names.

    Attributes:
        concepts: names of the K sounds.
        trunk: sizes of the trunk.
        width: D.
        depth: transformer layers.
        heads: attention heads.
        bands: whether the transformer also hears the frequency bands apart.
        naming: weight of the whole clip's classifier in the choice of the sounds.
        prior: what is added to the log-probabilities of the relations: training shows two sounds at equal levels more
            often than the world does.
        pitches: a clip is also understood moved by so many mel bins, and the mean taken; 0 is the clip as it is.
    """

    concepts: tuple[str, ...]
    trunk: TrunkConfig = field(default_factory=TrunkConfig)
    width: int = 160
    depth: int = 2
    heads: int = 4
    bands: bool = False
    naming: float = 0.5
    prior: tuple[float, float, float, float] = (0.0, -1.0, 0.0, 0.0)
    pitches: tuple[int, ...] = (-1, 0, 1)


@dataclass(frozen=True)
class Answers:
    """What is heard in B clips.

    Attributes:
        slots: logits (B, S, K + 1) of the concepts and of "none".
        relation: logits (B, 4).
        frames: logits (B, L, K) of the concepts that sound in each feature frame.
        named: logits (B, K) of the concepts in the whole clip.
    """

    slots: Tensor
    relation: Tensor
    frames: Tensor
    named: Tensor


class PocketCaptioner(nn.Module):
    """Log-mel to answers."""

    def __init__(self, config: PocketCaptionerConfig) -> None:
        super().__init__()
        self.config = config
        d, count = config.width, len(config.concepts)
        self.trunk = SoundTrunk(config.trunk)
        self.enter = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(config.trunk.features, d))
        self.apart = nn.Linear(config.trunk.widths[-1] * config.trunk.bands, d, bias=False) if config.bands else None
        if self.apart is not None:
            nn.init.zeros_(self.apart.weight)  # so training can go on from a captioner without it
        self.place = nn.Linear(2 * WAVES, d)
        self.query = nn.Parameter(0.02 * torch.randn(SLOTS + 1, d))
        layer = nn.TransformerEncoderLayer(
            d, config.heads, 3 * d, dropout=0.1, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, config.depth, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(d)
        self.slot = nn.Linear(d, count + 1)
        self.relation = nn.Linear(d, len(RELATIONS))
        self.frame = nn.Linear(d, count)
        self.naming = nn.Sequential(nn.Dropout(DROPOUT), nn.Linear(2 * config.trunk.features, count))

    def forward(self, mel: Tensor) -> Answers:
        """Answer from log-mel (B, F, M)."""
        maps = self.trunk.maps(mel)
        heard = over_bands(maps)
        named = self.naming(pool(heard)).float()
        tokens = self.enter(_paced(heard))
        if self.apart is not None:
            tokens = tokens + self.apart(_paced(maps.transpose(1, 2).flatten(2)))
        tokens = tokens + self.place(positions(tokens.shape[1], tokens.device))
        queries = self.query.expand(len(mel), -1, -1).to(tokens.dtype)
        h = self.norm(self.layers(torch.cat([queries, tokens], dim=1)))
        slots = self.slot(h[:, :SLOTS]).float()
        return Answers(slots, self.relation(h[:, SLOTS]).float(), self.frame(h[:, SLOTS + 1 :]).float(), named)

    def scores(self, answers: Answers) -> Tensor:
        """Log-probability, up to a constant, of every meaning (B, 4, K + 1, K + 1): relation, first, second sound.

        The last number of a sound is "none": of the first one it means that nothing known is heard, of the second one
        that there is no other, which is so in the relation "single" alone. The two sounds of the relation "together"
        have no order, so both orders have the same score.
        """
        slots = answers.slots.log_softmax(dim=-1)
        evidence = self.config.naming * answers.named.log_softmax(dim=-1)
        evidence = torch.cat([evidence, evidence.amax(dim=1, keepdim=True)], dim=1)
        first, second = slots[:, 0] + evidence, slots[:, 1] + evidence
        pairs = first[:, :, None] + second[:, None, :]
        related = answers.relation.log_softmax(dim=-1) + torch.tensor(self.config.prior, device=pairs.device)
        scores = related[:, :, None, None] + pairs[:, None]
        together = RELATIONS.index("together")
        scores[:, together] = torch.maximum(scores[:, together], scores[:, together].transpose(1, 2))
        return scores + _impossible(slots.shape[-1], scores.device)

    def understand(self, mel: Tensor) -> tuple[Slots | None, float]:
        """Likeliest meaning of one clip and how likely it is.

        Args:
            mel: log-mel (1, F, M).

        Returns:
            The sounds and their relation, or None where nothing known is heard; and the probability of that meaning
            among all.
        """
        heard = torch.cat([_moved(mel, bins) for bins in self.config.pitches])
        shares = self.scores(self(heard)).mean(dim=0).flatten().softmax(dim=0)
        count = len(self.config.concepts) + 1
        best = int(shares.argmax())
        relation, pair = divmod(best, count * count)
        first, second = divmod(pair, count)
        names = (*self.config.concepts, None)
        if names[first] is None:
            return None, float(shares[best])
        slots = Slots(first=self.config.concepts[first], second=names[second], relation=RELATIONS[relation])
        return slots, float(shares[best])


def _moved(mel: Tensor, bins: int) -> Tensor:
    """Log-mel (B, F, M) moved up by some mel bins; the last bin is repeated where nothing is known."""
    last = mel.shape[2] - 1
    places = (torch.arange(mel.shape[2], device=mel.device) - bins).clamp(0, last)
    return mel[:, :, places]


def _paced(frames: Tensor) -> Tensor:
    """At most `LONGEST` frames, (B, l, W), of (B, L, W): the maximum of those that fall together."""
    if frames.shape[1] <= LONGEST:
        return frames
    return nn.functional.adaptive_max_pool1d(frames.transpose(1, 2), LONGEST).transpose(1, 2)


def positions(length: int, device: torch.device) -> Tensor:
    """Where each of `length` frames lies within its clip, (length, 2 WAVES), whatever the clip's duration."""
    place = (torch.arange(length, device=device) + 0.5) / length
    turns = torch.pi * place[:, None] * 2.0 ** torch.arange(WAVES, device=device)
    return torch.cat([turns.sin(), turns.cos()], dim=1)


def _impossible(count: int, device: torch.device) -> Tensor:
    """`NEVER` where a meaning contradicts itself, else 0; (4, count, count), the last of each count is "none"."""
    none = count - 1
    ruled_out = torch.zeros(len(RELATIONS), count, count, device=device)
    single = RELATIONS.index("single")
    ruled_out[single, :, :none] = NEVER
    for relation in range(len(RELATIONS)):
        if relation != single:
            ruled_out[relation] += NEVER * torch.eye(count, device=device)
            ruled_out[relation, none, :] = ruled_out[relation, :, none] = NEVER
    return ruled_out
