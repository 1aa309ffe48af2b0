"""Files of answers, as listeners save them: read, checked, and told apart."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from audiojourney.errors import UsageError
from audiojourney.recipes.study.config import CRITERIA, VERSION
from audiojourney.recipes.study.seal import unseal

Choice = Literal["first", "second", "tie"]


class AnswersError(ValueError):
    """A file that holds no answers, or answers that cannot be; the message says where."""


@dataclass(frozen=True, kw_only=True)
class Vote:
    """One answer to one question.

    Attributes:
        listener: who gave it.
        item: the prompt.
        first: that of the two systems whose folder was named first.
        second: the other one.
        criterion: the question, a key of `CRITERIA`.
        choice: the system that was chosen, or `tie`.
        left: whether `first` was on the left.
        places: of the two systems among the folders.
    """

    listener: str
    item: str
    first: str
    second: str
    criterion: str
    choice: Choice
    left: bool
    places: tuple[int, int] = (0, 1)


@dataclass(frozen=True, kw_only=True)
class Answers:
    """What one file holds.

    Attributes:
        path: the file.
        study: id of the study.
        title: its heading.
        listener: name as it was typed.
        session: id that the browser drew for this listener.
        saved: when, as ISO 8601.
        complete: whether every pair was answered.
        votes: in the order in which they were given.
    """

    path: Path
    study: str
    title: str
    listener: str
    session: str
    saved: str
    complete: bool
    votes: tuple[Vote, ...]


def read_answers(path: Path) -> Answers:
    """Read a file that the page of a study saved.

    Raises:
        AnswersError: it cannot be read, or holds something else.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise AnswersError(f"it cannot be read ({error.strerror or error})") from error
    except (ValueError, RecursionError) as error:
        raise AnswersError(f"it is no JSON ({error})") from error
    if not isinstance(table, dict) or "aj_study" not in table:
        raise AnswersError("it was not saved by the page of a study: the key 'aj_study' is missing")
    if table["aj_study"] != VERSION:
        raise AnswersError(f"it is of version {table['aj_study']!r}; version {VERSION} is read")
    study, listener = _text(table, "study"), _text(table, "listener")
    rows = table.get("answers")
    if not isinstance(rows, list):
        raise AnswersError(f"its answers are {str(rows)[:40]!r}; a list was expected")
    who = plain_name(listener)
    votes = [vote for number, row in enumerate(rows, 1) for vote in _votes(row, study, who, f"answer {number}")]
    _check_once(votes)
    return Answers(
        path=path,
        study=study,
        title=str(table.get("title", "")),
        listener=listener,
        session=str(table.get("session", "")),
        saved=str(table.get("saved", "")),
        complete=table.get("complete") is True,
        votes=tuple(votes),
    )


def plain_name(name: str) -> str:
    """Return the name of a listener without the differences of typing it twice."""
    return " ".join(name.casefold().split())


def once_each(files: Sequence[Answers]) -> tuple[list[Answers], list[tuple[Answers, Answers]]]:
    """Keep one file a listener: that with the most answers, of equal ones the one that was saved last.

    Files are of one listener when their names are alike but for spaces and capitals, or their sessions are equal.

    Returns:
        The files to count, in their order, and each file that is left out with the one that stands for it.
    """
    kept: list[Answers] = []
    left_out: list[tuple[Answers, Answers]] = []
    for file in sorted(files, key=lambda file: (len(file.votes), file.saved), reverse=True):
        twin = next((other for other in kept if _same(file, other)), None)
        if twin is None:
            kept.append(file)
        else:
            left_out.append((file, twin))
    return [file for file in files if any(file is one for one in kept)], left_out


def _same(one: Answers, other: Answers) -> bool:
    alike = plain_name(one.listener) == plain_name(other.listener)
    return alike or (one.session == other.session != "")


def _votes(row: Any, study: str, listener: str, where: str) -> list[Vote]:
    if not isinstance(row, dict):
        raise AnswersError(f"{where} is {str(row)[:40]!r}; a table was expected")
    item = _text(row, "item", where)
    try:
        left, right = (_system(_text(row, side, where), study) for side in ("left", "right"))
    except UsageError as error:
        raise AnswersError(f"{where}: {error}") from error
    votes = row.get("votes")
    if left == right or not isinstance(votes, dict):
        raise AnswersError(f"{where} compares {left[1]!r} with {right[1]!r} and has the votes {str(votes)[:40]!r}")
    return [_vote(key, side, (item, left, right), listener, where) for key, side in votes.items()]


def _system(text: str, study: str) -> tuple[int, str]:
    """Return the place among the folders, and the name, of a sealed system.

    Raises:
        UsageError: it was changed, or is of another study.
    """
    place, _, name = unseal(text, study).partition(" ")
    if not place.isdecimal() or not name:
        raise UsageError(f"{text[:40]!r} holds no place and name.")
    return int(place), name


def _vote(
    criterion: str, side: Any, what: tuple[str, tuple[int, str], tuple[int, str]], listener: str, where: str
) -> Vote:
    item, left, right = what
    if criterion not in CRITERIA:
        raise AnswersError(f"{where}: there is no question {criterion!r}; there are {', '.join(CRITERIA)}")
    if side not in ("left", "right", "tie"):
        raise AnswersError(f"{where}: {criterion} is {side!r}; expected left, right or tie")
    first, second = sorted((left, right))
    chosen = {"left": left, "right": right}.get(side)
    choice: Choice = "tie" if chosen is None else "first" if chosen == first else "second"
    return Vote(
        listener=listener,
        item=item,
        first=first[1],
        second=second[1],
        criterion=criterion,
        choice=choice,
        left=left == first,
        places=(first[0], second[0]),
    )


def _check_once(votes: Sequence[Vote]) -> None:
    seen: set[tuple[str, str, str, str]] = set()
    for vote in votes:
        key = (vote.item, vote.first, vote.second, vote.criterion)
        if key in seen:
            raise AnswersError(f"the prompt {vote.item!r} is answered twice for {vote.criterion}")
        seen.add(key)


def _text(table: Mapping[str, Any], key: str, where: str = "the file") -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value.strip():
        raise AnswersError(f"{where} has the {key} {str(value)[:40]!r}; a text was expected")
    return value
