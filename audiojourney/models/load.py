"""Opens any text-to-audio model by name or folder."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from audiojourney import hub
from audiojourney.errors import MissingError
from audiojourney.model_folder import read_config

if TYPE_CHECKING:
    from audiojourney.models.base import SoundGenerator

# Kind of a model folder -> "module:class" with a `from_folder(folder, name)`; imported only when it is needed.
GENERATORS = {
    "pocket-generator": "audiojourney.models.pocket.pipeline:PocketGenerator",
    "genau-generator": "audiojourney.models.genau.folders:GenauFolder",
    "genau-published": "audiojourney.models.genau.folders:PublishedGenau",
}


def load_generator(name: str | Path, device: str = "cpu", dtype: str = "fp32") -> SoundGenerator:
    """Open a generator.

    Args:
        name: pocket name, folder, training run, published name or Hub id.
        device: torch device for the networks that support one.
        dtype: "fp32" or "bf16".

    Raises:
        MissingError: there is no such model, or it does not make sound from text.
    """
    folder = hub.resolve_model(str(name))
    kind = "genau-published" if any(folder.glob("*.ckpt")) else read_config(folder).get("kind")
    if kind not in GENERATORS:
        raise MissingError(f"{str(name)!r} is a {kind!r} model and makes no sound from text.", "See: aj models list")
    module, _, attribute = GENERATORS[kind].partition(":")
    generator = getattr(importlib.import_module(module), attribute).from_folder(folder, str(name))
    if hasattr(generator, "place"):
        generator.place(device, dtype)
    return generator
