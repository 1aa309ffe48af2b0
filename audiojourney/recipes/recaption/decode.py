"""Sounds read in threads, ahead of the models that listen to them."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from audiojourney.data.audio import probe
from audiojourney.data.clip import Clip, load_clip
from audiojourney.data.resample import resample
from audiojourney.errors import ClipError
from audiojourney.recipes.recaption.inputs import Job
from audiojourney.recipes.recaption.tars import opened

FULL_SCALE = 0.999  # an encoder's rounding leaves what was cut at 1 a little below it
SILENCE_DB = -120.0

Rates = tuple[int | None, int | None]


@dataclass(frozen=True)
class Heard:
    """A clip and its sound, or the reason why there is none.

    Attributes:
        job: the clip.
        captioner: mono float32 (T,) at the captioner's rate, or None.
        scorer: the same at the scorer's rate, or None.
        checks: levels and length, where the sound was read.
        fault: why it could not be read.
        seconds: time that a thread spent on it.
    """

    job: Job
    captioner: np.ndarray | None = None
    scorer: np.ndarray | None = None
    checks: dict[str, float] | None = None
    fault: ClipError | None = None
    seconds: float = 0.0


class Decoder:
    """Reads clips in threads, each once, whatever number of rates it is wanted at.

    Args:
        rates_hz: rates of captioner and scorer; None where one does not listen. Without any nothing is read.
        threads: number of threads.
    """

    def __init__(self, rates_hz: Rates, threads: int) -> None:
        self.rates_hz = rates_hz
        self._pool = ThreadPoolExecutor(threads, "decode")

    def __enter__(self) -> Decoder:
        """Nothing is read before the first `start`."""
        return self

    def __exit__(self, *error: object) -> None:
        """Forget what is not begun, and wait for what is."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def start(self, jobs: Sequence[Job]) -> list[Future[Heard]]:
        """Begin to read clips; the results come in their order."""
        return [self._pool.submit(self._read, job) for job in jobs]

    def _read(self, job: Job) -> Heard:
        start = time.perf_counter()
        heard = hear(job, self.rates_hz)
        return replace(heard, seconds=time.perf_counter() - start)


def hear(job: Job, rates_hz: Rates) -> Heard:
    """Read the sound of a clip at both rates and measure it; a sound that cannot be used is told in `fault`.

    The sound is decoded once, at its own rate, and resampled from there, which gives what reading it at each rate does.
    """
    wanted = {rate for rate in rates_hz if rate is not None}
    if not wanted:
        return Heard(job)
    try:
        with opened(job.clip) as clip:
            native_hz = probe(clip.path).rate_hz
            wave = load_clip(clip, native_hz)
        waves = {rate: _at(wave, native_hz, rate, job.clip) for rate in wanted}
    except ClipError as error:
        return Heard(job, fault=error)
    captioner, scorer = (None if rate is None else waves[rate] for rate in rates_hz)
    return Heard(job, captioner, scorer, measure(wave, native_hz))


def measure(wave: np.ndarray, rate_hz: int) -> dict[str, float]:
    """Return length, levels in dB of full scale, and the share of samples at full scale, of a wave (T,)."""
    peak = float(np.abs(wave).max())
    power = float(np.dot(wave, wave)) / len(wave)
    return {
        "peak_db": _db(peak),
        "rms_db": _db(math.sqrt(power)),
        "clipped": round(np.count_nonzero(np.abs(wave) >= FULL_SCALE) / len(wave), 6),
        "duration_s": round(len(wave) / rate_hz, 6),
    }


def in_order(futures: Sequence[Future[Heard]]) -> Iterator[Heard]:
    """Wait for clips one after the other."""
    return (future.result() for future in futures)


def _at(wave: np.ndarray, from_hz: int, to_hz: int, clip: Clip) -> np.ndarray:
    if len(wave) * to_hz < from_hz:
        told = f"{len(wave)} samples at {from_hz} Hz are less than one at {to_hz} Hz."
        raise ClipError("too_short", told, str(clip.path))
    return resample(wave, from_hz, to_hz)


def _db(level: float) -> float:
    return round(20 * math.log10(level), 2) if level > 1e-6 else SILENCE_DB
