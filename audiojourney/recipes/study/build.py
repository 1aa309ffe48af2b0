"""`aj study FOLDER FOLDER`: make the page of a blind listening test."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from audiojourney import files
from audiojourney.data.write import encode_audio
from audiojourney.errors import UsageError
from audiojourney.recipes.page.media import read_sound
from audiojourney.recipes.study.config import CRITERIA, VERSION, StudyConfig
from audiojourney.recipes.study.page import study_page
from audiojourney.recipes.study.pairing import Item, pair_folders, system_names
from audiojourney.recipes.study.seal import seal

_MB = 1_000_000
_LOUDER_DB = 6.0  # a level difference of a pair that is told
_LONGER_S = 0.5  # a difference in length of a pair that is told
_SILENT = 1e-6  # RMS below which a sound has no level to match


@dataclass(frozen=True, kw_only=True)
class StudyReport:
    """What was made.

    Attributes:
        output: the page.
        study: its id, which files of answers carry.
        systems: names of what is compared.
        prompts: prompts that are heard.
        trials: pairs that are heard.
        pair: what the sounds of a prompt share.
        size_bytes: size of the page.
        warnings: what may spoil the test.
    """

    output: Path
    study: str
    systems: tuple[str, ...]
    prompts: int
    trials: int
    pair: str
    size_bytes: int
    warnings: tuple[str, ...]


def run(config: StudyConfig, on_step: Callable[[int, int], None] = lambda done, total: None) -> StudyReport:
    """Make the page; the same folders and settings give the same bytes.

    Raises:
        UsageError: nothing can be paired, the page is there already, or it would be too large.
        MissingError: a folder is not there.
        ClipError: a sound cannot be read.
    """
    if config.output.exists() and not config.force:
        raise UsageError(f"{str(config.output)!r} exists.", "Use --force to replace it.")
    systems = system_names(config.folders)
    paired = pair_folders(config)
    items = _drawn(paired.items, config)
    sounds, warnings = _encoded(items, config, on_step)
    study = _identity(items, systems, sounds, config)
    # Sounds lie in the page in no order, so that their place tells nothing.
    places = np.random.default_rng((config.seed, 2)).permutation(len(sounds))
    trials = _trials(items, systems, config, study, places)
    table: dict[str, Any] = {
        "aj_study": VERSION,
        "study": study,
        "title": config.title,
        "seed": config.seed,
        "ties": config.ties,
        "criteria": [{"key": key, "question": question} for key, question in CRITERIA.items()],
        "trials": trials,
    }
    laid = [sounds[number] for number in np.argsort(places)]
    page = study_page(table, laid, config.format).encode("utf-8")
    files.write_bytes(config.output, page)
    return StudyReport(
        output=config.output,
        study=study,
        systems=tuple(systems),
        prompts=len(items),
        trials=len(trials),
        pair=paired.pair,
        size_bytes=len(page),
        warnings=(*paired.warnings, *warnings),
    )


def _drawn(items: Sequence[Item], config: StudyConfig) -> list[Item]:
    """Return the prompts that are heard, in their order."""
    if config.count is None or config.count >= len(items):
        return list(items)
    numbers = np.random.default_rng(config.seed).choice(len(items), config.count, replace=False)
    return [items[number] for number in sorted(numbers)]


def _encoded(
    items: Sequence[Item], config: StudyConfig, on_step: Callable[[int, int], None]
) -> tuple[list[bytes], list[str]]:
    """Return the sounds, system by system for each prompt, without tags, and what sets two of a prompt apart."""
    sounds: list[bytes] = []
    size = louder = longer = silent = 0
    for number, item in enumerate(items):
        waves = [read_sound(clip.path) for clip in item.clips]
        levels = [_rms(wave) for wave, _ in waves]
        lengths = [len(wave) / rate_hz for wave, rate_hz in waves]
        louder += max(levels) > min(levels) * 10 ** (_LOUDER_DB / 20)
        silent += min(levels) <= _SILENT
        longer += max(lengths) - min(lengths) > _LONGER_S
        gains = _gains(levels) if config.level == "match" else [1.0] * len(waves)
        for (wave, rate_hz), gain in zip(waves, gains, strict=True):
            sounds.append(encode_audio(wave * gain, rate_hz, config.format))
            size += len(sounds[-1]) * 4 // 3
        if size > config.max_mb * _MB:
            told = f"The page would have more than {config.max_mb:g} MB after {number + 1} of {len(items)} prompts."
            raise UsageError(told, "Use fewer prompts (-n), --format ogg, or --set max_mb=N.")
        on_step(number + 1, len(items))
    hushed = [f"In {silent} of {len(items)} prompts a sound is silent."] if silent else []
    return sounds, hushed + _differences(louder, longer, len(items), config)


def _rms(wave: np.ndarray) -> float:
    return max(_SILENT, float(np.sqrt(np.mean(np.square(wave, dtype=np.float64)))))


def _gains(levels: Sequence[float]) -> list[float]:
    """Return factors that turn each sound down to the quietest that is not silent; none is turned up."""
    heard = [level for level in levels if level > _SILENT]
    least = min(heard, default=1.0)
    return [min(1.0, least / level) for level in levels]


def _differences(louder: int, longer: int, count: int, config: StudyConfig) -> list[str]:
    told = []
    if louder and config.level == "keep":
        told.append(
            f"In {louder} of {count} prompts one sound is louder than another by more than {_LOUDER_DB:g} dB, which "
            "sways listeners; --level match turns the louder one down."
        )
    if longer:
        told.append(f"In {longer} of {count} prompts one sound is longer than another by more than {_LONGER_S:g} s.")
    return told


def _identity(items: Sequence[Item], systems: Sequence[str], sounds: Sequence[bytes], config: StudyConfig) -> str:
    """Return the id of a study: a hash of all that a listener meets and of what is compared."""
    digest = hashlib.sha256()
    for text in (*systems, config.title, config.design, str(config.ties), str(config.seed)):
        digest.update(text.encode("utf-8", errors="surrogateescape") + b"\0")
    for item in items:
        digest.update(f"{item.key}\0{item.prompt}\0".encode("utf-8", errors="surrogateescape"))
    for sound in sounds:
        digest.update(hashlib.sha256(sound).digest())
    return digest.hexdigest()[:16]


def _trials(
    items: Sequence[Item], systems: Sequence[str], config: StudyConfig, study: str, places: np.ndarray
) -> list[dict[str, Any]]:
    """Return a trial for each prompt and comparison; of each comparison half begin on either side, drawn by the seed.

    A listener's browser exchanges all sides or none, so that each listener keeps that balance.
    """
    random = np.random.default_rng((config.seed, 1))
    trials: list[dict[str, Any]] = []
    for first, second in _comparisons(len(systems), config.design):
        swapped = random.permutation(len(items)) % 2
        for number, (item, swap) in enumerate(zip(items, swapped, strict=True)):
            sides = (second, first) if swap else (first, second)
            trials.append(
                {
                    "item": item.key,
                    "prompt": item.prompt,
                    "sounds": [int(places[number * len(systems) + side]) for side in sides],
                    "sealed": [seal(f"{side} {systems[side]}", study, random.bytes(6)) for side in sides],
                }
            )
    return trials


def _comparisons(count: int, design: str) -> list[tuple[int, int]]:
    if design == "first":
        return [(0, other) for other in range(1, count)]
    return list(itertools.combinations(range(count), 2))
