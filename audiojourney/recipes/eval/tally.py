"""What is kept of embeddings for the metrics of one network, and the metrics made of it.

Frechet distances keep factors of covariances alone, so their memory does not grow with the number of clips. Other
metrics keep the rows or logits they need.

k rows of a clip, d dimensions, K classes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from audiojourney.errors import UsageError
from audiojourney.metrics.base import Interval, Result
from audiojourney.metrics.conventions import Convention
from audiojourney.metrics.embedders import Heard
from audiojourney.metrics.frechet import Gaussian, frechet_distance
from audiojourney.metrics.inception import inception_score
from audiojourney.metrics.intervals import bootstrap_interval, subsampling_interval
from audiojourney.metrics.kernels import kernel_audio_distance
from audiojourney.metrics.rows import ClipRows
from audiojourney.metrics.sets import SetMetric, generation_metric
from audiojourney.metrics.similarity import cosines
from audiojourney.metrics.streams import GroupedGaussian, size_warnings

Side = Literal["reference", "generated"]
SIDES: tuple[Side, Side] = ("reference", "generated")
FRECHET = ("fad", "fd")
SETS = ("kad", "precision", "recall", "density", "coverage", "fad_inf", "fd_inf")
LEAST = {"fad": 0.0, "fd": 0.0, "is": 1.0}  # values below which a metric cannot be
KL = ("kl", "kl_sigmoid", "kl_reverse")
_NO_CAPTION = "no clip that could be heard has a caption; name some with --captions"
FEWEST = 2  # clips of a set
SLOW_ROWS, SLOW_DRAWS = 512, 20  # parts with more rows and dimensions than this are measured fewer times
MOST_ROWS = 3000  # of a kernel distance that gets an interval


class Tally:
    """Collects what the metrics of one network need.

    Args:
        kinds: which metrics.
        convention: choices that numbers depend on.
        clips: numbers of clips of reference and generated side.
        draws: parts for an interval; 0 for none.
        seed: of what is drawn.
        statistics: mean and spread in place of the reference, by kind.
    """

    def __init__(
        self,
        kinds: Sequence[str],
        convention: Convention,
        clips: tuple[int, int],
        *,
        draws: int = 0,
        seed: int = 0,
        statistics: dict[str, Gaussian] | None = None,
    ) -> None:
        self.kinds, self.convention, self.draws, self.seed = tuple(kinds), convention, draws, seed
        self.statistics = statistics or {}
        self.counts = dict.fromkeys(SIDES, 0)
        self._alone = not clips[0]
        self.gaussians = {
            (kind, side): GroupedGaussian(count, seed)
            for kind in kinds
            if kind in FRECHET
            for side, count in zip(SIDES, clips, strict=True)
        }
        self._rows: dict[tuple[str, Side], list[np.ndarray]] = {}
        self._logits: dict[Side, dict[str, np.ndarray]] = {side: {} for side in SIDES}
        self.scores: dict[str, dict[str, float]] = {}
        self._mute = 0

    def feed(self, side: Side, key: str, heard: Heard, text: np.ndarray | None = None) -> None:
        """Take in one clip.

        Args:
            side: which one.
            key: name that partners share.
            heard: what the network made of it.
            text: embedding (d,) of its caption, for CLAP.
        """
        self.counts[side] += 1
        for kind in self.kinds:
            if kind in FRECHET:
                self.gaussians[kind, side].update(_rows(kind, heard))
        for use in {_use(kind) for kind in self.kinds if kind in SETS}:
            self._rows.setdefault((use, side), []).append(_rows(use, heard))
        if heard.logits is not None and (any(kind in KL for kind in self.kinds) or (side, "is") in self._listed()):
            self._logits[side][key] = heard.logits
        if "clap" in self.kinds and side == "generated" and text is not None:
            self._match(key, heard.rows[:1], text[None])

    def _match(self, key: str, audio: np.ndarray, text: np.ndarray) -> None:
        """Score a clip (1, d) against its caption (1, d); silence may have an embedding of zero, which has no score."""
        if audio.any() and text.any():
            self.scores.setdefault("clap", {})[key] = float(cosines(audio, text)[0])
        else:
            self._mute += 1

    def measure(self, name: str, kind: str, pairs_fault: str = "") -> tuple[Result, Interval | None]:
        """Return a metric, or the reason why it cannot be measured, and its interval.

        Args:
            name: full name of the metric.
            kind: its kind.
            pairs_fault: why clips have no partners, for metrics of pairs.
        """
        try:
            fault = self._fault(kind, pairs_fault)
            if fault:
                return Result(name=name, reason=fault, count=self._count(kind)), None
            result, find = self._measured(name, kind)
        except UsageError as error:
            return Result(name=name, reason=str(error), count=self._count(kind)), None
        wanted = self.draws and result.value is not None
        return result, self._interval(find, LEAST.get(kind, -math.inf)) if wanted else None

    def _listed(self) -> set[tuple[Side, str]]:
        return {("generated", "is")} if "is" in self.kinds else set()

    def _count(self, kind: str) -> tuple[int, ...]:
        if kind in (*KL, "clap"):
            return (len(self.scores.get("clap", ())) if kind == "clap" else len(self._paired()),)
        return (self.counts["generated"],) if kind == "is" else tuple(self.counts[side] for side in SIDES)

    def _paired(self) -> list[str]:
        return [key for key in self._logits["reference"] if key in self._logits["generated"]]

    def _fault(self, kind: str, pairs_fault: str) -> str:
        if kind in KL:
            return pairs_fault or ("" if self._paired() else "no clip could be heard on both sides")
        if kind == "clap":
            return "" if self.scores.get("clap") else self._told_mute() or _NO_CAPTION
        sides: tuple[Side, ...] = ("generated",) if kind == "is" or kind in self.statistics else SIDES
        if "reference" in sides and self._alone:
            return "there is no reference"
        few = [f"{self.counts[side]} on the {side} side" for side in sides if self.counts[side] < FEWEST]
        return f"it needs {FEWEST} clips or more, not {' and '.join(few)}" if few else ""

    def _told_mute(self) -> str:
        told = "clips have no CLAP score: the embedding of the sound or of its caption is zero, which has no direction"
        return f"{self._mute} {told}" if self._mute else ""

    def _measured(self, name: str, kind: str) -> tuple[Result, Callable[[], Interval] | None]:
        if kind in FRECHET:
            return self._frechet(name, kind)
        if kind in SETS:
            return self._set(name, kind)
        if kind == "is":
            return self._inception(name)
        if kind == "clap":
            scores = self.scores["clap"]
            values = list(scores.values())
            told = (self._told_mute(),) if self._mute else ()
            result = Result(name=name, value=float(np.mean(values)), count=(len(values),), warnings=told)
            return result, lambda: bootstrap_interval(values, seed=self.seed)
        return self._divergence(name, kind)

    def _frechet(self, name: str, kind: str) -> tuple[Result, Callable[[], Interval]]:
        generated, known = self.gaussians[kind, "generated"], self.statistics.get(kind)
        reference = self.gaussians[kind, "reference"]
        whole = known or reference.gaussian()
        gaussian = generated.gaussian()
        value = frechet_distance(whole, gaussian)
        told = size_warnings(whole.rows, gaussian.rows, len(gaussian.mean))
        result = Result(
            name=name,
            value=value,
            count=self._count(kind) if known is None else (self.counts["generated"],),
            convention={"rows": [whole.rows, gaussian.rows]},
            warnings=tuple(told),
        )

        def find() -> Interval:
            """The interval, from parts of one side or of both."""
            slow = min(len(gaussian.mean), whole.rows, gaussian.rows) > SLOW_ROWS
            draws = min(self.draws, SLOW_DRAWS) if slow else self.draws
            if known is not None:
                return subsampling_interval(
                    lambda parts: frechet_distance(known, generated.gaussian(parts[0])),
                    [len(generated.groups)],
                    value=value,
                    draws=draws,
                    seed=self.seed,
                )
            return subsampling_interval(
                lambda parts: frechet_distance(reference.gaussian(parts[0]), generated.gaussian(parts[1])),
                [len(reference.groups), len(generated.groups)],
                value=value,
                draws=draws,
                seed=self.seed,
            )

        return result, find

    def _set(self, name: str, kind: str) -> tuple[Result, Callable[[], Interval] | None]:
        metric = generation_metric(name, self.convention)
        assert isinstance(metric, SetMetric), f"{name} keeps rows"
        sides = [self._rows[_use(kind), side] for side in SIDES]
        metric.update(reference=sides[0], generated=sides[1])
        result = metric.compute()
        reference, generated = (ClipRows.of_clips(side) for side in sides)
        if kind != "kad" or max(len(reference.rows), len(generated.rows)) > MOST_ROWS:
            return result, None
        width = self.convention.kad_bandwidth
        return result, lambda: subsampling_interval(
            lambda p: kernel_audio_distance(reference.pick(p[0]), generated.pick(p[1]), bandwidth=width),
            [len(reference), len(generated)],
            value=result.value,
            draws=self.draws,
            seed=self.seed,
        )

    def _inception(self, name: str) -> tuple[Result, Callable[[], Interval]]:
        logits = np.stack(list(self._logits["generated"].values()))
        splits, seed = self.convention.is_splits, self.convention.is_seed
        score = inception_score(logits, splits=splits, seed=seed)
        told = {"splits": splits, "seed": seed, "std_over_splits": score.std}
        result = Result(name=name, value=score.mean, count=(len(logits),), convention=told)
        return result, lambda: subsampling_interval(
            lambda parts: inception_score(logits[parts[0]], splits=splits, seed=seed).mean,
            [len(logits)],
            value=score.mean,
            draws=self.draws,
            seed=self.seed,
        )

    def _divergence(self, name: str, kind: str) -> tuple[Result, Callable[[], Interval]]:
        metric = generation_metric(name, self.convention)
        keys = self._paired()
        for side in SIDES:
            metric.update(side, keys, np.stack([self._logits[side][key] for key in keys]))  # type: ignore[attr-defined]
        result = metric.compute()
        values = [float(value) for value in result.per_item or () if value is not None]
        self.scores[kind] = dict(zip(keys, values, strict=True))
        return replace(result, per_item=None), lambda: bootstrap_interval(values, seed=self.seed)

    def _interval(self, find: Callable[[], Interval] | None, least: float) -> Interval | None:
        """Return the interval within what values the metric can have, or None where there are too few clips."""
        try:
            found = find() if find else None
        except UsageError:
            return None
        return found and replace(found, low=max(found.low, least), high=max(found.high, least))


def _use(kind: str) -> str:
    """Return whether a metric of sets is of rows in the course of clips or of whole clips."""
    return "fad" if kind == "fad_inf" else "fd"


def _rows(kind: str, heard: Heard) -> np.ndarray:
    """Rows (k, d) of a clip: those in its course, or the one of the whole where the network has one."""
    return heard.rows if kind == "fad" or heard.whole is None else heard.whole[None]
