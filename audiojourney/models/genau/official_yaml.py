"""The YAML files beside published GenAu checkpoints, read without running what they name.

They mark class names with a tag of their own, `!module package.Class`; here that is just text. Settings are found by
the keys that only they have, wherever in the file they stand.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from audiojourney.errors import MissingError, UsageError

# Data sets of the published checkpoints; a YAML file that lists its own comes first.
DATASET_IDS = {
    "audiocaps": 0,
    "clotho": 1,
    "vggsounds": 2,
    "wavcaps_audioset_strong": 3,
    "wavcaps_bbcsound": 4,
    "wavcaps_freesound": 5,
    "wavcaps_soundbible": 6,
    "fsd50k": 7,
    "caption_audioset": 8,
    "autocap": 9,
}
ATTENTION_CLASSES = ("Attention", "XFormersAttention")
FEED_FORWARD_CLASSES = ("FeedForward",)
BLOCK_CLASSES = ("FITBlockV5",)


class _Loader(yaml.SafeLoader):
    """Plain YAML, with `!module x.y.Z` as the text `x.y.Z`."""


def _class_as_text(loader: _Loader, node: yaml.ScalarNode) -> Any:
    return loader.construct_scalar(node)


_Loader.add_constructor("!module", _class_as_text)


@dataclass(frozen=True, kw_only=True)
class OfficialSettings:
    """What a published YAML file says that its tensors do not.

    Attributes:
        fit: the settings of the FIT, as they stand in the file.
        group: patches in a group of the FIT.
        dim_head: width of one attention head.
        dataset_ids: data-set names to indices.
        beta_start: first variance of the noise schedule.
        beta_end: last variance.
        timesteps: length of the schedule.
        prediction: what the network predicts.
        condition_order: conditioner names in the order in which their vectors are joined.
    """

    fit: Mapping[str, Any]
    group: int
    dim_head: int
    dataset_ids: Mapping[str, int] = field(default_factory=lambda: dict(DATASET_IDS))
    beta_start: float = 0.0015
    beta_end: float = 0.0195
    timesteps: int = 1000
    prediction: str = "epsilon"
    condition_order: tuple[str, ...] = ("clap", "t5")


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file; class names under `!module` are text.

    Raises:
        MissingError: there is no such file.
        UsageError: it is no YAML, or it asks for other objects to be built.
    """
    if not path.is_file():
        raise MissingError(f"The settings {str(path)!r} are absent.")
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"The settings {str(path)!r} cannot be read ({' '.join(str(error).split())}).") from error


def read_settings(path: Path) -> OfficialSettings:
    """Read the YAML file of a published generator.

    Raises:
        MissingError: the file is absent, or has no FIT or no group size in it.
        UsageError: it names a class or a setting that is not supported.
    """
    document = read_yaml(path)
    fit = _holding(document, "fit_blocks_count", "patch_channels")
    if fit is None or "group_size" not in fit:
        raise MissingError(f"{str(path)!r} says nothing about group_size, which cannot be read from weights.")
    _check_classes(fit)
    optional = {
        "dataset_ids": _dataset_ids(document),
        "beta_start": _number(document, "linear_start"),
        "beta_end": _number(document, "linear_end"),
        "timesteps": _number(document, "timesteps", int),
        "prediction": _prediction(document),
        "condition_order": _condition_order(document),
    }
    found = {name: value for name, value in optional.items() if value is not None}
    return OfficialSettings(fit=fit, group=extent(fit["group_size"]), dim_head=_dim_head(fit), **found)


def extent(value: int | list[int]) -> int:
    """Return a size along time: the files write it as a number or as (1, size, 1)."""
    return math.prod(value) if isinstance(value, list) else int(value)


def class_name(value: str) -> str:
    """Return the last part of a dotted class name."""
    return value.rsplit(".", 1)[-1]


def _tables(node: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(node, Mapping):
        yield node
    for child in node.values() if isinstance(node, Mapping) else node if isinstance(node, list) else ():
        yield from _tables(child)


def _holding(document: Any, *keys: str) -> Mapping[str, Any] | None:
    """Return the first table that has all of these keys."""
    return next((table for table in _tables(document) if all(key in table for key in keys)), None)


def _number(document: Any, key: str, kind: type = float) -> Any:
    table = _holding(document, key)
    return None if table is None else kind(table[key])


def _check_classes(fit: Mapping[str, Any]) -> None:
    block = fit.get("fit_block_config", {})
    for key, value, known in (
        ("fit_block_module", fit.get("fit_block_module", BLOCK_CLASSES[0]), BLOCK_CLASSES),
        ("attention_class", block.get("attention_class", ATTENTION_CLASSES[0]), ATTENTION_CLASSES),
        ("ff_class", block.get("ff_class", FEED_FORWARD_CLASSES[0]), FEED_FORWARD_CLASSES),
    ):
        if class_name(value) not in known:
            raise UsageError(f"{key} {value!r} is not supported.", f"Known: {', '.join(known)}.")


def _dim_head(fit: Mapping[str, Any]) -> int:
    block = fit.get("fit_block_config", {})
    ignored = "read_latent_conditioning_attention_config"  # accepted by the official code, never used
    tables = [value for key, value in block.items() if key.endswith("_attention_config") and key != ignored and value]
    widths = {int(table["dim_head"]) for table in tables if "dim_head" in table} or {64}
    if len(widths) > 1:
        raise UsageError(f"Attention layers with different dim_head {sorted(widths)} are not supported.")
    return widths.pop()


def _dataset_ids(document: Any) -> dict[str, int] | None:
    table = _holding(document, "dataset2id")
    return None if table is None else {str(name): int(number) for name, number in table["dataset2id"].items()}


def _prediction(document: Any) -> str | None:
    table = _holding(document, "parameterization")
    if table is None:
        return None
    names = {"eps": "epsilon", "x0": "x0", "v": "v"}
    if table["parameterization"] not in names:
        raise UsageError(f"parameterization {table['parameterization']!r} is not supported.", f"Known: {list(names)}.")
    return names[table["parameterization"]]


def _condition_order(document: Any) -> tuple[str, ...] | None:
    """Return which text encoder comes first: their vectors are joined in the order of the file."""
    for table in _tables(document):
        names = [key for key in table if str(key).startswith("film")]
        if len(names) > 1:
            return tuple("clap" if "clap" in name else "t5" if "t5" in name else name for name in names)
    return None
