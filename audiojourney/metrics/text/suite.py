"""All caption metrics of a test set; what cannot be measured here is told with its reason."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from audiojourney.errors import AudioJourneyError, UsageError
from audiojourney.metrics.base import Metric, Result
from audiojourney.metrics.rows import listed
from audiojourney.metrics.text.corpus import Corpus
from audiojourney.metrics.text.meteor import meteor
from audiojourney.metrics.text.ngrams import bleu, cider_d
from audiojourney.metrics.text.rouge import rouge_l
from audiojourney.metrics.text.tokens import TOKENIZER, tokenize
from audiojourney.metrics.text.vocabulary import vocabulary
from audiojourney.registry import offer

_SPICE = "SPICE needs its Java program and the models of Stanford CoreNLP 3.6.0, which this version does not run"
_NOT_RUN = {
    "spice": _SPICE,
    "spider": f"SPIDEr is the mean of CIDEr-D and SPICE; {_SPICE}",
    "fense": "FENSE needs a sentence encoder and a fluency detector, which this version does not run",
}
NATIVE = ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "rouge_l", "cider_d", "vocabulary")
NAMES = (*NATIVE, "meteor", *_NOT_RUN)


def caption_metrics(
    candidates: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    names: Sequence[str] = NAMES,
    meteor_folder: Path | None = None,
) -> list[Result]:
    """Measure captions against references of the same ids.

    Args:
        candidates: one caption an id.
        references: one or more an id.
        names: which metrics, in this order.
        meteor_folder: where the METEOR program lies; None looks into the package pycocoevalcap.

    Returns:
        Values from 0 to 1 (CIDEr-D from 0 to 10), or None with a reason.

    Raises:
        UsageError: an unknown metric, ids that differ, or an item without reference.
    """
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        raise UsageError(f"There is no caption metric {unknown[0]!r}.", offer(unknown[0], NAMES))
    corpus = Corpus.of_tokens(
        {name: tokenize(text) for name, text in candidates.items()},
        {name: [tokenize(text) for text in texts] for name, texts in references.items()},
    )
    empty = [name for name, words in zip(corpus.ids, corpus.candidates, strict=True) if not words]
    told = (f"{len(empty)} captions hold no word and score 0: {listed(empty)}",) if empty else ()
    return [_measure(name, corpus, told, meteor_folder) for name in names]


def _measure(name: str, corpus: Corpus, warnings: tuple[str, ...], folder: Path | None) -> Result:
    shared: dict[str, Any] = {"name": name, "count": (len(corpus),), "warnings": warnings}
    shared["convention"] = {"tokenizer": TOKENIZER, "references": sum(map(len, corpus.references))}
    if name in _NOT_RUN:
        return Result(reason=_NOT_RUN[name], **shared)
    if name == "meteor":
        return _meteor(corpus, folder, shared)
    return _FAMILIES[name.partition("_")[0]](corpus, shared)


def _bleu(corpus: Corpus, shared: dict[str, Any]) -> Result:
    n = int(shared["name"][-1])
    found = bleu(corpus)
    return Result(value=found.corpus[n - 1], per_item=found.per_item[:, n - 1].tolist(), **shared)


def _rouge(corpus: Corpus, shared: dict[str, Any]) -> Result:
    values = rouge_l(corpus)
    return Result(value=float(values.mean()), per_item=values.tolist(), **shared)


def _cider(corpus: Corpus, shared: dict[str, Any]) -> Result:
    if len(corpus) < 2:
        return Result(reason="CIDEr-D weighs words by the other items of the set, and there is one item only", **shared)
    values = cider_d(corpus)
    return Result(value=float(values.mean()), per_item=values.tolist(), **shared)


def _vocabulary(corpus: Corpus, shared: dict[str, Any]) -> Result:
    found = vocabulary(corpus)
    convention = shared.pop("convention") | asdict(found) | {"stop_words": "counted"}
    return Result(value=float(found.candidates), convention=convention, **shared)


def _meteor(corpus: Corpus, folder: Path | None, shared: dict[str, Any]) -> Result:
    try:
        value, per_item = meteor(corpus, folder)
        items = [number if math.isfinite(number) else None for number in per_item]
        return Result(value=value, per_item=items, **shared)
    except AudioJourneyError as error:  # absent or broken: the other metrics still count
        return Result(reason=str(error), **shared)


_FAMILIES: dict[str, Callable[[Corpus, dict[str, Any]], Result]] = {
    "bleu": _bleu,
    "rouge": _rouge,
    "cider": _cider,
    "vocabulary": _vocabulary,
}


class CaptionMetric(Metric):
    """One caption metric of captions that come bit by bit; all are kept, since most depend on the whole set."""

    higher_is_better = True
    min_value = 0.0

    def reset(self) -> None:
        """Forget all captions."""
        self._candidates: dict[str, str] = {}
        self._references: dict[str, Sequence[str]] = {}

    def update(self, name: str, candidate: str, references: Sequence[str]) -> None:
        """Add an item.

        Raises:
            UsageError: the id came before.
        """
        if name in self._candidates:
            raise UsageError(f"The id {name!r} stands twice among {len(self._candidates)} captions.")
        self._candidates[name], self._references[name] = candidate, references

    def compute(self) -> Result:
        """Measure the captions fed so far; see `caption_metrics`."""
        return caption_metrics(self._candidates, self._references, [self.name])[0]
