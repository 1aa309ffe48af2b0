"""Which sounds of several folders belong to one prompt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from audiojourney.data.clip import Caption, Clip
from audiojourney.data.manifest import read_clips
from audiojourney.data.write import read_tag
from audiojourney.errors import ClipError, UsageError
from audiojourney.recipes.eval.sides import bare_name
from audiojourney.recipes.eval.texts import is_captions, read_texts
from audiojourney.recipes.study.config import StudyConfig

_SHOWN = 5  # names in a message


@dataclass(frozen=True, kw_only=True)
class Item:
    """One prompt, and the sound that each system made of it.

    Attributes:
        key: what the sounds share.
        prompt: the text that was asked for, or "".
        clips: one for each system, in the order of the folders.
    """

    key: str
    prompt: str
    clips: tuple[Clip, ...]


@dataclass(frozen=True, kw_only=True)
class Paired:
    """All prompts of which every system made a sound, in the order of the first folder.

    Attributes:
        items: those prompts.
        pair: what the sounds share: `id`, `name` or `prompt`.
        warnings: how many sounds have no partner.
    """

    items: tuple[Item, ...]
    pair: str
    warnings: tuple[str, ...]


def system_names(folders: Sequence[Path]) -> list[str]:
    """Return the name of each folder; whole paths where two have the same one.

    Raises:
        UsageError: fewer than two folders, or one that is named twice.
    """
    if len(folders) < 2:
        told = ", ".join(map(str, folders)) or "none"
        raise UsageError(f"A study compares two folders or more; given: {told}.", "Try: aj study first/ second/")
    whole = [str(folder) for folder in folders]
    twice = [name for number, name in enumerate(whole) if Path(name) in map(Path, whole[:number])]
    if twice:
        raise UsageError(f"{twice[0]!r} is named twice; a system cannot be compared with itself.")
    short = [folder.resolve().name for folder in folders]
    return short if len(set(short)) == len(short) else whole


def pair_folders(config: StudyConfig) -> Paired:
    """Find the sounds that belong together.

    Raises:
        MissingError: a folder is not there.
        UsageError: no prompt has a sound in every folder, or two sounds of a folder have the same name.
    """
    sides = [[_prompted(clip) for clip in read_clips(folder)] for folder in config.folders]
    for pair in (config.pair,) if config.pair != "auto" else tuple(_KEYS):
        tables = [_keyed(clips, pair, strict=config.pair != "auto") for clips in sides]
        common = [key for key in tables[0] if all(key in table for table in tables)]
        if common:
            break
    else:
        raise _unpaired(config, sides)
    prompts = _prompts(config.captions) if config.captions is not None else {}
    items = [_item(key, [table[key] for table in tables], prompts) for key in common]
    alone = zip(config.folders, (len(clips) - len(common) for clips in sides), strict=True)
    warnings = [
        f"{count} sounds of {folder} have no partner in every other folder." for folder, count in alone if count
    ]
    unsaid = sum(not item.prompt for item in items)
    if config.captions is not None and unsaid:
        warnings.append(f"{unsaid} of {len(items)} prompts have no caption in {config.captions}.")
    return Paired(items=tuple(items), pair=pair, warnings=tuple(warnings))


_KEYS: Mapping[str, Callable[[Clip], str]] = {
    "id": lambda clip: clip.id,
    "name": lambda clip: clip.path.stem,
    "prompt": lambda clip: " ".join(clip.text.lower().split()),
}


def _keyed(clips: Sequence[Clip], pair: str, *, strict: bool) -> dict[str, Clip]:
    """Return the clips by what they share with others; unless `strict`, those that share it within a folder are out."""
    table: dict[str, Clip] = {}
    twice: list[str] = []
    for clip in clips:
        key = _KEYS[pair](clip)
        if key in table:
            twice.append(key)
        elif key:
            table[key] = clip
    if twice and strict:
        told = ", ".join(map(repr, sorted(set(twice))[:_SHOWN]))
        raise UsageError(f"{len(twice)} sounds share their {pair} with another of their folder: {told}.")
    return {key: clip for key, clip in table.items() if key not in twice}


def _prompted(clip: Clip) -> Clip:
    """Return a clip with the prompt that its file carries, where its folder says none."""
    if clip.text:
        return clip
    try:
        tag = read_tag(clip.path) or {}
    except ClipError:
        return clip  # whatever is wrong with it is told when it is read
    prompt = tag.get("prompt")
    return replace(clip, captions=(Caption(prompt),)) if isinstance(prompt, str) else clip


def _prompts(source: Path) -> dict[str, str]:
    """Return prompts by id, by id without the suffix of a sound, and by file name where that is of one prompt alone."""
    if is_captions(source):
        texts = {name: found[0] for name, found in read_texts(source).items()}
    else:
        texts = {clip.id: clip.text for clip in read_clips(source) if clip.text}
    stems = Counter(_stem(name) for name in texts)
    known = {_stem(name): text for name, text in texts.items() if stems[_stem(name)] == 1}
    return known | {bare_name(name): text for name, text in texts.items()} | texts


def _stem(name: str) -> str:
    return PurePosixPath(bare_name(name)).name


def _item(key: str, clips: Sequence[Clip], prompts: Mapping[str, str]) -> Item:
    names = [key, *(spelled for clip in clips for spelled in (clip.id, bare_name(clip.id), clip.path.stem))]
    said = [prompts[name] for name in names if prompts.get(name)] + [clip.text for clip in clips if clip.text]
    prompt = next(iter(said), "")
    return Item(key=key, prompt=" ".join(prompt.split()), clips=tuple(clips))


def _unpaired(config: StudyConfig, sides: Sequence[Sequence[Clip]]) -> UsageError:
    told = "; ".join(
        f"{folder} has {len(clips)}, such as {clips[0].id!r}" if clips else f"{folder} has none"
        for folder, clips in zip(config.folders, sides, strict=True)
    )
    shared = "id, name or prompt" if config.pair == "auto" else config.pair
    return UsageError(f"No sound has the same {shared} in every folder: {told}.", "Name files of one prompt alike.")
