"""What will be heard in a scene: the draw of sounds, times, levels, distance and room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from audiojourney.data.scenes.concepts import ALIKE, CLOSE_UP
from audiojourney.data.scenes.grammar import PATTERNS, RELATIONS, Relation
from audiojourney.data.scenes.scene import SceneConfig
from audiojourney.data.scenes.source import Source
from audiojourney.errors import UsageError
from audiojourney.registry import offer

# A continuous sound comes and goes softly where it does not fill the scene; of single events only the cut is hidden.
FADE_CONTINUOUS_S = 0.25
FADE_EVENTS_S = 0.02

# Sounds in sequence take equal shares of the scene, each varied by as much.
SHARE_JITTER = 0.3

# Gap or overlap in a short scene, as a share of what each sound has of it.
MAX_GAP_SHARE = 0.2


@dataclass(frozen=True, kw_only=True)
class Part:
    """One sound to be rendered into a scene.

    Attributes:
        concept: name of the source.
        start_s: where its part of the scene begins.
        end_s: where it ends.
        fade_s: fade at the ends of the part.
        level_db: active level to bring it to.
        role: whether it stands in front.
        room_t60_s: reverberation time of the room.
        wet: gain of the room, 0 for none.
        distance: "near", "far", or None where no distance shall be heard.
        far_cutoff_hz: low-pass of a far sound, 0 for none.
    """

    concept: str
    start_s: float
    end_s: float
    fade_s: float
    level_db: float
    role: Literal["foreground", "background"]
    room_t60_s: float
    wet: float
    distance: Literal["near", "far"] | None = None
    far_cutoff_hz: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The sounds of a scene and how they belong together; for "background" the background is last."""

    relation: Relation
    parts: tuple[Part, ...]


def draw(
    rng: np.random.Generator,
    config: SceneConfig,
    sources: Mapping[str, Source],
    concepts: Sequence[str] | None = None,
    relation: Relation | None = None,
) -> Plan:
    """Draw a plan; what is given is kept.

    Raises:
        UsageError: an unknown sound, or a relation that does not fit the number of sounds.
    """
    count = len(concepts) if concepts else _count(rng, config, relation)
    chosen_relation = relation or _relation(rng, config, count)
    if (chosen_relation, count) not in PATTERNS:
        raise UsageError(
            f"{count} sounds cannot have the relation {relation!r}.", f"Relations: {', '.join(RELATIONS)}."
        )
    if concepts:
        chosen = _known(concepts, sources)
    else:
        chosen = _choose(rng, sources, count, mixed=chosen_relation != "sequence")
        if chosen_relation == "background":
            chosen = _background_last(rng, config, sources, chosen)
    return Plan(relation=chosen_relation, parts=_parts(rng, config, sources, chosen, chosen_relation))


def _count(rng: np.random.Generator, config: SceneConfig, relation: Relation | None) -> int:
    weights = np.array(config.count_weights, dtype=float)
    if relation == "single":
        return 1
    if relation is not None:
        weights[0] = 0
        if weights.sum() == 0:
            return 2
    return 1 + int(rng.choice(3, p=weights / weights.sum()))


def _relation(rng: np.random.Generator, config: SceneConfig, count: int) -> Relation:
    weights = np.array(config.relation_weights, dtype=float)
    drawn = RELATIONS[1 + int(rng.choice(3, p=weights / weights.sum()))]
    return "single" if count == 1 else drawn


def _known(concepts: Sequence[str], sources: Mapping[str, Source]) -> list[str]:
    for concept in concepts:
        if concept not in sources:
            raise UsageError(f"There is no recipe for {concept!r}.", offer(concept, sources))
    if len(set(concepts)) < len(concepts):
        raise UsageError(f"A scene names each sound once, not {', '.join(concepts)}.")
    return list(concepts)


