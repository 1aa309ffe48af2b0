"""Captions, data, generators and metrics for text-to-audio research.

Public names are loaded on first use, so that `import audiojourney` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from audiojourney.recipes.generate import generate as generate
    from audiojourney.recipes.recaption.run import recaption as recaption

__version__ = "0.1.0"

_PUBLIC = {
    "generate": "audiojourney.recipes.generate",
    "recaption": "audiojourney.recipes.recaption.run",
}

__all__ = ["__version__", *_PUBLIC]


def __getattr__(name: str) -> Any:
    """Import a public name from the module that defines it."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    """List the public names without importing them."""
    return sorted(__all__)
