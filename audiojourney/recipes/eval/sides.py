"""The two sides of an evaluation: which clips they have, and which belong together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from audiojourney import hub
from audiojourney.data.clip import Caption, Clip
from audiojourney.data.manifest import SOUND_SUFFIXES, read_clips
from audiojourney.data.write import read_tag
from audiojourney.errors import ClipError, MissingError, UsageError
from audiojourney.metrics.rows import listed
from audiojourney.recipes.eval.settings import GENERATED, REFERENCE, EvalConfig


def named(config: EvalConfig) -> tuple[str, str]:
    """Return what is measured and against what; the conventional folders where nothing is named.

    Raises:
        MissingError: nothing is named and the folders are not there.
    """
    if config.generated:
        return config.generated, config.reference
    if not Path(GENERATED).is_dir():
        raise MissingError(
            f"There is no folder {GENERATED!r} in {str(Path.cwd())!r}.",
            "Name what to measure: aj eval GENERATED REFERENCE",
        )
    reference = config.reference or ("" if config.reference_stats else REFERENCE)
    if reference and not Path(reference).exists():
        raise MissingError(
            f"There is no folder {reference!r} beside {GENERATED!r} in {str(Path.cwd())!r}.",
            "Name what to compare with: aj eval GENERATED REFERENCE",
        )
    return GENERATED, reference


def is_model(name: str) -> bool:
    """Say whether what is to be measured is a model: a folder of one, a run, or a name that is no path.

    Raises:
        MissingError: a name that is neither a path nor a model.
    """
    path = Path(name).expanduser()
    if path.is_dir():
        return any((place / marker).is_file() for place in (path, path / "final") for marker in hub.MARKERS)
    if path.exists() or path.suffix or name.endswith(("/", "\\")) or name.startswith((".", "/", "~")):
        return False
    try:
        hub.resolve_model(name)
    except MissingError as error:
        raise MissingError(f"There is no folder {name!r} to be measured, and no model: {error.message}") from error
    return True


def read_side(name: str, limit: int | None = None) -> tuple[Clip, ...]:
    """Read the clips of a side in the order of their ids, without opening sounds.

    Raises:
        MissingError: there is nothing of that name, or no clip in it.
        UsageError: rows are faulty or an id stands twice.
    """
    clips = sorted(read_clips(Path(name).expanduser()), key=lambda clip: clip.id)
    if not clips:
        raise MissingError(f"There are no sounds in {name!r}.", f"Known are {', '.join(sorted(SOUND_SUFFIXES))}.")
    twice = [name for name, times in Counter(clip.id for clip in clips).items() if times > 1]
    if twice:
        raise UsageError(f"{len(twice)} ids stand twice in {name!r}: {listed(twice)}.")
    return tuple(clips[:limit])


@dataclass(frozen=True)
class Partners:
    """Which generated clip belongs to which of the reference.

    Attributes:
        by: what made them partners: "id", "name", "order", or "" where nothing did.
        places: generated place -> place in the reference.
        lonely: generated ids without a partner.
        missed: ids of the reference without a partner.
        fault: why there are no partners, or "".
    """

    by: str = ""
    places: dict[int, int] | None = None
    lonely: tuple[str, ...] = ()
    missed: tuple[str, ...] = ()
    fault: str = ""


_Key = Callable[[Clip], str]


def partners(generated: Sequence[Clip], reference: Sequence[Clip], by: str = "auto") -> Partners:
    """Find the partner of each generated clip.

    Args:
        generated: clips of one side.
        reference: clips of the other.
        by: `id` (as it stands, without the suffix of a sound, or as in the tag that `aj generate` writes), `name` of
            the file without suffix and folders, `order`, or `auto`: id or name, whichever matches most.

    Returns:
        The partners; with a fault where keys are ambiguous or none matches.
    """
    if not reference:
        return Partners(fault="there is no reference")
    if by == "order":
        return _by_order(generated, reference)
    keys: dict[str, list[tuple[_Key, _Key]]] = {
        "id": [(_id, _id), (bare_id, bare_id), (_tagged, _id)],
        "name": [(_stem, _stem)],
    }
    tried = [
        _by_key(generated, reference, name, ours, theirs)
        for name, pairs in keys.items()
        if by in ("auto", name)
        for ours, theirs in pairs
    ]
    # Where nothing matches, a key that stands twice says more than keys that differ.
    return max(tried, key=lambda found: (len(found.places or ()), found.places is None))


def with_captions(clips: Sequence[Clip], found: Partners, reference: Sequence[Clip]) -> tuple[Clip, ...]:
    """Give clips without a caption the prompt in their tag, else the captions of their partner."""
    places = found.places or {}
    return tuple(
        clip if clip.captions else replace(clip, captions=_prompt(clip) or _captions(reference, places.get(place)))
        for place, clip in enumerate(clips)
    )


def _captions(reference: Sequence[Clip], place: int | None) -> tuple[Caption, ...]:
    return () if place is None else reference[place].captions


def _prompt(clip: Clip) -> tuple[Caption, ...]:
    prompt = _tag(clip.path).get("prompt")
    return (Caption(prompt),) if isinstance(prompt, str) and prompt.strip() else ()


def _by_order(generated: Sequence[Clip], reference: Sequence[Clip]) -> Partners:
    if len(generated) != len(reference):
        told = f"{len(generated)} generated and {len(reference)} reference clips have no common order"
        return Partners("order", fault=told)
    return Partners("order", {place: place for place in range(len(generated))})


def _by_key(generated: Sequence[Clip], reference: Sequence[Clip], name: str, ours: _Key, theirs: _Key) -> Partners:
    mine, other = [ours(clip) for clip in generated], [theirs(clip) for clip in reference]
    for side, keys in (("generated", mine), ("reference", other)):
        twice = [key for key, times in Counter(filter(None, keys)).items() if times > 1]
        if twice:
            return Partners(name, fault=f"{len(twice)} {name}s stand twice on the {side} side: {listed(twice)}")
    where = {key: place for place, key in enumerate(other) if key}
    places = {place: where[key] for place, key in enumerate(mine) if key in where}
    lonely = tuple(clip.id for place, clip in enumerate(generated) if place not in places)
    met = set(places.values())
    missed = tuple(clip.id for place, clip in enumerate(reference) if place not in met)
    fault = "" if places else f"no {name} is on both sides ({listed(lonely)}; {listed(missed)})"
    return Partners(name, places, lonely, missed, fault)


def _id(clip: Clip) -> str:
    return clip.id


def bare_id(clip: Clip) -> str:
    """The id without the suffix of a sound, which ids that are file names have."""
    return bare_name(clip.id)


def bare_name(name: str) -> str:
    """A name without the suffix of a sound."""
    path = PurePosixPath(name)
    return path.with_suffix("").as_posix() if path.suffix.lower() in SOUND_SUFFIXES else name


def _tagged(clip: Clip) -> str:
    return str(_tag(clip.path).get("id") or "")


def _stem(clip: Clip) -> str:
    return clip.path.stem


@lru_cache(maxsize=4096)
def _tag(path: Path) -> dict[str, Any]:
    try:
        return read_tag(path) or {}
    except (ClipError, OSError):
        return {}  # it will be told of when it is listened to
