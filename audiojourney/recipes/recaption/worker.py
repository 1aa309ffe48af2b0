"""The process that holds the models: `python -m audiojourney.recipes.recaption.worker`, started by `channel`.

It reads what to do from standard input, a line of JSON each, and answers on standard output. The first line holds the
settings. What libraries print goes to standard error.
"""

from __future__ import annotations

import faulthandler
import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from audiojourney import config as configuration
from audiojourney.captions.names import CAPTIONERS
from audiojourney.errors import AudioJourneyError
from audiojourney.recipes.recaption.batches import perform
from audiojourney.recipes.recaption.carry import Earlier
from audiojourney.recipes.recaption.channel import Message
from audiojourney.recipes.recaption.config import RecaptionConfig
from audiojourney.recipes.recaption.decode import hear
from audiojourney.recipes.recaption.inputs import read_job
from audiojourney.recipes.recaption.models import SCORERS, Models, check_identity, load_models
from audiojourney.recipes.recaption.shard import Work, process_shard
from audiojourney.recipes.recaption.step import Spent


class Worker:
    """Does what it is told, one thing after the other.

    Args:
        first: the message with the settings.
        answer: sends a message back.
    """

    def __init__(self, first: Message, answer: Callable[[Message], None]) -> None:
        for table, registry in ((first["captioners"], CAPTIONERS), (first["scorers"], SCORERS)):
            for name, target in table.items():
                registry.register(name, target)
        config = configuration.build(RecaptionConfig, first["config"])
        self.config = replace(config, device=_device(config, first["rank"]))
        self.answer = answer
        self.stopped = threading.Event()

    def do(self, message: Message) -> None:
        """Do one thing; its name is that of the method."""
        getattr(self, f"_{message['do']}")(message)

    def _identity(self, message: Message) -> None:
        self.answer({"event": "identity", **load_models(self.config).identity})

    def _shard(self, message: Message) -> None:
        folder = Path(message["folder"])
        work = Work(
            config=self.config,
            folder=folder,
            key=message["key"],
            models=lambda: self._models(message["identity"]),
            watched=True,
            guilty=message["guilty"],
            known=Earlier([Path(path) for path in message["earlier"]]).find,
            stop=self.stopped.is_set,
            on_progress=lambda number, done, total: self.answer(
                {"event": "progress", "number": number, "done": done, "total": total}
            ),
        )
        self.answer({"event": "shard", **asdict(process_shard(work, message["number"]))})

    def _models(self, expected: dict[str, Any]) -> Models:
        models = load_models(self.config)
        check_identity(models, expected)
        return models

    def _probe(self, message: Message) -> None:
        """Try clips one by one; each is named before it is touched."""
        models = load_models(self.config)
        for line in message["jobs"]:
            job = read_job(line, Path(message["folder"]))
            self.answer({"event": "begin", "id": job.clip.id})
            found = perform([hear(job, models.rates_hz)], models, replace(self.config, batch="auto"), Spent())
            self.answer({"event": "outcome", **asdict(found[0])})
        self.answer({"event": "end"})


def main() -> None:
    """Answer the messages on standard input until it ends."""
    faulthandler.enable()
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what libraries print is no answer
    lock = threading.Lock()

    def answer(message: Message) -> None:
        """Send one message."""
        with lock:
            answers.write(json.dumps(message).encode("ascii") + b"\n")

    def tell(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Say what was not expected, as the last thing that this process does."""
        answer({"event": "raised", "reason": " ".join(f"{kind.__name__}: {error}".split())[:500]})
        traceback.print_exception(kind, error, trace)
        _end()

    sys.excepthook = tell
    orders: queue.Queue[Message] = queue.Queue()
    try:
        worker = Worker(json.loads(sys.stdin.buffer.readline()), answer)
        _obey_signals(worker)
        threading.Thread(target=_listen, args=(sys.stdin.buffer, orders, worker), daemon=True).start()
        while True:
            worker.do(orders.get())
    except AudioJourneyError as error:
        answer({"event": "failed", "kind": type(error).__name__, "message": error.message, "hint": error.hint})
        _end()


def _end() -> None:
    """Leave at once: Python's own end would wait for the thread that listens."""
    sys.stderr.flush()
    os._exit(1)


def _listen(stream: IO[bytes], orders: queue.Queue[Message], worker: Worker) -> None:
    """Take orders; at the end of the stream nobody is there any more to work for."""
    for line in stream:
        message = json.loads(line)
        if message["do"] == "stop":
            worker.stopped.set()
        else:
            orders.put(message)
    os._exit(0)


def _obey_signals(worker: Worker) -> None:
    """Ctrl-C reaches the run too, which says what to do; what a cluster sends means: finish the batch."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in ("SIGTERM", "SIGUSR1"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda number, frame: worker.stopped.set())


def _device(config: RecaptionConfig, rank: int) -> str:
    """Give each of several workers a GPU of its own."""
    if config.nproc == 1 or config.device != "auto":
        return config.device
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return f"cuda:{rank % count}" if count else config.device


if __name__ == "__main__":
    main()
