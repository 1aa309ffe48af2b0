"""Settings: load, merge, check against a dataclass, save.

A setting is taken from the first place that has it: flag, `AJ_*` variable, configuration file, preset, and last the
default in the dataclass that owns it. Nothing here knows what the settings mean.
"""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import yaml

from audiojourney import files
from audiojourney.convert import convert
from audiojourney.errors import MissingError, UsageError
from audiojourney.registry import offer

PRESETS = Path(__file__).parent / "presets"
LOCAL_FILE = Path("aj.yaml")
VERBS = ("recaption", "filter", "pretrain", "finetune", "generate", "eval", "augment-classifier", "study", "data")

T = TypeVar("T")


class _Loader(yaml.SafeLoader):
    """Safe YAML that reads `1e-4` as a number and refuses a key that is given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Read one table; where YAML would take the last of two equal keys, say so instead."""
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, str | int) and key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} is given twice", key_node.start_mark)
            if isinstance(key, str | int):
                seen.add(key)
        return super().construct_mapping(node, deep)


# YAML 1.1 wants a dot in every float; everybody writes learning rates without one.
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def parse_yaml(text: str, where: str) -> Any:
    """Read one YAML document; `where` names it in the message.

    Raises:
        UsageError: the text is not YAML, or asks for a Python object.
    """
    try:
        return yaml.load(text, Loader=_Loader)  # a subclass of SafeLoader
    except yaml.YAMLError as error:
        reason = " ".join(str(error).split())
        raise UsageError(f"{where} cannot be read as YAML: {reason}.") from error


def load_yaml(path: Path) -> dict[str, Any]:
    """Read a YAML file that holds a table.

    Raises:
        MissingError: there is no such file.
        UsageError: the file cannot be read, or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise MissingError(f"There is no configuration file {str(path)!r}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The configuration file {str(path)!r} cannot be read ({error}).") from error
    loaded = parse_yaml(text, str(path))
    if loaded is None:
        return {}
    if not isinstance(loaded, dict):
        raise UsageError(f"{path} holds a {type(loaded).__name__}; expected a table of settings.")
    return loaded


def preset_names() -> tuple[str, ...]:
    """Return the names of all presets, such as `pocket/generator`, in alphabetical order."""
    return tuple(sorted(path.relative_to(PRESETS).with_suffix("").as_posix() for path in PRESETS.rglob("*.yaml")))


def load_preset(name: str) -> dict[str, Any]:
    """Read the preset `name` that comes with the package.

    Raises:
        UsageError: there is none of that name; the nearest one is offered.
    """
    if name not in preset_names():
        raise UsageError(f"There is no preset {name!r}.", offer(name, preset_names()))
    return load_yaml(PRESETS / f"{name}.yaml")


def merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Combine tables, later ones first in rank; tables inside are combined, everything else is replaced."""
    merged: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            old = merged.get(key)
            if isinstance(value, Mapping):
                merged[key] = merge(old, value) if isinstance(old, Mapping) else merge(value)
            else:
                merged[key] = value
    return merged


def parse_settings(settings: Iterable[str]) -> dict[str, Any]:
    """Turn `("loop.steps=10", "model.kind=dit")` into nested tables, the values read as YAML.

    Raises:
        UsageError: a setting is not of the form `a.b=value`.
    """
    tables = []
    for setting in settings:
        key, separator, text = setting.partition("=")
        names = key.strip().split(".")
        if not separator or not all(names):
            raise UsageError(f"--set {setting!r} is not of the form 'table.key=value'.")
        value: Any = parse_yaml(text, f"--set {setting!r}") if text.strip() else ""
        for name in reversed(names):
            value = {name: value}
        tables.append(value)
    return merge(*tables)


def load_settings(path: Path | None, verb: str) -> dict[str, Any]:
    """Read the settings of one verb from `path`, or from `./aj.yaml` where there is one.

    A file may hold a table for each verb, or be the settings of one verb, as saved in a run folder. The settings of a
    verb of two words, such as `data import`, are a table within that of the first.
    """
    if path is None and not LOCAL_FILE.is_file():
        return {}
    loaded = load_yaml(path or LOCAL_FILE)
    # `data` is a verb, and in the settings of another one a list of folders.
    if not any(name in loaded and (name != "data" or isinstance(loaded[name], dict)) for name in VERBS):
        return loaded
    for name in loaded:
        if name not in VERBS:
            raise UsageError(f"{path or LOCAL_FILE}: there is no command {name!r}.", offer(str(name), VERBS))
    table: Any = loaded
    for name in verb.split():
        table = (table.get(name) if isinstance(table, dict) else table) or {}
    if not isinstance(table, dict):
        raise UsageError(f"{path or LOCAL_FILE}: {verb!r} holds {table!r}; expected a table of settings.")
    return table


def environment(cls: type, variables: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the settings that `AJ_<FIELD>` variables give for the fields of the dataclass `cls`."""
    variables = os.environ if variables is None else variables
    found: dict[str, Any] = {}
    for name, annotation in get_type_hints(cls).items():
        text = variables.get(f"AJ_{name.upper()}")
        if text is not None:
            plain = annotation in (str, str | None, Path, Path | None)
            found[name] = text if plain else parse_yaml(text, f"AJ_{name.upper()}")
    return found


def build(cls: type[T], settings: Mapping[str, Any], where: str = "") -> T:
    """Make the dataclass `cls` from a table, with tables for the dataclasses inside it.

    Raises:
        UsageError: an unknown key (the nearest is offered), a value of the wrong type, or a missing one.
    """
    return convert(settings, cls, where)


def resolve(
    cls: type[T],
    verb: str,
    *,
    flags: Mapping[str, Any] | None = None,
    settings: Sequence[str] = (),
    file: Path | None = None,
    preset: str | None = None,
) -> T:
    """Build `cls` from all layers: preset < file < `AJ_*` < flags and `--set`; a flag of None was not given."""
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    base = load_preset(preset) if preset else {}
    return build(cls, merge(base, load_settings(file, verb), environment(cls), given, parse_settings(settings)))


def to_table(config: Any) -> Any:
    """Turn a dataclass into plain tables, lists and scalars, ready for YAML or JSON."""
    if dataclasses.is_dataclass(config) and not isinstance(config, type):
        return {field.name: to_table(getattr(config, field.name)) for field in dataclasses.fields(config)}
    if isinstance(config, Mapping):
        return {str(key): to_table(value) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return [to_table(value) for value in config]
    return str(config) if isinstance(config, Path) else config


def dump(config: Any) -> str:
    """Return a dataclass or table as YAML text, keys in their order."""
    return yaml.safe_dump(to_table(config), sort_keys=False, allow_unicode=True, width=120)


def save(config: Any, path: Path) -> None:
    """Write a dataclass or table as YAML, never half."""
    files.write_text(path, dump(config))
