"""How many different words a captioner uses. All words count, also stop words, after tokenising."""

from __future__ import annotations

from dataclasses import dataclass

from audiojourney.errors import UsageError
from audiojourney.metrics.text.corpus import Corpus

_SEED = 1234


@dataclass(frozen=True)
class Vocabulary:
    """Different words of candidates and references.

    Attributes:
        candidates: words that candidates use.
        references: words that references use.
        references_one_each: mean number when one reference an item is drawn, repeated as often as an item has most.
        precision: share of the candidates' words that some reference uses.
        recall: share of the references' words that some candidate uses.
    """

    candidates: int
    references: int
    references_one_each: float
    precision: float
    recall: float

    @property
    def ratio(self) -> float:
        """Candidates' words by references' words."""
        return self.candidates / self.references

    @property
    def ratio_one_each(self) -> float:
        """The same with one reference an item: fairer, since more sentences hold more words."""
        return self.candidates / self.references_one_each

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    @property
    def jaccard(self) -> float:
        """Words of both by words of either."""
        common = self.precision * self.candidates
        return common / (self.candidates + self.references - common)


def vocabulary(corpus: Corpus, seed: int = _SEED) -> Vocabulary:
    """Count the different words of a test set.

    Args:
        corpus: tokenised captions.
        seed: of the drawn references, by the generator of torch, as aac-metrics draws them.

    Raises:
        UsageError: the references hold no word.
    """
    ours = {word for words in corpus.candidates for word in words}
    theirs = {word for item in corpus.references for words in item for word in words}
    if not theirs:
        raise UsageError(f"The references of {len(corpus)} items hold no word.")
    common = len(ours & theirs)
    precision = common / len(ours) if ours else 0.0
    return Vocabulary(len(ours), len(theirs), _one_each(corpus, seed), precision, common / len(theirs))


def _one_each(corpus: Corpus, seed: int) -> float:
    import torch  # the only thing here that needs it

    random = torch.Generator().manual_seed(seed)
    sizes = []
    for _ in range(max(len(item) for item in corpus.references)):
        drawn = [item[int(torch.randint(len(item), (), generator=random))] for item in corpus.references]
        sizes.append(len({word for words in drawn for word in words}))
    return sum(sizes) / len(sizes)
