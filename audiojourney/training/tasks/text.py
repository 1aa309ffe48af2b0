"""Trains the pocket text encoder on endless captions from the grammar of scenes; no sound is needed.

Four things make it read wordings that no caption holds: words are replaced by neighbours in the word table, half of
the captions are read through the table alone, words that say nothing about the sound are strewn in, and captions of
such words alone teach it what it does not know.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from audiojourney.data.scenes import lexicon
from audiojourney.data.scenes.captions import Slots, sample_description
from audiojourney.data.scenes.concepts import CONCEPTS
from audiojourney.errors import UsageError
from audiojourney.model_folder import write_model, write_weights
from audiojourney.models.pocket.folders import WORDINGS, WORDS
from audiojourney.models.pocket.text import RELATIONS, STRANGER, PocketText, PocketTextConfig, Wordings
from audiojourney.models.pocket.words import WordTable, tokenize
from audiojourney.training.base import Batch
from audiojourney.training.tasks.plain import PlainTask

NONE, UNKNOWN = len(CONCEPTS), len(CONCEPTS) + 1
IGNORED = -100
VOCABULARY_CAPTIONS = 20_000  # drawn once to collect the words of the grammar
VOCABULARY_COUNT = 3
OTHER_PATTERNS = (
    *("{}", "a {}", "the sound of a {}", "{} {}", "a {} and a {}", "the {} of the {}", "{} in a {}", "some {} {} {}"),
    *("a {} then a {}", "someone {} the {}", "a loud {}", "{} with a {} in the background", "a {} {} far away"),
    "the noise of {} {} {}",
)
LETTERS = "etaoinshrdlucmfwypvbgkjqxz"


@dataclass(frozen=True, kw_only=True)
class TextConfig:
    """Data and loss of the text encoder.

    Attributes:
        width: width of the transformer.
        depth: its layers.
        replace: share of words replaced by a neighbour, in captions that get replacements.
        similar: least cosine similarity of such a neighbour.
        table_only: share of captions read without the embeddings of known words.
        strewn: share of captions with up to four words that say nothing.
        nonsense: share of letters without meaning among such words.
        noise: standard deviation of the noise on word vectors, whose numbers are about 1.
        unknown: share of captions about something else.
        far: a word is something else when no word of the grammar is nearer than this.
    """

    width: int = 192
    depth: int = 2
    replace: float = 0.3
    similar: float = 0.55
    table_only: float = 0.5
    strewn: float = 0.4
    nonsense: float = 0.3
    noise: float = 0.25
    unknown: float = 0.15
    far: float = 0.5


class TextTask(PlainTask):
    """See `TextConfig`."""

    def __init__(self, config: TextConfig, table: WordTable) -> None:
        self.config, self.table = config, table
        vocabulary = grammar_words()
        titles = tuple(lexicon.title(concept) for concept in CONCEPTS)
        model = PocketTextConfig(
            concepts=CONCEPTS,
            titles=titles,
            vocabulary=vocabulary,
            width=config.width,
            depth=config.depth,
            table_width=table.width,
        )
        self.module: PocketText = PocketText(model, table, lexicon_wordings(table))
        self.neighbours = {word: table.neighbours(word, config.similar) for word in vocabulary}
        self.others = self._words_far_from(vocabulary)

    @classmethod
    def build(cls, config: TextConfig, data: Sequence[Path]) -> TextTask:
        """Open the word table, the one data file.

        Raises:
            UsageError: not exactly one file is given.
        """
        if len(data) != 1 or data[0].suffix != ".safetensors":
            raise UsageError(
                f"The text encoder trains on one word table, got {[str(p) for p in data]}.", "Build it: make words"
            )
        return cls(config, WordTable.load(data[0]))

    def batch(self, rng: np.random.Generator, size: int) -> Batch:
        """Draw captions: word vectors (B, N, D), vocabulary numbers and mask (B, N), targets (B, 2) and (B,)."""
        captions, slots = zip(*(self._caption(rng) for _ in range(size)), strict=True)
        rows, ids, mask = self.module.read(captions)
        vectors = self.module.vectors(rows)
        vectors = (
            vectors
            + self.config.noise
            * torch.from_numpy(rng.standard_normal(vectors.shape, np.float32))
            * (rows >= 0)[..., None]
        )
        hidden = torch.from_numpy(rng.random(size) < self.config.table_only)
        firm = torch.tensor([self._is_grammar(i) for i in range(len(self.module.config.vocabulary) + 1)])
        ids = torch.where(hidden[:, None] & ~firm[ids], 0, ids)
        return {"vectors": vectors, "ids": ids, "mask": mask} | _targets(slots)

    def loss(self, batch: Batch, rng: torch.Generator, step: int) -> tuple[Tensor, dict[str, float]]:
        """Cross-entropy of both slots and of the relation."""
        _, slots, relation = self.module(batch["vectors"], batch["ids"], batch["mask"])
        named = cross_entropy(slots.float().flatten(0, 1), batch["slots"].flatten(), ignore_index=IGNORED)
        related = cross_entropy(relation.float(), batch["relation"], ignore_index=IGNORED)
        right = (slots[:, 0].argmax(1) == batch["slots"][:, 0]).float().mean()
        return named + 0.5 * related, {"first_right": float(right)}

    @torch.inference_mode()
    def validate(self) -> dict[str, float]:
        """Share of fresh captions whose first slot, second slot and relation are right."""
        batch = self.batch(np.random.default_rng(1), 2000)
        _, slots, relation = self.module(batch["vectors"], batch["ids"], batch["mask"])
        known = batch["relation"] != IGNORED
        answers = {"first": slots[:, 0], "second": slots[:, 1], "relation": relation}
        wanted = {"first": batch["slots"][:, 0], "second": batch["slots"][:, 1], "relation": batch["relation"]}
        return {name: float((answers[name].argmax(1) == wanted[name])[known].float().mean()) for name in answers}

    def export(self, folder: Path) -> None:
        """Write the model folder with the word table."""
        self.table.save(folder / WORDS)
        known = self.module.wordings
        write_weights(folder, {"vectors": known.vectors, "concepts": known.concepts}, WORDINGS)
        write_model(folder, {"kind": "pocket-text", "model": self.module.config}, self.module.state_dict())

    def _caption(self, rng: np.random.Generator) -> tuple[str, Slots | None]:
        if rng.random() < self.config.unknown:
            pattern = OTHER_PATTERNS[int(rng.integers(len(OTHER_PATTERNS)))]
            return pattern.format(*(self._other(rng) for _ in range(3))), None
        caption, slots = sample_description(rng)
        words = tokenize(caption)
        if rng.random() < 0.5:
            words = [self._replaced(word, rng) for word in words]
        if rng.random() < self.config.strewn:
            for _ in range(int(rng.integers(1, 5))):
                words.insert(int(rng.integers(len(words) + 1)), self._other(rng))
        return " ".join(words), slots

    def _other(self, rng: np.random.Generator) -> str:
        """A word that names no sound of the grammar, or letters that are no word."""
        if rng.random() < self.config.nonsense:
            return "".join(rng.choice(list(LETTERS), int(rng.integers(2, 9))))
        return str(rng.choice(self.others))

    def _replaced(self, word: str, rng: np.random.Generator) -> str:
        near = self.neighbours.get(word)
        if not near or rng.random() >= self.config.replace:
            return word
        return near[int(rng.integers(len(near)))]

    def _is_grammar(self, number: int) -> bool:
        """Words without a vector ("before", "while") are never hidden: nothing else carries them."""
        return number > 0 and self.table.find(self.module.config.vocabulary[number - 1]) is None

    def _words_far_from(self, vocabulary: Sequence[str]) -> np.ndarray:
        rows = sorted({row for word in vocabulary if (row := self.table.find(word)) is not None})
        nearest = torch.cat([(part @ self.table.unit[rows].T).amax(dim=1) for part in self.table.unit.split(4096)])
        return np.array([self.table.words[i] for i in (nearest < self.config.far).nonzero()[:, 0].tolist()])


def lexicon_wordings(table: WordTable) -> Wordings:
    """Sentence vectors of all wordings of the lexicon and of strangers to it, and the concepts that they name."""
    named = [(table.sentence(text), i) for i, concept in enumerate(CONCEPTS) for text in lexicon.wordings(concept)]
    named += [(table.sentence(text), STRANGER) for text in lexicon.strangers()]
    vectors, concepts = zip(*named, strict=True)
    return Wordings((torch.stack(vectors) * 127).round().to(torch.int8), torch.tensor(concepts, dtype=torch.uint8))


def grammar_words() -> tuple[str, ...]:
    """Words that captions of scenes use, in alphabetical order."""
    rng, counts = np.random.default_rng(0), Counter[str]()
    for _ in range(VOCABULARY_CAPTIONS):
        for word in tokenize(sample_description(rng)[0]):
            counts[word] += 1
    return tuple(sorted(word for word, count in counts.items() if count >= VOCABULARY_COUNT))


def _targets(slots: Sequence[Slots | None]) -> dict[str, Tensor]:
    def number(concept: str | None) -> int:
        """Class of a concept, or of none."""
        return NONE if concept is None else CONCEPTS.index(concept)

    named = [(UNKNOWN, NONE) if s is None else (number(s.first), number(s.second)) for s in slots]
    related = [IGNORED if s is None else RELATIONS.index(s.relation) for s in slots]
    return {"slots": torch.tensor(named), "relation": torch.tensor(related)}
