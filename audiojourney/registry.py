"""Names for things that are imported only when asked for."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from audiojourney.errors import UsageError


def offer(name: str, known: Iterable[str]) -> str:
    """Return the hint for an unknown name: the nearest known one, or all of them where none is near."""
    names = sorted(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if near:
        return f"Did you mean {near[0]!r}?"
    return f"Known: {', '.join(names)}." if names else "None is known."


class Registry(Mapping[str, str]):
    """A table from names to `package.module:Attribute` that imports nothing until `load`.

    Args:
        kind: what the names stand for, used in messages ("sampler", "task").
        table: name to `package.module:Attribute`.
    """

    def __init__(self, kind: str, table: Mapping[str, str]) -> None:
        self.kind = kind
        self._table = dict(table)

    def __getitem__(self, name: str) -> str:
        return self._table[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def register(self, name: str, target: str) -> None:
        """Add a name, or point a known one elsewhere.

        Raises:
            ValueError: `target` is not of the form `package.module:Attribute`.
        """
        module, _, attribute = target.partition(":")
        if not module or not attribute:
            raise ValueError(f"{self.kind} {name!r}: expected 'package.module:Attribute', got {target!r}")
        self._table[name] = target

    def load(self, name: str) -> Any:
        """Import and return what `name` stands for.

        Raises:
            UsageError: the name is not in the table; the nearest one is offered.
        """
        if name not in self._table:
            raise UsageError(f"There is no {self.kind} {name!r}.", offer(name, self._table))
        module, _, attribute = self._table[name].partition(":")
        return getattr(importlib.import_module(module), attribute)
