"""Clips a second of AutoCap's beam search in batches, as ratios against one clip at a time in the same run.

Run `python benchmarks/autocap.py` on an idle machine; it takes some three minutes and 3 GB of memory. Sizes are those
of the published model without CLAP's network: HTSAT, Q-Former, BART-base, ten seconds of sound, captions of 30 tokens.
Weights are random, so that no caption ends early: they change no other time.

Three ways are timed: `transformers` runs the same network one clip at a time through `generate`; `one` is this package
one clip at a time; `batch` is this package with all clips in one batch. With one thread times are processor seconds,
since other programs may share the machine, else seconds on the wall; the best of repeats that take turns.
"""

from __future__ import annotations

import argparse
import json
import math
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from audiojourney.models.autocap.config import AutoCapConfig
from audiojourney.models.autocap.model import AutoCapModel
from audiojourney.models.autocap.network import AutoCap
from audiojourney.models.autocap.search import Decoding, search
from audiojourney.models.autocap.sound import SAMPLES, prepared
from audiojourney.models.transformers_parts import transformers_class

FIRST_WORD, WORDS = 4, 50_000  # numbers of BART's words, after those with a meaning of their own
TEXT = {"title": "what somebody wrote above the recording", "visual_caption": "a street with a few people"}
Way = Callable[[], None]


class WordTokenizer:
    """A token a word, about what BART's own tokenizer makes of plain English; it needs no file."""

    def encode(self, text: str) -> list[int]:
        """Return a number for each word."""
        return [FIRST_WORD + zlib.crc32(word.encode()) % WORDS for word in text.split()]

    def decode(self, tokens: Sequence[int]) -> str:
        """Return the numbers as text."""
        return " ".join(map(str, tokens))


def random_model(threads: int) -> tuple[AutoCapModel, nn.Module]:
    """Return the captioner, and its BART as transformers runs it, without this package's faster linear layers."""
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    network = AutoCap(replace(AutoCapConfig(), clap_width=None))
    network.initialise()
    plain = AutoCap(network.config)
    plain.load_state_dict(network.state_dict())
    return AutoCapModel(network, WordTokenizer(), None).place(torch.device("cpu")), plain.eval().requires_grad_(False)


def one_by_one_in_transformers(plain: nn.Module, waves: list[np.ndarray], decoding: Decoding) -> Way:
    """Return a call that captions clip by clip through `generate`."""
    outputs = transformers_class("modeling_outputs", "BaseModelOutput")
    model = AutoCapModel(plain, WordTokenizer(), None)
    settings = {"early_stopping": True, "no_repeat_ngram_size": 3, "forced_bos_token_id": 0, "forced_eos_token_id": 2}

    def run() -> None:
        """Caption every clip."""
        for wave in waves:
            heard = model.encode([wave], [TEXT])
            with torch.inference_mode():
                plain.bart.generate(
                    encoder_outputs=outputs(heard.states),
                    attention_mask=heard.mask,
                    decoder_input_ids=torch.full((1, 1), 2),
                    max_length=decoding.longest,
                    num_beams=decoding.beams,
                    do_sample=False,
                    **settings,
                )

    return run


def in_batches(model: AutoCapModel, waves: list[np.ndarray], size: int, decoding: Decoding) -> Way:
    """Return a call that captions `size` clips at once."""

    def run() -> None:
        """Caption every clip."""
        for first in range(0, len(waves), size):
            part = waves[first : first + size]
            model.captions(part, [TEXT] * len(part), [0] * len(part), 1, decoding)

    return run


def searching(model: AutoCapModel, waves: list[np.ndarray], size: int, decoding: Decoding) -> Way:
    """Return a call that runs the beam search alone, everything before it done already."""
    heard = [
        model.encode(waves[first : first + size], [TEXT] * len(waves[first : first + size]))
        for first in range(0, len(waves), size)
    ]

    def run() -> None:
        """Search every clip."""
        for part in heard:
            search(model.network, part, decoding)

    return run


def seconds_a_clip(ways: dict[str, tuple[Way, int]], repeats: int, clock: Callable[[], float]) -> dict[str, float]:
    """Time calls in turns and return the least seconds a clip of each; the first turn only warms up."""
    best = dict.fromkeys(ways, math.inf)
    for turn in range(repeats + 1):
        for name, (way, clips) in ways.items():
            start = clock()
            way()
            best[name] = min(best[name], (clock() - start) / clips) if turn else math.inf
    return best


def measure(batch: int, beams: int, threads: int, repeats: int) -> dict[str, float]:
    """Return clips a second of each way, and ratios."""
    model, plain = random_model(threads)
    rng, decoding = np.random.default_rng(0), Decoding(beams=beams)
    waves = [prepared(rng.normal(size=SAMPLES).astype(np.float32)) for _ in range(batch)]
    # One clip at a time takes as long for each, so fewer do; but every way takes some seconds, since of short
    # measurements the best is luckier.
    few, fewer = waves[:8], waves[:2]
    ways = {
        "transformers": (one_by_one_in_transformers(plain, fewer, decoding), len(fewer)),
        "one": (in_batches(model, few, 1, decoding), len(few)),
        "batch": (in_batches(model, waves, batch, decoding), batch),
        "search_one": (searching(model, few, 1, decoding), len(few)),
        "search_batch": (searching(model, waves, batch, decoding), batch),
    }
    took = seconds_a_clip(ways, repeats, time.process_time if threads == 1 else time.perf_counter)
    return {
        **{f"{name}_clips_per_s": 1 / seconds for name, seconds in took.items()},
        "batch_over_transformers_one_by_one": took["transformers"] / took["batch"],
        "batch_over_one_by_one": took["one"] / took["batch"],
        "search_batch_over_one_by_one": took["search_one"] / took["search_batch"],
    }


def main() -> None:
    """Measure and print, as a table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch", type=int, default=32, help="clips in one batch")
    parser.add_argument("--beams", type=int, default=3, help="width of the search")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads(), help="threads of torch")
    parser.add_argument("--repeats", type=int, default=2, help="measurements, of which the best counts")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    found = measure(arguments.batch, arguments.beams, arguments.threads, arguments.repeats)
    if arguments.json:
        print(json.dumps(found))
    else:
        print("\n".join(f"{name:38} {value:10.3f}" for name, value in found.items()))


if __name__ == "__main__":
    main()
