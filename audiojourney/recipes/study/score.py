"""`aj study score`: what the answers of all listeners say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from audiojourney.errors import AudioJourneyError, UsageError
from audiojourney.metrics.base import Interval
from audiojourney.metrics.intervals import LEVEL, RESAMPLES
from audiojourney.metrics.preference import clip_interval, krippendorff_alpha, wilson_interval
from audiojourney.recipes.study.answers import Answers, AnswersError, Vote, once_each, read_answers
from audiojourney.recipes.study.config import CRITERIA

AGREEMENT = "Krippendorff's alpha, nominal, over prompts, with ties as a value of their own"


@dataclass(frozen=True, kw_only=True)
class ScoreConfig:
    """Settings of `aj study score`.

    Attributes:
        files: files of answers.
        level: of the intervals.
        draws: of the bootstrap over clips.
        seed: of those draws.
    """

    files: tuple[Path, ...] = ()
    level: float = LEVEL
    draws: int = RESAMPLES
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Share:
    """How often one of two was preferred.

    Attributes:
        wins: votes for it.
        ties: votes for neither.
        losses: votes for the other.
        rate: wins among votes that are no ties, or None where all are.
        wilson: interval of the rate when votes are independent.
        by_clip: interval of the rate when prompts are drawn with all of their votes.
        reason: why there is no such interval.
    """

    wins: int
    ties: int
    losses: int
    rate: float | None
    wilson: Interval | None
    by_clip: Interval | None
    reason: str


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Two systems under one question.

    Attributes:
        first: the system whose wins are counted.
        second: the other.
        criterion: the question.
        share: how often `first` was preferred.
        clips: prompts with a vote.
        listeners: listeners with a vote.
        alpha: how far they agree, or None.
        alpha_reason: why there is no such figure.
    """

    first: str
    second: str
    criterion: str
    share: Share
    clips: int
    listeners: int
    alpha: float | None
    alpha_reason: str


@dataclass(frozen=True, kw_only=True)
class StudyScore:
    """What a study found.

    Attributes:
        study: its id.
        title: its heading.
        listeners: names of those who are counted.
        comparisons: by pair of systems, then by question.
        left: how often the sound on the left was preferred, over all votes.
        incomplete: files of listeners who did not answer every pair.
        repeated: files that are left out, each with the file of the same listener that is counted.
        bad: files that hold no answers, each with the reason.
    """

    study: str
    title: str
    listeners: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    left: Share
    incomplete: tuple[str, ...]
    repeated: tuple[tuple[str, str], ...]
    bad: tuple[tuple[str, str], ...]


def score(config: ScoreConfig) -> StudyScore:
    """Read files of answers and count; files that hold none are named in the result.

    Raises:
        UsageError: no file is named, files are of several studies, or a setting cannot be meant.
        AudioJourneyError: none of the files holds an answer.
    """
    if not config.files:
        raise UsageError(f"No file of answers was named: {config.files}.", "Try: aj study score answers*.json")
    good, bad = _read(dict.fromkeys(config.files))
    _check_one_study(good)
    counted, left_out = once_each(good)
    votes = [vote for answers in counted for vote in answers.votes]
    if not votes:
        told = "; ".join(f"{path}: {reason}" for path, reason in bad) or "they are empty"
        raise AudioJourneyError(f"None of {len(config.files)} files holds an answer: {told}.")
    return StudyScore(
        study=counted[0].study,
        title=counted[0].title,
        listeners=tuple(answers.listener for answers in counted),
        comparisons=tuple(_comparisons(votes, config)),
        left=_left(votes, config),
        incomplete=tuple(str(answers.path) for answers in counted if not answers.complete),
        repeated=tuple((str(file.path), str(twin.path)) for file, twin in left_out),
        bad=tuple(bad),
    )


def _read(paths: Iterable[Path]) -> tuple[list[Answers], list[tuple[str, str]]]:
    good: list[Answers] = []
    bad: list[tuple[str, str]] = []
    for path in paths:
        try:
            good.append(read_answers(path))
        except AnswersError as error:
            bad.append((str(path), str(error)))
    return good, bad


def _check_one_study(files: Sequence[Answers]) -> None:
    found: dict[str, Answers] = {}
    for file in files:
        found.setdefault(file.study, file)
    if len(found) > 1:
        told = "; ".join(f"{file.path} is of {study} ({file.title})" for study, file in found.items())
        raise UsageError(f"These files are of {len(found)} studies: {told}.", "Score each study by itself.")


def _comparisons(votes: Sequence[Vote], config: ScoreConfig) -> Iterable[Comparison]:
    pairs = sorted({(vote.places, vote.first, vote.second) for vote in votes})
    for _, first, second in pairs:
        for criterion in CRITERIA:
            found = [vote for vote in votes if (vote.first, vote.second, vote.criterion) == (first, second, criterion)]
            if found:
                yield _comparison(found, config)


def _comparison(votes: Sequence[Vote], config: ScoreConfig) -> Comparison:
    items = dict.fromkeys(vote.item for vote in votes)
    alpha = krippendorff_alpha([[vote.choice for vote in votes if vote.item == item] for item in items])
    several = any(sum(vote.item == item for vote in votes) > 1 for item in items)
    reason = "all votes are the same" if several else "no prompt was heard by two listeners"
    return Comparison(
        first=votes[0].first,
        second=votes[0].second,
        criterion=votes[0].criterion,
        share=_share([(vote.item, vote.choice) for vote in votes], config),
        clips=len(items),
        listeners=len({vote.listener for vote in votes}),
        alpha=alpha,
        alpha_reason=reason if alpha is None else "",
    )


def _left(votes: Sequence[Vote], config: ScoreConfig) -> Share:
    """Return how often the left side won: far from one half, the sides swayed the listeners."""
    seen = [(vote.item, _side(vote)) for vote in votes]
    return _share(seen, config)


def _side(vote: Vote) -> str:
    if vote.choice == "tie":
        return "tie"
    return "first" if (vote.choice == "first") == vote.left else "second"


def _share(choices: Sequence[tuple[str, str]], config: ScoreConfig) -> Share:
    """Count (prompt, choice) pairs, where a choice is `first`, `second` or `tie`."""
    wins: dict[str, int] = {}
    votes: dict[str, int] = {}
    for item, choice in choices:
        wins[item] = wins.get(item, 0) + (choice == "first")
        votes[item] = votes.get(item, 0) + (choice != "tie")
    won, cast = sum(wins.values()), sum(votes.values())
    by_clip, reason = None, ""
    try:
        by_clip = clip_interval(
            list(wins.values()), list(votes.values()), draws=config.draws, level=config.level, seed=config.seed
        )
    except UsageError as error:
        reason = error.message
    return Share(
        wins=won,
        ties=len(choices) - cast,
        losses=cast - won,
        rate=won / cast if cast else None,
        wilson=wilson_interval(won, cast, level=config.level) if cast else None,
        by_clip=by_clip,
        reason=reason,
    )
