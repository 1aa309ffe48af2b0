"""BLEU (Papineni et al. 2002) and CIDEr-D (Vedantam et al. 2015), as the COCO caption tools compute them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from audiojourney.metrics.text.corpus import Corpus, Counts

_SMALL, _TINY = 1e-9, 1e-15  # keep ratios of nothing finite, exactly as the COCO tools do
_SIGMA = 6.0
_CIDER_SCALE = 10.0


class Bleu(NamedTuple):
    """BLEU-1 to BLEU-4.

    Attributes:
        corpus: four values from pooled counts; not the means of the items.
        per_item: shape (items, 4).
    """

    corpus: tuple[float, float, float, float]
    per_item: np.ndarray


def bleu(corpus: Corpus) -> Bleu:
    """Clipped n-gram precision with brevity penalty against the closest reference length."""
    items = len(corpus)
    own = corpus.lengths[:items]
    closest = _closest_lengths(corpus)
    correct = np.stack([_clipped(corpus, counts) for counts in corpus.grams], axis=1)
    guessed = np.maximum(own[:, None] - np.arange(4), 0)
    pooled = _bleu(*(part.sum(axis=0, keepdims=True) for part in (correct, guessed, own, closest)))[0]
    return Bleu(tuple(pooled.tolist()), _bleu(correct, guessed, own, closest))


def _bleu(correct: np.ndarray, guessed: np.ndarray, own: np.ndarray, closest: np.ndarray) -> np.ndarray:
    """BLEU-1 to 4, shape (k, 4), of k rows of counts (k, 4) and lengths (k,)."""
    precision = (correct + _TINY) / (guessed + _SMALL)
    score = np.cumprod(precision, axis=1) ** (1 / np.arange(1, 5))
    ratio = (own + _TINY) / (closest + _SMALL)
    brevity = np.where(ratio < 1, np.exp(1 - 1 / np.minimum(ratio, 1)), 1.0)
    return score * brevity[:, None]


def _closest_lengths(corpus: Corpus) -> np.ndarray:
    """Reference length of each item that is closest to its candidate's, the shorter one of two."""
    items = len(corpus)
    item, length = corpus.item[items:], corpus.lengths[items:]
    order = np.lexsort((length, np.abs(length - corpus.lengths[item]), item))
    first = np.unique(item[order], return_index=True)[1]
    return length[order][first]


def _clipped(corpus: Corpus, counts: Counts) -> np.ndarray:
    """N-grams of each candidate that its references have, each at most as often as in one of them."""
    items, kinds = len(corpus), max(counts.kinds, 1)
    ours = counts.sentence < items
    keys = corpus.item[counts.sentence] * kinds + counts.gram
    order = np.argsort(keys[~ours], kind="stable")
    known, starts = np.unique(keys[~ours][order], return_index=True)
    if not len(known):
        return np.zeros(items)
    most = np.maximum.reduceat(counts.times[~ours][order], starts)
    place = np.searchsorted(known, keys[ours]).clip(max=len(known) - 1)
    allowed = np.where(known[place] == keys[ours], most[place], 0)
    kept = np.minimum(counts.times[ours], allowed)
    return np.bincount(counts.sentence[ours], weights=kept, minlength=items)


def cider_d(corpus: Corpus) -> np.ndarray:
    """CIDEr-D of each item, shape (items,), on its published scale from 0 to 10.

    Words are weighted by how rare they are among the references of this very set: one item alone, or equal references
    everywhere, score 0. The corpus value is the mean.
    """
    items = len(corpus)
    item, counts_of_references = corpus.item[items:], np.bincount(corpus.item[items:], minlength=items)
    # The published program measures length in bigrams.
    bigrams = np.maximum(corpus.lengths - 1, 0)
    penalty = np.exp(-((bigrams[item] - bigrams[items:]) ** 2) / (2 * _SIGMA**2))
    similar = sum(_similarity(corpus, counts) for counts in corpus.grams)
    total = np.bincount(item, weights=similar * penalty, minlength=items)
    return _CIDER_SCALE * total / (4 * counts_of_references)


def _similarity(corpus: Corpus, counts: Counts) -> np.ndarray:
    """Clipped cosine of each reference with the candidate of its item, shape (references,)."""
    items, kinds = len(corpus), max(counts.kinds, 1)
    ours = counts.sentence < items
    keys = corpus.item[counts.sentence] * kinds + counts.gram
    seen = np.bincount(np.unique(keys[~ours]) % kinds, minlength=kinds)
    rarity = np.log(items) - np.log(np.maximum(seen, 1))
    weights = counts.times * rarity[counts.gram]
    norms = np.sqrt(np.bincount(counts.sentence, weights=weights**2, minlength=len(corpus.lengths)))
    references = len(corpus.lengths) - items
    if not ours.any():
        return np.zeros(references)
    # Entries are sorted by sentence and gram, so the keys of the candidates are sorted too.
    place = np.searchsorted(keys[ours], keys[~ours]).clip(max=int(ours.sum()) - 1)
    met = keys[ours][place] == keys[~ours]
    shared = np.where(met, np.minimum(weights[ours][place], weights[~ours]) * weights[~ours], 0.0)
    dot = np.bincount(counts.sentence[~ours] - items, weights=shared, minlength=references)
    lengths = norms[corpus.item[items:]] * norms[items:]
    return np.divide(dot, lengths, out=np.zeros(references), where=lengths > 0)
