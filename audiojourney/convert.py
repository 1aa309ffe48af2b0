"""Plain values, as YAML gives them, to the types that a dataclass declares."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from audiojourney.errors import UsageError
from audiojourney.registry import offer

T = TypeVar("T")


def convert(value: Any, annotation: Any, where: str = "") -> Any:
    """Return `value` as the type `annotation`; `where` is the dotted name of the setting in messages.

    Integers become floats and whole floats become integers, lists become tuples, text becomes a path, tables become
    dataclasses. Nothing else is guessed: text is never a number, a number is never a switch.

    Raises:
        UsageError: the value does not fit, or a key is unknown or missing.
    """
    if annotation is Any:
        return value
    if dataclasses.is_dataclass(annotation):
        return _dataclass(value, annotation, where)
    origin = get_origin(annotation)
    if origin in (Union, types.UnionType):
        return _union(value, get_args(annotation), where)
    if origin is Literal:
        return _literal(value, get_args(annotation), where)
    handler = _CONTAINERS.get(origin or annotation)
    if handler:
        return handler(value, get_args(annotation), where)
    return _scalar(value, annotation, where)


def _fault(value: Any, expected: str, where: str) -> UsageError:
    return UsageError(f"{where or 'settings'}: got {value!r}, expected {expected}.")


def _dataclass(value: Any, cls: Any, where: str) -> Any:
    if isinstance(value, cls):
        return value
    if not isinstance(value, Mapping):
        raise _fault(value, "a table of settings", where)
    fields = {field.name: field for field in dataclasses.fields(cls) if field.init}
    for key in value:
        if key not in fields:
            raise UsageError(f"There is no setting {_join(where, key)!r}.", offer(str(key), fields))
    hints = get_type_hints(cls)
    arguments = {key: convert(item, hints[key], _join(where, key)) for key, item in value.items()}
    for name, field in fields.items():
        if name not in arguments and field.default is field.default_factory is dataclasses.MISSING:
            raise UsageError(f"The setting {_join(where, name)!r} is needed and not given.")
    return cls(**arguments)


def _join(where: str, key: object) -> str:
    return f"{where}.{key}" if where else str(key)


def _union(value: Any, options: tuple[Any, ...], where: str) -> Any:
    if value is None and type(None) in options:
        return None
    options = tuple(option for option in options if option is not type(None))
    # An exact match first: True is no 1, and 2 stays an integer where a float would do as well.
    for option in options:
        if isinstance(option, type) and type(value) is option:
            return value
    for option in options[:-1]:
        try:
            return convert(value, option, where)
        except UsageError:
            continue
    return convert(value, options[-1], where)


def _literal(value: Any, options: tuple[Any, ...], where: str) -> Any:
    if value in options:
        return value
    known = [str(option) for option in options]
    raise UsageError(f"{where}: there is no {value!r} among {', '.join(known)}.", offer(str(value), known))


def _tuple(value: Any, options: tuple[Any, ...], where: str) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise _fault(value, "a list", where)
    if not options or (len(options) == 2 and options[1] is Ellipsis):
        return tuple(_list(value, options[:1], where))
    if len(value) != len(options):
        raise _fault(value, f"a list of {len(options)}", where)
    pairs = zip(value, options, strict=True)
    return tuple(convert(item, option, f"{where}[{index}]") for index, (item, option) in enumerate(pairs))


def _list(value: Any, options: tuple[Any, ...], where: str) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise _fault(value, "a list", where)
    option = options[0] if options else Any
    return [convert(item, option, f"{where}[{index}]") for index, item in enumerate(value)]


def _dict(value: Any, options: tuple[Any, ...], where: str) -> dict[Any, Any]:
    if not isinstance(value, Mapping):
        raise _fault(value, "a table", where)
    key_type, item_type = options or (Any, Any)
    return {convert(key, key_type, where): convert(item, item_type, _join(where, key)) for key, item in value.items()}


def _scalar(value: Any, annotation: Any, where: str) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if annotation is float and number:
        return float(value)
    if annotation is int and number and float(value).is_integer():
        return int(value)
    if annotation is Path and isinstance(value, str | Path):
        return Path(value)
    if isinstance(value, annotation) and (annotation is bool or not isinstance(value, bool)):
        return value
    raise _fault(value, _NAMES.get(annotation, getattr(annotation, "__name__", str(annotation))), where)


_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "text", Path: "a path"}
_CONTAINERS: dict[Any, Callable[[Any, tuple[Any, ...], str], Any]] = {
    tuple: _tuple,
    list: _list,
    dict: _dict,
    Mapping: _dict,
}
