"""Metrics of two sets of clips that need all rows at once, so that these are kept; and every metric by its name."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import replace

from numpy.typing import ArrayLike

from audiojourney.errors import UsageError
from audiojourney.metrics.base import Metric, Result
from audiojourney.metrics.conventions import OURS, Convention, Direction
from audiojourney.metrics.divergence import KLDivergence
from audiojourney.metrics.extrapolation import frechet_infinity
from audiojourney.metrics.inception import Inception
from audiojourney.metrics.kernels import kernel_audio_distance
from audiojourney.metrics.names import parse_name
from audiojourney.metrics.neighbours import NEAREST, manifold
from audiojourney.metrics.rows import ClipRows, checked_rows
from audiojourney.metrics.similarity import ClapScore
from audiojourney.metrics.streams import FrechetDistance


class SetMetric(Metric):
    """Keeps the rows of both sides, clip by clip."""

    def __init__(self, name: str, convention: Convention = OURS) -> None:
        self.convention = convention
        super().__init__(name)

    def reset(self) -> None:
        """Forget both sides."""
        self._sides: tuple[list[ArrayLike], list[ArrayLike]] = ([], [])

    def update(self, reference: Iterable[ArrayLike] = (), generated: Iterable[ArrayLike] = ()) -> None:
        """Add clips to either side, each as its rows (k, d) or its one row (d,)."""
        for side, clips in zip(self._sides, (reference, generated), strict=True):
            side.extend(clips)

    def compute(self) -> Result:
        """Measure the clips fed so far.

        Raises:
            UsageError: a side is empty, or cannot be measured.
        """
        if not all(self._sides):
            counts = " and ".join(str(len(side)) for side in self._sides)
            raise UsageError(f"{self.name} needs clips on both sides; {counts} came.")
        reference, generated = (ClipRows.of_clips(side) for side in self._sides)
        for side in (reference, generated):
            checked_rows(side.rows, 1)
        return self.measure(reference, generated)

    @abstractmethod
    def measure(self, reference: ClipRows, generated: ClipRows) -> Result:
        """Measure two sets of clips."""


class KernelAudioDistance(SetMetric):
    """KAD of two sets; see `kernel_audio_distance`."""

    higher_is_better = False

    def measure(self, reference: ClipRows, generated: ClipRows) -> Result:
        """Measure all rows."""
        side = self.convention.kad_bandwidth
        value = kernel_audio_distance(reference.rows, generated.rows, bandwidth=side)
        told = {"kernel": "gaussian", "bandwidth": f"median of {side}", "scale": 100}
        return Result(name=self.name, value=value, count=(len(reference), len(generated)), convention=told)


class FrechetInfinity(SetMetric):
    """Frechet distance at infinitely many clips; see `frechet_infinity`."""

    higher_is_better = False

    def measure(self, reference: ClipRows, generated: ClipRows) -> Result:
        """Draw parts by clip and follow the line."""
        found = frechet_infinity(reference, generated)
        bent = "parts have too few rows for their dimensions: the distances lie on no line over 1/N"
        return Result(
            name=self.name,
            value=found.value,
            count=(len(reference), len(generated)),
            convention={"slope": found.slope, "fit": found.fit, "steps": len(found.shares), "seed": 0},
            warnings=() if found.linear else (bent,),
        )


class Neighbours(SetMetric):
    """Precision, recall, density or coverage, whichever the name begins with; see `manifold`."""

    higher_is_better = True
    min_value = 0.0

    def measure(self, reference: ClipRows, generated: ClipRows) -> Result:
        """Measure all rows."""
        found = manifold(reference.rows, generated.rows)
        value = getattr(found, self.name.partition("_")[0])
        return Result(name=self.name, value=value, count=(len(reference), len(generated)), convention={"k": NEAREST})


def generation_metric(name: str, convention: Convention = OURS) -> Metric:
    """Return the metric of a full name, empty.

    Raises:
        UsageError: there is none of that name, or the name lacks its network.
    """
    return _BUILDERS[parse_name(name).kind](name, convention)


def _reverse(name: str, convention: Convention) -> Metric:
    forward = convention.kl_direction == "reference_generated"
    turned: Direction = "generated_reference" if forward else "reference_generated"
    return KLDivergence(name, replace(convention, kl_direction=turned))


_BUILDERS: dict[str, Callable[[str, Convention], Metric]] = {
    "fad": lambda name, _: FrechetDistance(name),
    "fd": lambda name, _: FrechetDistance(name),
    "fad_inf": FrechetInfinity,
    "fd_inf": FrechetInfinity,
    "kad": KernelAudioDistance,
    "precision": Neighbours,
    "recall": Neighbours,
    "density": Neighbours,
    "coverage": Neighbours,
    "is": Inception,
    "kl": KLDivergence,
    "kl_sigmoid": lambda name, convention: KLDivergence(name, convention, activation="sigmoid"),
    "kl_reverse": _reverse,
    "clap": lambda name, _: ClapScore(name),
}
