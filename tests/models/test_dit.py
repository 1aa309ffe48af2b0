"""The diffusion transformer: shapes, conditioning, positions."""

from __future__ import annotations

import pytest
import torch

from audiojourney.errors import UsageError
from audiojourney.models.base import Condition
from audiojourney.models.denoisers import build_denoiser
from audiojourney.models.dit import DiT, DiTConfig, rotary, rotate

SIZES = DiTConfig(channels=4, width=32, depth=2, heads=2, pooled=6, tokens=8)


@pytest.fixture
def model() -> DiT:
    """A transformer whose zero-initialised layers are woken up."""
    torch.manual_seed(0)
    dit = DiT(SIZES)
    for parameter in dit.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.2)
    return dit.eval()


def condition(rows: int = 2, words: int = 3) -> Condition:
    generator = torch.Generator().manual_seed(1)
    mask = torch.ones(rows, words, dtype=torch.bool)
    return Condition(torch.randn(rows, 6, generator=generator), torch.randn(rows, words, 8, generator=generator), mask)


@pytest.mark.parametrize("frames", [8, 20])
def test_any_length_of_whole_patches_is_predicted(model: DiT, frames: int) -> None:
    x = torch.randn(2, 4, frames)
    assert model(x, torch.tensor([3, 900]), condition()).shape == x.shape


def test_a_fresh_transformer_predicts_zero() -> None:
    assert not DiT(SIZES)(torch.randn(2, 4, 8), torch.tensor([3, 900]), condition()).any()


def test_rows_do_not_see_each_other(model: DiT) -> None:
    x, t, told = torch.randn(2, 4, 8), torch.tensor([3, 900]), condition()
    alone = model(x[1:], t[1:], Condition(told.pooled[1:], told.tokens[1:], told.mask[1:]))
    assert torch.allclose(model(x, t, told)[1:], alone, atol=1e-5)


def test_masked_tokens_change_nothing(model: DiT) -> None:
    x, t, told = torch.randn(2, 4, 8), torch.tensor([3, 900]), condition(words=3)
    junk = torch.cat([told.tokens, 100 * torch.ones(2, 2, 8)], dim=1)
    padded = Condition(told.pooled, junk, torch.tensor([[True] * 3 + [False] * 2] * 2))
    assert torch.allclose(model(x, t, told), model(x, t, padded), atol=1e-5)


@pytest.mark.parametrize("part", ["pooled", "tokens", "time"])
def test_prediction_depends_on_text_and_time(model: DiT, part: str) -> None:
    x, t, told = torch.randn(2, 4, 8), torch.tensor([3, 900]), condition()
    other = Condition(told.pooled + (part == "pooled"), told.tokens + (part == "tokens"), told.mask)
    assert not torch.allclose(model(x, t, told), model(x, t + 50 * (part == "time"), other), atol=1e-3)


def test_the_same_frame_elsewhere_is_predicted_differently(model: DiT) -> None:
    x = torch.randn(1, 4, 2).repeat(1, 1, 6)
    told = condition(rows=1)
    out = model(x, torch.tensor([500]), told)
    assert not torch.allclose(out[..., :2], out[..., -2:], atol=1e-3)


def test_rotary_scores_depend_on_distance_alone() -> None:
    q, k = torch.randn(1, 1, 1, 8), torch.randn(1, 1, 1, 8)
    turned_q, turned_k = (rotate(v.expand(1, 1, 20, 8), rotary(20, 8, v.device)) for v in (q, k))
    scores = turned_q[0, 0] @ turned_k[0, 0].T
    assert torch.allclose(scores[2, 5], scores[12, 15], atol=1e-4)
    assert not torch.allclose(scores[2, 5], scores[2, 9], atol=1e-3)


def test_both_denoisers_fit_the_same_condition() -> None:
    fit = {
        "length": 64,
        "patch": 2,
        "group": 4,
        "patch_width": 32,
        "latent_width": 32,
        "latent_count": 16,
        "context_width": 32,
    }
    fit |= {"blocks": 1, "local_layers": 1, "global_layers": 1, "dim_head": 16}
    for kind, sizes in (("dit", {"width": 32, "depth": 1, "heads": 2}), ("fit", fit)):
        denoiser = build_denoiser(kind, sizes, channels=4, pooled=6, tokens=8)
        assert denoiser(torch.randn(2, 4, 32), torch.tensor([3, 900]), condition()).shape == (2, 4, 32)


def test_unknown_denoiser_offers_the_nearest() -> None:
    with pytest.raises(UsageError, match="dit"):
        build_denoiser("ditt", {}, channels=4, pooled=6, tokens=8)


def test_width_must_divide_into_pairs_for_each_head() -> None:
    with pytest.raises(UsageError, match="30"):
        DiTConfig(width=30, heads=4)
