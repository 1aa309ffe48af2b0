"""Gate: of two sounds asked for in one sentence, both can be heard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from audiojourney.data.scenes.catalogue import SOURCES
from audiojourney.data.scenes.compose import compose
from audiojourney.data.scenes.concepts import RECORDED as ONLY_RECORDED
from audiojourney.data.scenes.scene import SceneConfig
from audiojourney.data.scenes.source import Rendered, Source
from audiojourney.recipes.pocket_eval.bench import Bench
from audiojourney.recipes.pocket_eval.figures import Figure
from audiojourney.recipes.pocket_eval.judges import Judge
from audiojourney.recipes.pocket_eval.prompts import PAIRS_FIRST, Order, Pair, unseen_pairs
from audiojourney.recipes.pocket_eval.settings import PAIR_SEEDS
from audiojourney.recipes.pocket_eval.sounds import Heard, Sounds, hear, read_recordings
from audiojourney.recipes.pocket_eval.windows import Course, follow

GATE = "scenes"
LEAST = 0.5
TAKES = 2  # clips of each prompt

Rule = Callable[[Course, Pair], bool]


def measure(bench: Bench) -> list[Figure]:
    """Listen for both sounds with both judges; the gate hangs on the strict one."""
    pairs = [pair for pair in unseen_pairs() for _ in range(TAKES)]
    order = Order(
        tuple(pair.prompt for pair in pairs),
        tuple(f"{pair.first}+{pair.second}" for pair in pairs),
        PAIRS_FIRST,
        bench.config.scene_s,
    )
    made = bench.make(order)
    figures = []
    for judge in bench.judges:
        recordings = read_recordings(bench.recordings, judge.recipe.test_folds)
        real = compose_pairs(pairs, recordings, bench.config.scene_s)
        figures += compare(judge, pairs, made, real, counts=judge is bench.strict)
    return figures


def compare(judge: Judge, pairs: Sequence[Pair], made: Heard, real: Heard, *, counts: bool) -> list[Figure]:
    """Share of clips in which both sounds are named, beside that of composed scenes and of mismatched prompts.

    Args:
        judge: who listens.
        pairs: what clip i of both sets should hold.
        made: generated clips.
        real: composed scenes.
        counts: whether the gate hangs on this judge.
    """
    heard, truth = follow(judge, made.mels), follow(judge, real.mels)
    shared: dict[str, Any] = {"gate": GATE, "judge": judge.recipe.name, "share": True, "seeds": f"{PAIRS_FIRST} on"}
    kinds = {
        relation: [i for i, pair in enumerate(pairs) if pair.relation == relation] for relation in _relations(pairs)
    }

    def figure(what: str, rule: Rule, chosen: Sequence[int]) -> Figure:
        """The figure of the chosen scenes under a rule."""
        asked = [pairs[i] for i in chosen]
        clips, scenes = [heard[i] for i in chosen], [truth[i] for i in chosen]
        return Figure(
            what=what,
            reached=share(rule, clips, asked),
            real=share(rule, scenes, asked),
            chance=mismatched(rule, clips, asked),
            chance_of="asked for the sounds of another prompt",
            clips=len(clips),
            **shared,
        )

    everything = figure("two sounds: both named", both, range(len(pairs)))
    told = {"share of takes": by_prompt(heard, pairs)}
    figures = [replace(everything, sign=">=", limit=LEAST, counts=counts, detail=told)]
    figures += [figure(f"two sounds, {relation}: both named", both, chosen) for relation, chosen in kinds.items()]
    if "sequence" in kinds:
        figures.append(figure("two sounds, sequence: named in the right order", ordered, kinds["sequence"]))
    return figures


def both(course: Course, pair: Pair) -> bool:
    """Whether both sounds are named: in windows of their own in sequence, else among those heard most."""
    heard = course.has_both if pair.relation == "sequence" else course.both_sound
    return heard(pair.first, pair.second)


def ordered(course: Course, pair: Pair) -> bool:
    """Whether they are named in their order."""
    return course.in_order(pair.first, pair.second)


def share(rule: Rule, courses: Sequence[Course], pairs: Sequence[Pair]) -> float:
    """Share of clips for which a rule holds."""
    return float(np.mean([rule(course, pair) for course, pair in zip(courses, pairs, strict=True)]))


def by_prompt(courses: Sequence[Course], pairs: Sequence[Pair]) -> dict[str, float]:
    """Share of the takes of each prompt in which both sounds are named."""
    takes: dict[str, list[bool]] = {}
    for course, pair in zip(courses, pairs, strict=True):
        takes.setdefault(pair.prompt, []).append(both(course, pair))
    return {prompt: float(np.mean(held)) for prompt, held in takes.items()}


def mismatched(rule: Rule, courses: Sequence[Course], pairs: Sequence[Pair]) -> float:
    """The same share when every clip is held against all prompts of its relation that ask for other sounds."""
    held = [
        rule(course, other)
        for course, own in zip(courses, pairs, strict=True)
        for other in pairs
        if other.relation == own.relation and not {other.first, other.second} & {own.first, own.second}
    ]
    return float(np.mean(held)) if held else float("nan")


def _relations(pairs: Sequence[Pair]) -> list[str]:
    return list(dict.fromkeys(pair.relation for pair in pairs))


def compose_pairs(pairs: Sequence[Pair], recordings: Sounds, duration_s: float) -> Heard:
    """Compose the scenes that the prompts ask for; sounds without a recipe are taken from recordings."""
    sources = {**SOURCES, **{name: recorded_source(name, recordings) for name in ONLY_RECORDED}}
    config = SceneConfig(duration_s=duration_s, captions=1)
    waves = (
        compose(PAIR_SEEDS + i, config, concepts=[p.first, p.second], relation=p.relation, sources=sources).wave
        for i, p in enumerate(pairs)
    )
    return Heard(tuple(f"{p.first}+{p.second}" for p in pairs), tuple(hear(wave) for wave in waves))


def recorded_source(concept: str, recordings: Sounds) -> Source:
    """A source of scenes that plays recordings of a concept instead of synthesising it."""
    takes = [wave for name, wave in zip(recordings.concepts, recordings.waves, strict=True) if name == concept]

    def render(rng: np.random.Generator, samples: int, rate_hz: int) -> Rendered:
        """One of the recordings, as a recipe would render it."""
        wave = takes[int(rng.integers(len(takes)))][:samples]
        sounding = np.flatnonzero(np.abs(wave) > 0.01 * np.abs(wave).max())
        event = (sounding[0] / rate_hz, (sounding[-1] + 1) / rate_hz)
        return Rendered(np.pad(wave, (0, samples - len(wave))), (event,), {})

    return Source(concept, "people", render, continuous=False)
