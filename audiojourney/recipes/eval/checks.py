"""Can the two sides be compared? What a reader must know, as sentences with counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median

from audiojourney.data.clip import Clip
from audiojourney.errors import ClipError
from audiojourney.metrics.rows import listed
from audiojourney.recipes.eval.listen import Facts, Listened

SILENT = 1e-3  # peak, -60 dB, below which nothing is to be heard
LENGTHS = 1.05  # ratio of median lengths above which they differ


@dataclass
class Census:
    """Counts of one side; memory grows by a few numbers a clip.

    Attributes:
        side: "generated" or "reference".
        rates: files by their sample rate.
        channels: files by their number of channels.
        lengths: of clips, in seconds.
        silent: ids of clips that hold nothing.
        short: ids of clips that were padded, by network.
        hashes: id of the first clip with these bytes; clips of one file at other offsets count as others.
        twice: ids of clips whose bytes stood before.
        failed: clips that could not be used, with the reason.
        cached: clips that did not have to be heard anew.
    """

    side: str
    rates: Counter[int] = field(default_factory=Counter)
    channels: Counter[int] = field(default_factory=Counter)
    lengths: list[float] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    short: dict[str, list[str]] = field(default_factory=dict)
    hashes: dict[tuple[str, float | None], str] = field(default_factory=dict)
    twice: list[str] = field(default_factory=list)
    failed: list[tuple[Clip, ClipError]] = field(default_factory=list)
    cached: int = 0

    def count(self, listened: Listened) -> None:
        """Take in one clip."""
        clip, facts = listened.clip, listened.facts
        if facts is None or listened.fault is not None:
            self.failed.append((clip, listened.fault or ClipError("corrupt", "it could not be used.", str(clip.path))))
            return
        self.cached += listened.cached
        self.rates[round(facts.rate_hz)] += 1
        self.channels[round(facts.channels)] += 1
        self.lengths.append(facts.duration_s)
        if silent(facts):
            self.silent.append(clip.id)
        for network in listened.short:
            self.short.setdefault(network, []).append(clip.id)
        key = (listened.sha256, clip.offset_s)
        if key in self.hashes:
            self.twice.append(clip.id)
        self.hashes.setdefault(key, clip.id)

    @property
    def used(self) -> int:
        """Clips that could be used."""
        return len(self.lengths)


def silent(facts: Facts) -> bool:
    """Say whether a clip holds nothing to be heard."""
    return facts.peak < SILENT


def notes(listened: Listened) -> tuple[str, ...]:
    """Return what is odd about one clip."""
    told = ["silent"] if listened.facts is not None and silent(listened.facts) else []
    if listened.fault is not None:
        told.append(f"{listened.fault.code}: {listened.fault.reason}")
    return (*told, *(f"too short for {network}" for network in listened.short))


def warnings(generated: Census, reference: Census | None, network_hz: int) -> list[str]:
    """Return all that is odd about the sides, each in a sentence with its counts."""
    sides = [generated] if reference is None else [generated, reference]
    told: list[str] = [line for side in sides for line in _of_side(side)]
    if reference is not None and generated.used and reference.used:
        told.extend(_of_both(generated, reference))
    return told + rate_warnings(sides, network_hz)


def rate_warnings(sides: Sequence[Census], network_hz: int) -> list[str]:
    """Return what is odd about sample rates; `network_hz` is the highest that a network takes."""
    told = []
    for side in sides:
        below = sum(count for rate, count in side.rates.items() if rate < network_hz)
        if below:
            told.append(
                f"{below} of {side.used} {side.side} files have a sample rate below the {network_hz} Hz of a network: "
                "their upper band is empty, which raises distances"
            )
    rates = [set(side.rates) for side in sides if side.rates]
    if len(rates) == 2 and rates[0] != rates[1]:
        shown = " and ".join(f"{side.side} files at {_counted(side.rates)} Hz" for side in sides)
        told.append(f"sample rates differ: {shown}")
    return told


def _of_side(side: Census) -> Iterator[str]:
    if side.failed:
        reasons = _counted(Counter(error.code for _, error in side.failed))
        failed = listed([clip.id for clip, _ in side.failed])
        yield f"{len(side.failed)} {side.side} files could not be used ({reasons}) and were left out: {failed}"
    if side.silent:
        yield f"{len(side.silent)} of {side.used} {side.side} clips are silent: {listed(side.silent)}"
    for network, ids in side.short.items():
        yield f"{len(ids)} {side.side} clips are shorter than {network} needs and were padded: {listed(ids)}"
    if side.twice:
        yield f"{len(side.twice)} {side.side} files are copies of others on that side: {listed(side.twice)}"
    mixed = side.channels.keys() - {1}
    if mixed and 1 in side.channels:
        yield f"{side.side} files have {_counted(side.channels)} channels; several become one"


def _of_both(generated: Census, reference: Census) -> Iterator[str]:
    common = generated.hashes.keys() & reference.hashes.keys()
    if common:
        ids = sorted(generated.hashes[key] for key in common)
        yield f"{len(common)} generated files are copies of reference files: {listed(ids)}"
    if generated.used != reference.used:
        yield (
            f"{generated.used} generated and {reference.used} reference clips: distances depend on both numbers, so "
            "compare with results at the same numbers alone"
        )
    lengths = median(generated.lengths), median(reference.lengths)
    if max(lengths) > LENGTHS * min(lengths):
        yield f"generated clips last {lengths[0]:.2f} s and reference clips {lengths[1]:.2f} s at the median"


def _counted(counter: Counter[int] | Counter[str]) -> str:
    """Name values, the most frequent first, with their counts where there are several."""
    if len(counter) == 1:
        return str(next(iter(counter)))
    return ", ".join(f"{value} ({count})" for value, count in counter.most_common())
