"""Which of a few clips ends the process that works on it: they are tried one by one in a process of their own."""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Sequence
from pathlib import Path

from audiojourney.errors import AudioJourneyError
from audiojourney.recipes.recaption.channel import Channel, Message, raised
from audiojourney.recipes.recaption.config import RecaptionConfig
from audiojourney.recipes.recaption.folder import Outcome
from audiojourney.recipes.recaption.inputs import Job, job_line
from audiojourney.recipes.recaption.step import failure

CODE = "worker_crash"
SUSPICIOUS = 4  # when so many clips fail and none passes, the model is to blame
_POLL_S = 1.0

Probe = Callable[[RecaptionConfig, Sequence[Job], Callable[[], bool]], list[Outcome]]


def probe(config: RecaptionConfig, jobs: Sequence[Job], stop: Callable[[], bool]) -> list[Outcome]:
    """Try clips one by one, and name those that end the process.

    Args:
        config: settings of the run.
        jobs: the clips.
        stop: says whether to end before all are tried.

    Returns:
        What became of each clip, in order; of a part of them when it was stopped.

    Raises:
        AudioJourneyError: the models cannot be loaded, or no clip of several passes.
    """
    found: list[Outcome] = []
    while len(found) < len(jobs) and not stop():
        found += _Trial(config, stop).run(jobs[len(found) :])
    crashes = [one for one in found if one.item.get("code") == CODE]
    if len(found) == len(crashes) >= SUSPICIOUS:
        told = f"None of {len(crashes)} clips gets through the captioner {config.captioner!r}"
        raise AudioJourneyError(f"{told}: {crashes[0].item['reason']}.", "AJ_DEBUG=1 shows what it says.")
    return found


def crash(clip_id: str, reason: str) -> Outcome:
    """Return the record of a clip that has ended the process that worked on it."""
    return failure(clip_id, "worker", CODE, f"the process that worked on it ended ({reason})")


class _Trial:
    """One process, for as many clips as it survives."""

    def __init__(self, config: RecaptionConfig, stop: Callable[[], bool]) -> None:
        self.stop = stop
        self.captioner = config.captioner
        self.messages: queue.Queue[Message | None] = queue.Queue()
        self.channel = Channel(config, self.messages.put)
        self.found: list[Outcome] = []
        self.at = ""
        self.reason = ""

    def run(self, jobs: Sequence[Job]) -> list[Outcome]:
        """Return what became of the clips up to the one that ended the process, itself included."""
        here = Path.cwd()
        try:
            self.channel.send({"do": "probe", "folder": str(here), "jobs": [_line(job, here) for job in jobs]})
            died = self._listen()
        finally:
            self.channel.close()
        if died:
            reason = self.reason or self.channel.last_words()
            if not self.at:
                raise AudioJourneyError(f"The captioner {self.captioner!r} cannot be tried ({reason}).")
            self.found.append(crash(self.at, reason))
        return self.found

    def _listen(self) -> bool:
        """Collect outcomes; say whether the process ended before its time."""
        while not self.stop():
            try:
                message = self.messages.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if message is None:
                return True
            if message["event"] == "end":
                return False
            self._take(message)
        return False

    def _take(self, message: Message) -> None:
        if message["event"] == "begin":
            self.at = message["id"]
        elif message["event"] == "outcome":
            self.found.append(Outcome(message["id"], message["item"], message["failed"]))
            self.at = ""
        elif message["event"] == "raised":
            self.reason = message["reason"]
        elif message["event"] == "failed":
            raise raised(message)


def _line(job: Job, folder: Path) -> str:
    return json.dumps(job_line(job, folder))
