"""Sounds made by a model from the captions of the reference, so that it can be measured."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from statistics import median

from audiojourney import hub, model_folder
from audiojourney.data.audio import probe
from audiojourney.data.clip import Caption, Clip
from audiojourney.errors import ClipError, MissingError
from audiojourney.metrics.rows import listed
from audiojourney.recipes.eval.settings import EvalConfig

_PROBED = 50  # reference clips whose length is looked at


def make_sounds(
    config: EvalConfig,
    model: str,
    reference: Sequence[Clip],
    warn: Callable[[str], None],
    on_step: Callable[[int, int], None],
) -> tuple[Clip, ...]:
    """Return a sound for each clip of the reference that has a caption, made by `model` or found made.

    Sounds lie in a folder of the cache that belongs to weights, seed and length, so a run that was ended goes on, and
    the same command makes nothing twice. They last as long as the reference does at the median, or as the model can.

    Raises:
        MissingError: there is no such model, or no caption.
    """
    from audiojourney.recipes import generate
    from audiojourney.recipes.generate_config import GenerateConfig
    from audiojourney.recipes.prompts import Prompt
    from audiojourney.recipes.studio import Studio

    captioned = [clip for clip in reference if clip.text.strip()]
    if not captioned:
        raise MissingError(
            f"{model!r} is a model, and none of {len(reference)} reference clips has a caption to make a sound from.",
            "Name a reference with captions, or give them with --captions.",
        )
    silent = [clip.id for clip in reference if not clip.text.strip()]
    if silent:
        warn(f"{len(silent)} reference clips have no caption, so no sound is made for them: {listed(silent)}")
    folder = hub.resolve_model(model)
    settings = GenerateConfig(model=model, device=config.device, seed=config.seed)
    length = config.duration_s or min(_length(captioned), Studio.open(settings, folder).generator.max_duration_s)
    key = f"{model_folder.fingerprint(folder)}|{config.seed}|{length:.6f}"
    output = hub.cache("eval") / hashlib.sha256(key.encode()).hexdigest()[:16]
    report = generate.run(
        GenerateConfig(
            prompts=tuple(Prompt(text=clip.text, id=clip.id, seed=_seed(config.seed, clip.id)) for clip in captioned),
            model=model,
            output=f"{output}/",
            duration_s=length,
            seed=config.seed,
            exists="skip",
            device=config.device,
        ),
        lambda event: _pass_on(event, warn, on_step),
    )
    return tuple(
        Clip(path=made.path, id=clip.id, captions=(Caption(clip.text),), labels=clip.labels)
        for made, clip in zip(report.made, captioned, strict=True)
        if made.path is not None
    )


def _seed(seed: int, name: str) -> int:
    """Return a seed that belongs to a clip, so that further clips change none of the sounds."""
    return int.from_bytes(hashlib.sha256(f"{seed}|{name}".encode("utf-8", "surrogatepass")).digest()[:4], "big")


def _length(clips: Sequence[Clip]) -> float:
    """Median length in seconds of the first clips that can be opened; endless where none can."""
    found = []
    for clip in clips[:_PROBED]:
        try:
            length = clip.duration_s or probe(clip.path).duration_s
        except (ClipError, OSError):
            continue
        found += [length] if length else []
    return round(median(found), 3) if found else float("inf")


def _pass_on(event: object, warn: Callable[[str], None], on_step: Callable[[int, int], None]) -> None:
    from audiojourney.recipes import generate

    if isinstance(event, generate.Warned):
        warn(event.text)
    elif isinstance(event, generate.Step):
        on_step(event.done, event.total)
