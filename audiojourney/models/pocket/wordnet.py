"""Builds the word-vector table of the pocket models from the WordNet dictionary files.

Every word is a bag of features: itself, the words of its glosses, its synonyms, hypernyms and other related words. The
log-weighted, idf-scaled matrix of words by features is factorised by a randomised SVD (Halko, Martinsson and Tropp
2011, algorithms 4.3 and 5.1). Words that are described alike end up near each other, so "lorry" lies beside "truck"
although no caption ever said it.

    python -m audiojourney.models.pocket.wordnet /usr/share/wordnet OUT.safetensors
"""

from __future__ import annotations

import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from audiojourney.errors import MissingError
from audiojourney.models.pocket.words import WordTable

WORD = re.compile(r"[a-z]+")
PARTS = ("noun", "verb", "adj", "adv")
KEPT_TOPICS = {
    3,
    4,
    5,
    6,
    10,
    11,
    17,
    19,
    22,
    27,
    *range(29, 44),
}  # lexicographer files of things, events and all verbs
SOUND_WORD = re.compile(r"\b(sound|noise|loud|cry|music|noisy|voice|bell|horn)\w*\b")
MAX_SENSES = 6
STRONG_POINTERS = {"@": 1.5, "@i": 1.5, "&": 1.5, "%p": 1.5, "#p": 1.5, "~": 0.5}
OTHER_POINTER = 0.5
HYPERNYM_GLOSS = 0.4


@dataclass(frozen=True)
class Synset:
    """One meaning.

    Attributes:
        topic: number of its lexicographer file.
        words: lower-case lemmas, multi-word ones with underscores.
        pointers: (symbol, key of the synset pointed to).
        gloss: words of its definition, without examples.
    """

    topic: int
    words: tuple[str, ...]
    pointers: tuple[tuple[str, str], ...]
    gloss: tuple[str, ...]


def read_synsets(folder: Path) -> dict[str, Synset]:
    """Read the four data files; keys are part-of-speech letter and offset.

    Raises:
        MissingError: a dictionary file is absent.
    """
    synsets = {}
    for part in PARTS:
        path = folder / f"data.{part}"
        if not path.is_file():
            raise MissingError(f"No WordNet file {path}.", "Install the package wordnet-base, or name its folder.")
        for line in path.read_text(encoding="latin-1").splitlines():
            if not line.startswith("  "):
                key, synset = _parse(line)
                synsets[key] = synset
    return synsets


def _parse(line: str) -> tuple[str, Synset]:
    fields, _, gloss = line.partition("|")
    tokens = fields.split()
    count = int(tokens[3], 16)
    words = tuple(re.sub(r"\(\w+\)$", "", w).lower() for w in tokens[4 : 4 + 2 * count : 2])
    start = 5 + 2 * count
    pointers = tuple(
        (tokens[i], _part(tokens[i + 2]) + tokens[i + 1]) for i in range(start, start + 4 * int(tokens[start - 1]), 4)
    )
    definition = re.sub(r'"[^"]*"', " ", gloss).lower()
    return _part(tokens[2]) + tokens[0], Synset(int(tokens[1]), words, pointers, tuple(WORD.findall(definition)))


def _part(letter: str) -> str:
    return "a" if letter == "s" else letter


def senses_by_word(folder: Path, synsets: dict[str, Synset]) -> dict[str, list[str]]:
    """Single-word lemmas and the keys of their senses, most frequent first."""
    senses: dict[str, list[str]] = defaultdict(list)
    for part in PARTS:
        for line in (folder / f"index.{part}").read_text(encoding="latin-1").splitlines():
            tokens = line.split()
            if line.startswith("  ") or not WORD.fullmatch(tokens[0]):
                continue
            count = int(tokens[2])
            senses[tokens[0]] += [_part(tokens[1]) + offset for offset in tokens[-count:]]
    return {word: [key for key in keys if key in synsets] for word, keys in senses.items()}


def features(word: str, keys: Iterable[str], synsets: dict[str, Synset]) -> dict[str, float]:
    """Weighted bag of features of one word."""
    bag = defaultdict(float, {word: 3.0})
    for rank, key in enumerate(keys):
        if rank == MAX_SENSES:
            break
        for feature, weight in _sense_features(synsets[key], synsets):
            bag[feature] += weight / (1 + rank)
    return bag


def _sense_features(sense: Synset, synsets: dict[str, Synset]) -> Iterator[tuple[str, float]]:
    yield from ((w, 1.0) for w in sense.gloss)
    yield from ((w, 2.0) for w in sense.words)
    for symbol, target in sense.pointers:
        weight = STRONG_POINTERS.get(symbol, OTHER_POINTER)
        yield from ((w, weight) for w in synsets[target].words)
        if symbol in ("@", "@i"):
            yield from ((w, HYPERNYM_GLOSS) for w in synsets[target].gloss)


def is_kept(word: str, keys: Iterable[str], synsets: dict[str, Synset]) -> bool:
    """Keep words with a sense among things, events and verbs, or whose gloss speaks of sound."""
    return any(synsets[k].topic in KEPT_TOPICS or SOUND_WORD.search(" ".join(synsets[k].gloss)) for k in keys)


def word_feature_matrix(bags: Sequence[Mapping[str, float]]) -> Tensor:
    """Sparse (V, features) matrix of log(1 + weight) x idf with unit rows, float32 CSR."""
    frequency = Counter(feature for bag in bags for feature in bag)
    columns = {feature: i for i, feature in enumerate(sorted(frequency))}
    indices, values, starts = [], [], [0]
    for bag in bags:
        row = {columns[f]: math.log1p(w) * math.log(len(bags) / frequency[f]) for f, w in bag.items()}
        norm = math.sqrt(sum(v * v for v in row.values())) or 1.0
        for column in sorted(row):
            indices.append(column)
            values.append(row[column] / norm)
        starts.append(len(indices))
    return torch.sparse_csr_tensor(
        torch.tensor(starts), torch.tensor(indices), torch.tensor(values), size=(len(bags), len(columns))
    )


def randomised_svd(matrix: Tensor, rank: int, *, extra: int = 20, rounds: int = 3, seed: int = 0) -> Tensor:
    """Left factors times the square root of the singular values, shape (V, rank)."""
    transposed = matrix.to_sparse_coo().t().to_sparse_csr()
    basis = torch.randn(matrix.shape[1], rank + extra, generator=torch.Generator().manual_seed(seed))
    for _ in range(rounds):
        basis = torch.linalg.qr(transposed @ torch.linalg.qr(matrix @ basis).Q).Q
    left, singular, _ = torch.linalg.svd(matrix @ basis, full_matrices=False)
    return left[:, :rank] * singular[:rank].sqrt()


def build(folder: Path, rank: int = 256) -> WordTable:
    """Build the table of word vectors from the dictionary files in `folder`."""
    synsets = read_synsets(folder)
    senses = senses_by_word(folder, synsets)
    words = sorted(senses)
    bags = [features(word, senses[word], synsets) for word in words]
    vectors = torch.nn.functional.normalize(randomised_svd(word_feature_matrix(bags), rank), dim=1)
    gloss_counts = Counter(w for synset in synsets.values() for w in synset.gloss)
    total = sum(gloss_counts.values())
    importance = torch.tensor([1e-3 / (1e-3 + gloss_counts[w] / total) for w in words])
    kept = [i for i, word in enumerate(words) if is_kept(word, senses[word], synsets)]
    return WordTable.quantise([words[i] for i in kept], vectors[kept], importance[kept])


if __name__ == "__main__":
    build(Path(sys.argv[1])).save(Path(sys.argv[2]))
