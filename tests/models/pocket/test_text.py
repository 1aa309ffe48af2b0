"""The pocket text encoder and what it gives to generators."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from audiojourney.models.pocket.text import RELATIONS, SLOTS, STRANGER, PocketText, PocketTextConfig, Wordings
from audiojourney.models.pocket.words import WordTable


@pytest.fixture
def encoder() -> PocketText:
    torch.manual_seed(0)
    table = WordTable.quantise(["bark", "dog", "rain"], torch.randn(3, 8), torch.ones(3))
    config = PocketTextConfig(
        concepts=("dog", "rain"),
        titles=("a dog barking", "rain"),
        vocabulary=("and", "then"),
        width=16,
        depth=1,
        heads=2,
        max_words=6,
        table_width=8,
    )
    known = torch.stack([table.sentence(word) for word in ("dog", "rain", "bark")]) * 127
    return PocketText(config, table, Wordings(known.round().to(torch.int8), torch.tensor([0, 1, STRANGER]))).eval()


def test_read_finds_table_rows_and_vocabulary(encoder: PocketText) -> None:
    rows, ids, mask = encoder.read(["dogs and rain", "xyz"])
    assert rows.tolist() == [[1, -1, 2], [-1, -1, -1]]
    assert ids.tolist() == [[0, 1, 0], [0, 0, 0]]
    assert mask.tolist() == [[True, True, True], [True, False, False]]


def test_pooled_holds_distributions(encoder: PocketText) -> None:
    pooled = encoder.encode(["a dog and rain"]).pooled[0]
    assert pooled.shape == (encoder.config.pooled_width,)
    shares = pooled[: SLOTS * 3].view(SLOTS, 3)
    assert torch.allclose(shares.sum(dim=1), torch.ones(SLOTS), atol=1e-5)
    assert torch.allclose(pooled[SLOTS * 3 :].sum(), torch.tensor(1.0), atol=1e-5)
    assert len(pooled) == SLOTS * 3 + len(RELATIONS)


def test_the_empty_prompt_is_all_zero(encoder: PocketText) -> None:
    told = encoder.encode(["", "dog"])
    assert not told.pooled[0].any() and not told.tokens[0].any()
    assert told.pooled[1].any()


def test_a_prompt_does_not_depend_on_its_neighbours(encoder: PocketText) -> None:
    alone = encoder.encode(["dog"])
    beside = encoder.encode(["dog", "a dog and rain then a dog"])
    assert torch.allclose(alone.pooled[0], beside.pooled[0], atol=1e-5)
    width = encoder.answers + 1
    assert torch.allclose(alone.tokens[0], beside.tokens[0, :width], atol=1e-5)
    assert beside.mask[0].sum() == width


def test_order_of_words_matters(encoder: PocketText) -> None:
    told = encoder.encode(["dog then rain", "rain then dog"])
    assert not torch.allclose(told.pooled[0], told.pooled[1], atol=1e-4)


def test_long_prompts_are_cut_and_never_fail(encoder: PocketText) -> None:
    assert encoder.encode(["dog " * 10_000]).tokens.shape[1] == encoder.answers + encoder.config.max_words


def certain(encoder: PocketText, answer: int) -> None:
    """Make the encoder always give one answer: a concept, none (2) or something unknown (3)."""
    with torch.no_grad():
        encoder.concept.weight.zero_()
        encoder.concept.bias.copy_(9 * torch.nn.functional.one_hot(torch.tensor(answer), 4))


def test_a_known_concept_in_known_words_is_familiar(encoder: PocketText) -> None:
    certain(encoder, 1)
    found = encoder.familiarity("rain")
    assert found.known and found.nearest == "rain" and found.score > 0.95


def test_far_words_are_not_familiar_whatever_the_answer(encoder: PocketText) -> None:
    certain(encoder, 1)
    assert not encoder.familiarity("quantum").known


def test_what_is_nearer_to_a_stranger_is_not_familiar(encoder: PocketText) -> None:
    certain(encoder, 0)
    assert encoder.familiarity("dogs").known
    assert not encoder.familiarity("barking").known


def test_an_unknown_answer_names_the_nearest_wording(encoder: PocketText) -> None:
    certain(encoder, 3)
    found = encoder.familiarity("dogs")
    assert not found.known and found.nearest == "a dog barking" and found.score < 0.01


def answers(
    encoder: PocketText, monkeypatch: pytest.MonkeyPatch, slots: list[list[float]], relation: list[float]
) -> None:
    """Make the encoder give these logits for every prompt."""

    def forward(vectors: Tensor, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        count = len(ids)
        words = torch.ones(*ids.shape, encoder.config.width)
        return words, torch.tensor([slots] * count), torch.tensor([relation] * count)

    monkeypatch.setattr(encoder, "forward", forward)


DOG, RAIN, NOTHING = [9.0, 0, 0, 0], [0, 9.0, 0, 0], [0, 0, 9.0, 0]


@pytest.mark.parametrize(
    ("prompt", "slots", "relation", "scene"),
    [
        ("a dog and rain", [DOG, RAIN], [0, 9.0, 0, 0], "together"),
        ("a dog over rain", [DOG, RAIN], [0, 0, 9.0, 0], "background"),
        ("a dog, rain", [DOG, RAIN], [0, 0, 0, 9.0], "sequence"),
        ("a dog, then rain", [DOG, RAIN], [0, 9.0, 0, 0], "sequence"),
        ("dog -> rain", [DOG, RAIN], [0, 9.0, 0, 0], "sequence"),
        ("a dog and rain all at once", [DOG, RAIN], [0, 9.0, 0, 0], "together"),
        ("a dog next to rain", [DOG, RAIN], [0, 9.0, 0, 0], "together"),
        ("a dog and rain", [DOG, RAIN], [9.0, 0, 0, 0], None),
        ("a dog, then nothing", [DOG, NOTHING], [0, 9.0, 0, 0], None),
        ("a dog and a dog", [DOG, DOG], [0, 9.0, 0, 0], None),
        ("", [DOG, RAIN], [0, 9.0, 0, 0], None),
    ],
)
def test_scenes_are_told_from_single_sounds(
    encoder: PocketText,
    monkeypatch: pytest.MonkeyPatch,
    prompt: str,
    slots: list[list[float]],
    relation: list[float],
    scene: str | None,
) -> None:
    answers(encoder, monkeypatch, slots, relation)
    assert encoder.scenes([prompt, "x"])[0] == scene


def test_a_part_is_asked_for_as_if_it_were_said_alone(encoder: PocketText, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(encoder, monkeypatch, [DOG, RAIN], [0, 9.0, 0, 0])
    told = encoder.encode(["dog rain", "dog rain"], [1, None])
    assert told.mask.tolist() == [[True] * 3 + [False] * 2, [True] * 5]
    slots, relation = told.pooled[0, :6].view(2, 3), told.pooled[0, 6:]
    assert slots.argmax(dim=1).tolist() == [1, 2] and slots.amax(dim=1).min() > 0.99
    assert relation.argmax() == 0 and relation[0] > 0.99
    assert told.pooled[1, :6].view(2, 3).argmax(dim=1).tolist() == [0, 1]
