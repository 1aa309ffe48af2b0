"""Files in, embeddings out: decoded and heard by several threads, in their order, never more than a few at once."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from audiojourney.data.audio import load, probe
from audiojourney.data.clip import Clip
from audiojourney.data.manifest import file_sha256
from audiojourney.errors import ClipError
from audiojourney.metrics.conventions import Convention
from audiojourney.metrics.embedders import Heard, prepared
from audiojourney.recipes.eval.cache import EntryCache
from audiojourney.recipes.eval.networks import Network

BATCH = 8  # files that a thread takes at once
_FACTS = ("rate_hz", "channels", "duration_s", "peak")
_PARTS = ("rows", "whole", "logits")


@dataclass(frozen=True)
class Facts:
    """What a file is, whatever hears it.

    Attributes:
        rate_hz: sample rate of the file.
        channels: its channels.
        duration_s: length of the clip in seconds.
        peak: largest absolute sample after the channels became one; 0 is digital silence.
    """

    rate_hz: float
    channels: float
    duration_s: float
    peak: float


@dataclass(frozen=True)
class Listened:
    """What became of one clip.

    Attributes:
        clip: its record.
        heard: by the key of each network; empty where the file could not be used.
        facts: None where the file could not be used.
        sha256: hash of the file's bytes, "" where it could not be read.
        fault: why it could not be used, else None.
        short: names of networks for which it was padded.
        cached: whether nothing had to be heard anew.
    """

    clip: Clip
    heard: Mapping[str, Heard] = field(default_factory=dict)
    facts: Facts | None = None
    sha256: str = ""
    fault: ClipError | None = None
    short: tuple[str, ...] = ()
    cached: bool = False


class Ears:
    """Listens to files with some networks under one convention.

    Args:
        networks: what listens.
        convention: how sounds are prepared.
        folder: where what was heard is kept; None keeps nothing.
        workers: threads; None takes one for each processor that this program may use.
    """

    def __init__(
        self, networks: Sequence[Network], convention: Convention, folder: Path | None, workers: int | None = None
    ) -> None:
        self.networks, self.convention = tuple(networks), convention
        self.workers = workers or processors()
        prepared_as = f"{convention.channels}-{convention.remove_offset}-{convention.shortest_samples}"
        self._settings = f"{prepared_as}-{convention.resampler}"
        self._caches = {n.key: EntryCache(folder / n.key if folder else None) for n in self.networks}
        self._locks = {n.key: nullcontext() if n.parallel else threading.Lock() for n in self.networks}

    def listen(self, clips: Sequence[Clip]) -> Iterator[Listened]:
        """Yield what became of each clip, in their order; what was heard is kept even when the caller stops early."""
        parts = (clips[start : start + BATCH] for start in range(0, len(clips), BATCH))
        pool = ThreadPoolExecutor(self.workers)
        waiting: deque[Future[list[Listened]]] = deque()
        try:
            with _shared_threads(self.workers):
                for part in parts:
                    waiting.append(pool.submit(self._batch, part))
                    if len(waiting) > 2 * self.workers:
                        yield from waiting.popleft().result()
                while waiting:
                    yield from waiting.popleft().result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
            for cache in self._caches.values():
                cache.flush()

    def _batch(self, clips: Sequence[Clip]) -> list[Listened]:
        hearings = [_Hearing(clip, self._settings) for clip in clips]
        for hearing in hearings:
            hearing.begin(self)
        for network in self.networks:
            self._hear(network, [hearing for hearing in hearings if hearing.lacks(network)])
        return [hearing.result() for hearing in hearings]

    def _hear(self, network: Network, hearings: Sequence[_Hearing]) -> None:
        waves = [hearing.wave(network, self.convention) for hearing in hearings]
        pairs = [(hearing, wave) for hearing, wave in zip(hearings, waves, strict=True) if wave is not None]
        if not pairs:
            return
        with self._locks[network.key]:
            heard = network.embedder.embed([wave for _, wave in pairs])
        for (hearing, _), found in zip(pairs, heard, strict=True):
            hearing.heard[network.key] = found
            self._caches[network.key].put(hearing.key, hearing.entry(found, network))

    def recall(self, network: Network, key: str) -> Mapping[str, np.ndarray] | None:
        """Return what is kept of a clip for a network, or None."""
        return self._caches[network.key].get(key)


class _Hearing:
    """One clip on its way through a batch."""

    def __init__(self, clip: Clip, settings: str) -> None:
        self.clip, self._settings = clip, settings
        self.heard: dict[str, Heard] = {}
        self.facts: Facts | None = None
        self.fault: ClipError | None = None
        self.short: list[str] = []
        self.cached = True
        self.key = self.sha256 = ""
        self._waves: dict[int, np.ndarray] = {}

    def begin(self, ears: Ears) -> None:
        """Hash the file and take what is known of it."""
        part = "" if self.clip.offset_s is None else f"@{self.clip.offset_s!r}+{self.clip.duration_s!r}"
        try:
            self.sha256 = file_sha256(self.clip.path)
        except OSError as error:
            code = "missing_file" if isinstance(error, FileNotFoundError) else "unreadable"
            self.fault = ClipError(code, f"{error.strerror or error}.", str(self.clip.path))
            return
        self.key = hashlib.sha256(f"{self.sha256}{part}|{self._settings}".encode()).hexdigest()[:32]
        for network in ears.networks:
            entry = ears.recall(network, self.key)
            if entry is not None:
                self.heard[network.key] = Heard(entry["rows"], entry.get("whole"), entry.get("logits"))
                self.facts = Facts(*entry["facts"][: len(_FACTS)].tolist())
                self.short += [network.embedder.name] if entry["facts"][len(_FACTS)] else []

    def lacks(self, network: Network) -> bool:
        """Say whether a network has still to hear the clip."""
        return self.fault is None and network.key not in self.heard

    def wave(self, network: Network, convention: Convention) -> np.ndarray | None:
        """Return the sound as a network takes it, shape (T,), or None where the file cannot be used."""
        embedder = network.embedder
        self.cached = False
        try:
            wave = self._loaded(embedder.rate_hz, convention)
            ready, short = prepared(wave, embedder.shortest, self.clip.id, convention)
        except ClipError as error:
            self.fault = error
            return None
        if short:
            self.short.append(embedder.name)
        return ready

    def _loaded(self, rate_hz: int, convention: Convention) -> np.ndarray:
        if rate_hz not in self._waves:
            clip, info = self.clip, probe(self.clip.path)
            length = None if clip.offset_s is None else clip.duration_s
            wave = load(clip.path, rate_hz, clip.offset_s, length, convention.resampler, channels=convention.channels)
            self._waves[rate_hz] = wave
            peak = float(np.abs(wave).max())
            self.facts = Facts(info.rate_hz, info.channels, len(wave) / rate_hz, peak)
        return self._waves[rate_hz]

    def entry(self, heard: Heard, network: Network) -> dict[str, np.ndarray]:
        """Return what is kept of it."""
        assert self.facts is not None, "it was loaded"
        arrays = {name: getattr(heard, name) for name in _PARTS if getattr(heard, name) is not None}
        values = [getattr(self.facts, name) for name in _FACTS]
        return arrays | {"facts": np.array([*values, network.embedder.name in self.short], np.float64)}

    def result(self) -> Listened:
        """Return what became of it."""
        if self.fault is not None:
            return Listened(self.clip, sha256=self.sha256, fault=self.fault)
        short = tuple(dict.fromkeys(self.short))
        return Listened(self.clip, self.heard, self.facts, self.sha256, short=short, cached=self.cached)


def processors() -> int:
    """Return how many processors this program may use; `AJ_NUM_THREADS` says otherwise."""
    said = os.environ.get("AJ_NUM_THREADS", "")
    if said.isdigit() and int(said):
        return int(said)
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@contextmanager
def _shared_threads(workers: int) -> Iterator[None]:
    """Divide torch's threads among workers, so that they do not take each other's processors."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, before // workers))
    try:
        yield
    finally:
        torch.set_num_threads(before)
