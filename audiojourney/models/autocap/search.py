"""Captions out of BART: beam search as the official program runs it, and sampling with a seed for each clip.

Results are those of `generate` of transformers with the settings that BART brings along: no three tokens twice, `<s>`
first, `</s>` last, a search ends when as many captions are finished as there are beams. All clips of a batch go
through the network together, and a clip leaves the batch when it is done.

B clips, K beams, R rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from audiojourney.errors import UsageError
from audiojourney.models.autocap.config import END, START
from audiojourney.models.autocap.decoder import Decoder
from audiojourney.models.autocap.network import AutoCap, Heard

NO_REPEAT = 3  # tokens in a row that may not come twice
_BLOCK = 256


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How captions are found.

    Attributes:
        method: `beam` for the likeliest captions, `sample` for captions drawn from their distribution.
        beams: width of the search; the official tools take 2, the official function 3.
        longest: most tokens of a caption, opening and closing ones included.
        top_p: sampling draws from the likeliest tokens that have this share together.
        temperature: flattens the distribution that is drawn from where above 1.
        repetition_penalty: sampling makes tokens that are there already less likely by this factor.
    """

    method: Literal["beam", "sample"] = "beam"
    beams: int = 3
    longest: int = 30
    top_p: float = 0.9
    temperature: float = 1.0
    repetition_penalty: float = 1.1

    def __post_init__(self) -> None:
        """Refuse values that cannot be meant.

        Raises:
            UsageError: a value is out of its range.
        """
        for name, low in (("beams", 1), ("longest", 4)):
            if getattr(self, name) < low:
                raise UsageError(f"{name} is {getattr(self, name)}.", f"Give {low} or more.")
        for name in ("temperature", "repetition_penalty"):
            if not getattr(self, name) > 0:
                raise UsageError(f"{name} is {getattr(self, name)}.", "Give a number above 0.")
        if not 0 < self.top_p <= 1:
            raise UsageError(f"top_p is {self.top_p}.", "Give a number above 0, at most 1.")


@dataclass(frozen=True)
class Hypothesis:
    """A finished caption.

    Attributes:
        score: mean log-probability of its tokens; 0 where it was sampled.
        tokens: all of them, from the opening `</s>` that the decoder starts with to the closing one.
    """

    score: float
    tokens: tuple[int, ...]


@torch.inference_mode()
def search(network: AutoCap, heard: Heard, decoding: Decoding) -> list[list[Hypothesis]]:
    """Return the K best captions of each of B clips, best first."""
    beams = _Beams(network, heard, decoding)
    while beams.open:
        beams.advance()
    return beams.results()


class _Beams:
    """A search under way; `open` are the clips that are not done, in the order of their rows."""

    def __init__(self, network: AutoCap, heard: Heard, decoding: Decoding) -> None:
        self.decoding, self.width = decoding, decoding.beams
        self.decoder, states = _begin(network, heard, decoding.longest, self.width)
        self.open = list(range(len(heard.states)))
        self.finished: list[list[Hypothesis]] = [[] for _ in self.open]
        self.tokens = [[END, START] for _ in self.open]
        self.scores = heard.states.new_zeros((len(self.open), 1), dtype=torch.float32)
        self.logits = self.decoder.logits(states)

    def advance(self) -> None:
        """Lengthen every caption by one token, and put finished captions aside."""
        rows, tokens, scores = self._continuations()
        chosen: list[list[int]] = []  # row, token and rank of what goes on, for each open clip K of them
        staying = []
        for place, clip in enumerate(self.open):
            running = self._sort_out(clip, rows[place], tokens[place], scores[place])
            if len(self.finished[clip]) < self.width:
                staying.append(place)
                chosen += [[rows[place][rank], tokens[place][rank], place, rank] for rank in running]
        self.open = [self.open[place] for place in staying]
        if self.open:
            self._go_on(chosen, staying, scores)

    def results(self) -> list[list[Hypothesis]]:
        """Return the finished captions of each clip, best first."""
        return [sorted(found, key=lambda h: -h.score)[: self.width] for found in self.finished]

    def _continuations(self) -> tuple[list[list[int]], list[list[int]], list[list[float]]]:
        """Return row, token and score of the 2 K best continuations of each open clip, best first."""
        clips, width = self.scores.shape
        if len(self.tokens[0]) == self.decoding.longest - 1:
            values, order = self.scores.sort(dim=1, descending=True, stable=True)  # the last token is forced
            ids = torch.full_like(order, END)
        else:
            count = min(2 * self.width, self.logits.shape[1])
            likely, ids = largest(_forbid_repeats(self.logits.log_softmax(dim=1), self.tokens), count)
            every = (likely.view(clips, width, count) + self.scores[..., None]).view(clips, -1)
            values, picks = every.topk(min(2 * self.width, every.shape[1]), dim=1)
            order, ids = picks // count, ids.view(clips, -1).gather(1, picks)
        rows = order + width * torch.arange(clips, device=order.device)[:, None]
        return rows.tolist(), ids.tolist(), values.tolist()

    def _sort_out(self, clip: int, rows: list[int], tokens: list[int], scores: list[float]) -> list[int]:
        """Keep the captions of a clip that end here; return the ranks of the K best that go on.

        Only an end among the K best counts, as further ranks are there to replace those that end.
        """
        running = []
        for rank, (row, token, score) in enumerate(zip(rows, tokens, scores, strict=True)):
            if token != END:
                running.append(rank)
            elif rank < self.width:
                self.finished[clip].append(Hypothesis(score / len(self.tokens[row]), (*self.tokens[row], END)))
        return running[: self.width]

    def _go_on(self, chosen: list[list[int]], staying: list[int], scores: list[list[float]]) -> None:
        device = self.logits.device
        if len(staying) < self.decoder.clips:
            self.decoder.keep(torch.tensor(staying, device=device))
        self.decoder.choose(torch.tensor([row for row, *_ in chosen], device=device))
        self.tokens = [[*self.tokens[row], token] for row, token, *_ in chosen]
        kept = [scores[place][rank] for *_, place, rank in chosen]
        self.scores = torch.tensor(kept, device=device).view(len(self.open), -1)
        states = self.decoder.step(torch.tensor([token for _, token, *_ in chosen], device=device))
        if len(self.tokens[0]) < self.decoding.longest - 1:
            self.logits = self.decoder.logits(states)


