"""Captions as arrays of numbers, so that n-grams of a whole test set are counted at once.

Sentences are numbered: first the candidate of each item, then all references, item by item.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from audiojourney.errors import UsageError
from audiojourney.metrics.rows import pair

Words = Sequence[str]


class Counts(NamedTuple):
    """How often n-grams stand in sentences; one entry for each n-gram of each sentence, sorted by sentence.

    Attributes:
        sentence: number of the sentence.
        gram: number of the n-gram.
        times: how often it stands there.
        kinds: how many different n-grams there are in the corpus.
    """

    sentence: np.ndarray
    gram: np.ndarray
    times: np.ndarray
    kinds: int


@dataclass(frozen=True)
class Corpus:
    """Tokenised candidates and references of a test set.

    Attributes:
        ids: of the items.
        candidates: words of one candidate for each item; may be empty.
        references: words of one reference or more for each item.
    """

    ids: tuple[str, ...]
    candidates: tuple[Words, ...]
    references: tuple[tuple[Words, ...], ...]

    @classmethod
    def of_tokens(cls, candidates: Mapping[str, Words], references: Mapping[str, Sequence[Words]]) -> Corpus:
        """Pair candidates and references by id.

        Raises:
            UsageError: ids differ (up to five are named), there are none, or an item has no reference.
        """
        ids = pair(list(references), list(candidates)).ids
        lacking = [name for name in ids if not references[name]]
        if lacking:
            raise UsageError(f"{len(lacking)} items have no reference, the first is {lacking[0]!r}.")
        return cls(ids, tuple(candidates[name] for name in ids), tuple(tuple(references[name]) for name in ids))

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def sentences(self) -> list[Words]:
        """Candidates, then references."""
        return [*self.candidates, *(words for item in self.references for words in item)]

    @cached_property
    def item(self) -> np.ndarray:
        """Item of each sentence."""
        own = np.arange(len(self))
        return np.concatenate([own, np.repeat(own, [len(item) for item in self.references])])

    @cached_property
    def lengths(self) -> np.ndarray:
        """Words of each sentence."""
        return np.array([len(words) for words in self.sentences], np.int64)

    @cached_property
    def words(self) -> np.ndarray:
        """All sentences one after the other, each word as its number."""
        numbers: dict[str, int] = {}
        return np.array([numbers.setdefault(word, len(numbers)) for s in self.sentences for word in s], np.int64)

    @cached_property
    def grams(self) -> tuple[Counts, Counts, Counts, Counts]:
        """Counts of n-grams for n = 1 to 4."""
        owner = np.repeat(np.arange(len(self.sentences)), self.lengths)
        kinds = int(self.words.max(initial=-1)) + 1
        places, ids, counts = np.arange(len(self.words)), self.words, []
        for n in range(1, 5):
            if n > 1:
                # An n-gram is the one a word shorter and the word after it, where that is of the same sentence.
                inside = places + n - 1 < len(owner)
                places, ids = places[inside], ids[inside]
                same = owner[places] == owner[places + n - 1]
                places, ids = places[same], ids[same]
                pairs = ids * (int(self.words.max(initial=0)) + 1) + self.words[places + n - 1]
                known, ids = np.unique(pairs, return_inverse=True)
                kinds = len(known)
            keys, count = np.unique(owner[places] * max(kinds, 1) + ids, return_counts=True)
            counts.append(Counts(keys // max(kinds, 1), keys % max(kinds, 1), count, kinds))
        return tuple(counts)  # type: ignore[return-value]
