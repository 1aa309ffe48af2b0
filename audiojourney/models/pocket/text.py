"""The pocket text encoder: a prompt becomes soft answers to "which sounds, and how do they stand to each other".

Word vectors of WordNet enter a small transformer whose queries name the first and second sound of the prompt among the
concepts that the generator was trained on. The generator sees these soft answers and the words in their context. So a
wording never seen in training still points at the right sound, and a prompt about something else is noticed.

B batch, N words, D width, K concepts, S slots.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from audiojourney.models.base import Condition, Familiarity
from audiojourney.models.pocket.words import WordTable, tokenize

SLOTS = 2
STRANGER = 255  # number of a wording that names none of the concepts
_IN_TIME = re.compile(
    r"->|\b(then|after(wards?)?|before|later|next(?! to)|finally|follow(ed|s)|(?<!at )once|until|eventually)\b"
)
NEVER = -30.0  # logit of what is ruled out
RELATIONS = ("single", "together", "background", "sequence")


@dataclass(frozen=True, kw_only=True)
class PocketTextConfig:
    """Sizes and vocabulary of the text encoder.

    Attributes:
        concepts: names of the K sounds.
        titles: the same in words, for people.
        vocabulary: words with an embedding of their own, beside the table.
        width: D.
        depth: transformer layers.
        heads: attention heads.
        max_words: further words of a prompt are not read.
        table_width: width of the word table.
        known_from: least share of the known concepts in the first answer that counts as familiar.
        near_from: least cosine similarity to a wording of the captions that counts as familiar.
    """

    concepts: tuple[str, ...]
    titles: tuple[str, ...]
    vocabulary: tuple[str, ...]
    width: int = 192
    depth: int = 2
    heads: int = 4
    max_words: int = 48
    table_width: int = 256
    known_from: float = 0.5
    near_from: float = 0.6

    @property
    def pooled_width(self) -> int:
        """Width of `Condition.pooled`: a distribution a slot, and the relation."""
        return SLOTS * (len(self.concepts) + 1) + len(RELATIONS)


@dataclass(frozen=True)
class Wordings:
    """How captions name the concepts, and how people name other things.

    Attributes:
        vectors: sentence vectors of W wordings, (W, table_width), int8 with a range of one.
        concepts: the concept that each one names, (W,), or `STRANGER`.
    """

    vectors: Tensor
    concepts: Tensor

    def nearest(self, sentence: Tensor) -> tuple[float, int, bool]:
        """Say what a unit vector (table_width,) is nearest to.

        Returns:
            Cosine similarity and concept of the nearest wording of a concept, and whether none of a stranger is nearer.
        """
        near = self.vectors.float() @ sentence / 127
        stranger = self.concepts == STRANGER
        own = near.masked_fill(stranger, -1.0)
        best = int(own.argmax())
        return float(own[best]), int(self.concepts[best]), bool(own[best] >= near.max())


class PocketText(nn.Module):
    """Words to slots, relation and contextual word vectors."""

    def __init__(self, config: PocketTextConfig, table: WordTable, wordings: Wordings) -> None:
        super().__init__()
        self.config, self.table, self.wordings = config, table, wordings
        self._ids = {word: i + 1 for i, word in enumerate(config.vocabulary)}
        d = config.width
        self.project = nn.Linear(config.table_width, d)
        self.own = nn.Embedding(len(config.vocabulary) + 1, d, padding_idx=0)
        self.position = nn.Parameter(0.02 * torch.randn(config.max_words, d))
        self.query = nn.Parameter(0.02 * torch.randn(SLOTS + 1, d))
        layer = nn.TransformerEncoderLayer(
            d, config.heads, 4 * d, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        self.layers = nn.TransformerEncoder(layer, config.depth, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(d)
        self.concept = nn.Linear(d, len(config.concepts) + 2)  # the concepts, none, and something unknown
        self.relation = nn.Linear(d, len(RELATIONS))

    @property
    def answers(self) -> int:
        """Tokens of a condition that come before its words: the slots and the relation."""
        return SLOTS + 1

    def read(self, prompts: Sequence[str]) -> tuple[Tensor, Tensor, Tensor]:
        """Table rows, vocabulary numbers and mask, each (B, N), of B prompts; N >= 1."""
        words = [tokenize(prompt)[: self.config.max_words] for prompt in prompts]
        longest = max(1, *(len(w) for w in words))
        rows = torch.full((len(words), longest), -1)
        ids = torch.zeros(len(words), longest, dtype=torch.long)
        for i, sequence in enumerate(words):
            found = [self.table.find(word) for word in sequence]
            rows[i, : len(sequence)] = torch.tensor([-1 if row is None else row for row in found])
            ids[i, : len(sequence)] = torch.tensor([self._ids.get(word, 0) for word in sequence])
        mask = torch.arange(longest)[None] < torch.tensor([len(w) for w in words])[:, None]
        return rows, ids, mask

    def forward(self, vectors: Tensor, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Answer from word vectors (B, N, table_width), vocabulary numbers and mask (B, N).

        Returns:
            Words in context (B, N, D), concept logits (B, S, K + 2), relation logits (B, 4).
        """
        words = self.project(vectors) + self.own(ids) + self.position[: ids.shape[1]]
        queries = self.query.expand(len(ids), -1, -1)
        seen = torch.cat([torch.ones(len(ids), SLOTS + 1, dtype=torch.bool, device=mask.device), mask], dim=1)
        h = self.norm(self.layers(torch.cat([queries, words], dim=1), src_key_padding_mask=~seen))
        return h[:, SLOTS + 1 :], self.concept(h[:, :SLOTS]), self.relation(h[:, SLOTS])

    def vectors(self, rows: Tensor) -> Tensor:
        """Word vectors (B, N, table_width) of table rows (B, N), scaled to about unit size."""
        return self.table.vectors(rows) * self.config.table_width**0.5

    @torch.no_grad()
    def encode(self, prompts: Sequence[str], parts: Sequence[int | None] | None = None) -> Condition:
        """Condition of B prompts; the empty prompt is all zero.

        `pooled` (B, pooled_width) holds the slot distributions over concepts and "none", and the relation; `tokens`
        (B, S + 1 + N, D) the expected concept vector of each slot, the relation and the words.

        Args:
            prompts: B prompts.
            parts: for each prompt the number of the one slot that is asked for, as if it were said alone and without
                its words, or None for the whole prompt.
        """
        rows, ids, mask = self.read(prompts)
        words, slots, relation = self(self.vectors(rows), ids, mask)
        alone = [(row, part) for row, part in enumerate(parts or ()) if part is not None]
        for row, part in alone:
            slots[row] = self._alone(slots[row, part])
            relation[row] = _only(len(RELATIONS), RELATIONS.index("single"), relation)
        condition = self.condition(words, slots, relation, mask)
        assert condition.mask is not None
        for row, _ in alone:
            condition.mask[row, self.answers :] = False
        return condition

    @torch.no_grad()
    def scenes(self, prompts: Sequence[str]) -> list[str | None]:
        """Say of each prompt how its two sounds stand to each other, or None where it does not surely name two.

        Words of time decide for a sequence, whatever the network reads in the rest.
        """
        rows, ids, mask = self.read(prompts)
        _, slots, relation = self(self.vectors(rows), ids, mask)
        shares = slots.softmax(dim=-1)[..., : len(self.config.concepts)]
        sure = (shares.sum(dim=-1) >= self.config.known_from).all(dim=1)
        named = shares.argmax(dim=-1)
        several = relation.softmax(dim=-1)[:, 0] < 0.5
        two = sure & several & (named[:, 0] != named[:, 1]) & mask.any(dim=1)
        in_time = torch.tensor([bool(_IN_TIME.search(prompt.lower())) for prompt in prompts])
        likeliest = torch.where(in_time, RELATIONS.index("sequence"), relation[:, 1:].argmax(dim=1) + 1)
        return [RELATIONS[int(likeliest[i])] if two[i] else None for i in range(len(prompts))]

    def _alone(self, slot: Tensor) -> Tensor:
        """Slot logits (S, K + 2) of a prompt that names what `slot` (K + 2,) names, and nothing else."""
        none = len(self.config.concepts)
        named = slot.clone()
        named[none] = NEVER
        return torch.stack([named, *(_only(len(slot), none, slot) for _ in range(SLOTS - 1))])

    def condition(self, words: Tensor, slots: Tensor, relation: Tensor, mask: Tensor) -> Condition:
        """Build the condition from the outputs of `forward`; see `encode`."""
        said = mask.any(dim=1)[:, None, None]
        shares = slots[..., :-1].softmax(dim=-1) * said
        relations = relation.softmax(dim=-1)[:, None] * said
        answers = torch.cat(
            [shares @ self.concept.weight[:-1] + self.query[:SLOTS] * said, relations @ self.relation.weight], 1
        )
        pooled = torch.cat([shares.flatten(1), relations.flatten(1)], dim=1)
        always = torch.ones(len(mask), SLOTS + 1, dtype=torch.bool, device=mask.device)
        return Condition(pooled, torch.cat([answers, words * mask[..., None]], dim=1), torch.cat([always, mask], dim=1))

    @torch.no_grad()
    def familiarity(self, prompt: str) -> Familiarity:
        """Say whether the first answer is a known concept in words near to those of captions, and what is nearest."""
        rows, ids, mask = self.read([prompt])
        _, slots, _ = self(self.vectors(rows), ids, mask)
        shares = slots[0, 0].softmax(dim=-1)[: len(self.config.concepts)]
        share, (near, named, own) = float(shares.sum()), self.wordings.nearest(self.table.sentence(prompt))
        concept = int(shares.argmax()) if share >= self.config.known_from else named
        known = own and share >= self.config.known_from and near >= self.config.near_from
        return Familiarity(known, self.config.titles[concept], min(share, max(near, 0.0)))


def _only(count: int, index: int, like: Tensor) -> Tensor:
    """Logits (count,) that are sure of `index`."""
    logits = like.new_full((count,), NEVER)
    logits[index] = 0.0
    return logits
