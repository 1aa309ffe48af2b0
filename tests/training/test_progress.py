"""The log holds whole lines, each step once."""

import json
from pathlib import Path

import pytest

from audiojourney.errors import AudioJourneyError
from audiojourney.training.progress import Log, Progress, Window, read_log


class Listening(Progress):
    """Keeps the lines it is told."""

    def __init__(self) -> None:
        self.lines = []

    def line(self, figures: dict) -> None:
        self.lines.append(figures)


def test_lines_are_written_told_and_rewound(tmp_path: Path):
    listener = Listening()
    log = Log(tmp_path / "run" / "log.jsonl", listener)
    for step in (1, 2, 3):
        log.write({"kind": "train", "step": step, "loss": 1 / step})
    assert read_log(log.path) == listener.lines and len(listener.lines) == 3
    with log.path.open("a", encoding="utf-8") as file:
        file.write('{"step": 2')
    assert len(read_log(log.path)) == 3, "a line that was cut short is no line"
    log.rewind(2)
    assert [json.loads(line)["step"] for line in log.path.read_text(encoding="utf-8").splitlines()] == [1, 2]
    assert list(log.path.parent.iterdir()) == [log.path]


def test_only_one_process_writes(tmp_path: Path):
    Log(tmp_path / "log.jsonl", Progress(), active=False).write({"step": 1})
    assert not list(tmp_path.iterdir())


def test_an_unwritable_log_is_told_in_one_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(AudioJourneyError, match=r"log\.jsonl cannot be written"):
        Log(tmp_path / "file" / "log.jsonl", Progress()).write({"step": 1})


def test_a_figure_that_is_not_there_at_every_step_has_the_mean_of_where_it_is():
    window = Window()
    window.add({"loss": 1.0})
    window.add({"loss": 3.0, "adversary_loss": 5.0})
    again = Window(json.loads(json.dumps(window.sums)), window.counts)
    assert again.means() == {"loss": 2.0, "adversary_loss": 5.0}
    assert again.means() == {}
