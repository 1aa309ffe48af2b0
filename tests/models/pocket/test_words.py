"""The word table, its tokenizer, and the WordNet builder on a dictionary of a few lines."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from audiojourney.errors import MissingError
from audiojourney.models.pocket import wordnet
from audiojourney.models.pocket.words import WordTable, tokenize


@pytest.fixture
def table() -> WordTable:
    vectors = torch.eye(4)
    vectors[1] = torch.tensor([0.9, 0.1, 0.0, 0.0])
    return WordTable.quantise(["bark", "dog", "pony", "rain"], vectors, torch.ones(4))


def test_tokenize_lowers_and_joins_apostrophes() -> None:
    assert tokenize("A Dog's BARK, far-away!") == ["a", "dogs", "bark", "far", "away"]


@pytest.mark.parametrize(
    ("word", "base"), [("dogs", "dog"), ("barking", "bark"), ("barked", "bark"), ("ponies", "pony"), ("rain", "rain")]
)
def test_inflected_words_are_found_by_their_base(table: WordTable, word: str, base: str) -> None:
    row = table.find(word)
    assert row is not None and table.words[row] == base


def test_unknown_words_have_no_row_and_no_vector(table: WordTable) -> None:
    assert table.find("xylophone") is None
    assert not table.vectors(torch.tensor([-1])).any()


def test_vectors_survive_eight_bits_and_the_file(table: WordTable, tmp_path: Path) -> None:
    table.save(tmp_path / "words.safetensors")
    loaded = WordTable.load(tmp_path / "words.safetensors")
    assert loaded.words == table.words
    wanted = torch.tensor([0.9, 0.1, 0.0, 0.0])
    assert torch.allclose(loaded.vectors(torch.tensor([1]))[0], wanted, atol=0.005)


def test_neighbours_are_near_and_never_the_word_itself(table: WordTable) -> None:
    assert table.neighbours("bark", least=0.5, most=3) == ["dog"]
    assert table.neighbours("nothing") == []


DATA = {
    "noun": [
        '00000010 05 n 02 dog 0 domestic_dog 0 001 @ 00000020 n 0000 | a domestic animal that barks; "the dog barked"',
        "00000020 05 n 01 animal 0 000 | a living organism",
        "00000030 15 n 01 paris 0 000 | the capital of france",
    ],
    "verb": ["00000040 39 v 01 bark 0 000 01 + 02 00 | make the noise of a dog"],
    "adj": ["00000050 00 s 01 loud 0 000 | making much noise"],
    "adv": [],
}
INDEX = {
    "noun": ["dog n 1 1 @ 1 0 00000010", "animal n 1 0 1 0 00000020", "paris n 1 0 1 0 00000030"],
    "verb": ["bark v 1 0 1 0 00000040"],
    "adj": ["loud a 1 0 1 0 00000050"],
    "adv": [],
}


@pytest.fixture
def dictionary(tmp_path: Path) -> Path:
    for part in wordnet.PARTS:
        (tmp_path / f"data.{part}").write_text(
            "  a licence line\n" + "".join(f"{row}\n" for row in DATA[part]), encoding="latin-1"
        )
        (tmp_path / f"index.{part}").write_text(
            "  a licence line\n" + "".join(f"{row}\n" for row in INDEX[part]), encoding="latin-1"
        )
    return tmp_path


def test_synsets_hold_words_pointers_and_a_gloss_without_examples(dictionary: Path) -> None:
    dog = wordnet.read_synsets(dictionary)["n00000010"]
    assert dog.words == ("dog", "domestic_dog")
    assert dog.pointers == (("@", "n00000020"),)
    assert "barks" in dog.gloss and "barked" not in dog.gloss


def test_features_weigh_the_word_its_gloss_and_its_hypernym(dictionary: Path) -> None:
    synsets = wordnet.read_synsets(dictionary)
    bag = wordnet.features("dog", ["n00000010"], synsets)
    assert bag["dog"] == 3 + 2
    assert bag["animal"] == 1 + 1.5
    assert bag["organism"] == wordnet.HYPERNYM_GLOSS


def test_the_table_keeps_things_verbs_and_words_of_sound(dictionary: Path) -> None:
    assert wordnet.build(dictionary, rank=3).words == ("animal", "bark", "dog", "loud")


def test_a_missing_dictionary_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"data\.noun"):
        wordnet.read_synsets(tmp_path)


def test_randomised_svd_recovers_a_low_rank_matrix() -> None:
    left, right = (
        torch.randn(40, 3, generator=torch.Generator().manual_seed(0)),
        torch.randn(3, 30, generator=torch.Generator().manual_seed(1)),
    )
    dense = left @ right
    factors = wordnet.randomised_svd(dense.to_sparse_csr(), 3, extra=4)
    singular = torch.linalg.svdvals(dense)[:3]
    assert torch.allclose(factors.square().sum(dim=0), singular, rtol=1e-3)
