"""Workers that are watched: who is given what, and what becomes of those that die. The processes are imagined here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import pytest

from audiojourney.errors import AudioJourneyError, MissingError, UsageError
from audiojourney.recipes.recaption import pool
from audiojourney.recipes.recaption.config import RecaptionConfig
from audiojourney.recipes.recaption.folder import Part
from audiojourney.recipes.recaption.layout import Order
from audiojourney.recipes.recaption.shard import ShardReport
from audiojourney.recipes.recaption.step import Spent

ORDER = Order(Path(".recaption/key"), "key", {"captioner": "stub@1"}, 9)
Message = pool.Message
Play = Callable[["Worker", Message], None]


class Worker:
    """Does what `play` says with each message; remembers what it was told."""

    play: Play
    made: list[Worker]

    def __init__(self, config, on_message, rank=0):
        self.say, self.rank = on_message, rank
        self.told: list[Message] = []
        self.stopped = self.closed = False
        type(self).made.append(self)

    def send(self, message):
        self.told.append(message)
        type(self).play(self, message)

    def stop(self):
        self.stopped = True

    def close(self):
        self.closed = True
        return -11

    def last_words(self):
        return "signal SIGSEGV"

    def finish(self, number: int, status: str = "done") -> None:
        """Tell of a shard that is done."""
        report = ShardReport(number, status, 5, 1, 6, Spent(caption=0.5))
        self.say({"event": "shard", **asdict(report)})


@pytest.fixture
def team(monkeypatch):
    """Set what workers do; returns a function that makes the pool, and the workers that were made."""
    monkeypatch.setattr(pool, "_POLL_S", 0.01)

    def make(play: Play, stop=lambda: False, **settings) -> tuple[pool.Pool, list[Worker]]:
        kind = type("Kind", (Worker,), {"play": staticmethod(play), "made": []})
        monkeypatch.setattr(pool, "Channel", kind)
        return pool.Pool(RecaptionConfig(**settings), stop), kind.made

    return make


def does(worker: Worker, message: Message) -> None:
    """Do every shard."""
    if message["do"] == "identity":
        worker.say({"event": "identity", "captioner": "stub@1"})
    else:
        worker.say({"event": "progress", "number": message["number"], "done": 6, "total": 6})
        worker.finish(message["number"])


def nothing(*progress: int) -> None:
    """Hear of progress."""


def test_the_worker_that_names_the_models_is_given_the_shards(team):
    members, made = team(does)
    told: list[tuple[int, int, int]] = []
    assert members.identity() == {"captioner": "stub@1"}
    reports = members.run(ORDER, [2, 0], lambda *progress: told.append(progress))
    assert [report.number for report in reports] == [0, 2] and told == [(2, 6, 6), (0, 6, 6)]
    assert reports[0] == ShardReport(0, "done", 5, 1, 6, Spent(caption=0.5))
    (worker,) = made
    assert [message.get("number") for message in worker.told] == [None, 2, 0]
    assert worker.told[1]["identity"] == {"captioner": "stub@1"} and worker.told[1]["guilty"] == {}
    members.close()
    assert worker.closed


@pytest.mark.parametrize(("nproc", "shards", "workers"), [(1, 3, 1), (3, 7, 3), (4, 2, 2), (2, 0, 0)])
def test_no_more_workers_start_than_there_are_shards_and_each_shard_is_done_once(team, nproc, shards, workers):
    members, made = team(does, nproc=nproc)
    reports = members.run(ORDER, range(shards), nothing)
    assert [report.number for report in reports] == list(range(shards))
    assert sorted(worker.rank for worker in made) == list(range(workers))
    given = [message["number"] for worker in made for message in worker.told]
    assert sorted(given) == list(range(shards))


@pytest.mark.parametrize("kind", [UsageError, MissingError, AudioJourneyError])
def test_what_a_worker_cannot_do_is_raised_here_as_what_it_is(team, kind):
    failed = {"event": "failed", "kind": kind.__name__, "message": "No weights.", "hint": "Pull them."}
    for call in (lambda members: members.identity(), lambda members: members.run(ORDER, [0], nothing)):
        members, _ = team(lambda worker, message: worker.say(failed))
        with pytest.raises(kind, match=r"No weights\. Pull them\.") as caught:
            call(members)
        assert type(caught.value) is kind


def test_models_that_end_the_process_while_they_are_loaded_are_told(team):
    members, _ = team(lambda worker, message: worker.say(None))
    with pytest.raises(AudioJourneyError, match=r"'pocket' cannot be loaded \(signal SIGSEGV\)"):
        members.identity()


def dies_over(deadly: dict[str, list[str]], most: int) -> Play:
    """Die over clips: at first in a batch, then alone; go on when they are named as guilty."""
    deaths = [0]

    def play(worker: Worker, message: Message) -> None:
        flights = deadly["flights"]
        if deaths[0] < min(most, len(flights)):
            Part(ORDER.folder, message["number"]).set_flight([*flights[deaths[0]]])
            deaths[0] += 1
            worker.say(None)
        else:
            worker.finish(message["number"])

    return play


def test_a_clip_that_a_worker_died_over_twice_the_second_time_alone_is_guilty(team):
    members, made = team(dies_over({"flights": ["abc", "b"]}, 2))
    (report,) = members.run(ORDER, [4], nothing)
    assert report.number == 4 and len(made) == 3
    assert [worker.told[0]["guilty"] for worker in made] == [{}, {}, {"b": "signal SIGSEGV"}]
    assert all(worker.closed for worker in made[:2])


@pytest.mark.parametrize("flights", [["abc", "d"], ["abc", "bc"], ["", ""], ["a"]])
def test_no_clip_is_guilty_by_chance(team, flights):
    members, made = team(dies_over({"flights": flights}, 2))
    members.run(ORDER, [4], nothing)
    assert made[-1].told[0]["guilty"] == {}


def test_workers_that_die_without_a_clip_done_in_between_end_the_run(team):
    members, made = team(lambda worker, message: worker.say(None))
    with pytest.raises(AudioJourneyError, match=r"shard 3 ended 6 times without a clip done \(signal SIGSEGV\)"):
        members.run(ORDER, [3], nothing)
    assert len(made) == 6


def test_progress_in_between_lets_a_run_live_through_many_deaths(team):
    deaths = [0]

    def play(worker: Worker, message: Message) -> None:
        worker.say({"event": "progress", "number": message["number"], "done": deaths[0], "total": 20})
        deaths[0] += 1
        worker.say(None) if deaths[0] < 15 else worker.finish(message["number"])

    members, made = team(play)
    assert len(members.run(ORDER, [0], nothing)) == 1 and len(made) == 15


def test_a_wish_to_stop_reaches_all_workers_and_no_shard_is_begun_after_it(team):
    wish = [False]

    def play(worker: Worker, message: Message) -> None:
        if worker.rank == 1:
            wish[0] = True

    def stop(self: Worker) -> None:
        self.finish(self.told[-1]["number"], "stopped")

    members, made = team(play, stop=lambda: wish[0], nproc=2)
    type_of = pool.Channel
    type_of.stop = stop
    reports = members.run(ORDER, [0, 1, 2, 3], nothing)
    assert [(report.number, report.status) for report in reports] == [(0, "stopped"), (1, "stopped")]
    assert len(made) == 2


def test_a_worker_that_dies_after_the_wish_to_stop_is_not_replaced(team):
    members, made = team(lambda worker, message: None, stop=lambda: True)
    pool.Channel.stop = lambda self: self.say(None)
    assert members.run(ORDER, [0, 1], nothing) == [] and len(made) == 1
