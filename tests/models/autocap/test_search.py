"""Beam search and sampling: equal to `generate` of transformers, and independent of the batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers.modeling_outputs import BaseModelOutput

from audiojourney.errors import UsageError
from audiojourney.models.autocap import search as searches
from audiojourney.models.autocap.decoder import Decoder
from audiojourney.models.autocap.network import AutoCap, Heard
from audiojourney.models.autocap.search import Decoding, Hypothesis, largest, sample, search
from tests.models.autocap.tiny import CONFIG, tiny_network

NETWORK = tiny_network()
END_BIAS = 4.0  # makes captions of many lengths


def heard(seed: int, clips: int = 3) -> Heard:
    """Return random states of the encoder, some of them padding."""
    generator = torch.Generator().manual_seed(seed)
    states = torch.randn(clips, 12, CONFIG.bart.width, generator=generator)
    lengths = torch.randint(4, 13, (clips, 1), generator=generator)
    return Heard(states, (torch.arange(12) < lengths).long())


def network(seed: int) -> AutoCap:
    """Return the tiny network with another decoder, which likes to end."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in NETWORK.bart.model.decoder.layers.parameters():
            parameter.copy_(0.4 * torch.randn(parameter.shape, generator=generator))
        NETWORK.bart.final_logits_bias[0, 2] = END_BIAS
    return NETWORK


@torch.inference_mode()
def generated(module: AutoCap, given_states: Heard, beams: int, longest: int, count: int = 1) -> list[list[int]]:
    """Return what transformers finds, with the settings that BART brings along."""
    rows = module.bart.generate(
        encoder_outputs=BaseModelOutput(given_states.states),
        attention_mask=given_states.mask,
        decoder_input_ids=torch.full((len(given_states.states), 1), 2),
        max_length=longest,
        min_length=2,
        num_beams=beams,
        num_return_sequences=count,
        do_sample=False,
        early_stopping=True,
        no_repeat_ngram_size=3,
        forced_bos_token_id=0,
        forced_eos_token_id=2,
        pad_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=2,
    )
    return [[token for token in row if token != 1] for row in rows.tolist()]


@settings(max_examples=15, deadline=None, derandomize=True)
@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(4, 16))
def test_beams_are_those_of_transformers(seed: int, beams: int, longest: int):
    module, states = network(seed), heard(seed)
    found = search(module, states, Decoding(beams=beams, longest=longest))
    flat = [list(best.tokens) for clip in found for best in clip]
    assert flat == generated(module, states, beams, longest, beams)


def test_captions_end_at_different_lengths_in_one_batch():
    lengths = set()
    for seed in range(4):
        found = search(network(seed), heard(seed, 6), Decoding(beams=2, longest=20))
        lengths |= {len(best[0].tokens) for best in found}
    assert len(lengths) > 3, "clips leave the batch at different times"


@pytest.mark.parametrize("method", ["beam", "sample"])
def test_a_clip_alone_gets_the_same_captions(method: str):
    module, states, decoding = network(5), heard(5, 6), Decoding(longest=14)
    seeds = [11, 12, 13, 14, 15, 16]

    def run(index: list[int]) -> list[list[tuple[int, ...]]]:
        part = states.rows(torch.tensor(index))
        if method == "beam":
            found = search(module, part, decoding)
        else:
            found = sample(module, part, decoding, [seeds[i] for i in index], 3)
        return [[one.tokens for one in clip] for clip in found]

    together = run([0, 1, 2, 3, 4, 5])
    assert [run([i])[0] for i in range(6)] == together
    assert run([4, 2]) == [together[4], together[2]]


def test_more_samples_begin_with_the_same_ones():
    module, states = network(6), heard(6, 2)
    few, many = (sample(module, states, Decoding(longest=10), [1, 2], count) for count in (2, 5))
    assert [clip[:2] for clip in many] == few
    assert len({one.tokens for one in many[0]}) > 1
    assert sample(module, states, Decoding(longest=10), [3, 2], 2)[0] != few[0]


def test_scores_are_mean_log_probabilities():
    module, states = network(7), heard(7, 2)
    for row, clip in enumerate(search(module, states, Decoding(beams=3, longest=9))):
        assert [one.score for one in clip] == sorted((one.score for one in clip), reverse=True)
        for one in clip:
            assert one.score == pytest.approx(mean_log_probability(module, states, row, one), abs=1e-5)


@torch.no_grad()
def mean_log_probability(module: AutoCap, states: Heard, row: int, found: Hypothesis) -> float:
    tokens = torch.tensor([found.tokens])
    logits = module(states.rows(torch.tensor([row])), tokens[:, :-1]).log_softmax(-1)
    each = logits.gather(2, tokens[:, 1:, None])[0, 1:, 0]  # the first token is forced
    each = each[:-1] if len(found.tokens) == 9 else each  # and so is the last one at full length
    return float(each.sum()) / (len(found.tokens) - 1)


