"""`aj generate`: prompts to sound files, or one prompt to a sound in memory."""

from __future__ import annotations

import dataclasses
import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from audiojourney import config as configuration
from audiojourney import files, hub
from audiojourney.errors import ClipError, MissingError, UsageError
from audiojourney.recipes import naming
from audiojourney.recipes.generate_config import GenerateConfig
from audiojourney.recipes.takes import Take, plan

if TYPE_CHECKING:
    from audiojourney.recipes.sound import Sound
    from audiojourney.recipes.studio import Studio

RANDOM_SEEDS = 2**31  # few enough digits to be typed again
TAG_VERSION = 1


@dataclass(frozen=True)
class Started:
    """A run begins: model folder, first seed, number of files."""

    model: str
    seed: int
    takes: int


@dataclass(frozen=True)
class Step:
    """So many of all denoising steps are done."""

    done: int
    total: int


@dataclass(frozen=True)
class Warned:
    """Something the user should know."""

    text: str


@dataclass(frozen=True)
class Made:
    """One file of a run.

    Attributes:
        status: `written`, `skipped` (it was there already) or `planned` (dry run).
        path: the sound file; None for standard output.
        meta: how it was made.
        score: fit to the prompt where candidates were ranked.
        beside: further files written with it, by kind.
        data: the bytes of the sound when they are meant for standard output.
    """

    status: str
    path: Path | None
    meta: dict[str, Any]
    score: float | None = None
    beside: dict[str, str] = dataclasses.field(default_factory=dict)
    data: bytes | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the line that `aj generate --json` prints."""
        path = None if self.path is None else str(self.path)
        return {"status": self.status, "path": path, **self.meta, "score": self.score, **self.beside}


Event = Started | Step | Warned | Made


@dataclass(frozen=True)
class GenerateReport:
    """What a run did.

    Attributes:
        seed: seed of the first sound.
        made: one entry for each file, in order.
    """

    seed: int
    made: tuple[Made, ...]


def run(config: GenerateConfig, on_event: Callable[[Event], None] = lambda event: None) -> GenerateReport:
    """Make the sounds that `config` asks for; each is written, and told by an event, as soon as it is made.

    Raises:
        UsageError: settings that cannot be meant, or an existing file with `exists="error"`.
        MissingError: the model cannot be had.
        AudioJourneyError: a file cannot be written; those before it stay.
    """
    if not config.prompts:
        raise UsageError(f"There is no prompt among {config.prompts}.", 'Try: aj generate "rain on a tin roof"')
    seed = secrets.randbelow(RANDOM_SEEDS) if config.seed is None else config.seed
    takes = plan(config, seed)
    folder = hub.resolve_model(config.model)
    _check_output(config, takes)
    on_event(Started(config.model, seed, len(takes)))
    made: list[Made] = []
    for item in _planned(config, takes) if config.dry_run else _performed(config, takes, folder, on_event):
        made.append(item)
        on_event(item)
    return GenerateReport(seed, tuple(made))


def generate(prompt: str, *, on_step: Callable[[int, int], None] | None = None, **settings: Any) -> Sound:
    """Make one sound: what `aj generate` writes, in memory.

    Args:
        prompt: what to hear.
        on_step: called with steps done and steps in all.
        **settings: fields of `GenerateConfig`: model, seed, duration_s, steps, guidance, sampler, negative, candidates,
            rate_hz, device, dtype, ...

    Returns:
        The sound, with everything that is needed to make it again in `meta`.

    Raises:
        UsageError: an empty prompt, an unknown setting or a value that cannot be meant.
        MissingError: the model cannot be had.
    """
    from audiojourney.recipes.studio import Studio

    config = configuration.build(GenerateConfig, {"prompts": [{"text": prompt}], **settings})
    seed = secrets.randbelow(RANDOM_SEEDS) if config.seed is None else config.seed
    takes = plan(dataclasses.replace(config, count=1, keep="best", output="-"), seed)
    studio = Studio.open(config, hub.resolve_model(config.model))
    _, sound = next(studio.record(takes, on_step))
    return sound


def like(path: Path) -> dict[str, Any]:
    """Return the settings that made a sound file, as fields of `GenerateConfig`.

    Raises:
        MissingError: neither the file nor a `.json` beside it says how it was made.
        ClipError: there is no such file, or it is no sound.
    """
    from audiojourney.data.write import read_tag

    tag = read_tag(path) or _sidecar(path)
    if not tag or not isinstance(tag.get("prompt"), str):
        raise MissingError(f"{str(path)!r} does not say how it was made.", "Only sounds written by aj do.")
    fields = {name: tag[key] for name, key in _LIKE.items() if tag.get(key) is not None}
    if path.suffix[1:].lower() in naming.FORMATS:
        fields["format"] = path.suffix[1:].lower()
    return {"prompts": [{"text": tag["prompt"], "id": tag.get("id")}], **fields}


# Fields of GenerateConfig and the keys under which a file keeps them.
_LIKE = {
    "model": "model",
    "model_sha256": "model_sha256",
    "negative": "negative",
    "seed": "seed",
    "steps": "steps",
    "guidance": "guidance",
    "sampler": "sampler",
    "duration_s": "duration",
    "rate_hz": "rate",
    "loudness_lufs": "loudness",
    "dtype": "dtype",
}


def _sidecar(path: Path) -> dict[str, Any] | None:
    beside = path.with_suffix(".json")
    if not beside.is_file():
        return None
    try:
        loaded = json.loads(beside.read_text(encoding="utf-8"))
    except ValueError:
        return None
    return loaded if isinstance(loaded, dict) else None


def _policy(config: GenerateConfig, takes: Sequence[Take]) -> str:
    """Return what to do where a file exists: a batch is continued, a single sound gets a name of its own."""
    return config.exists or ("rename" if len(takes) == 1 else "skip")


def _check_output(config: GenerateConfig, takes: Sequence[Take]) -> None:
    """Fail before any work is done, where the output can be known to fail."""
    paths = [take.path for take in takes if take.path is not None]
    if _policy(config, takes) == "error":
        there = [path for path in paths if path.exists()]
        if there:
            raise UsageError(f"{str(there[0])!r} exists.", "Use --exists rename, skip or overwrite, or --force.")
    if not config.dry_run:
        for folder in {path.parent for path in paths}:
            files.check_folder(folder)


def _planned(config: GenerateConfig, takes: Sequence[Take]) -> Iterator[Made]:
    for take in takes:
        meta = {"model": config.model, "prompt": take.prompt.text, "seed": take.seeds[0]}
        yield Made("planned", take.path, meta)


def _performed(
    config: GenerateConfig, takes: Sequence[Take], folder: Path, on_event: Callable[[Event], None]
) -> Iterator[Made]:
    from audiojourney.recipes.studio import Studio

    studio = Studio.open(config, folder)
    for text in _warnings(studio):
        on_event(Warned(text))
    done = {take for take in takes if _policy(config, takes) == "skip" and _is_done(studio, take)}
    sounds = studio.record([take for take in takes if take not in done], lambda *steps: on_event(Step(*steps)))
    for take in takes:
        if take in done:
            yield Made("skipped", take.path, studio.meta(take.prompt, take.seeds, take.seeds[0]))
        else:
            yield _written(config, take, next(sounds)[1], keep=_policy(config, takes) != "overwrite")


def _warnings(studio: Studio) -> Iterator[str]:
    config = studio.config
    if config.model_sha256 not in (None, studio.model_sha256):
        yield f"{config.model} has other weights than those asked for, so the sound will differ."
    strange = studio.unfamiliar(config.prompts)
    if strange:
        prompt, familiarity = strange[0]
        text = prompt.text if len(prompt.text) <= 60 else f"{prompt.text[:57]}..."
        more = f" (and {len(strange) - 1} more prompts)" if len(strange) > 1 else ""
        yield (
            f'"{text}"{more} is unlike all that {config.model} was trained on; the nearest it knows is '
            f'"{familiarity.nearest}". Another model: --model NAME (see aj models list).'
        )


def _is_done(studio: Studio, take: Take) -> bool:
    """Say whether the file of a take exists with the same content key: prompt, seed, settings, weights."""
    from audiojourney.data.write import read_tag

    if take.path is None or not take.path.is_file():
        return False
    try:
        tag = read_tag(take.path) or _sidecar(take.path)
    except ClipError:
        return False  # whatever it is, it is none of ours
    wanted = studio.meta(take.prompt, take.seeds, take.seeds[0])
    # Another release makes the same sounds; which of several candidates won is only known afterwards.
    ignored = {"version", "seed"} if len(take.seeds) > 1 else {"version"}
    return tag is not None and all(tag.get(key) == value for key, value in wanted.items() if key not in ignored)


def _written(config: GenerateConfig, take: Take, sound: Sound, *, keep: bool) -> Made:
    """Write one sound and what belongs beside it; with `keep`, under a name that is still free."""
    meta = dict(sound.meta)
    if take.path is None:
        data = sound.encode(config.audio_format, metadata=config.metadata)
        return Made("written", None, meta, sound.score, data=data)
    beside = [suffix for suffix, wanted in ((".png", config.spectrogram), (".json", config.sidecar)) if wanted]
    path = naming.free(take.path, beside) if keep else take.path
    made = Made("written", path, meta, sound.score)
    if config.sidecar:
        made.beside["sidecar"] = str(path.with_suffix(".json"))
        files.write_json(path.with_suffix(".json"), {"aj": TAG_VERSION, **meta})
    if config.spectrogram:
        from audiojourney.data.spectrogram import save_spectrogram

        made.beside["spectrogram"] = str(path.with_suffix(".png"))
        save_spectrogram(path.with_suffix(".png"), sound.samples, sound.rate_hz)
    # The sound comes last: where it is, all of its files are.
    sound.save(path, metadata=config.metadata)
    return made
