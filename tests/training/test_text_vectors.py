"""Vectors of captions are computed once for each caption and encoder."""

from collections.abc import Sequence

import torch

from audiojourney.training.text_vectors import open_vectors


class Encoder:
    """Counts what it is asked."""

    def __init__(self) -> None:
        self.asked = []

    def __call__(self, texts: Sequence[str]) -> torch.Tensor:
        self.asked += texts
        return torch.tensor([[len(text), text.count("a"), 0.5] for text in texts])


def test_each_caption_once_and_the_empty_one_always():
    encoder = Encoder()
    vectors = open_vectors(["banana", "kiwi", "banana"], encoder, "v1")
    assert sorted(encoder.asked) == ["", "banana", "kiwi"] and vectors.width == 3
    assert vectors(["kiwi", "banana", "", "kiwi"]).tolist() == [[4, 0, 0.5], [6, 3, 0.5], [0, 0, 0.5], [4, 0, 0.5]]


def test_kept_for_the_same_captions_and_encoder_only():
    encoder = Encoder()
    for captions, name, asked in (
        (["b", "a"], "v1", 3),
        (["a", "b"], "v1", 3),
        (["a", "c"], "v1", 6),
        (["a", "b"], "v2", 9),
    ):
        open_vectors(captions, encoder, name)
        assert len(encoder.asked) == asked, (captions, name)
