"""Scenes of one to three sounds: which, when, how loud, how far, in which room, and in which words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from audiojourney.data.scenes import dsp, mixing, planning
from audiojourney.data.scenes.captions import Placed, describe
from audiojourney.data.scenes.catalogue import SOURCES
from audiojourney.data.scenes.dsp import Signal
from audiojourney.data.scenes.grammar import Relation
from audiojourney.data.scenes.planning import Part, Plan
from audiojourney.data.scenes.scene import Scene, SceneConfig, SceneEvent
from audiojourney.data.scenes.source import Source

__all__ = ["Scene", "SceneConfig", "SceneEvent", "compose"]

# Independent random streams of one scene, so that new caption patterns never change its sound.
_PLAN, _CAPTIONS, _SOUND = 0, 1, 2


@dataclass(frozen=True)
class _Track:
    """One sound on its own track of the length of the scene, at its final level."""

    wave: Signal
    events: mixing.Events
    placed: Placed


def compose(
    seed: int,
    config: SceneConfig,
    *,
    concepts: Sequence[str] | None = None,
    relation: Relation | None = None,
    sources: Mapping[str, Source] = SOURCES,
) -> Scene:
    """Make one scene; equal arguments give equal scenes.

    Args:
        seed: number of the scene, from 0 on.
        config: length, levels, and how often what happens.
        concepts: the sounds, in the order of time for "sequence" and with the background last for "background"; drawn
            when None.
        relation: how they belong together; drawn when None.
        sources: recipes to choose from.

    Raises:
        UsageError: an unknown sound, or a relation that does not fit the number of sounds.
    """
    plan = planning.draw(np.random.default_rng([seed, _PLAN]), config, sources, concepts, relation)
    tracks: list[_Track] = []
    for index, part in enumerate(plan.parts):
        track = _render(np.random.default_rng([seed, _SOUND + index]), config, sources[part.concept], part)
        tracks.append(_together(track, tracks, config) if plan.relation != "sequence" else track)
    wave, tracks = _mix(tracks, config.peak)
    return _scene(seed, config, plan, wave, tracks)


def _render(rng: np.random.Generator, config: SceneConfig, source: Source, part: Part) -> _Track:
    samples = round(config.duration_s * config.rate_hz)
    length = min(dsp.seconds(part.end_s - part.start_s, config.rate_hz), samples)
    rendered = source.render(rng, length, config.rate_hz)
    wave = mixing.lay_out(rendered.wave, config.rate_hz, samples, part.start_s, part.fade_s)
    if part.far_cutoff_hz:
        wave = mixing.far_away(wave, config.rate_hz, part.far_cutoff_hz)
    if part.wet:
        wave = dsp.reverb(rng, wave, config.rate_hz, part.room_t60_s, part.wet)
    events = _within(rendered.events, part.start_s, config.duration_s)
    first_s, last_s = mixing.span(events)
    placed = Placed(
        concept=part.concept,
        start_s=first_s,
        end_s=last_s,
        level_db=part.level_db,
        role=part.role,
        attributes=_attributes(rendered.attributes, part),
    )
    return _Track(mixing.to_level(wave, config.rate_hz, part.level_db), events, placed)


def _attributes(rendered: Mapping[str, str], part: Part) -> dict[str, str]:
    """What is true of the sound in its place: a recipe that sounds far away by itself stays far."""
    attributes = dict(rendered)
    if part.distance and attributes.get("distance") != "far":
        attributes["distance"] = part.distance
    return attributes


def _within(events: Sequence[tuple[float, float]], start_s: float, duration_s: float) -> mixing.Events:
    moved = ((start_s + start, min(start_s + end, duration_s)) for start, end in events)
    return tuple((max(start, 0.0), end) for start, end in moved if end > max(start, 0.0))


def _together(track: _Track, others: Sequence[_Track], config: SceneConfig) -> _Track:
    """Bring a later sound forward until it is heard together with those before it."""
    if not others:
        return track
    # A sound that comes earlier cannot be moved back without cutting its end, so it meets the others as it is.
    move_s = min(mixing.shift_to_meet(track.events, other.events) for other in others)
    start = -round(move_s * config.rate_hz)
    if not start:
        return track
    wave = np.concatenate([dsp.fade(track.wave[start:], config.rate_hz, 0.0, 0.02), np.zeros(start)])
    first_s, last_s = track.placed.start_s + move_s, track.placed.end_s + move_s
    return _Track(
        wave, _within(track.events, move_s, config.duration_s), replace(track.placed, start_s=first_s, end_s=last_s)
    )


def _mix(tracks: Sequence[_Track], peak: float) -> tuple[Signal, list[_Track]]:
    """Add up the tracks; where the sum would pass `peak`, everything becomes quieter alike and says so."""
    wave = np.sum([track.wave for track in tracks], axis=0)
    gain = min(1.0, peak / max(float(np.max(np.abs(wave))), 1e-9))
    loss_db = 20 * float(np.log10(gain))
    quieter = [
        _Track(gain * track.wave, track.events, replace(track.placed, level_db=track.placed.level_db + loss_db))
        for track in tracks
    ]
    return (gain * wave).astype(np.float32), quieter


def _scene(seed: int, config: SceneConfig, plan: Plan, wave: Signal, tracks: Sequence[_Track]) -> Scene:
    events = [
        SceneEvent(
            label=track.placed.concept,
            start_s=round(start_s, 4),
            end_s=round(end_s, 4),
            level_db=round(track.placed.level_db, 2),
        )
        for track in tracks
        for start_s, end_s in track.events
    ]
    placed = tuple(track.placed for track in tracks)
    caption_rng = np.random.default_rng([seed, _CAPTIONS])
    return Scene(
        wave=wave,
        labels=tuple(sound.concept for sound in sorted(placed, key=lambda sound: sound.start_s)),
        captions=describe(placed, plan.relation, caption_rng, config.captions),
        events=tuple(sorted(events, key=lambda event: event.start_s)),
        relation=plan.relation,
        placed=placed,
        seed=seed,
    )
