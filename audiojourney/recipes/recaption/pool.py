"""Processes that do the shards of a run, watched: one that dies is replaced, and its clips are looked at singly."""

from __future__ import annotations

import queue
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from audiojourney.errors import AudioJourneyError
from audiojourney.recipes.recaption import quarantine
from audiojourney.recipes.recaption.carry import Earlier
from audiojourney.recipes.recaption.channel import Channel, Message, raised
from audiojourney.recipes.recaption.config import RecaptionConfig
from audiojourney.recipes.recaption.folder import Part
from audiojourney.recipes.recaption.layout import Order
from audiojourney.recipes.recaption.models import Models, check_identity, load_models
from audiojourney.recipes.recaption.shard import ShardReport, Work, process_shard
from audiojourney.recipes.recaption.step import Spent

_POLL_S = 0.5
_DEATHS = 6  # in a row, without a clip done in between: then it is not the clips

Identity = Mapping[str, str]
Tell = Callable[[int, int, int], None]


class Here:
    """Does the shards in this process, where nobody watches."""

    def __init__(self, config: RecaptionConfig, stop: Callable[[], bool]) -> None:
        self.config, self.stop = config, stop

    def identity(self) -> Identity:
        """Return names and revisions of the models."""
        return load_models(self.config).identity

    def run(self, order: Order, numbers: Sequence[int], tell: Tell) -> list[ShardReport]:
        """Do shards one after the other (see `audiojourney.recipes.recaption.shard.process_shard`)."""
        work = Work(
            config=self.config,
            folder=order.folder,
            key=order.key,
            models=lambda: self._models(order.identity),
            probe=quarantine.probe,
            known=Earlier(order.earlier).find,
            stop=self.stop,
            on_progress=tell,
        )
        reports: list[ShardReport] = []
        for number in numbers:
            if self.stop():
                break
            reports.append(process_shard(work, number))
        return reports

    def close(self) -> None:
        """Nothing is left behind."""

    def _models(self, expected: Identity) -> Models:
        models = load_models(self.config)
        check_identity(models, expected)
        return models


class Pool:
    """Does the shards in processes of their own; each is given the next shard when it is done with one."""

    def __init__(self, config: RecaptionConfig, stop: Callable[[], bool]) -> None:
        self.config, self.stop = config, stop
        self.messages: queue.Queue[tuple[int, Message | None]] = queue.Queue()
        self.channels: dict[int, Channel] = {}
        self.at: dict[int, int] = {}  # the shard of each worker
        self.deaths = 0
        self.suspects: dict[int, list[str]] = {}  # what the last process that died on a shard was at
        self.guilty: dict[int, dict[str, str]] = {}
        self.stopping = False

    def identity(self) -> Identity:
        """Return names and revisions of the models, which stay loaded for the shards.

        Raises:
            AudioJourneyError: they cannot be loaded.
        """
        self._start(0)
        self.channels[0].send({"do": "identity"})
        while True:
            _, message = self._next()
            if message is None:
                told = f"The captioner {self.config.captioner!r} cannot be loaded"
                raise AudioJourneyError(f"{told} ({self.channels[0].last_words()}).", "AJ_DEBUG=1 shows what it says.")
            if message["event"] == "identity":
                return {name: text for name, text in message.items() if name != "event"}
            if message["event"] == "failed":
                raise raised(message)

    def run(self, order: Order, numbers: Sequence[int], tell: Tell) -> list[ShardReport]:
        """Do shards, as many at a time as there are workers.

        Raises:
            AudioJourneyError: models cannot run, the disk is full, or workers die without having done anything.
        """
        self.order, self.tell = order, tell
        self.todo = deque(numbers)
        self.reports: list[ShardReport] = []
        for rank in range(min(self.config.nproc, len(numbers))):
            self._give(rank)
        while self.at:
            rank, message = self._next()
            self._take(rank, message)
        return sorted(self.reports, key=lambda report: report.number)

    def close(self) -> None:
        """End all workers."""
        for channel in self.channels.values():
            channel.close()
        self.channels.clear()

    def _start(self, rank: int) -> None:
        self.channels[rank] = Channel(self.config, lambda message: self.messages.put((rank, message)), rank)

    def _give(self, rank: int, number: int | None = None) -> None:
        """Give a worker a shard: this one, or the next."""
        if number is None:
            if not self.todo or self.stopping:
                return
            number = self.todo.popleft()
        if rank not in self.channels:
            self._start(rank)
        self.at[rank] = number
        order = self.order
        told: dict[str, Any] = {"folder": str(order.folder), "key": order.key, "identity": dict(order.identity)}
        told |= {"earlier": [str(path) for path in order.earlier], "guilty": self.guilty.get(number, {})}
        self.channels[rank].send({"do": "shard", "number": number, **told})

    def _next(self) -> tuple[int, Message | None]:
        """Wait for a message; a wish to stop is passed on."""
        while True:
            if self.stop() and not self.stopping:
                self.stopping = True
                for channel in self.channels.values():
                    channel.stop()
            try:
                return self.messages.get(timeout=_POLL_S)
            except queue.Empty:
                continue

    def _take(self, rank: int, message: Message | None) -> None:
        if message is None:
            self._bury(rank)
        elif message["event"] == "progress":
            self.deaths = 0
            self.tell(message["number"], message["done"], message["total"])
        elif message["event"] == "failed":
            raise raised(message)
        elif message["event"] == "shard":
            fields = {name: value for name, value in message.items() if name != "event"}
            self.reports.append(ShardReport(**{**fields, "spent": Spent(**fields["spent"])}))
            self.deaths = 0
            del self.at[rank]
            self._give(rank)

    def _bury(self, rank: int) -> None:
        """Put another in the place of a worker that died; it does the clips that this one was at one by one.

        A clip that a worker died over twice, the second time alone, is guilty.

        Raises:
            AudioJourneyError: that has not helped.
        """
        channel = self.channels.pop(rank)
        channel.close()
        number = self.at.pop(rank, None)
        self.deaths += 1
        if self.deaths >= _DEATHS:
            told = f"The process that does shard {number} ended {self.deaths} times without a clip done"
            raise AudioJourneyError(f"{told} ({channel.last_words()}).", "AJ_DEBUG=1 shows what it says.")
        if number is None or self.stopping:
            return
        flight = Part(self.order.folder, number).read_flight()
        if len(flight) == 1 and flight[0] in self.suspects.get(number, ()):
            self.guilty.setdefault(number, {})[flight[0]] = channel.last_words()
        self.suspects[number] = flight
        self._give(rank, number)