def _choose(rng: np.random.Generator, sources: Mapping[str, Source], count: int, mixed: bool) -> list[str]:
    """Different sounds, each equally likely; of sounds that would drown in each other when mixed, only one."""
    if count > len(sources):
        raise UsageError(f"A scene of {count} sounds needs as many recipes, not {len(sources)}.")
    chosen: list[str] = []
    order = [list(sources)[int(index)] for index in rng.permutation(len(sources))]
    for name in order:
        if not (mixed and any({name, other} <= alike for other in chosen for alike in ALIKE)):
            chosen.append(name)
        if len(chosen) == count:
            return chosen
    return order[:count]


def _background_last(
    rng: np.random.Generator, config: SceneConfig, sources: Mapping[str, Source], chosen: list[str]
) -> list[str]:
    if rng.random() < config.background_continuous:
        return sorted(chosen, key=lambda name: sources[name].continuous)
    return chosen


def _parts(
    rng: np.random.Generator,
    config: SceneConfig,
    sources: Mapping[str, Source],
    chosen: Sequence[str],
    relation: Relation,
) -> tuple[Part, ...]:
    room_wet = float(rng.uniform(*config.wet)) if rng.random() < config.room_share else 0.0
    room_t60_s, base_db = float(rng.uniform(*config.room_t60_s)), float(rng.uniform(*config.level_db))
    parts = []
    for index, (start_s, end_s) in enumerate(_times(rng, config, len(chosen), relation)):
        behind = relation == "background" and index == len(chosen) - 1
        part = Part(
            concept=chosen[index],
            start_s=start_s,
            end_s=end_s,
            fade_s=FADE_CONTINUOUS_S if sources[chosen[index]].continuous else FADE_EVENTS_S,
            level_db=base_db + (rng.uniform(-0.5, 0.5) * config.spread_db if len(chosen) > 1 else 0.0),
            role="background" if behind else "foreground",
            room_t60_s=room_t60_s,
            wet=room_wet,
        )
        if behind:
            part = replace(part, level_db=base_db - config.spread_db / 2 - rng.uniform(*config.background_db))
        parts.append(_at_distance(rng, config, part, relation))
    return tuple(parts)


def _times(rng: np.random.Generator, config: SceneConfig, count: int, relation: Relation) -> list[tuple[float, float]]:
    """Start and end of each sound: all of the scene, or in sequence a share of it each."""
    if relation != "sequence":
        return [(0.0, config.duration_s)] * count
    shares = rng.uniform(1 - SHARE_JITTER, 1 + SHARE_JITTER, count)
    cuts_s = np.cumsum(shares[:-1]) / shares.sum() * config.duration_s
    widest_s = MAX_GAP_SHARE * config.duration_s / count
    gaps_s = np.clip(rng.uniform(*config.gap_s, count - 1), -widest_s, widest_s)
    starts = [0.0, *(float(cut + gap / 2) for cut, gap in zip(cuts_s, gaps_s, strict=True))]
    ends = [*(float(cut - gap / 2) for cut, gap in zip(cuts_s, gaps_s, strict=True)), config.duration_s]
    return list(zip(starts, ends, strict=True))


def _at_distance(rng: np.random.Generator, config: SceneConfig, part: Part, relation: Relation) -> Part:
    """Put a sound near or far where that can be told: not among equals that sound at the same time."""
    drawn, far_db, cutoff_hz = (
        rng.random(),
        float(rng.uniform(*config.far_db)),
        float(rng.uniform(*config.far_cutoff_hz)),
    )
    wet = float(rng.uniform(*config.far_wet))
    behind = part.role == "background"
    if not (behind or relation in ("single", "sequence")):
        return part
    if drawn < config.far_share and part.concept not in CLOSE_UP:
        # A background is quieter already.
        level_db = part.level_db - (0.0 if behind else far_db)
        return replace(part, distance="far", level_db=level_db, far_cutoff_hz=cutoff_hz, wet=wet)
    if drawn > 1 - config.near_share and not behind:
        return replace(part, distance="near", wet=0.0)
    return part
