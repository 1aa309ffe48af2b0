"""Generated sounds measured against reference sounds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from audiojourney import hub
from audiojourney.data.clip import Caption, Clip
from audiojourney.errors import MissingError, UsageError
from audiojourney.metrics.conventions import convention
from audiojourney.metrics.rows import listed
from audiojourney.models.device import find_device
from audiojourney.recipes.eval import checks, sides, stats
from audiojourney.recipes.eval.listen import Ears, Listened
from audiojourney.recipes.eval.make import make_sounds
from audiojourney.recipes.eval.networks import Network
from audiojourney.recipes.eval.plan import OF_STATISTICS, Planner, Slot
from audiojourney.recipes.eval.result import FileRow, MetricRow
from audiojourney.recipes.eval.rows import HIGHER, metric_row
from audiojourney.recipes.eval.settings import EvalConfig
from audiojourney.recipes.eval.tally import FRECHET, Side, Tally
from audiojourney.recipes.eval.texts import read_texts

CACHE = "embeddings"
Warn = Callable[[str], None]
OnStep = Callable[[int, int], None]


class SoundEvaluation:
    """Measures two sides of sounds.

    Args:
        config: what is asked for.
        generated: what is measured: folder, manifest or model.
        reference: what it is measured against, or "".
        warn: is told what a reader must know.
        on_step: is told how many of how many clips, or of the steps of a model, are done.
    """

    def __init__(self, config: EvalConfig, generated: str, reference: str, warn: Warn, on_step: OnStep) -> None:
        self.config, self._warn, self._on_step = config, warn, on_step
        self.convention = convention(config.convention)
        self.texts = read_texts(config.captions) if config.captions else {}
        self.reference = self._captioned(sides.read_side(reference, config.limit)) if reference else ()
        known = stats.read_statistics(config.reference_stats) if config.reference_stats else None
        planner = Planner(config, str(find_device(config.device)), warn)
        self.slots = planner.slots(bool(self.reference))
        self.generated = self._made(generated)
        self.partners = sides.partners(self.generated, self.reference, config.pair)
        self.generated = sides.with_captions(self.generated, self.partners, self.reference)
        self.census = {"generated": checks.Census("generated"), "reference": checks.Census("reference")}
        self.networks = list({s.network.key: s.network for s in self.slots if s.network is not None}.values())
        self.tallies = {network.key: self._tally(network, known) for network in self.networks}
        self._notes: dict[str, tuple[str, ...]] = {}

    def run(self) -> tuple[list[MetricRow], list[FileRow]]:
        """Listen to both sides and measure.

        Raises:
            ClipError: a file cannot be used and `on_error` is `fail`.
            UsageError: sample rates differ and `rate_check` is `error`.
        """
        keys = self._keys()
        if not self.networks:  # every slot says why
            return [self._row(slot) for slot in self.slots], self._files(keys["generated"])
        ears = self._ears()
        done, total = 0, len(self.reference) + len(self.generated)
        both: tuple[tuple[Side, tuple[Clip, ...]], ...] = (("reference", self.reference), ("generated", self.generated))
        for side, clips in both:
            for place, listened in enumerate(ears.listen(clips)):
                self._take(side, keys[side][place], listened)
                done += 1
                self._on_step(done, total)
        self._check()
        rows = [self._row(slot) for slot in self.slots]
        if self.config.save_stats is not None:
            self._save(self.config.save_stats)
        return rows, self._files(keys["generated"])

    @property
    def failed(self) -> int:
        """Files of both sides that could not be used."""
        return sum(len(census.failed) for census in self.census.values())

    def _made(self, generated: str) -> tuple[Clip, ...]:
        if not sides.is_model(generated):
            return self._captioned(sides.read_side(generated, self.config.limit))
        if not self.reference:
            hub.resolve_model(generated)
            raise MissingError(
                f"{generated!r} is a model; sounds are made from the captions of a reference, and none is named.",
                f"aj eval {generated} REFERENCE",
            )
        return make_sounds(self.config, generated, self.reference, self._warn, self._on_step)

    def _captioned(self, clips: tuple[Clip, ...]) -> tuple[Clip, ...]:
        """Give clips the captions of the file that was named for that."""
        if not self.texts:
            return clips
        return tuple(
            replace(clip, captions=tuple(Caption(text) for text in self.texts[name])) if name in self.texts else clip
            for clip in clips
            for name in [clip.id if clip.id in self.texts else sides.bare_id(clip)]
        )

    def _tally(self, network: Network, known: stats.Statistics | None) -> Tally:
        kinds = [slot.kind for slot in self.slots if slot.network is network]
        distances = known is not None and any(kind in OF_STATISTICS for kind in kinds)
        statistics = known.of(network, self.convention) if known is not None and distances else {}
        lacking = [kind for kind in kinds if kind in OF_STATISTICS and known is not None and kind not in statistics]
        if lacking:
            self._warn(f"the reference statistics hold nothing of {network.embedder.name} for {', '.join(lacking)}")
        return Tally(
            kinds,
            self.convention,
            (len(self.reference), len(self.generated)),
            draws=self.config.draws if self.config.intervals else 0,
            seed=self.config.seed,
            statistics=statistics,
        )

    def _ears(self) -> Ears:
        folder = hub.cache(CACHE) if self.config.cache else None
        return Ears(self.networks, self.convention, folder, self.config.workers)

    def _keys(self) -> Mapping[str, list[str]]:
        """Return the name of each clip that its partner shares; paired metrics know clips by it."""
        reference = [f"r{place}" for place in range(len(self.reference))]
        partner = self.partners.places or {}
        mine = [f"r{partner[place]}" if place in partner else f"g{place}" for place in range(len(self.generated))]
        return {"reference": reference, "generated": mine}

    def _take(self, side: Side, key: str, listened: Listened) -> None:
        """Count a clip and give it to the tallies."""
        if listened.fault is not None and self.config.on_error == "fail":
            raise listened.fault
        self.census[side].count(listened)
        if side == "generated":
            self._notes[key] = checks.notes(listened)
        for network in self.networks:
            if network.key in listened.heard and listened.fault is None:
                tally = self.tallies[network.key]
                tally.feed(side, key, listened.heard[network.key], self._text(network, side, listened.clip))

    def _text(self, network: Network, side: Side, clip: Clip) -> np.ndarray | None:
        wanted = side == "generated" and network.scorer is not None and clip.text.strip()
        return network.scorer.embed_text([clip.text])[0] if wanted and network.scorer is not None else None

    def _check(self) -> None:
        """Say all that is odd about the sides."""
        generated, reference = self.census["generated"], self.census["reference"] if self.reference else None
        highest = max((network.embedder.rate_hz for network in self.networks), default=0)
        present = [generated] if reference is None else [generated, reference]
        odd = checks.rate_warnings(present, highest)
        if odd and self.config.rate_check == "error":
            raise UsageError(f"{odd[0]}.", "--rate-check warn measures all the same.")
        for text in checks.warnings(generated, reference, highest):
            self._warn(text)
        self._check_captions()
        if self.reference and self.partners.fault:
            self._warn(f"clips have no partners: {self.partners.fault}")
        elif self.partners.lonely or self.partners.missed:
            self._warn(self._unpaired())

    def _check_captions(self) -> None:
        """Say which captions belong to no clip, and which clips CLAP leaves out."""
        ids = {name for clip in (*self.generated, *self.reference) for name in (clip.id, sides.bare_id(clip))}
        unused = [name for name in self.texts if name not in ids]
        if unused:
            self._warn(f"{len(unused)} of {len(self.texts)} captions are of no clip: {listed(unused)}")
        silent = [clip.id for clip in self.generated if not clip.text.strip()]
        if any(slot.kind == "clap" for slot in self.slots) and 0 < len(silent) < len(self.generated):
            self._warn(f"{len(silent)} generated clips have no caption and no CLAP score: {listed(silent)}")

    def _unpaired(self) -> str:
        lonely, missed = self.partners.lonely, self.partners.missed
        told = [f"{len(lonely)} generated clips have no reference: {listed(lonely)}"] if lonely else []
        told += [f"{len(missed)} reference clips were not generated: {listed(missed)}"] if missed else []
        return "; ".join(told)

    def _pairs_fault(self) -> str:
        """Say why metrics of pairs cannot be measured, or ""."""
        if self.partners.fault:
            return self.partners.fault
        if (self.partners.lonely or self.partners.missed) and not self.config.allow_missing:
            return f"{self._unpaired()}; --allow-missing measures the common ones"
        return ""

    def _row(self, slot: Slot) -> MetricRow:
        better = "higher" if slot.kind in HIGHER else "lower"
        if slot.network is None:
            return MetricRow(name=slot.name, better=better, reason=slot.reason)
        result, interval = self.tallies[slot.network.key].measure(slot.name, slot.kind, self._pairs_fault())
        about: dict[str, Any] = {"convention": self.convention.name, "resampler": self.convention.resampler}
        about |= {"channels": self.convention.channels, "rate_hz": slot.network.embedder.rate_hz}
        return metric_row(replace(result, convention=about | dict(result.convention)), interval, better, slot.network)

    def _files(self, keys: Sequence[str]) -> list[FileRow]:
        tables = {
            slot.name: self.tallies[slot.network.key].scores[slot.kind]
            for slot in self.slots
            if slot.network is not None and slot.kind in self.tallies[slot.network.key].scores
        }
        partner = self.partners.places or {}
        found = []
        for place, (clip, key) in enumerate(zip(self.generated, keys, strict=True)):
            other = self.reference[partner[place]] if place in partner else None
            found.append(
                FileRow(
                    id=clip.id,
                    generated=str(clip.path),
                    reference=str(other.path) if other else "",
                    caption=clip.text,
                    label=next(iter((other.labels if other else ()) or clip.labels), ""),
                    scores={name: scores.get(key) for name, scores in tables.items()},
                    notes=self._notes.get(key, ()),
                )
            )
        return found

    def _save(self, path: Path) -> None:
        """Write mean and spread of the generated side for every Frechet distance that was measured."""
        gaussians = {
            (network.embedder.name, kind): tally.gaussians[kind, "generated"].gaussian()
            for network in self.networks
            for tally in [self.tallies[network.key]]
            for kind in tally.kinds
            if kind in FRECHET and tally.counts["generated"] > 1
        }
        if not gaussians:
            raise UsageError(
                f"There are no statistics for {str(path)!r}.", "Ask for --fad or --fd, of two clips or more."
            )
        listening = [network for network in self.networks if {*self.tallies[network.key].kinds} & {*FRECHET}]
        weights = {network.embedder.name: network.sha256 for network in listening}
        clips = self.census["generated"].used
        stats.write_statistics(
            path, stats.Statistics(gaussians, weights, self.convention.name, clips, self.config.generated)
        )
