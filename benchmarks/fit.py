"""Speed of GenAu on one processor core, as ratios against a plain matrix product measured in the same run.

Run `python benchmarks/fit.py` on an idle machine; it takes some four minutes and 6 GB of memory. Weights are random:
they change no time.

Times are processor seconds, the best of repeats that take turns, since other programs may share the machine.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from torch import Tensor, nn

from audiojourney.models.base import Condition
from audiojourney.models.fit import FIT
from audiojourney.models.fit_config import FITConfig
from audiojourney.models.fit_layers import Attention
from audiojourney.models.genau.hifigan import HiFiGAN, HiFiGANConfig
from audiojourney.models.onednn import use_onednn
from audiojourney.models.pocket.vocoder import SpectralVocoder, SpectralVocoderConfig

SIDE = 1024
FRAMES = 1024  # 10.24 s
SIZES = {"s": FITConfig.small(), "tiny": FITConfig.tiny()}
Call = Callable[[], Any]


def random_weights(build: Callable[[], nn.Module]) -> nn.Module:
    """Build a network without its slow initialisation and fill it with small values."""
    with torch.device("meta"):
        network = build()
    network = network.to_empty(device="cpu").eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.uniform_(-0.03, 0.03)
        for buffer in network.buffers():
            buffer.zero_()
    return network


def inputs(config: FITConfig, rows: int) -> tuple[Tensor, Tensor, Condition, Tensor]:
    """Return latents, times, conditions and latent tokens of an earlier step, for B rows."""
    return (
        torch.randn(rows, config.channels, config.length),
        torch.full((rows,), 500),
        Condition(torch.randn(rows, config.text_width), dataset_ids=torch.zeros(rows, dtype=torch.long)),
        torch.randn(rows, config.latent_count, config.latent_width),
    )


def count_flops(fit: FIT) -> int:
    """Count the operations of one forward of one row, two a multiply-add."""
    counted = 0

    def linear(module: nn.Module, args: tuple[Tensor, ...], out: Tensor) -> None:
        nonlocal counted
        counted += 2 * math.prod(out.shape) * args[0].shape[-1]

    def attention(module: nn.Module, args: tuple[Tensor, ...], out: Tensor) -> None:
        nonlocal counted
        batch, queries = args[0].shape[:2]
        keys = args[1].shape[1] if len(args) > 1 else queries
        counted += 4 * batch * queries * keys * module.to_q.out_features

    hooks = [module.register_forward_hook(linear) for module in fit.modules() if isinstance(module, nn.Linear)]
    hooks += [module.register_forward_hook(attention) for module in fit.modules() if isinstance(module, Attention)]
    fit.predict(*inputs(fit.config, 1))
    for hook in hooks:
        hook.remove()
    return counted


def best_of(calls: dict[str, Call], repeats: int) -> dict[str, float]:
    """Time calls in turns and return the least processor seconds of each; the first turn only warms up."""
    best = dict.fromkeys(calls, math.inf)
    for turn in range(repeats + 1):
        for name, call in calls.items():
            start = time.process_time()
            call()
            seconds = time.process_time() - start
            best[name] = min(best[name], seconds) if turn else math.inf
    return best


def matrix_product(count: int) -> tuple[Call, float]:
    """Return a call that multiplies two square matrices `count` times, and its GFLOP."""
    left, right = torch.randn(SIDE, SIDE), torch.randn(SIDE, SIDE)

    def run() -> None:
        for _ in range(count):
            torch.mm(left, right)

    return run, count * 2 * SIDE**3 / 1e9


def measure_fit(config: FITConfig, repeats: int) -> dict[str, float]:
    """Measure one forward and a guided step, plain, in bfloat16 and through oneDNN, against the matrix product."""
    fit = random_weights(lambda: FIT(config))
    one, two = inputs(config, 1), inputs(config, 2)
    gflop = count_flops(fit) / 1e9
    product, product_gflop = matrix_product(20)
    forward, guided = (lambda: fit.predict(*one)), (lambda: fit.predict(*two))
    exact = best_of({"matmul": product, "forward": forward, "guided": guided}, repeats)
    with torch.autocast("cpu", torch.bfloat16):
        rough = best_of({"forward": forward, "guided": guided}, repeats)
    use_onednn(fit)
    fast = best_of({"forward": forward, "guided": guided}, repeats)
    rate, peak = gflop / exact["forward"], product_gflop / exact["matmul"]
    return {
        "gflop_per_forward": gflop,
        "matmul_gflops": peak,
        "fit_gflops": rate,
        "fit_share_of_matmul": rate / peak,
        "forward_s": exact["forward"],
        "guided_step_s": exact["guided"],
        "guided_step_in_forwards": exact["guided"] / exact["forward"],
        "bf16_forward_s": rough["forward"],
        "bf16_guided_step_s": rough["guided"],
        "bf16_speed_up": exact["forward"] / rough["forward"],
        "onednn_forward_s": fast["forward"],
        "onednn_guided_step_s": fast["guided"],
        "onednn_speed_up": exact["forward"] / fast["forward"],
    }


def hifigan() -> Call:
    """Return a call that makes 10.24 s with the vocoder of GenAu."""
    vocoder, mel = random_weights(lambda: HiFiGAN(HiFiGANConfig())), torch.randn(1, FRAMES, 64) - 5
    return lambda: vocoder(mel)


def pocket() -> Call:
    """Return a call that makes 10.24 s with the pocket vocoder, mel matching included."""
    vocoder, mel = SpectralVocoder(SpectralVocoderConfig()).eval(), torch.randn(1, FRAMES, 64) - 5
    return lambda: vocoder.synthesise(mel, [torch.Generator().manual_seed(0)])


VOCODERS: dict[str, Callable[[], Call]] = {"hifigan": hifigan, "pocket": pocket}


def measure_vocoders(repeats: int) -> dict[str, float]:
    """Measure the vocoders on 10.24 s of sound."""
    best = best_of({name: build() for name, build in VOCODERS.items()}, repeats)
    seconds = {f"{name}_s": value for name, value in best.items()}
    return {**seconds, **{f"{name}_share_of_hifigan": value / best["hifigan"] for name, value in best.items()}}


def main() -> None:
    """Measure and print, as a table or as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", choices=SIZES, default="s", help="size of the FIT")
    parser.add_argument("--repeats", type=int, default=3, help="measurements, of which the best counts")
    parser.add_argument("--only", choices=("fit", "vocoders"), help="measure this part alone")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found: dict[str, float] = {}
    with torch.no_grad():  # inference mode would make the bfloat16 copies of weights anew at each forward
        if arguments.only != "vocoders":
            found |= measure_fit(SIZES[arguments.size], arguments.repeats)
        if arguments.only != "fit":
            found |= measure_vocoders(max(1, arguments.repeats - 1))
    if arguments.json:
        print(json.dumps(found))
    else:
        print("\n".join(f"{name:28} {value:10.3f}" for name, value in found.items()))


if __name__ == "__main__":
    main()
