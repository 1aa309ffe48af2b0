"""ROUGE-L (Lin 2004) as the COCO caption tools compute it."""

from __future__ import annotations

import numpy as np

from audiojourney.metrics.text.corpus import Corpus, Words

_BETA = 1.2


def rouge_l(corpus: Corpus) -> np.ndarray:
    """F-score of the longest common subsequence of each item, shape (items,).

    The best precision and the best recall over the references may come from different ones.
    """
    return np.array([_item(c, r) for c, r in zip(corpus.candidates, corpus.references, strict=True)])


def _item(candidate: Words, references: tuple[Words, ...]) -> float:
    if not candidate:
        return 0.0
    places: dict[str, int] = {}
    for place, word in enumerate(candidate):
        places[word] = places.get(word, 0) | 1 << place
    common = [_common_subsequence(places, len(candidate), words) for words in references]
    precision = max(common) / len(candidate)
    recall = max(count / max(len(words), 1) for count, words in zip(common, references, strict=True))
    if not precision:
        return 0.0
    return (1 + _BETA**2) * precision * recall / (recall + _BETA**2 * precision)


def _common_subsequence(places: dict[str, int], length: int, words: Words) -> int:
    """Length of the longest common subsequence (Hyyro 2004: a row of the table as the bits of one number).

    A zero bit marks a place of the candidate where the subsequence grows.
    """
    row = full = (1 << length) - 1
    for word in words:
        met = row & places.get(word, 0)
        row = (row + met) | (row - met)
    return length - (row & full).bit_count()