@torch.inference_mode()
def sample(
    network: AutoCap, heard: Heard, decoding: Decoding, seeds: Sequence[int], count: int
) -> list[list[Hypothesis]]:
    """Draw `count` captions of each clip; those of a clip depend on its own seed and on no other clip.

    Args:
        network: the captioner.
        heard: what it attends to.
        decoding: top-p, temperature, penalty.
        seeds: one for each clip.
        count: captions of a clip.
    """
    device, longest = heard.states.device, decoding.longest
    decoder, states = _begin(network, heard, longest, count)
    decoder.choose(torch.arange(len(seeds), device=device).repeat_interleave(count))
    logits = decoder.logits(states).repeat_interleave(count, dim=0)
    draws = torch.cat([_draws(seed, count, longest) for seed in seeds]).to(device)
    tokens = [[END, START] for _ in range(len(logits))]
    ended = [False] * len(tokens)
    for length in range(2, longest):
        last = length == longest - 1
        picks = [END] * len(tokens) if last else _pick(logits, tokens, draws[:, length], decoding).tolist()
        for row, token in enumerate(picks):
            if not ended[row]:
                tokens[row].append(token)
                ended[row] = token == END
        if last or all(ended):
            break
        logits = decoder.logits(decoder.step(torch.tensor(picks, device=device)))
    found = [Hypothesis(0.0, tuple(row)) for row in tokens]
    return [found[first : first + count] for first in range(0, len(found), count)]


def _begin(network: AutoCap, heard: Heard, longest: int, captions: int) -> tuple[Decoder, Tensor]:
    """Read the two tokens that every caption begins with; return the decoder and its states (B, D)."""
    decoder = Decoder(network, heard, longest, captions)
    first = torch.full((decoder.clips,), END, device=heard.states.device)
    decoder.step(first)
    return decoder, decoder.step(torch.full_like(first, START))


def _draws(seed: int, count: int, longest: int) -> Tensor:
    """Return numbers in [0, 1), (count, longest); the first captions are the same whatever `count` is."""
    return torch.rand(count, longest, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def _pick(logits: Tensor, tokens: Sequence[list[int]], draws: Tensor, decoding: Decoding) -> Tensor:
    """Return a token of each row, (R,), by the number that was drawn for it, (R,)."""
    ids = [sorted(set(row)) for row in tokens]
    for row, seen in enumerate(ids):
        old = logits[row, seen]
        penalty = decoding.repetition_penalty
        logits[row, seen] = torch.where(old < 0, old * penalty, old / penalty)
    likely, order = (_forbid_repeats(logits, tokens) / decoding.temperature).softmax(dim=1).sort(dim=1, descending=True)
    before = likely.double().cumsum(dim=1)
    kept = likely.double().masked_fill(before - likely >= decoding.top_p, 0).cumsum(dim=1)
    place = torch.searchsorted(kept, (draws * kept[:, -1])[:, None], right=True)
    return order.gather(1, place.clamp(max=order.shape[1] - 1))[:, 0]


def largest(scores: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return values and places of the `count` greatest of each row of (R, V), greatest first.

    They lie in the blocks with the greatest maxima, and maxima of blocks are quick to find: on a processor this takes a
    tenth of the time of a sort of the whole vocabulary.
    """
    rows, size = scores.shape
    blocks = size // _BLOCK
    if blocks <= 2 * count:
        return scores.topk(count, dim=1)
    whole = scores[:, : blocks * _BLOCK].view(rows, blocks, _BLOCK)
    best = whole.amax(dim=2).topk(count, dim=1).indices
    inside = whole.gather(1, best[..., None].expand(-1, -1, _BLOCK)).view(rows, -1)
    places = (best[..., None] * _BLOCK + torch.arange(_BLOCK, device=scores.device)).view(rows, -1)
    rest = torch.arange(blocks * _BLOCK, size, device=scores.device).expand(rows, -1)
    values, picks = torch.cat([inside, scores[:, blocks * _BLOCK :]], dim=1).topk(count, dim=1)
    return values, torch.cat([places, rest], dim=1).gather(1, picks)


def _forbid_repeats(logits: Tensor, tokens: Sequence[list[int]]) -> Tensor:
    """Set logits (R, V) to minus infinity, in place, where a token would repeat three of its row; return them."""
    for row, so_far in enumerate(tokens):
        banned = _repeating(so_far)
        if banned:
            logits[row, banned] = float("-inf")
    return logits


def _repeating(tokens: list[int]) -> list[int]:
    """Return the tokens that once followed the last two."""
    end = tokens[1 - NO_REPEAT :]
    size = NO_REPEAT - 1
    return [tokens[i + size] for i in range(len(tokens) - size) if tokens[i : i + size] == end]
