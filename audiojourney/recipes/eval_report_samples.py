"""The clips that a report lets one hear: which, and how each is shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from audiojourney.errors import ClipError, UsageError
from audiojourney.recipes.eval.result import EvalResult, FileRow
from audiojourney.recipes.page import media, parts
from audiojourney.recipes.page.markup import Markup, tag

_RANKING = ("clap_", "kl_", "")  # beginnings of the names of scores, the one that ranks clips best first
_MB = 1_000_000


@dataclass(frozen=True, kw_only=True)
class ReportConfig:
    """How much a report shows.

    Attributes:
        samples: most clips that can be heard.
        extremes: so many best and so many worst clips are named, and are heard before others.
        max_mb: no further clip is added once pictures and sounds take so many megabytes.
        most_s: seconds of a clip that are shown.
        rows: most rows of the table of all clips.
        format: how sounds are stored; every browser plays FLAC, Ogg Vorbis is smaller.
    """

    samples: int = 60
    extremes: int = 5
    max_mb: float = 24.0
    most_s: float = 30.0
    rows: int = 2000
    format: Literal["flac", "ogg", "wav"] = "flac"

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            UsageError: one of them is below 0.
        """
        for name in ("samples", "extremes", "max_mb", "most_s", "rows"):
            if getattr(self, name) < 0:
                raise UsageError(f"{name} is {getattr(self, name)}; expected 0 or more.")


REPORT = ReportConfig()


@dataclass(frozen=True, kw_only=True)
class Samples:
    """The clips that are shown.

    Attributes:
        ranked_by: the score that ranks clips, or "" where clips have none.
        higher_is_better: which way that score goes.
        best: clips at its good end, best first.
        worst: clips at its bad end, worst first.
        spread: its values.
        shown: clips with a card, in the order of the result.
        cards: their cards, in the same order.
        places: where the card of a clip is in the page, by its id.
        told: a sentence on how many are shown of how many, and which.
        unreadable: a sentence for each clip that could not be read.
    """

    ranked_by: str
    higher_is_better: bool
    best: tuple[FileRow, ...]
    worst: tuple[FileRow, ...]
    spread: tuple[float, ...]
    shown: tuple[FileRow, ...]
    cards: tuple[Markup, ...]
    places: dict[str, str]
    told: str
    unreadable: tuple[str, ...]


def collect(result: EvalResult, config: ReportConfig) -> Samples:
    """Choose the clips of a report, read them and draw their cards, until the page is as large as it may be."""
    name, higher = ranking(result)
    valued = [(row.scores[name] or 0.0, row) for row in result.files if row.scores.get(name) is not None]
    ranked = [row for _, row in sorted(valued, key=lambda pair: pair[0], reverse=higher)]
    best = ranked[: min(config.extremes, (len(ranked) + 1) // 2)]
    worst = ranked[::-1][: min(config.extremes, len(ranked) // 2)]
    heard = [row for row in result.files if row.generated]
    places = {row.id: f"sample-{number}" for number, row in enumerate(heard)}
    cards, unreadable = _draw(choose(heard, [*best, *worst], config.samples), places, config)
    shown = [row for row in heard if row.id in cards]
    return Samples(
        ranked_by=name,
        higher_is_better=higher,
        best=tuple(best),
        worst=tuple(worst),
        spread=tuple(value for value, _ in valued),
        shown=tuple(shown),
        cards=tuple(cards[row.id] for row in shown),
        places={row.id: places[row.id] for row in shown},
        told=_told(len(shown), len(heard), bool(ranked), config),
        unreadable=tuple(unreadable),
    )


def ranking(result: EvalResult) -> tuple[str, bool]:
    """Return the score that ranks clips, a CLAP score where there is one, and whether higher is better; "" for none."""
    names = list(dict.fromkeys(name for row in result.files for name, value in row.scores.items() if value is not None))
    better = {row.name: row.better for row in result.metrics}
    for start in _RANKING:
        for name in names:
            if name.startswith(start) and (better.get(name) or start):
                return name, better.get(name, "higher") != "lower"
    return "", True


def choose(rows: Sequence[FileRow], first: Sequence[FileRow], most: int) -> list[FileRow]:
    """Return up to `most` rows: those of `first` that are among `rows`, then others, evenly spread over their order."""
    among = {row.id for row in rows}
    chosen = {row.id: row for row in first if row.id in among}
    rest = [row for row in rows if row.id not in chosen]
    left = min(max(0, most - len(chosen)), len(rest))
    evenly = [rest[(2 * number + 1) * len(rest) // (2 * left)] for number in range(left)]
    return [*chosen.values(), *evenly][:most]


def _draw(
    rows: Iterable[FileRow], places: Mapping[str, str], config: ReportConfig
) -> tuple[dict[str, Markup], list[str]]:
    """Return the cards by id, and a sentence for each clip that cannot be read."""
    cards: dict[str, Markup] = {}
    unreadable: list[str] = []
    size = 0
    for row in rows:
        try:
            drawn = _card(row, places[row.id], config)
        except (ClipError, UsageError) as error:
            unreadable.append(f"{row.id} is not shown: {error}")
            continue
        size += len(drawn)
        if size > config.max_mb * _MB:
            break
        cards[row.id] = drawn
    return cards, unreadable


def _card(row: FileRow, place: str, config: ReportConfig) -> Markup:
    """Return the entry of a clip: words, scores, and picture and player of each side."""
    sides = [_side("generated", row.generated, place, config)]
    if row.reference:
        sides.append(_side("reference", row.reference, place, config))
    scores = [
        tag("span", f"{name} ", tag("b", parts.figure(value)), class_="score") for name, value in row.scores.items()
    ]
    keys = {f"data_s{number}": _plain(value) for number, value in enumerate(row.scores.values())}
    return tag(
        "li",
        tag("h3", row.caption or row.id),
        tag("p", " · ".join(part for part in (row.id, row.label) if part), class_="soft"),
        *sides,
        tag("p", *scores, class_="scores") if scores else None,
        tag("p", "; ".join(row.notes), class_="remark") if row.notes else None,
        id=place,
        class_="card",
        data_label=row.label,
        data_place=place.rpartition("-")[2],
        **keys,
    )


def _side(what: str, path: str, place: str, config: ReportConfig) -> Markup:
    wave, rate_hz = media.read_sound(Path(path), config.most_s)
    picture = media.spectrogram(wave, rate_hz, f"spectrogram of the {what} sound")
    sound = media.player(media.sound_uri(wave, rate_hz, config.format), f"{place}-{what}", f"{what} sound")
    return tag("figure", tag("figcaption", what), picture, sound)


def _plain(value: float | None) -> str:
    return "" if value is None else repr(value)


def _told(shown: int, heard: int, ranked: bool, config: ReportConfig) -> str:
    if shown == heard:
        return f"All {heard:,} clips."
    first = f"the best and worst {config.extremes}, and " if ranked and config.extremes else ""
    limits = f"at most {config.samples:,} clips and {config.max_mb:g} MB are put into a page"
    return f"{shown:,} of {heard:,} clips: {first}others evenly spread over the order of ids; {limits}."