@torch.inference_mode()
def test_steps_are_the_whole_decoder():
    module, states = network(8), heard(8, 2)
    tokens = torch.randint(3, 200, (4, 6), generator=torch.Generator().manual_seed(0))
    decoder = Decoder(module, states, 6, 2)
    decoder.choose(torch.tensor([0, 0, 1, 1]))
    stepped = torch.stack([decoder.logits(decoder.step(column)) for column in tokens.T], dim=1)
    whole = module(states.rows(torch.tensor([0, 0, 1, 1])), tokens)
    torch.testing.assert_close(stepped, whole, atol=2e-4, rtol=1e-4)


@torch.inference_mode()
def test_captions_part_and_clips_leave():
    """Rows of four steps: what each caption was before is what the whole decoder is asked with."""
    module, states = network(8), heard(8, 3)
    decoder = Decoder(module, states, 4, 2)
    decoder.step(torch.tensor([11, 12, 13]))
    decoder.choose(torch.tensor([0, 0, 1, 1, 2, 2]))
    decoder.step(torch.tensor([21, 22, 23, 24, 25, 26]))
    decoder.keep(torch.tensor([0, 2]))
    decoder.choose(torch.tensor([1, 0, 5, 5]))
    decoder.step(torch.tensor([31, 32, 33, 34]))
    decoder.choose(torch.tensor([1, 1, 2, 3]))
    found = decoder.logits(decoder.step(torch.tensor([41, 42, 43, 44])))
    tokens = torch.tensor([[11, 21, 32, 41], [11, 21, 32, 42], [13, 26, 33, 43], [13, 26, 34, 44]])
    whole = module(states.rows(torch.tensor([0, 0, 2, 2])), tokens)[:, -1]
    torch.testing.assert_close(found, whole, atol=2e-4, rtol=1e-4)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.integers(1, 4), st.integers(1, 4000), st.integers(1, 8), st.integers(0, 99))
def test_largest_is_topk(rows: int, size: int, count: int, seed: int):
    scores = torch.randn(rows, size, generator=torch.Generator().manual_seed(seed))
    count = min(count, size)
    values, places = largest(scores, count)
    expected = scores.topk(count, dim=1)
    assert torch.equal(values, expected.values) and torch.equal(places, expected.indices)


@pytest.mark.parametrize(
    ("tokens", "banned"),
    [([2, 0], []), ([2, 0, 5, 6, 5], []), ([5, 6, 7, 5, 6], [7]), ([5, 5, 5], [5]), ([1, 2, 3, 1, 2, 4, 1, 2], [3, 4])],
)
def test_no_three_tokens_twice(tokens: list[int], banned: list[int]):
    assert searches._repeating(tokens) == banned


def frequencies(logits: Tensor, tokens: list[int], decoding: Decoding, draws: int = 4000) -> np.ndarray:
    numbers = torch.from_numpy(np.random.default_rng(0).random(draws))
    picks = searches._pick(logits.repeat(draws, 1), [tokens] * draws, numbers, decoding)
    return np.bincount(picks.numpy(), minlength=logits.shape[1]) / draws


def test_sampling_draws_from_the_likeliest_share():
    logits = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log()
    plain = frequencies(logits, [], Decoding(top_p=1.0, repetition_penalty=1.0))
    np.testing.assert_allclose(plain, [0.5, 0.3, 0.15, 0.05], atol=0.03)
    cut = frequencies(logits, [], Decoding(top_p=0.7, repetition_penalty=1.0))
    np.testing.assert_allclose(cut, [0.625, 0.375, 0, 0], atol=0.03)
    flat = frequencies(logits, [], Decoding(top_p=1.0, temperature=50.0, repetition_penalty=1.0))
    np.testing.assert_allclose(flat, 0.25, atol=0.04)


def test_sampling_makes_repetitions_less_likely():
    logits = torch.tensor([[2.0, -1.0, 0.5]])
    found = frequencies(logits, [0, 1, 1], Decoding(top_p=1.0, repetition_penalty=2.0))
    np.testing.assert_allclose(found, torch.tensor([1.0, -2.0, 0.5]).softmax(0).numpy(), atol=0.03)


@pytest.mark.parametrize(
    "wrong",
    [{"beams": 0}, {"longest": 3}, {"top_p": 0.0}, {"top_p": 1.5}, {"temperature": 0}, {"repetition_penalty": -1}],
)
def test_settings_out_of_range_are_refused(wrong: dict):
    with pytest.raises(UsageError, match=f"{next(iter(wrong))} is {next(iter(wrong.values()))}"):
        Decoding(**wrong)
