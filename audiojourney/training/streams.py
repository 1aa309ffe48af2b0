"""Random numbers of a training step as a function of (seed, step, micro-batch, rank)."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import numpy as np
import torch

from audiojourney.training.base import Batch, Trainable
from audiojourney.training.settings import LoopConfig

BATCH, LOSS, ADVERSARY, DROPOUT = range(4)


def stream_seed(config: LoopConfig, step: int, micro: int, rank: int, use: int) -> np.random.SeedSequence:
    """Return the seed of one use of random numbers in one micro-batch."""
    return np.random.SeedSequence(config.seed, spawn_key=(step, micro, rank, use))


def batch_stream(config: LoopConfig, step: int, micro: int, rank: int) -> np.random.Generator:
    """Return the generator that draws one micro-batch."""
    return np.random.default_rng(stream_seed(config, step, micro, rank, BATCH))


def torch_stream(config: LoopConfig, step: int, micro: int, rank: int, use: int) -> torch.Generator:
    """Return a CPU generator for one use, and seed the global one that dropout draws from."""
    torch.manual_seed(_integer(stream_seed(config, step, micro, rank, DROPOUT + use)))
    return torch.Generator().manual_seed(_integer(stream_seed(config, step, micro, rank, use)))


class Prefetch:
    """Draws the batches of the next step in a thread while this step is computed.

    Every batch comes from the same thread with a generator of its own, so the thread changes no result.

    Args:
        task: what draws the batches.
        config: settings of the loop.
        rank: number of this process.
        first: step of the first batch that will be asked for.
    """

    def __init__(self, task: Trainable, config: LoopConfig, rank: int, first: int) -> None:
        self.task, self.config, self.rank = task, config, rank
        # OpenMP keeps its thread count for each calling thread, so this one has to be told as well.
        threads = config.threads or torch.get_num_threads()
        self.pool = ThreadPoolExecutor(1, "batches", torch.set_num_threads, (threads,))
        self.step = first
        self.waiting: Future[list[Batch]] | None = None

    def next(self) -> list[Batch]:
        """Return the micro-batches of the present step and start on those of the next.

        Raises:
            Exception: whatever the task raised while it drew them.
        """
        future = self.waiting or self.pool.submit(self._draw, self.step)
        self.step += 1
        self.waiting = None
        batches = future.result()
        if self.step < self.config.steps:
            self.waiting = self.pool.submit(self._draw, self.step)
        return batches

    def __enter__(self) -> Prefetch:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the thread; a batch that nobody waits for is dropped."""
        self.pool.shutdown(wait=True, cancel_futures=True)

    @torch.no_grad()
    def _draw(self, step: int) -> list[Batch]:
        """Draw all micro-batches of one step."""
        size, micros = self.config.batch, range(self.config.accumulate)
        return [self.task.batch(batch_stream(self.config, step, micro, self.rank), size) for micro in micros]


def _integer(seed: np.random.SeedSequence) -> int:
    """Return 63 bits of a seed sequence, which every torch generator accepts."""
    return int(seed.generate_state(1, np.uint64)[0] >> 1)
