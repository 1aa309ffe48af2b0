"""The parts of a batch side by side, each on threads of its own.

A network of many small products, such as one with attention in windows, gains little by a second thread; two clips on a
thread each gain all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Part = TypeVar("Part")
Found = TypeVar("Found")


def side_by_side(work: Callable[[Part], Found], parts: Sequence[Part]) -> list[Found]:
    """Return `work` of every part, in order, with as many threads in all as torch would take for one part.

    Args:
        work: runs a network on the processor; gradients are recorded in it where they are here.
        parts: what it is called with.
    """
    threads = torch.get_num_threads()
    workers = min(threads, len(parts))
    if workers < 2:
        return [work(part) for part in parts]
    measuring, recording = torch.is_inference_mode_enabled(), torch.is_grad_enabled()

    def run(part: Part) -> Found:
        """Work as the caller would: these modes belong to a thread."""
        with torch.inference_mode(measuring), torch.set_grad_enabled(recording):
            return work(part)

    torch.set_num_threads(threads // workers)  # threads that begin from here on take this over
    try:
        with ThreadPoolExecutor(workers, "clips") as pool:
            return list(pool.map(run, parts))
    finally:
        torch.set_num_threads(threads)
